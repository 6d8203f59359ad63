/* loop.h: one epoll loop: accepts, drives sessions, keeps deadlines, run queue and deferred frees.
 * What the reactors are made of.
 *
 * Sees only session.h: neither HTTP nor TLS. One thread runs a loop; loop_wake() may come from
 * anywhere. */
#ifndef ENGINES_REACTOR_LOOP_H
#define ENGINES_REACTOR_LOOP_H

#include "engines/engine.h"

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct peer;

/* In what loops differ; all zero is a plain one. */
struct loop_options {
    unsigned workers;      /* helper threads for what may block: file jobs, and pieces of files that
                              are not in the page cache; 0: the loop does it all */
    bool work_requests;    /* with workers: they process what is received, too */
    unsigned arrivals_max; /* loop_adopt() may be called, and so many of its connections may wait at
                              a time; a power of two. 0: it is not called */
    bool turns;       /* several threads take turns at it (loop_take_turns()); no file_workers */
    bool routines;    /* connections are coroutines; without workers */
    bool accept_only; /* no connection of its own: hooks->deal() gets them all */
    const struct loop_hooks *hooks; /* NULL: this loop is alone */
    void *hooks_context;
};

/* What a loop says to those that it works with. Called in its thread; each may be NULL, but for the
 * first two with accept_only. */
struct loop_hooks {
    /* May another connection be accepted? False: not before a loop_ask(LOOP_ASK_ACCEPT). */
    bool (*has_room)(void *context);
    /* Nobody has room, and a client waits: has a loop with an idle connection close it. */
    void (*make_way)(void *context);
    /* Is there no room in any loop? Asked by one that has none itself. */
    bool (*all_full)(void *context);
    /* Takes a connection, after has_room() has said yes. */
    void (*deal)(void *context, int fd, const struct listen_config *listen,
                 const struct peer *peer);
    /* This loop, which was full or behind, can adopt again; or it has an idle connection, and had
     * none. */
    void (*made_room)(void *context);
    /* This loop cannot accept now: others who hold the same listeners are to look. */
    void (*blocked)(void *context, const struct loop *loop);
    /* No descriptor is left, and this loop has none to give back. */
    void (*starved)(void *context, const struct loop *loop);
};

/* The bits of engine_ops.file_jobs of those that a loop with workers, which do not process
 * requests, can have its files read by: the executor of the configuration (engines/files/). */
#define LOOP_FILE_EXECUTORS                                                                        \
    (1u << FILE_JOBS_POSIX_AIO | 1u << FILE_JOBS_LINUX_AIO | 1u << FILE_JOBS_IO_URING)

/* How many workers of loop_options execute a loop's file jobs, or those that its executor leaves to
 * them, where the engine by itself has them executed by `by_default`. 0: none, the loop does it. */
unsigned loop_file_workers(const struct config *config, enum file_jobs by_default);

/* A loop over cfg's listeners, its own session environment, connection pool, timers and workers.
 * The process ignores SIGPIPE (checked: sendfile(2) has no MSG_NOSIGNAL). *cfg is copied, what it
 * points to is borrowed; so is *options only for the call. 0, or -errno and a sentence. The caller
 * owns it. */
int loop_create(const struct engine_config *cfg, const struct loop_options *options, char *why,
                size_t why_size, struct loop **ret_loop);

/* Serves until cfg->orders says stop, or drain and everything is done. 0, or -errno after a line
 * in the error log. */
int loop_run(struct loop *loop);

/* The same for a loop with `turns`, called by each of its threads. When the first returns, the
 * others do, too. Connections are left to loop_destroy(). */
int loop_take_turns(struct loop *loop);

/* Makes the loop look at cfg->orders. Async-signal-safe. */
void loop_wake(struct loop *loop);

enum loop_ask {
    LOOP_ASK_STOP = 1 << 0,     /* ends, as with cfg->orders->stop */
    LOOP_ASK_ACCEPT = 1 << 1,   /* somebody may wait at the listeners */
    LOOP_ASK_RECLAIM = 1 << 2,  /* descriptors have run out: gives some back */
    LOOP_ASK_MAKE_WAY = 1 << 3, /* a client waits for a place: closes its longest idle connection */
};

/* Asks the loop, and wakes it. Thread-safe. */
void loop_ask(struct loop *loop, unsigned asks);

/* Is no connection left in its pool? Has it an idle one? As it was a moment ago. Thread-safe. */
bool loop_is_full(const struct loop *loop);
bool loop_has_idle(const struct loop *loop);

/* Has the loop room for one more connection that it is to adopt? Called, like loop_adopt(), by one
 * thread only. */
bool loop_can_adopt(const struct loop *loop);

/* Connections that were given to the loop and are not closed yet. Thread-safe. */
unsigned loop_adopted(const struct loop *loop);

/* Gives a connection to the loop, which has room for it: `fd`, accepted on `listen` from `peer`.
 * Wakes the loop, once for all those that it has not looked at yet. */
void loop_adopt(struct loop *loop, int fd, const struct listen_config *listen,
                const struct peer *peer);

/* No loop_adopt() will follow: a drain can come to its end. Thread-safe. */
void loop_end_adoption(struct loop *loop);

/* Closes every connection and frees. NULL is allowed. */
void loop_destroy(struct loop *loop);

#endif

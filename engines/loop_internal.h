/* loop_internal.h: what loop.c, loop_accept.c, loop_conn.c and loop_send.c share. Nobody else
 * includes it.
 *
 * loop.c          waits, dispatches, run queue, deadlines, requests from outside   (the reactor)
 * loop_accept.c   takes connections from listeners                                 (the acceptor)
 * loop_conn.c     drives one connection: does what its session wants               (the handler)
 * loop_send.c     carries out a send plan on a socket */
#ifndef ENGINES_LOOP_INTERNAL_H
#define ENGINES_LOOP_INTERNAL_H

#include "core/clock.h"
#include "core/list.h"
#include "core/pool.h"
#include "core/send_plan.h"
#include "engines/engine.h"
#include "engines/loop.h"
#include "engines/session.h"
#include "engines/timer.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

enum {
    LOOP_EVENTS_MAX = 256,       /* taken from the kernel by one wait */
    LOOP_SCRATCH_SIZE = 1 << 16, /* octets of one receive at most */
    LOOP_STEPS_MAX = 16,         /* steps of one connection before others get their turn */
    LOOP_ACCEPT_MAX = 64,        /* connections accepted before others get their turn */
    LOOP_ACCEPT_RETRY_MS = 100,  /* how long to wait when descriptors or memory have run out */
    LOOP_LOG_EVERY_MS = 60000,   /* the same complaint at most so often */
    LOOP_TICK_MS = 1000,         /* session_env_tick() so often, while anything happens */
    LOOP_PROBE_MIN = 1 << 16,    /* file ranges up to this size are sent without a look at the page
                                    cache */
    LOOP_PROBE_SPAN = 1 << 20,   /* octets that one look stands for, and that are read ahead */
};

#define LOOP_MAGIC          0x100b100bu
#define LOOP_WAKE_MAGIC     0x100ba4a4u
#define LOOP_LISTENER_MAGIC 0x100b1157u
#define LOOP_CONN_MAGIC     0x100bc044u
#define LOOP_CLOSED_MAGIC   0x100bdeadu

/* What epoll_event.data.ptr points to; first member of everything that is registered. */
struct loop_source {
    unsigned magic; /* tells which */
    int fd;
};

struct loop_listener {
    struct loop_source source; /* LOOP_LISTENER_MAGIC; the descriptor is borrowed */
    const struct listen_config *config;
    struct list ready; /* in loop.accept_queue while connections may be waiting */
};

/* A connection; its session lies behind it in the same allocation (loop_conn_session()). */
struct loop_conn {
    _Alignas(16) struct loop_source source; /* LOOP_CONN_MAGIC; LOOP_CLOSED_MAGIC: only waits to be
                                               freed. Owns the descriptor */
    bool readable;   /* an edge said so, and no receive has found the socket empty since */
    bool writable;   /* likewise: no send has found it full since */
    bool ended;      /* EPOLLRDHUP, EPOLLHUP or EPOLLERR seen: no edge follows the last octet, so
                        reading goes on until 0 or an error */
    off_t warm_end;  /* the page cache was looked at, or filled, up to here; 0: not yet for this
                        range */
    struct list all; /* in loop.conns */
    struct list run; /* in loop.run_queue, or in loop.closed */
    struct timer_node timer; /* lazy: armed for the session's deadline or earlier */
};

static_assert(sizeof(struct loop_conn) <= 96, "an idle connection is small");
static_assert(sizeof(struct loop_conn) % 16 == 0, "the session behind it is aligned to 16");

struct loop {
    unsigned magic; /* LOOP_MAGIC */
    int epoll_fd;
    struct loop_source wake; /* LOOP_WAKE_MAGIC; an eventfd */
    struct engine_config cfg;
    struct clock clock;
    struct session_env *env;
    struct pool *pool; /* of struct loop_conn and session */
    struct list conns;
    struct list run_queue;    /* connections that can go on without a new edge */
    struct list closed;       /* freed at the end of the turn */
    struct list accept_queue; /* listeners that can go on without a new edge */
    struct loop_listener *listeners;
    uint64_t accept_retry_ms;  /* descriptors or memory have run out: not before; 0: at once */
    uint64_t accept_log_ms;    /* when that was complained about last; 0: never */
    uint64_t full_log_ms;      /* likewise, connections_max */
    uint64_t tick_due_ms;      /* next session_env_tick(); 0: nothing has happened since the last */
    bool active;               /* a connection was driven in this turn */
    uint64_t drain_end_ms;     /* 0: not draining */
    sig_atomic_t reopens_done; /* cfg.requests->reopen_logs as last heeded */
    struct timer_wheel timers;
    struct epoll_event events[LOOP_EVENTS_MAX];
    unsigned char scratch[LOOP_SCRATCH_SIZE]; /* every receive's target */
};

static inline struct session *loop_conn_session(struct loop_conn *conn)
{
    return (struct session *)(void *)(conn + 1);
}

/* A connection over `fd`, which it takes, accepted on `listen` from `peer`; registered with epoll
 * and armed. 0, or -errno and `fd` is closed. A connection must be left in the pool. */
int loop_conn_open(struct loop *loop, int fd, const struct listen_config *listen,
                   const struct peer *peer);

/* Notes what an edge said (epoll_event.events). */
void loop_conn_note(struct loop_conn *conn, uint32_t events);

/* Does what the session wants and the socket allows, then arms the deadline. When work is left that
 * no edge will announce, the connection is in the run queue afterwards. It may be closed. */
void loop_conn_drive(struct loop *loop, struct loop_conn *conn);

/* Closes the descriptor at once; loop_free_closed() does the rest. */
void loop_conn_close(struct loop *loop, struct loop_conn *conn);

/* Frees the connections that were closed in this turn. No event of theirs can be left by then. */
void loop_free_closed(struct loop *loop);

/* Octets of memory in a plan. */
static inline size_t loop_plan_memory(const struct send_plan *plan)
{
    size_t total = 0;
    for (int i = 0; i < plan->iovcnt; i++)
        total += plan->iov[i].iov_len;
    return total;
}

/* Sends what `plan` holds, at most `file_max` (above 0) octets of its file, without blocking. The
 * octets sent, 0 when the file ended before its range did, or -errno; *ret_full (set in any case)
 * tells whether the socket is full, so that an edge will come: with -EAGAIN always. */
ssize_t loop_send_plan(int fd, const struct send_plan *plan, size_t file_max, bool *ret_full);

/* Is the octet before `end` of the file in the page cache? Also true where the kernel cannot tell.
 */
bool loop_file_cached(int file_fd, off_t end);

/* Registers the listeners. 0 or -errno. */
int loop_listen(struct loop *loop);

/* Closes them: what waits in their backlogs, and what comes, is refused. */
void loop_unlisten(struct loop *loop);

/* Takes connections from the listeners in the accept queue, as far as limits and fairness allow. */
void loop_accept(struct loop *loop);

/* Milliseconds until loop_accept() has something to do: 0 at once, -1 not before an edge, a close
 * or a free. */
int loop_accept_timeout_ms(const struct loop *loop);

#endif

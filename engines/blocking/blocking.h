/* blocking.h: what the engines whose connections wait in system calls have in common.
 *
 * blocking.c         the environment, and what is asked from outside: stop, drain, logs, ticks
 * blocking_conn.c    the driver's operations over a socket that blocks (recv(2), poll(2))
 * blocking_accept.c  the thread that accepts, and has a thread or a process started for each
 * blocking_handover.c what other processes give to it, and it to them
 * places.[ch]        who is served, and who is idle
 *
 * Listening sockets are never shut down, and stay non-blocking: other processes may share both. */
#ifndef ENGINES_BLOCKING_BLOCKING_H
#define ENGINES_BLOCKING_BLOCKING_H

#include "core/check.h"
#include "core/clock.h"
#include "core/pulse.h"
#include "engines/blocking/driver.h"
#include "engines/blocking/places.h"
#include "engines/engine.h"
#include "session/session.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    BLOCKING_SCRATCH_SIZE = 1 << 14, /* octets of one receive at most; on the stack */
    BLOCKING_STACK_SIZE = 1 << 18,   /* of a thread: address space; an idle one keeps 12 KiB */
    BLOCKING_RETRY_MS = 100,         /* how long to wait when something has run out */
    BLOCKING_TICK_MS = 1000,         /* session_env_tick() so often, while anything happens */
    BLOCKING_WAY_MS = 1000,  /* how long one that makes way is given, before another one is asked */
    BLOCKING_TRIM_MS = 1000, /* who has waited so long gives back what is left on its stack */
    BLOCKING_PAUSE_MS = 10,  /* how often to look at a socket that can wake nobody any more, or
                                whether there is memory to wait */
};

struct blocking;

/* In what the engines with an accepting thread differ. */
struct blocking_ops {
    const char *what; /* "thread" or "process": for lines in the log */
    /* Has the connection of `place`, which is taken, served: by a new thread, say. 0; or -errno,
     * and it is tried again: when a connection ends, or after BLOCKING_RETRY_MS. */
    int (*start)(struct blocking *b, struct place *place);
    /* May another connection be accepted, as far as the engine minds? NULL: places decide. */
    bool (*has_room)(struct blocking *b);
    /* Asks a connection, and wakes it. */
    void (*ask)(struct places *places, struct place *place, unsigned asks);
    /* Its descriptor told: children have ended. NULL without. */
    void (*collect)(struct blocking *b);
    /* For how many of them is there room, places aside? NULL: places decide. */
    unsigned (*room)(struct blocking *b);
    /* The engine retires: what it keeps of connections that nobody serves yet is to be handed over,
     * and who does not see `asks` is to be told. NULL: nothing of that. */
    void (*retire)(struct blocking *b);
    /* Interrupts the system call in which the connection of `place` waits. NULL: it is a thread's,
     * which heeds pokes. */
    void (*poke)(const struct place *place);
    /* The logs are to be opened again elsewhere, too. NULL: nowhere. */
    void (*reopen)(struct blocking *b);
};

struct blocking {
    struct engine_config cfg;
    const struct blocking_ops *ops;
    bool shared; /* several threads call sessions of the environment */
    pthread_mutex_t mutex;
    struct session_lock lock;
    struct clock clock;      /* the environment's; under the mutex, if shared */
    struct session_env *env; /* likewise */
    struct places places;
    int wake_fd;            /* eventfd(2), non-blocking */
    int collect_fd;         /* another descriptor that the accepting thread waits on; -1: none */
    struct pollfd *polled;  /* of the accepting thread: wake_fd, collect_fd, the listeners, the
                               inboxes */
    atomic_uint asks;       /* enum driver_ask, of all connections */
    atomic_bool active;     /* a session was called since the last tick */
    struct place *held;     /* accepted, and not started yet */
    uint64_t tick_due_ms;   /* next session_env_tick(); 0: nothing has happened since the last */
    uint64_t sweep_due_ms;  /* next session_env_sweep(); 0: nothing is kept */
    uint64_t retry_ms;      /* not before that anybody is accepted or started; 0: at once */
    uint64_t way_ms;        /* somebody makes way: nobody else is asked before; 0: nobody does */
    uint64_t drain_end_ms;  /* 0: not draining */
    uint64_t retire_end_ms; /* 0: not retiring */
    uint64_t quiet_ms;      /* by then predecessors have nothing to hand over */
    uint64_t poke_ms;       /* when those that wait are poked next, while it retires */
    int *inboxes;           /* cfg.inboxes_count; -1: has ended. Owned, the descriptors are not */
    struct place *moved, **moved_end; /* have come from there, and are not started yet */
    unsigned moved_count;             /* of those */
    uint64_t full_log_ms;
    sig_atomic_t reopens_done;
    struct pulse_beat beat; /* of the accepting thread */
};

/* A connection that is served; in the memory of its place, the session behind it. */
struct blocking_conn {
    _Alignas(16) struct driver driver;
    struct blocking *b;
    struct place *place;
    bool nonblocking; /* O_NONBLOCK is set, for sendfile(2) */
    bool quiet;       /* the last receive that waited did so in vain */
    uint64_t last;    /* when something was received on it, or awaited in an answer (place_now()):
                         idle counts from there, since threads come to wait in any order */
    uint64_t now_ms;  /* the environment's clock, when it was entered last */
    uint32_t timeout_ms; /* SO_RCVTIMEO; 0: none */
    uintptr_t stack_low; /* the lowest address of its thread's stack; 0: nobody has asked yet */
};

/* ---- blocking_handover.c ---- */

/* Can a predecessor still hand something over? */
bool blocking_expects_moved(const struct blocking *b);

/* Fills in cfg.inboxes_count entries of poll(2), and returns that. */
nfds_t blocking_poll_inboxes(const struct blocking *b, struct pollfd *ret_polled);

/* Takes what waits in the inboxes into b->moved. Does not wait. */
void blocking_take_moved(struct blocking *b);

/* The next one of b->moved; NULL: there is none. */
struct place *blocking_next_moved(struct blocking *b);

/* The driver's move(). */
bool blocking_conn_move(struct driver *d);

/* Hands over a connection that nobody serves. False: it stays; else its place was given back. */
bool blocking_hand_over_unserved(struct blocking *b, struct place *place);

/* Pokes: of the process, before threads are started; of a thread that serves connections. */
void blocking_prepare_pokes(void);
void blocking_heed_pokes(void);

/* While it retires: interrupts those that wait, and could move, from time to time. */
void blocking_poke(struct blocking *b, uint64_t now_ms);

/* The order to retire has come, and there is a successor. */
void blocking_begin_retire(struct blocking *b, uint64_t now_ms);

/* ---- */

/* enum engine_ops.probe: an eventfd(2) is all that is not everywhere. */
int blocking_probe(const struct config *config, char *why, size_t why_size);

/* Makes it, with `places_count` places; its environment has room for as many sessions if it is
 * `shared`, and else for the one that is served at a time, in this process or in a child. 0, or
 * -errno and a sentence; the caller ends it in any case by blocking_destroy(). */
int blocking_create(struct blocking *b, const struct engine_config *cfg,
                    const struct blocking_ops *ops, bool shared, unsigned places_count, char *why,
                    size_t why_size);
void blocking_destroy(struct blocking *b);

/* Makes the accepting thread look. Async-signal-safe. */
void blocking_wake(struct blocking *b);

/* Reads what blocking_wake() has written. */
void blocking_woken(struct blocking *b);

/* For the accepting thread, once a turn: does what is asked from outside and what is due. True: all
 * is over, everybody was asked to stop. */
bool blocking_turn(struct blocking *b, uint64_t now_ms);

/* Until when it may wait, as poll(2)'s timeout. */
int blocking_timeout_ms(const struct blocking *b, uint64_t now_ms);

/* As poll(2): how many of `count` descriptors told; 0 also when it was interrupted, or the kernel
 * had no memory for the call, after a pause then. Without any their revents are 0. Or another
 * -errno. */
int blocking_poll(struct pollfd *polled, nfds_t count, int timeout_ms);

/* session_env_tick() and _sweep(), when due. Anybody's who owns the environment alone. */
void blocking_tick(struct blocking *b, uint64_t now_ms, bool reopen);

/* Descriptors have run out: closes kept files. How many. */
size_t blocking_reclaim(struct blocking *b);

/* Asks all connections. */
void blocking_ask_all(struct blocking *b, unsigned asks);

/* Accepts one. 0, or -errno; -EAGAIN: nobody waits, -ENOBUFS: no place. */
int blocking_accept_one(struct blocking *b, const struct listener *listener,
                        struct place **ret_place);

/* Accepts, and has connections started, until all is over and every place was given back. 0, or
 * -errno after a line in the error log. */
int blocking_serve(struct blocking *b);

/* Has some of b->moved started, as what was accepted: few at a time, since a predecessor may wait
 * for the next acknowledgement meanwhile. One that retires by then passes them on. */
void blocking_start_moved(struct blocking *b);

/* The drain begins: takes whom the kernel has made a connection for already, and closes the
 * listeners. */
void blocking_unlisten(struct blocking *b);

/* Serves the connection of a place, the socket `fd`, in the calling thread, by `ops`, until its
 * session is closed. */
void blocking_conn_drive(struct blocking *b, struct place *place, int fd,
                         const struct driver_ops *ops);

/* The same, and then gives the place back and closes the descriptor. */
void blocking_conn_serve(struct blocking *b, struct place *place, const struct driver_ops *ops);

/* The driver's operations over a socket that blocks. */
extern const struct driver_ops blocking_conn_ops;

static inline struct blocking_conn *blocking_conn_of(struct driver *d)
{
    return container_of(d, struct blocking_conn, driver);
}

#endif

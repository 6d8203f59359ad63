/* proactor_internal.h: what the files of the engine `proactor` share. Nobody else includes it.
 *
 * proactor.c          the engine: threads, and one proactor in each
 * proactor_loop.c     waits for completions and dispatches them      (the completion dispatcher)
 * proactor_accept.c   connections from listeners                     (the acceptor)
 * proactor_idle.c     which connections are idle, and may make way for others
 * coalesce.c          how many completions a busy loop waits for at once
 * proactor_handover.c what other processes give to it, and it to them
 * proactor_conn.c     drives one connection                          (the handler)
 * proactor_recv.c     receives, and what a busy session has no room for
 * proactor_send.c     sends memory, and pieces of files by sendfile(2)
 * proactor_room.c     waits for room in a socket
 * proactor_splice.c   pieces of files by way of a pipe
 * proactor_file.c     file jobs as operations
 *
 * The asynchronous operation processor (processor.h) is the kernel's io_uring, or emulated. */
#ifndef ENGINES_PROACTOR_PROACTOR_INTERNAL_H
#define ENGINES_PROACTOR_PROACTOR_INTERNAL_H

#include "core/check.h"
#include "core/clock.h"
#include "core/list.h"
#include "core/pool.h"
#include "core/pulse.h"
#include "core/send_plan.h"
#include "engines/engine.h"
#include "engines/handover.h"
#include "engines/proactor/coalesce.h"
#include "session/session.h"
#include "engines/timer.h"
#include "engines/proactor/processor.h"
#include "engines/workers.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PROACTOR_TAKE_MAX = 256,        /* completions dispatched in one turn */
    PROACTOR_STEPS_MAX = 16,        /* steps of one connection before others get their turn */
    PROACTOR_ACCEPT_RETRY_MS = 100, /* how long to wait when descriptors or memory have run out */
    PROACTOR_TICK_MS = 1000,        /* session_env_tick() so often, while anything happens */
    PROACTOR_KEPT_SOFT = 1 << 14,   /* octets kept of one connection, beyond which its receive is
                                       stopped; what is on its way still comes */
    PROACTOR_KEPT_MAX = 64 << 20,   /* octets kept of all connections of a thread; beyond it, who
                                       sends more is closed */
    PROACTOR_PROBE_SPAN = 1 << 20,  /* octets that one look at the page cache stands for */
    PROACTOR_PIECE = OPERATION_WARM_MAX, /* octets of a file read at once when they are not there */
    PROACTOR_PIPES_MAX = 64,             /* of one thread, for file_io = splice */
    PROACTOR_PIPES_IDLE_MAX = 2,         /* of those, kept while nobody needs them */
    PROACTOR_PIPE_SIZE = 1 << 16,        /* octets; a pipe's default, so no limit is in the way */
    PROACTOR_ATTEMPTS_MAX = 16,          /* of one file job, when a rename disturbs openat2(2) */
    PROACTOR_LOOKS_MAX = 4, /* turns at most for requests that have come before a drain */
};

#define PROACTOR_MAGIC      0x9b0ac709u
#define PROACTOR_OP_MAGIC   0x9b0a0b0bu
#define PROACTOR_CONN_MAGIC 0x9b0ac044u
#define PROACTOR_FILE_MAGIC 0x9b0af17eu

/* A drain: no more is accepted than who waits already, then what those have sent is taken, and only
 * then are sessions asked to end: a request that has come already is answered. */
enum proactor_drain {
    PROACTOR_SERVES,
    PROACTOR_UNLISTENS, /* accepts are being cancelled */
    PROACTOR_LOOKS,     /* completions that the kernel owes are taken, without waiting */
    PROACTOR_DRAINS,    /* sessions have been asked */
};

/* What an operation is, and so what it is embedded in. */
enum proactor_op_kind {
    PROACTOR_OP_WAKE,    /* proactor.wake: the eventfd was written */
    PROACTOR_OP_WORKERS, /* proactor.workers_op, remote_op: jobs have come back */
    PROACTOR_OP_ACCEPT,  /* proactor_listener.op */
    PROACTOR_OP_CALLER,  /* likewise: a client waits, for whom there is no room */
    PROACTOR_OP_INBOX,   /* proactor_inbox.op: a predecessor hands connections over */
    PROACTOR_OP_RECV,    /* proactor_conn.recv */
    PROACTOR_OP_ROOM,    /* proactor_conn.room: a change of the socket, perhaps room */
    /* proactor_conn.send, one at a time; a plan is held meanwhile */
    PROACTOR_OP_SEND,       /* memory */
    PROACTOR_OP_WARM,       /* a piece of a file into the page cache */
    PROACTOR_OP_SPLICE_IN,  /* file to pipe */
    PROACTOR_OP_SPLICE_OUT, /* pipe to socket */
    PROACTOR_OP_FILE,       /* proactor_file.op */
};

/* A completion's token; embedded in what it is about, which stays until the last completion. */
struct proactor_op {
    unsigned magic; /* PROACTOR_OP_MAGIC */
    uint8_t kind;   /* enum proactor_op_kind */
    bool in_flight; /* a completion is due */
    bool cancelled; /* it was asked to end early */
};

struct proactor_listener {
    struct proactor_op op;
    struct listener *listener; /* borrowed; the descriptor is closed when draining */
    bool multishot;            /* how it is armed */
    bool called;               /* PROACTOR_OP_CALLER has said so, and nobody has made way since */
};

/* Of another process, which hands its connections over. */
struct proactor_inbox {
    struct proactor_op op;
    int fd;            /* borrowed */
    bool ended;        /* nothing more comes */
    bool yielded;      /* others were given time to look at what waits there now */
    uint64_t retry_ms; /* others look first: not before; 0: at once */
};

/* Octets that have been received and for which the session has no room yet. */
struct proactor_kept {
    struct proactor_kept *next;
    size_t off, len; /* [off, len) is left */
    unsigned char data[];
};

struct proactor_pipe {
    struct list link; /* in proactor.pipes while nobody has it */
    int fds[2];
    size_t len; /* octets in it: those of `fd` at `off` */
    int fd;     /* borrowed from the plan */
    off_t off;
};

/* A connection; its session lies behind it in the same allocation (proactor_session()). */
struct proactor_conn {
    _Alignas(16) unsigned magic; /* PROACTOR_CONN_MAGIC */
    int fd;                      /* -1: closed */
    struct proactor_op recv, send, room;
    bool leaving; /* was idle, and makes way for another one */
    bool parting; /* is to move to the successor: nothing is received any more */
    bool shared;  /* another process may still have the socket open: it has moved, or was to move */
    bool closing; /* wants nothing more: what is in flight ends, then the descriptor, then it */
    bool received; /* at least once */
    bool corked;   /* in the middle of a file's range */
    bool full;     /* the socket was found full: no send before `room` tells of room */
    bool roomy;    /* `room` has told of room since the send in flight began */
    bool ended;    /* the stream has ended with `end_res`, which the session has not been told yet,
                      or has (told) */
    bool told;
    uint16_t window;            /* of coalesce_note() */
    int end_res;                /* 0 or -errno */
    size_t send_len;            /* octets that the SEND in flight was given */
    off_t warm_end;             /* the page cache holds the range in work up to here; 0: unknown */
    struct proactor_pipe *pipe; /* or NULL; borrowed from the proactor's pipes */
    struct proactor_file *file; /* the job in flight, or NULL */
    struct proactor_kept *kept; /* oldest first; NULL: none. Owned */
    struct proactor_kept *newest;
    size_t kept_len;         /* octets in them */
    struct list all;         /* in proactor.conns */
    struct list run;         /* in proactor.run_queue, or in proactor.closed */
    struct list idle;        /* in proactor.idle while it waits for a request; in
                                proactor.parting or .parted; or in none */
    struct timer_node timer; /* lazy: armed for the session's deadline or earlier */
};

static_assert(sizeof(struct proactor_conn) <= 256, "an idle connection is small");
static_assert(sizeof(struct proactor_conn) % 16 == 0, "the session behind it is aligned to 16");

/* What all proactors of the engine share. Not locked: set before they run, or atomic. */
struct proactor_shared {
    const struct config *config;
    const struct tls_server *tls;
    const struct engine_orders *orders;
    struct handover *out; /* NULL: to retire is to drain */
    struct pulse *pulse;
    const int *inboxes;
    size_t inboxes_count;
    const struct processor_ops *processor;
    struct processor_options options; /* of all processors */
    atomic_bool failed;               /* one of them ended by an error: the others stop */
    atomic_uint reclaims; /* counts up: one is out of descriptors, and all are to give some back */
    void (*wake_all)(void *context);
    bool (*all_full)(void *context); /* has none of them room? NULL: there is but one */
    void *wake_context;              /* of both */
};

/* One thread's proactor. */
struct proactor {
    unsigned magic; /* PROACTOR_MAGIC */
    struct proactor_shared *shared;
    const struct config *config;
    struct session_limits limits;
    struct processor *processor;
    int wake_fd; /* an eventfd */
    struct proactor_op wake, workers_op, remote_op;
    struct clock clock;
    struct session_env *env;
    struct workers *workers; /* one thread, for what is no operation: directory listings */
    struct workers *remote;  /* for file jobs that are remote; NULL: there was none yet */
    struct pool *pool;       /* of struct proactor_conn and session */
    struct pool *files;      /* of struct proactor_file */
    struct list conns;
    struct list run_queue; /* connections that can go on without a completion */
    struct list closed;    /* freed at the end of the turn */
    struct list idle;      /* connections that wait for a request; the longest idle first */
    unsigned leaving;      /* connections that make way, and are not freed yet */
    atomic_bool full;      /* for other proactors: no connection is left in the pool */
    bool helpless;         /* ... here, and nobody idle: the others have been told */
    struct list pipes;     /* free ones */
    unsigned pipes_count;  /* all */
    unsigned pipes_idle;   /* free ones */
    struct proactor_listener *accepts;
    size_t listeners_count;
    size_t accept_margin;     /* multishot accepts are armed while more than that are free */
    size_t accepts_armed;     /* one-shot accepts in flight: each may bring a connection */
    uint64_t accept_retry_ms; /* descriptors or memory have run out: not before; 0: at once */
    uint64_t reclaim_next_ms; /* when proactor_ask_reclaim() may ask again */
    uint64_t full_log_ms;     /* when connections_max was complained about last; 0: never */
    uint64_t tick_due_ms;     /* next session_env_tick(); 0: nothing has happened since the last */
    uint64_t sweep_due_ms;    /* next session_env_sweep(); 0: nothing is kept */
    bool active;              /* a connection was driven in this turn */
    bool starved;             /* an operation found no place: the next turn comes at once */
    bool ending;              /* the loop ends: nothing is begun, what is in flight is awaited */
    bool lost; /* the processor failed with operations in flight: nothing can be freed */
    uint64_t drain_end_ms;      /* 0: not draining */
    uint64_t retire_end_ms;     /* 0: not retiring */
    uint64_t quiet_ms;          /* by then predecessors have nothing to hand over */
    bool retires;               /* the listeners are closed since, and connections leave */
    bool handover_over;         /* the successor takes nothing more */
    unsigned refusals;          /* batches of which it has not taken all */
    uint64_t handover_retry_ms; /* it has just not taken all: not before; 0: at once */
    struct list parting;        /* connections that leave, and of which the kernel has still to be
                                   asked to end what is in flight */
    struct list parted;         /* those of which nothing is in flight */
    struct proactor_inbox *inboxes;
    size_t inboxes_count;
    enum proactor_drain drain; /* how far that is */
    unsigned looks;            /* turns of PROACTOR_LOOKS so far */
    unsigned taken;            /* completions of this turn */
    struct coalesce coalesce;
    size_t kept_len;           /* octets kept of all connections */
    sig_atomic_t reopens_done; /* orders->reopen_logs as last heeded */
    struct pulse_beat beat;
    unsigned reclaims_done; /* likewise, shared->reclaims */
    struct timer_wheel timers;
    struct completion completions[PROACTOR_TAKE_MAX];
};

static inline struct session *proactor_session(struct proactor_conn *conn)
{
    return (struct session *)(void *)(conn + 1);
}

static inline void proactor_op_init(struct proactor_op *op, enum proactor_op_kind kind)
{
    *op = (struct proactor_op){ .magic = PROACTOR_OP_MAGIC, .kind = (uint8_t)kind };
}

/* Begins `operation`, which `op` (not in flight) stands for, as one of `kind`. False: try again in
 * the next turn. */
bool proactor_begin(struct proactor *p, struct proactor_op *op, enum proactor_op_kind kind,
                    const struct operation *operation);

/* Asks `op`, if it is in flight, to end early; `fd` is what it is about. Its completion comes in
 * any case. Once is enough. False: try again in the next turn. */
bool proactor_cancel(struct proactor *p, struct proactor_op *op, int fd);

/* ---- proactor_loop.c ---- */

/* A proactor that holds no more than `limits` (copied) over `count` listeners (borrowed; closed
 * when draining). The process ignores SIGPIPE (checked: sendfile(2) has no MSG_NOSIGNAL). 0, or
 * -errno and a sentence. The caller owns it. */
int proactor_create(struct proactor_shared *shared, const struct session_limits *limits,
                    struct listener *listeners, size_t count, char *why, size_t why_size,
                    struct proactor **ret_proactor);

/* Serves until asked to stop, or drained; in the one thread that uses it. 0, or -errno after a line
 * in the error log. */
int proactor_run(struct proactor *p);

/* Makes it look at its orders. Async-signal-safe. */
void proactor_wake(struct proactor *p);

/* Has not begun to run, or has ended. NULL is allowed. */
void proactor_destroy(struct proactor *p);

/* No descriptor is left: asks all proactors to give some back, at most once in
 * PROACTOR_ACCEPT_RETRY_MS. */
void proactor_ask_reclaim(struct proactor *p);

/* The connection gets a turn without a completion. */
static inline void proactor_queue(struct proactor *p, struct proactor_conn *conn)
{
    if (list_empty(&conn->run))
        list_push_back(&p->run_queue, &conn->run);
}

/* ---- proactor_accept.c ---- */

/* Arms what can be armed; called once a turn. */
void proactor_accept(struct proactor *p);
void proactor_accepted(struct proactor *p, struct proactor_op *op, int res, unsigned flags);

/* Milliseconds until proactor_accept() has something to do; -1: not before a completion. */
int proactor_accept_timeout_ms(const struct proactor *p);

/* Ends accepting, step by step; unless the loop ends, those who wait in a backlog are taken. True
 * when it has ended and the listeners are closed. */
bool proactor_unlisten(struct proactor *p);

/* A completion of PROACTOR_OP_CALLER. */
void proactor_called(struct proactor *p, struct proactor_op *op, int res);

/* Tells the other proactors whether there is room here: at once when that changes, so that of two
 * that fill up at the same time one sees that both are full. */
void proactor_publish_full(struct proactor *p);

/* Is no connection left in its pool? As it was a moment ago. Thread-safe. */
static inline bool proactor_is_full(const struct proactor *p)
{
    return atomic_load(&p->full);
}

/* ---- proactor_idle.c ---- */

/* The connection has nothing to do: it is idle from now on, if its session says so. */
void proactor_idle_begin(struct proactor *p, struct proactor_conn *conn);

/* Something was received, or it ends. */
static inline void proactor_idle_end(struct proactor_conn *conn)
{
    list_remove(&conn->idle);
}

/* Has the connection end that has been idle for longest, unless its client has sent something in
 * this moment: then the next one. Its descriptor is closed at once or soon, and its place is free
 * when p->leaving says so. False: nobody is idle. */
bool proactor_make_way(struct proactor *p);

/* ---- proactor_conn.c ---- */

/* A connection over `fd`, which it takes. One must be left in the pool. */
void proactor_conn_open(struct proactor *p, int fd, const struct listen_config *listen,
                        const struct peer *peer);

/* The same for one that was handed over. */
void proactor_conn_open_moved(struct proactor *p, const struct handover_conn *moved);

/* Begins what the session wants and is not in flight, then arms the deadline. */
void proactor_conn_drive(struct proactor *p, struct proactor_conn *conn);

/* Takes the next step of closing: cancels, waits, closes the descriptor, frees. */
void proactor_conn_close(struct proactor *p, struct proactor_conn *conn);

/* Frees the connections that ended in this turn. */
void proactor_free_closed(struct proactor *p);

/* ---- proactor_handover.c ---- */

/* Watches the inboxes; called once a turn. */
void proactor_inboxes_arm(struct proactor *p);

/* Ends that, step by step. True when it has ended. */
bool proactor_inboxes_end(struct proactor *p);

/* A completion of PROACTOR_OP_INBOX: takes what is there. */
void proactor_inbox_told(struct proactor *p, struct proactor_op *op);

/* `timeout_ms`, or what is left until an inbox is to be watched again. */
int proactor_inboxes_timeout_ms(const struct proactor *p, int timeout_ms);

/* Can a predecessor still hand something over? */
bool proactor_expects_moved(const struct proactor *p);

/* While it retires: the connection waits, and is handed over soon, when it can move; what never can
 * is told to end. */
void proactor_part(struct proactor *p, struct proactor_conn *conn);

/* It does not leave now, and gets a turn. */
void proactor_part_end(struct proactor *p, struct proactor_conn *conn);

/* The order to retire, and there is a successor: the next step. True when nothing is left. */
bool proactor_go_on_retiring(struct proactor *p);

/* ---- proactor_recv.c ---- */

/* Arms a receive, when it is time for one. */
void proactor_recv_arm(struct proactor *p, struct proactor_conn *conn);
void proactor_received(struct proactor *p, struct proactor_conn *conn, int res, unsigned flags);

/* Reports what was kept, or the end of the stream, to a session that wants RECV. False: nothing is
 * there to report. */
bool proactor_recv_push(struct proactor *p, struct proactor_conn *conn);
void proactor_recv_discard(struct proactor *p, struct proactor_conn *conn);

/* ---- proactor_send.c ---- */

enum proactor_step {
    PROACTOR_DONE,  /* reported: ask for the wants anew */
    PROACTOR_WAITS, /* a completion is due */
    PROACTOR_YIELD, /* others first: the run queue */
};

/* The session wants SEND, and nothing is in flight there. Takes octets of files off `*turn_left`.
 */
enum proactor_step proactor_send(struct proactor *p, struct proactor_conn *conn, size_t *turn_left);

/* A completion of conn->send. */
void proactor_sent(struct proactor *p, struct proactor_conn *conn, int res);

/* ---- proactor_room.c ---- */

/* An operation that sends is about to begin. */
static inline void proactor_room_watch(struct proactor_conn *conn)
{
    conn->roomy = false;
}

/* That operation has found the socket full. If room was told of since it began, it may have been
 * this very room, and nothing more would be told: then the next send finds out. */
static inline void proactor_room_lacks(struct proactor_conn *conn)
{
    conn->full = !conn->roomy;
}

/* The socket is full: waits for room. PROACTOR_WAITS, or PROACTOR_YIELD: not armed yet. */
enum proactor_step proactor_room_await(struct proactor *p, struct proactor_conn *conn);

/* A completion of conn->room: `res` is a mask of poll(2), or -errno. */
void proactor_room_told(struct proactor *p, struct proactor_conn *conn, int res);

/* ---- proactor_splice.c ---- */

/* A pipe for the connection, unless it has one. False: there is none. */
bool proactor_pipe_take(struct proactor *p, struct proactor_conn *conn);

/* Gives it back; one that holds octets is closed. */
void proactor_pipe_give(struct proactor *p, struct proactor_conn *conn);
void proactor_pipes_close(struct proactor *p);

/* The next operation for a plan of a file alone. */
enum proactor_step proactor_splice(struct proactor *p, struct proactor_conn *conn,
                                   const struct send_plan *plan);
void proactor_spliced(struct proactor *p, struct proactor_conn *conn, int res);

/* ---- proactor_file.c ---- */

/* Octets of what a job needs. */
size_t proactor_file_size(void);

/* Begins the session's job. */
enum proactor_step proactor_file_begin(struct proactor *p, struct proactor_conn *conn);

/* Takes a job that found no place further. */
enum proactor_step proactor_file_resume(struct proactor *p, struct proactor_conn *conn);
void proactor_file_completed(struct proactor *p, struct proactor_op *op, int res);

/* Takes back what the workers have done. */
void proactor_workers_collect(struct proactor *p);

/* Is there something of that? Asked once a turn: thousands of completions may lie before the one
 * that tells. */
bool proactor_workers_have_results(const struct proactor *p);

/* Watches for that. */
void proactor_workers_arm(struct proactor *p);

/* Hands over what the turn has collected. */
void proactor_workers_flush(struct proactor *p);

/* Ends that watch. True: it has ended. */
bool proactor_workers_unwatch(struct proactor *p);

/* Ends the threads, and awaits them. False: there were jobs that none had begun. */
bool proactor_workers_stop(struct proactor *p);

#endif

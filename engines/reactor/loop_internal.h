/* loop_internal.h: what the files of the loop share. Nobody else includes it.
 *
 * loop.c          waits, dispatches, run queue, deadlines, requests from outside   (the reactor)
 * loop_accept.c   takes connections from listeners                                 (the acceptor)
 * loop_idle.c     which connections are idle, and may make way for others
 * loop_ask.c      what other threads ask of the loop, and give to it
 * loop_handover.c what other processes give to the loop, and it to them
 * loop_conn.c     drives one connection: does what its session wants               (the handler)
 * loop_env.c      the session environment, and its lock where it is shared with workers
 * loop_turns.c    several threads that take turns at the loop
 * loop_routine.c  connections as coroutines                                       (likewise)
 * loop_offload.c  hands to workers what the loop is not to do itself               (the processor)
 * loop_remote.c   hands to workers of their own what a file server may never answer
 * loop_reads.c    has files read by an executor (file_jobs), beside the workers
 */
#ifndef ENGINES_REACTOR_LOOP_INTERNAL_H
#define ENGINES_REACTOR_LOOP_INTERNAL_H

#include "core/check.h"
#include "core/clock.h"
#include "core/list.h"
#include "core/pool.h"
#include "core/pulse.h"
#include "core/send_plan.h"
#include "engines/engine.h"
#include "engines/handover.h"
#include "engines/reactor/demultiplexer.h"
#include "engines/reactor/loop.h"
#include "engines/reactor/loop_inbox.h"
#include "session/session.h"
#include "engines/timer.h"
#include "engines/workers.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LOOP_EVENTS_MAX = 256,       /* taken from the kernel by one wait */
    LOOP_SCRATCH_SIZE = 1 << 16, /* octets of one receive at most */
    LOOP_STEPS_MAX = 16,         /* steps of one connection before others get their turn */
    LOOP_PIECES_MAX = 2,  /* of long listings, a fraction of a millisecond each, in one turn */
    LOOP_ACCEPT_MAX = 64, /* connections accepted before others get their turn */
    LOOP_SHARED_MAX = 16, /* connections accepted from a listener that is shared before this
                             loop goes to the end of those that the kernel wakes */
    LOOP_ACCEPT_RETRY_MS = 100,  /* how long to wait when descriptors or memory have run out */
    LOOP_TICK_MS = 1000,         /* session_env_tick() so often, while anything happens */
    LOOP_PROBE_MIN = 1 << 16,    /* file ranges up to this size are sent without a look at the page
                                    cache */
    LOOP_PROBE_SPAN = 1 << 20,   /* octets that one look stands for, and that are read ahead */
    LOOP_TOOK_ARRIVALS = 1 << 8, /* with enum loop_ask: connections were adopted */
    LOOP_HANDOFF_SIZE = 1 << 14, /* octets received at most for one hand-over to a worker */
};

#define LOOP_MAGIC          0x100b100bu
#define LOOP_WAKE_MAGIC     0x100ba4a4u
#define LOOP_LISTENER_MAGIC 0x100b1157u
#define LOOP_CONN_MAGIC     0x100bc044u
#define LOOP_CLOSED_MAGIC   0x100bdeadu
#define LOOP_DONE_MAGIC     0x100bd04eu
#define LOOP_TASK_MAGIC     0x100b7a54u

#define LOOP_PREDECESSOR_MAGIC 0x100b94edu

struct loop_listener {
    struct loop_source source; /* LOOP_LISTENER_MAGIC; the descriptor is borrowed */
    const struct listen_config *config;
    bool shared;       /* other loops have it, too */
    bool registered;   /* with the demultiplexer */
    unsigned taken;    /* connections accepted, if shared */
    struct list ready; /* in loop.accept_queue while connections may be waiting */
};

/* Another process, which hands its connections over. */
struct loop_predecessor {
    struct loop_source source; /* LOOP_PREDECESSOR_MAGIC; the descriptor is borrowed */
    bool watched;              /* more may come */
    bool yielded;              /* others were asked to look at what waits there now */
    struct list ready;         /* in loop.told_inboxes while a message may wait */
};

/* A connection; its session lies behind it in the same allocation (loop_conn_session()). */
struct loop_conn {
    _Alignas(16) struct loop_source source; /* LOOP_CONN_MAGIC; LOOP_CLOSED_MAGIC: only waits to be
                                               freed. Owns the descriptor */
    bool readable; /* an edge said so, and no receive has found the socket empty since */
    bool writable; /* likewise: no send has found it full since */
    bool ended;    /* an event said that the peer has ended: no edge follows the last octet, so
                      reading goes on until 0 or an error */
    bool registered : 1; /* with the demultiplexer: once it has to wait */
    bool shared : 1;     /* another process may still have the socket open: it has moved, or was to
                            move.     Closing does not end what the demultiplexer knows of it */
    bool waits_for_worker : 1; /* in loop.unread */
    bool corked;               /* in the middle of a file's range */
    bool away;       /* a worker has its task: nobody else touches the session or the descriptor,
                        edges are noted, its deadline waits; in no queue */
    bool driven;     /* with `turns`: a thread drives it, and may have let the lock go: to all
                        others it is as if away */
    uint8_t drained; /* likewise, while draining: 1: it has looked for a last request; 2: it was
                        asked to end */
    off_t warm_end;  /* the page cache was looked at, or filled, up to here; 0: not yet for this
                        range */
    struct list all; /* in loop.conns */
    struct list run; /* in loop.run_queue, in loop.unread, or in loop.closed */
    struct timer_node timer; /* lazy: armed for the session's deadline or earlier */
    struct list idle;        /* in loop.idle while it waits for a request, or in loop.parting */
};

static_assert(sizeof(struct loop_conn) <= 96, "an idle connection is small");
static_assert(sizeof(struct loop_conn) % 16 == 0, "the session behind it is aligned to 16");

/* What a worker is to do for a connection. */
enum loop_task_kind {
    LOOP_TASK_RECEIVED, /* octets are to be processed by the session: where workers do that */
    LOOP_TASK_JOB,      /* the session's file job is to be executed */
    LOOP_TASK_PIECE,    /* a piece of a file is to be read into the page cache; the plan that lends
                           the file is reported when it comes back */
};

/* From loop.tasks; there is one for every connection. */
struct loop_task {
    struct worker_task task;
    unsigned magic; /* LOOP_TASK_MAGIC */
    enum loop_task_kind kind;
    struct loop *loop;
    struct loop_conn *conn;
    bool ran;    /* else it comes back because everything ends */
    bool remote; /* it is those workers' who may wait for other machines: loop.remote */
    int file_fd; /* of the piece; borrowed from the plan */
    off_t off;
    size_t len;           /* of the piece, or of what was received */
    unsigned char data[]; /* LOOP_HANDOFF_SIZE octets, where workers process what is received; a
                             struct file_read, where the loop has an executor */
};

struct file_executor;
struct file_job;

struct loop {
    unsigned magic; /* LOOP_MAGIC */
    struct demultiplexer *demultiplexer;
    struct loop_source wake; /* LOOP_WAKE_MAGIC; an eventfd */
    struct engine_config cfg;
    struct loop_options options;
    struct loop_hooks hooks; /* options.hooks, or none */
    struct clock clock;
    struct session_env *env;
    bool locked; /* several threads call sessions: the environment is locked */
    pthread_mutex_t
        env_mutex; /* guards, if locked, what follows and all that session calls touch */
    struct session_lock env_lock;   /* ... but encryption, which lets it go */
    struct clock env_clock;         /* the environment's, if locked; else `clock` is */
    struct workers *workers;        /* NULL: none */
    struct workers *remote;         /* for file jobs that are remote; NULL: there was none yet */
    struct file_executor *executor; /* NULL: none; else there are workers, too, and both announce
                                       results by the same eventfd */
    /* With options.turns, under env_mutex as all else here. */
    unsigned waiting;                     /* threads that wait for an event */
    unsigned watch;                       /* which wait is the one with a time-out; counts up */
    uint64_t watched_until_ms;            /* when that ends; UINT64_MAX: nobody minds the time */
    bool promoting;                       /* somebody who waits was woken by loop_wake() */
    bool over;                            /* all are to return */
    struct loop_source done, remote_done; /* LOOP_DONE_MAGIC; the workers' eventfds, borrowed */
    struct pool *tasks;                   /* of struct loop_task */
    struct pool *pool; /* of struct loop_conn and session, and coroutine, if there are */
    struct loop_routines *routines; /* NULL: connections are no coroutines */
    struct list conns;
    struct list run_queue; /* connections that can go on without a new edge */
    struct list unread;    /* connections that receive when a worker has taken of the others: what
                              they are sent stays in the socket */
    struct loop_conn *admitted; /* the one of them whose turn it is; else NULL */
    unsigned requests_out;      /* tasks LOOP_TASK_RECEIVED that are out, */
    unsigned requests_max;      /* of at most so many */
    struct list closed;         /* freed at the end of the turn */
    struct list idle;           /* connections that wait for a request; the longest idle first */
    atomic_bool full;           /* for other loops: no connection is left in the pool */
    atomic_bool has_idle;       /* likewise: somebody could make way */
    struct list accept_queue;   /* listeners that can go on without a new edge */
    struct loop_listener *listeners;
    struct loop_inbox *inbox; /* NULL: none is given to this loop */
    atomic_uint adopted;      /* connections from it, in it, that are not closed yet */
    atomic_uint asks;         /* enum loop_ask */
    uint64_t left_ms; /* a client is left to another process: when to look again; 0: none is */
    uint64_t accept_retry_ms; /* descriptors or memory have run out: not before; 0: at once */
    uint64_t full_log_ms;     /* when connections_max was complained about last; 0: never */
    uint64_t tick_due_ms;     /* next session_env_tick(); 0: nothing has happened since the last */
    uint64_t sweep_due_ms;    /* next session_env_sweep(); 0: nothing is kept */
    bool active;              /* a connection was driven in this turn */
    unsigned pieces_left;     /* in this turn: of LOOP_PIECES_MAX */
    uint64_t drain_end_ms;    /* 0: not draining */
    uint64_t retire_end_ms;   /* 0: not retiring */
    uint64_t quiet_ms;   /* by then predecessors have nothing to hand over (HANDOVER_QUIET_MS) */
    struct list parting; /* while it retires: connections that can move */
    bool handover_over;  /* the successor takes nothing more */
    unsigned refusals;   /* batches of which it has not taken all */
    uint64_t handover_retry_ms;            /* it has just not taken all: not before; 0: at once */
    struct loop_predecessor *predecessors; /* cfg.inboxes_count */
    struct list told_inboxes;              /* those of them from whom a message may wait */
    uint64_t inbox_retry_ms;               /* others look at them first: not before; 0: at once */
    sig_atomic_t reopens_done;             /* cfg.orders->reopen_logs as last heeded */
    struct pulse_beat beat;
    unsigned turners; /* threads that take turns; under the mutex */
    struct timer_wheel timers;
    struct demultiplexer_event events[LOOP_EVENTS_MAX];
    unsigned char scratch[LOOP_SCRATCH_SIZE]; /* every receive's target */
};

static inline struct session *loop_conn_session(struct loop_conn *conn)
{
    return (struct session *)(void *)(conn + 1);
}

/* The loop's thread begins to call a session. What only looks (session_wants(),
 * session_recv_room(), session_deadline_ms(), session_file_job()) looks at nothing but the session,
 * and needs no lock: whoever owns the session may call it. */
static inline void loop_enter(struct loop *loop)
{
    if (!loop->locked)
        return;
    MUST(pthread_mutex_lock(&loop->env_mutex) == 0);
    if (loop->env_clock.now_ms < loop->clock.now_ms) /* a worker may have been there since */
        loop->env_clock = loop->clock;
}

/* ... and ends. */
static inline void loop_leave(struct loop *loop)
{
    if (loop->locked)
        MUST(pthread_mutex_unlock(&loop->env_mutex) == 0);
}

/* ---- loop_turns.c ---- */

/* The environment is shared by the threads that take turns. */
void loop_turns_share(struct loop *loop);
void loop_turns_let_go(struct loop *loop);
void loop_turns_take_again(struct loop *loop);

/* Wakes one of those that wait, if any does: this thread may be away for long. */
void loop_turns_promote(struct loop *loop);

/* A system call for a connection begins, during which others may go on, and ends. */
static inline void loop_io_begin(struct loop *loop)
{
    if (loop->options.turns)
        loop_turns_let_go(loop);
}

static inline void loop_io_end(struct loop *loop)
{
    if (loop->options.turns)
        loop_turns_take_again(loop);
}

/* ---- loop.c ---- */

/* Does what cfg.orders and other threads ask for. True when the loop is to end. */
bool loop_heed_orders(struct loop *loop);

/* How long the loop may wait, as epoll_wait(2) takes it. */
int loop_timeout_ms(const struct loop *loop);

/* Does what an event says. */
void loop_dispatch(struct loop *loop, const struct demultiplexer_event *event);

/* What comes after the connections: deadlines, frees, accepts, housekeeping. */
void loop_end_turn(struct loop *loop);

/* Asks a session, whose connection is not away, to end with the answer in progress. */
void loop_drain_session(struct loop *loop, struct loop_conn *conn);

/* Makes the session environment. 0, or -errno and a sentence. */
int loop_env_create(struct loop *loop, unsigned caps, char *why, size_t why_size);

/* Every session must be closed. */
void loop_env_destroy(struct loop *loop);

/* session_env_tick(), session_env_sweep(), session_env_reclaim(), locked if need be. */
bool loop_env_tick(struct loop *loop, bool reopen);
uint64_t loop_env_sweep(struct loop *loop);
size_t loop_env_reclaim(struct loop *loop);

/* Reports the finished job of a session. Where it found no descriptor and this loop has no kept
 * file to close for it, the other loops are asked to close theirs: the next one finds some. */
void loop_report_job(struct loop *loop, struct session *s);

/* Makes the workers that the options ask for, if any. 0, or -errno and a sentence. */
int loop_offload_create(struct loop *loop, char *why, size_t why_size);
void loop_offload_destroy(struct loop *loop);

/* Starts the threads. 0, or -errno after a line in the error log. */
int loop_offload_start(struct loop *loop);

/* Ends them; afterwards no connection is away. */
void loop_offload_stop(struct loop *loop);

/* Takes back what workers have done, and drives those connections. */
void loop_offload_collect(struct loop *loop);

/* For a connection that is to receive for a worker: true if it has to wait, in loop.unread, since
 * workers have enough to do. What has been received, and the answer until it is sent, takes some 20
 * KiB; so as many connections have that as keep the workers busy, and not all of them. */
bool loop_offload_wait(struct loop *loop, struct loop_conn *conn);

/* Have workers done something that was not taken back yet? Asked once a turn: their announcement
 * may lie behind thousands of sockets in the kernel's list, and what is out takes memory. */
static inline bool loop_offload_has_results(const struct loop *loop)
{
    return (loop->workers != NULL && workers_have_results(loop->workers)) ||
           (loop->remote != NULL && workers_have_results(loop->remote));
}

/* At a turn's end: those whom workers have room for now receive. */
void loop_offload_admit(struct loop *loop);

/* Can one of those who wait receive at once? */
static inline bool loop_offload_can_admit(const struct loop *loop)
{
    return !list_empty(&loop->unread) && loop->requests_out < loop->requests_max;
}

/* ---- loop_reads.c ---- */

/* Octets behind a task: what a loop with an executor needs, else 0. */
size_t loop_reads_size(const struct loop *loop);

/* The executor that the configuration chooses. The workers are there. 0, or -errno and a sentence.
 */
int loop_reads_create(struct loop *loop, char *why, size_t why_size);

/* For a loop that has one: begins it (0, or -errno after a line in the error log); ends it, and
 * moves the tasks that it had to the end of `back`. */
int loop_reads_start(struct loop *loop);
void loop_reads_stop(struct loop *loop, struct list *back);

/* Is the task, or the job, the executor's to do? False without one. */
bool loop_reads_take(const struct loop *loop, const struct loop_task *task);

/* Is the job one that the executor reads whatever the page cache has? */
bool loop_reads_pass_cache(const struct loop *loop, const struct file_job *job);

/* Hands a task over to the executor. */
void loop_reads_submit(struct loop *loop, struct loop_task *task);

/* Does a task that the executor has refused, blocking. */
void loop_reads_run(struct loop_task *task);

/* Takes back what has been read: its tasks go to the end of `done`, what was refused to workers. */
void loop_reads_collect(struct loop *loop, struct list *done);

/* Hands over what the turn has collected. */
void loop_reads_flush(struct loop *loop);

/* `timeout_ms` (-1: for ever), or less, where the executor has to be looked at. */
int loop_reads_timeout_ms(const struct loop *loop, int timeout_ms);

/* ---- loop_offload.c ---- */

/* Hands over what the turn has collected. */
static inline void loop_offload_flush(struct loop *loop)
{
    if (loop->executor != NULL)
        loop_reads_flush(loop);
    if (loop->workers != NULL)
        workers_flush(loop->workers);
    if (loop->remote != NULL)
        workers_flush(loop->remote);
}

/* ---- loop_remote.c ---- */

/* Are there workers for file jobs that are remote? The first question starts them. Where that is
 * impossible, which the error log tells, and in a loop at which threads take turns: false, and
 * whoever executes the others does these, too. */
bool loop_remote_begin(struct loop *loop);

/* ---- loop_offload.c ---- */

/* Does a task, on a worker (`worker`) or, with NULL, on the loop's thread. */
void loop_task_run(struct worker_task *base, struct worker *worker);

/* A task for a connection, which is not away, with nothing but `kind` set. The caller owns it: it
 * is submitted or dropped. */
struct loop_task *loop_task_begin(struct loop *loop, struct loop_conn *conn,
                                  enum loop_task_kind kind);

/* Hands it over. The connection is away afterwards, unless the queue is full: then this thread has
 * done it, for as long as it took, and it has been reported to the session. */
void loop_task_submit(struct loop *loop, struct loop_task *task);

void loop_task_drop(struct loop *loop, struct loop_task *task);

/* A connection over `fd`, which it takes, accepted on `listen` from `peer`; armed, and in the run
 * queue. A connection must be left in the pool. */
void loop_conn_open(struct loop *loop, int fd, const struct listen_config *listen,
                    const struct peer *peer);

/* The same for a connection that was handed over; it may wait already for what it wants. */
void loop_conn_open_moved(struct loop *loop, const struct handover_conn *moved);

/* Notes what an event said (enum demultiplexer_event_bit). */
void loop_conn_note(struct loop_conn *conn, uint32_t events);

/* Does what the session wants and the socket allows, then arms the deadline. When work is left that
 * no edge will announce, the connection is in the run queue afterwards. It may be closed. */
void loop_conn_drive(struct loop *loop, struct loop_conn *conn);

/* Closes the descriptor at once; loop_free_closed() does the rest. */
void loop_conn_close(struct loop *loop, struct loop_conn *conn);

/* Frees the connections that were closed in this turn. No event of theirs can be left by then. */
void loop_free_closed(struct loop *loop);

/* Receives at most `room` octets into `mem`. What recv(2) returned, or -errno; -EAGAIN: nothing
 * now. */
ssize_t loop_conn_recv(struct loop *loop, struct loop_conn *conn, void *mem, size_t room);

/* ---- loop_handover.c ---- */

/* Registers the inboxes. 0 or -errno. */
int loop_watch_inboxes(struct loop *loop);

/* An event said that a message waits. */
void loop_inbox_told(struct loop *loop, struct loop_predecessor *from);

/* Messages may wait in all of them, though no event has said so. */
void loop_inboxes_look(struct loop *loop);

/* Takes connections from the inboxes that may have some; `all`: until they are empty. */
void loop_take_moved(struct loop *loop, bool all);

/* Can a predecessor still hand something over? */
bool loop_expects_moved(const struct loop *loop);

/* The order to retire has come, and there is a successor. */
void loop_begin_retire(struct loop *loop);

/* While it retires: a connection that nobody drives, and that is not in loop.idle, waits. It is
 * handed over soon, when it can move; what never can is told to end. */
void loop_part(struct loop *loop, struct loop_conn *conn);

/* Hands over those in loop.parting. No event of the turn may be left. */
void loop_hand_over(struct loop *loop);

/* ---- loop_routine.c ---- */

enum loop_routine_state {
    LOOP_ROUTINE_WAITS,   /* for an event or the deadline */
    LOOP_ROUTINE_YIELDED, /* for its next turn */
    LOOP_ROUTINE_ENDED    /* and its session is closed */
};

/* Octets of a coroutine, which lies behind the session. */
size_t loop_routine_size(void);

/* Makes the stacks. 0, or -errno and a sentence. */
int loop_routines_create(struct loop *loop, char *why, size_t why_size);
void loop_routines_destroy(struct loop *loop);

/* The connection, whose session is open, becomes a coroutine, which has not begun. */
void loop_routine_begin(struct loop *loop, struct loop_conn *conn);

/* Its turn. */
enum loop_routine_state loop_routine_resume(struct loop *loop, struct loop_conn *conn);

/* Has it close its session, unless it has, and frees what it had. The descriptor is open. */
void loop_routine_end(struct loop *loop, struct loop_conn *conn);

/* Its timer has fired before the session's deadline: has an idle one give back what of its stack it
 * does not need. When it is to fire next, at `deadline_ms` at the latest. */
uint64_t loop_routine_rest(struct loop *loop, struct loop_conn *conn, uint64_t deadline_ms);

/* ---- loop_idle.c ---- */

/* The connection has nothing to do: it is idle from now on, if its session says so. */
void loop_idle_begin(struct loop *loop, struct loop_conn *conn);

/* Something was received, or it is closed. */
static inline void loop_idle_end(struct loop_conn *conn)
{
    list_remove(&conn->idle);
}

/* Closes the connection that has been idle for longest, unless its client has sent something in
 * this moment: then the next one. It is freed, too: no event of the turn may be left. False: nobody
 * is idle. */
bool loop_make_way(struct loop *loop);

/* Tells the other loops whether there is room here: at once when that changes, so that of two that
 * fill up at the same time one sees that both are full. */
void loop_publish_full(struct loop *loop);

/* ... and whether somebody is idle. */
void loop_publish_idle(struct loop *loop);

/* Registers the listeners. 0 or -errno. */
int loop_listen(struct loop *loop);

/* Takes what waits in their backlogs, then closes them: what comes is refused, or, where the loop
 * retires, the successor's. */
void loop_unlisten(struct loop *loop);

/* Takes connections from the listeners in the accept queue, as far as limits and fairness allow. */
void loop_accept(struct loop *loop);

/* Milliseconds until loop_accept() has something to do: 0 at once, -1 not before an edge, a close
 * or a free. */
int loop_accept_timeout_ms(const struct loop *loop);

/* Somebody may wait at the listeners, though no edge has said so. */
void loop_accept_look(struct loop *loop);

/* Does what other threads have asked, and takes what they have given. What was asked (enum
 * loop_ask), and LOOP_TOOK_ARRIVALS; to end is left to the caller. */
unsigned loop_heed_asks(struct loop *loop);

/* Can something still be given to the loop? */
bool loop_expects_arrivals(const struct loop *loop);

/* So many adopted connections are freed. */
void loop_adopted_freed(struct loop *loop, unsigned count);

#endif

/* driver.h: one connection as straight-line code: asks the session what it wants, does it, waits,
 * and goes on, until the session wants to be closed. A call a connection.
 *
 * How to wait is not its business: an engine gives it a table of operations, and under them may lie
 * a thread that blocks, a process, or a coroutine that yields. The driver keeps no state but struct
 * driver and its stack, holds no lock while an operation waits, and needs about 700 octets of stack
 * of its own beneath session.h and the operations. */
#ifndef ENGINES_BLOCKING_DRIVER_H
#define ENGINES_BLOCKING_DRIVER_H

#include "core/clock.h"
#include "core/send_plan.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct driver;
struct file_job;

enum driver_ready { DRIVER_READABLE = 1 << 0, DRIVER_WRITABLE = 1 << 1 };

/* What is asked of a connection from outside. */
enum driver_ask {
    DRIVER_ASK_END = 1 << 0,   /* its place is needed: it ends as soon as it is idle
                                  (session_is_idle()), or with the answer that it sends */
    DRIVER_ASK_DRAIN = 1 << 1, /* the server drains: it answers what has come, and ends */
    DRIVER_ASK_STOP = 1 << 2,  /* it is closed now, whatever it does */
    DRIVER_ASK_MOVE = 1 << 3,  /* the server retires: it moves to the successor as soon as it can */
};

/* Results are n, 0 or -errno, as in session.h. */
struct driver_ops {
    /* The thread begins, and ends, to call the session: takes and gives back the lock of an
     * environment that is shared; enter() brings the environment's clock up to date, too. Neither
     * waits for anything but that lock. No other operation is called in between, but asks(). */
    void (*enter)(struct driver *d);
    void (*leave)(struct driver *d);

    /* What is asked now: bits of enum driver_ask. One or two loads: called at every step. */
    unsigned (*asks)(struct driver *d);

    /* Receives at most `len` octets (above 0) into d->scratch; waits for them at most until
     * `until_ms` (clock_monotonic_ms(); 0: not at all; UINT64_MAX: for ever), and no longer than
     * until one of the asks in `heeds` is made. > 0, 0: the peer has ended, or -errno; -EAGAIN:
     * nothing has come, whatever ended the wait, which may be too early. What lies in the socket
     * already comes before any ask. The caller reports the octets before it calls another operation
     * but enter(), so that connections that take turns may share d->scratch. `heeds` has
     * DRIVER_ASK_END if, and only if, the connection is idle, and DRIVER_ASK_MOVE if it could
     * move, or never will and has not been told so. */
    ssize_t (*receive)(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds);

    /* Waits until the socket is what `what` says, bits of enum driver_ready; none of them: for the
     * time and the asks alone. Until and how long as with receive(). What it is now; 0: nothing of that. An error of the
     * socket, and an end of both sides, make it all that was asked for. */
    unsigned (*wait)(struct driver *d, unsigned what, uint64_t until_ms, unsigned heeds);

    /* Executes a file job, as file_job_run() does. */
    void (*run_job)(struct driver *d, struct file_job *job);

    /* A plan with a range of a file is about to be carried out without blocking for the socket (at
     * most d->send_turn octets of it): makes the descriptor non-blocking, or sees to it that what
     * comes next is in the page cache. It may wait. NULL: nothing need be done. */
    void (*before_file)(struct driver *d, const struct send_plan *plan);

    /* Hands the connection over, whose session can move. True: its descriptor is the successor's.
     * It may wait. NULL: DRIVER_ASK_MOVE is not asked. */
    bool (*move)(struct driver *d);

    /* So much was done without a wait that others may have their turn. NULL: the kernel sees to
     * that. */
    void (*give_way)(struct driver *d);
};

/* A connection that is driven. The engine embeds it in its own object and fills in the first part.
 */
struct driver {
    const struct driver_ops *ops;
    struct session *session;   /* open; driver_run() closes it. Its memory is the engine's */
    const struct clock *clock; /* the environment's */
    int fd;                    /* stays open until driver_run() has returned */
    void *scratch;             /* what is received goes here first */
    size_t scratch_size;
    size_t send_turn; /* octets of a file that one send takes at most (`send_turn`); above 0 */

    /* The driver's own; all zero before. Operations may read them. */
    bool full;      /* a send has found the socket full, and nothing has told of room since */
    bool corked;    /* in the middle of a file's range (file_range.h) */
    bool heard;     /* something was received on it */
    bool ending;    /* session_drain() or _make_way() was called */
    bool stays;     /* it cannot move, and session_retire() was called */
    bool moved;     /* the successor has it */
    unsigned looks; /* receives since it was asked to end */
    unsigned steps; /* since it has waited last */
};

/* Drives the session from its opening to its closing (session_close()), which it calls, also when
 * the connection has moved. Returns
 * when that is done; the caller closes the descriptor. Called without the lock. */
void driver_run(struct driver *d);

#endif

/* blocking_conn.c: the driver's operations over a socket that blocks: a receive is one recv(2),
 * which sleeps in the kernel until there is something; only who waits for room in the socket, or
 * for both, calls poll(2).
 *
 * SO_RCVTIMEO ends a receive at the deadline. It is set anew only when it would come too late, or
 * far too early: a receive that ends early is begun again. Sends are told not to wait
 * (MSG_DONTWAIT), and sendfile(2), which has no such flag, gets a descriptor that does not block:
 * SO_SNDTIMEO is no deadline, since it begins anew with every piece that the peer takes. */
#include "engines/blocking/blocking.h"

#include "core/check.h"
#include "core/file_job.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TIMEOUT_MAX_MS = 1 << 30,
    TRIM_DEPTH = 1 << 17, /* octets beneath a frame of a process's first thread that can only be its
                             stack's: the kernel lets that grow, and keeps a gap beneath it */
    TRIM_FRAMES = 1024,   /* octets beneath a frame that the calls out of it may need */
};

/* The first session that is called after a tick has the next one due. */
static void conn_enter(struct driver *d)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    struct blocking *b = conn->b;
    if (b->shared)
        MUST(pthread_mutex_lock(&b->mutex) == 0);
    /* Under the mutex: a tick between the look and it would write no log, and no other come. */
    if (!atomic_load_explicit(&b->active, memory_order_relaxed) &&
        !atomic_exchange(&b->active, true) && b->shared)
        blocking_wake(b);
    clock_update(&b->clock);
    conn->now_ms = b->clock.now_ms;
}

static void conn_leave(struct driver *d)
{
    struct blocking *b = blocking_conn_of(d)->b;
    if (b->shared)
        MUST(pthread_mutex_unlock(&b->mutex) == 0);
}

static unsigned conn_asks(struct driver *d)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    return atomic_load(&conn->b->asks) | atomic_load(&conn->place->asks);
}

/* False: the kernel, or a filter of system calls, refuses; it stays as it is. */
static bool set_nonblocking(struct blocking_conn *conn, bool wanted)
{
    if (conn->nonblocking == wanted)
        return true;
    if (fcntl(conn->driver.fd, F_SETFL, wanted ? O_NONBLOCK : 0) != 0)
        return false;
    conn->nonblocking = wanted;
    return true;
}

static uint64_t left_ms(uint64_t until_ms, uint64_t now_ms)
{
    if (until_ms <= now_ms)
        return 0;
    return until_ms - now_ms < TIMEOUT_MAX_MS ? until_ms - now_ms : TIMEOUT_MAX_MS;
}

/* SO_RCVTIMEO (socket(7)): no more than `ms`, and no less than half of that. False: refused. */
static bool set_timeout(struct blocking_conn *conn, uint32_t ms)
{
    if (conn->timeout_ms != 0 && conn->timeout_ms <= ms && conn->timeout_ms >= ms / 2)
        return true;
    struct timeval value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    if (setsockopt(conn->driver.fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value)) != 0)
        return false;
    conn->timeout_ms = ms;
    return true;
}

/* recv(2) that waits for at most `ms`; where that cannot be had of it, poll(2) waits before. */
static ssize_t receive_within(struct blocking_conn *conn, void *mem, size_t len, uint32_t ms)
{
    int fd = conn->driver.fd;
    if (set_nonblocking(conn, false) && set_timeout(conn, ms))
        return recv(fd, mem, len, 0);
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    (void)blocking_poll(&polled, 1, (int)ms);
    return recv(fd, mem, len, MSG_DONTWAIT);
}

/* Our shutdown(2) of the receiving side makes the socket look as if the peer had ended. Has it? */
static bool peer_has_ended(const struct blocking_conn *conn)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    if (getsockopt(conn->driver.fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return true;
    /* The states in which it may still send (RFC 9293 section 3.3.2). */
    return info.tcpi_state != 1 /* ESTABLISHED */ && info.tcpi_state != 4 /* FIN_WAIT1 */ &&
           info.tcpi_state != 5 /* FIN_WAIT2 */;
}

static bool is_shut(const struct blocking_conn *conn)
{
    return atomic_load(&conn->place->shut);
}

/* A socket that was shut to wake us wakes nobody any more, though it goes on to receive. */
static void pause_shut(uint64_t until_ms)
{
    uint64_t ms = left_ms(until_ms, clock_monotonic_ms());
    poll(NULL, 0, ms < BLOCKING_PAUSE_MS ? (int)ms : BLOCKING_PAUSE_MS);
}

static ssize_t conn_result(struct driver *d, ssize_t n, uint64_t until_ms, unsigned heeds)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? -EAGAIN : -errno;
    if (n > 0 || !is_shut(conn) || peer_has_ended(conn))
        return n;
    if (until_ms != 0 && !(conn_asks(d) & heeds))
        pause_shut(until_ms);
    return -EAGAIN;
}

static void give_back(uintptr_t from, uintptr_t to)
{
    const uintptr_t page = 4096; /* where they are larger, the kernel refuses the odd ones */
    from = (from + page - 1) & ~(page - 1);
    to &= ~(page - 1);
    if (from < to) /* advice: where part of it was never mapped, the rest is given back */
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* The lowest address of the calling thread's stack, of which `here` is one; `here`, if nobody can
 * tell. It is never guessed: beneath a thread's stack lies another one. */
static uintptr_t stack_low(uintptr_t here)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    if (gettid() == getpid())
        return here - TRIM_DEPTH;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return here;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0)
        here = (uintptr_t)low;
    pthread_attr_destroy(&attributes);
    return here;
}

/* What earlier calls have left beneath this frame, and what was received last, is of no use to one
 * that is about to wait for long (madvise(2), MADV_DONTNEED: the pages are zero when they are
 * touched again). Not inlined: the frames of those who wait lie above its own. */
__attribute__((noinline)) static void trim_stack(struct blocking_conn *conn)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t scratch = (uintptr_t)conn->driver.scratch;
    if (conn->stack_low == 0)
        conn->stack_low = stack_low(here);
    give_back(conn->stack_low, here - TRIM_FRAMES);
    give_back(scratch, scratch + conn->driver.scratch_size);
}

/* For how long a receive may wait: at first a second, so that SO_RCVTIMEO stays as it is while
 * requests come; and who has waited as long in vain gives memory back, and waits for longer. */
static uint64_t wait_ms(struct blocking_conn *conn, uint64_t ms)
{
    if (ms <= BLOCKING_TRIM_MS)
        return ms;
    if (!conn->quiet)
        return BLOCKING_TRIM_MS;
    trim_stack(conn);
    return ms;
}

/* Waits in recv(2). Who is idle says so before it looks at what is asked; who asks does so before
 * it looks at who is idle: one of the two sees the other. */
static ssize_t conn_receive_waiting(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    uint64_t ms = left_ms(until_ms, conn->now_ms);
    bool idle = (heeds & DRIVER_ASK_END) != 0;
    bool movable = (heeds & DRIVER_ASK_MOVE) != 0 && conn->b->cfg.out != NULL;
    ssize_t n = -1;

    if (ms == 0)
        return recv(d->fd, d->scratch, len, MSG_DONTWAIT);
    if (idle)
        atomic_store(&conn->place->idle_since, conn->last);
    if (movable)
        atomic_store_explicit(&conn->place->waits, true, memory_order_relaxed);
    if (conn_asks(d) & heeds)
        errno = EAGAIN;
    else
        n = receive_within(conn, d->scratch, len, (uint32_t)wait_ms(conn, ms));
    if (movable)
        atomic_store_explicit(&conn->place->waits, false, memory_order_relaxed);
    conn->quiet = n < 0;
    if (idle)
        atomic_store(&conn->place->idle_since, 0);
    return n;
}

static ssize_t conn_receive(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds)
{
    stats_count(STATS_CALL_RECV);
    ssize_t n = until_ms == 0 ? recv(d->fd, d->scratch, len, MSG_DONTWAIT)
                              : conn_receive_waiting(d, len, until_ms, heeds);
    if (n > 0)
        blocking_conn_of(d)->last = place_now();
    return conn_result(d, n, until_ms, heeds);
}

/* Waits for a time. Who asks shuts the receiving side, which wakes; where that is shut already, by
 * us or by the peer, or the peer is gone, asks are looked for. */
static void conn_wait_for_time(struct driver *d, uint64_t ms, unsigned heeds)
{
    struct pollfd polled = { .fd = d->fd, .events = POLLRDHUP };

    stats_count(STATS_CALL_WAIT);
    if (blocking_poll(&polled, 1, (int)ms) > 0 && !(conn_asks(d) & heeds))
        poll(NULL, 0, ms < BLOCKING_PAUSE_MS ? (int)ms : BLOCKING_PAUSE_MS);
}

static unsigned conn_wait(struct driver *d, unsigned what, uint64_t until_ms, unsigned heeds)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    struct pollfd polled = { .fd = d->fd };
    bool shut = (what & DRIVER_READABLE) != 0 && is_shut(conn);
    uint64_t ms = left_ms(until_ms, conn->now_ms);
    unsigned ready = shut ? DRIVER_READABLE : 0; /* it is to be looked at, now and then */

    if (conn_asks(d) & heeds)
        return 0;
    if (what == 0) {
        conn_wait_for_time(d, ms, heeds);
        return 0;
    }
    if (shut && ms > BLOCKING_PAUSE_MS)
        ms = BLOCKING_PAUSE_MS;
    if (what & DRIVER_WRITABLE)
        polled.events |= POLLOUT;
    if ((what & DRIVER_READABLE) && !shut)
        polled.events |= POLLIN;
    stats_count(STATS_CALL_WAIT);
    int told = blocking_poll(&polled, 1, (int)ms);
    conn->last = place_now();
    if (told <= 0)
        return ready;
    if (polled.revents & (POLLERR | POLLHUP | POLLNVAL))
        return what;
    if (polled.revents & POLLOUT)
        ready |= DRIVER_WRITABLE;
    if (polled.revents & POLLIN)
        ready |= DRIVER_READABLE;
    return ready;
}

static void conn_run_job(struct driver *d, struct file_job *job)
{
    (void)d;
    file_job_run(job);
}

/* A send that waits has no deadline: rather none. */
static void conn_before_file(struct driver *d, const struct send_plan *plan)
{
    (void)plan;
    if (set_nonblocking(blocking_conn_of(d), true))
        return;
    int error = errno;
    log_repeated(LOG_ERROR, "fcntl", error, "fcntl(O_NONBLOCK): %s; a connection is dropped",
                 strerror(error));
    shutdown(d->fd, SHUT_RDWR);
}

const struct driver_ops blocking_conn_ops = {
    .enter = conn_enter,
    .leave = conn_leave,
    .asks = conn_asks,
    .receive = conn_receive,
    .wait = conn_wait,
    .run_job = conn_run_job,
    .before_file = conn_before_file,
    .move = blocking_conn_move,
};

void blocking_conn_drive(struct blocking *b, struct place *place, int fd,
                         const struct driver_ops *ops)
{
    _Alignas(16) unsigned char scratch[BLOCKING_SCRATCH_SIZE];
    struct blocking_conn *conn = places_memory(&b->places, place);

    *conn = (struct blocking_conn){
        .driver = { .ops = ops,
                    .clock = &b->clock,
                    .fd = fd,
                    .scratch = scratch,
                    .scratch_size = sizeof(scratch),
                    .send_turn = b->cfg.config->send_turn },
        .b = b,
        .place = place,
        .last = place_now(),
    };
    const struct session_moved moved = { .listen = place->listen,
                                         .peer = place->peer,
                                         .requests = place->requests,
                                         .since_ms = place->since_ms,
                                         .flags = place->flags };
    atomic_store(&place->tid, gettid());
    conn->driver.ops->enter(&conn->driver);
    conn->driver.session = place->moved
                               ? session_open_moved(conn + 1, b->env, &moved)
                               : session_open(conn + 1, b->env, place->listen, &place->peer);
    conn->driver.ops->leave(&conn->driver);
    driver_run(&conn->driver);
}

void blocking_conn_serve(struct blocking *b, struct place *place, const struct driver_ops *ops)
{
    blocking_conn_drive(b, place, place->fd, ops);
    stats_count(STATS_CALL_CLOSE);
    close(places_give(&b->places, place));
}

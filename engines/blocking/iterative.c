/* iterative.c: the engine `iterative`: one connection at a time, from its beginning to its end, in
 * the calling thread: the first server of every text.
 *
 * While it serves one client it waits for the others, too (poll(2) over the connection and the
 * listeners): where somebody waits in the backlog, the one that is served is asked to end, which it
 * does at once when it is idle, and else after its answer. */
#include "engines/blocking/blocking.h"

#include "core/check.h"
#include "core/advice.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "engines/acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ITERATIVE_MAGIC 0x17e4a71eu

enum { FIRST_LISTENER = 2 }; /* in polled: behind the eventfd and the connection */

struct engine {
    unsigned magic; /* ITERATIVE_MAGIC */
    struct blocking blocking;
    size_t next; /* the listener that is looked at first, so that none is left out */
    struct place *rest, **rest_end; /* when it drains: those who were in the backlog */
};

/* They are served when their turn comes. */
static int keep(struct blocking *b, struct place *place)
{
    struct engine *e = container_of(b, struct engine, blocking);
    *e->rest_end = place;
    e->rest_end = &place->next;
    return 0;
}

/* What is asked of all is enough: the one that is served waits for the wake-up, too. */
static void ask(struct places *places, struct place *place, unsigned asks)
{
    (void)places;
    (void)place;
    (void)asks;
}

/* Whoever is served, or waits for it, is all there is. */
static unsigned room(struct blocking *b)
{
    return places_used(&b->places) == 0 ? 1 : 0;
}

static const struct blocking_ops ops = { .what = "turn", .start = keep, .ask = ask, .room = room };

/* Waits for the wake-up, for the connection (fd -1: none is served) and, if so, for clients. -errno
 * of poll(2), or 0. */
static int wait_for(struct blocking *b, int fd, short events, bool listens, uint64_t until_ms)
{
    uint64_t now_ms = clock_monotonic_ms();
    int timeout_ms = blocking_timeout_ms(b, now_ms);
    nfds_t count = FIRST_LISTENER;

    if (until_ms != UINT64_MAX) {
        uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
        if (timeout_ms < 0 || left_ms < (uint64_t)timeout_ms)
            timeout_ms = (int)left_ms;
    }
    b->polled[0] = (struct pollfd){ .fd = b->wake_fd, .events = POLLIN };
    b->polled[1] = (struct pollfd){ .fd = fd, .events = events };
    for (size_t i = 0; i < b->cfg.listeners_count; i++)
        b->polled[count++] =
            (struct pollfd){ .fd = listens ? b->cfg.listeners[i].fd : -1, .events = POLLIN };
    count += blocking_poll_inboxes(b, b->polled + count);
    stats_count(STATS_CALL_WAIT);
    int res = blocking_poll(b->polled, count, timeout_ms);
    if (b->polled[0].revents != 0)
        blocking_woken(b);
    if (b->retry_ms != 0 && clock_monotonic_ms() >= b->retry_ms)
        b->retry_ms = 0;
    blocking_take_moved(b);
    blocking_start_moved(b);
    blocking_turn(b, clock_monotonic_ms());
    return res < 0 ? res : 0;
}

static bool somebody_calls(const struct blocking *b)
{
    for (size_t i = 0; i < b->cfg.listeners_count; i++) {
        if (b->polled[FIRST_LISTENER + i].revents != 0)
            return true;
    }
    return false;
}

/* Who waits in the backlog is looked for while the connection is idle; once is enough: it ends. */
static unsigned await_socket(struct driver *d, short events, uint64_t until_ms, unsigned heeds)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    struct blocking *b = conn->b;

    if (d->ops->asks(d) & heeds)
        return 0;
    if (wait_for(b, events != 0 ? d->fd : -1, events, (heeds & DRIVER_ASK_END) != 0, until_ms) < 0)
        return 0;
    unsigned told = (unsigned)b->polled[1].revents;
    if (somebody_calls(b))
        atomic_fetch_or(&conn->place->asks, DRIVER_ASK_END);
    return told;
}

/* Looks for those who wait, and does not wait itself. */
static void look_for_callers(struct blocking_conn *conn)
{
    wait_for(conn->b, -1, 0, true, 0);
    if (somebody_calls(conn->b))
        atomic_fetch_or(&conn->place->asks, DRIVER_ASK_END);
}

/* While the connection was not idle, as before its first request, nobody has looked who waits
 * behind it: the answer is to say whether it is the last one. */
static ssize_t iterative_receive(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds)
{
    if (until_ms != 0 && await_socket(d, POLLIN, until_ms, heeds) == 0)
        return -EAGAIN;
    stats_count(STATS_CALL_RECV);
    ssize_t n = recv(d->fd, d->scratch, len, MSG_DONTWAIT);
    if (n > 0 && !((heeds | d->ops->asks(d)) & DRIVER_ASK_END))
        look_for_callers(blocking_conn_of(d));
    if (n >= 0)
        return n;
    return errno == EINTR ? -EAGAIN : -errno;
}

static unsigned iterative_wait(struct driver *d, unsigned what, uint64_t until_ms, unsigned heeds)
{
    short events =
        (short)((what & DRIVER_WRITABLE ? POLLOUT : 0) | (what & DRIVER_READABLE ? POLLIN : 0));
    unsigned told = await_socket(d, events, until_ms, heeds);
    if (told & (POLLERR | POLLHUP | POLLNVAL))
        return what;
    return (told & POLLOUT ? DRIVER_WRITABLE : 0u) | (told & POLLIN ? DRIVER_READABLE : 0u);
}

/* Once in a while, though the client never lets it wait. */
static void iterative_give_way(struct driver *d)
{
    look_for_callers(blocking_conn_of(d));
}

/* Takes one client, if one waits, and serves it. 0, -EAGAIN: nobody waits at any listener, or
 * another -errno. */
static int serve_one(struct engine *e, const struct driver_ops *driver_ops)
{
    struct blocking *b = &e->blocking;
    for (size_t i = 0; i < b->cfg.listeners_count; i++) {
        const struct listener *listener = &b->cfg.listeners[e->next++ % b->cfg.listeners_count];
        struct place *place;
        int res;
        do
            res = listener->fd >= 0 ? blocking_accept_one(b, listener, &place) : -EAGAIN;
        while (acceptor_lost_one(-res) ||
               ((res == -EMFILE || res == -ENFILE) && acceptor_has_caller(listener->fd) &&
                blocking_reclaim(b) > 0));
        if (res == 0)
            blocking_conn_serve(b, place, driver_ops);
        if ((res == -EMFILE || res == -ENFILE) && !acceptor_has_caller(listener->fd))
            continue; /* accept(2) looks for a descriptor first, and for a client then */
        if (res != -EAGAIN)
            return res;
    }
    return -EAGAIN;
}

static int iterative_create(const struct engine_config *cfg, char *why, size_t why_size,
                            struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = ITERATIVE_MAGIC;
    e->rest_end = &e->rest;
    int res =
        blocking_create(&e->blocking, cfg, &ops, false, cfg->limits.connections_max, why, why_size);
    if (res < 0) {
        blocking_destroy(&e->blocking);
        free(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

static void pause_accepting(struct blocking *b, int error)
{
    b->retry_ms = clock_monotonic_ms() + BLOCKING_RETRY_MS;
    log_repeated(LOG_ERROR, "accept", error, "accept: %s; clients wait%s", strerror(error),
                 advice_on(error));
}

/* Those whom the kernel had made a connection for already are served in a drain; a stop closes
 * them. */
static void serve_rest(struct engine *e, const struct driver_ops *driver_ops)
{
    struct blocking *b = &e->blocking;
    for (struct place *place = e->rest; place != NULL; place = e->rest) {
        e->rest = place->next;
        if (e->rest == NULL)
            e->rest_end = &e->rest;
        if (atomic_load(&b->asks) & DRIVER_ASK_STOP)
            close(places_give(&b->places, place));
        else
            blocking_conn_serve(b, place, driver_ops);
    }
}

static bool ends(struct blocking *b)
{
    return (atomic_load(&b->asks) & (DRIVER_ASK_STOP | DRIVER_ASK_DRAIN | DRIVER_ASK_MOVE)) != 0;
}

/* It retires, and its own predecessor may still hand over. */
static bool lingers(const struct blocking *b)
{
    return b->retire_end_ms != 0 && !(atomic_load(&b->asks) & DRIVER_ASK_STOP) &&
           blocking_expects_moved(b);
}

static int iterative_run(struct engine *e)
{
    CHECK_OBJ(e, ITERATIVE_MAGIC);
    struct blocking *b = &e->blocking;
    struct driver_ops driver_ops = blocking_conn_ops;
    int res = 0;

    driver_ops.receive = iterative_receive;
    driver_ops.wait = iterative_wait;
    driver_ops.give_way = iterative_give_way;
    pulse_join(&b->beat, b->cfg.pulse);
    while (res == 0 && !ends(b)) { /* it may have been told so while a connection was served */
        res = wait_for(b, -1, 0, b->retry_ms == 0, UINT64_MAX);
        if (ends(b))
            break;
        if (res < 0) {
            log_error("poll: %s", strerror(-res));
            break;
        }
        int error = somebody_calls(b) ? -serve_one(e, &driver_ops) : 0;
        if (error != 0 && error != EAGAIN)
            pause_accepting(b, error);
        serve_rest(e, &driver_ops); /* whom a predecessor has handed over */
    }
    serve_rest(e, &driver_ops);
    while (res == 0 && lingers(b)) {
        res = wait_for(b, -1, 0, false, UINT64_MAX);
        serve_rest(e, &driver_ops);
    }
    pulse_leave(&b->beat);
    return res;
}

static void iterative_wake(struct engine *e)
{
    CHECK_OBJ(e, ITERATIVE_MAGIC);
    blocking_wake(&e->blocking);
}

static void iterative_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, ITERATIVE_MAGIC);
    blocking_destroy(&e->blocking);
    e->magic = 0;
    free(e);
}

const struct engine_ops engine_iterative = {
    .name = "iterative",
    .summary = "blocking I/O, one connection at a time, in one thread",
    .cost = "everybody waits for whoever is served; connections are kept only while nobody waits",
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .probe = blocking_probe,
    .create = iterative_create,
    .run = iterative_run,
    .wake = iterative_wake,
    .destroy = iterative_destroy,
};

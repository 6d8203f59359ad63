/* proactor_accept.c: takes connections from listening sockets.
 *
 * A multishot accept brings every connection without being asked again, and more than there is room
 * for: all that the backlog holds, and what comes meanwhile, before it can be stopped. So it is
 * armed only while twice that many are free; nearer to connections_max accepts are armed one by
 * one, never more than there is room for, and clients beyond that wait in the kernel's backlog.
 *
 * There they are watched for (a poll), as long as somebody is idle: then the connection that has
 * been idle for longest makes way (proactor_idle.c), one at a time. Of several rings that share a
 * listener, only when none has room; one that is full and has nobody idle wakes the others, so that
 * they watch. */
#include "engines/proactor/proactor_internal.h"

#include "core/advice.h"
#include "engines/acceptor.h"
#include "engines/listen.h"

#include "config/config.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/peer.h"
#include "core/stats.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t room(const struct proactor *p)
{
    return p->limits.connections_max - pool_used(p->pool);
}

void proactor_publish_full(struct proactor *p)
{
    bool full = room(p) == 0;
    if (full != atomic_load_explicit(&p->full, memory_order_relaxed))
        atomic_store(&p->full, full);
}

/* A multishot accept leaves the address of its connection to be asked for. False: the connection is
 * gone already. */
static bool peer_of(int fd, const struct listen_config *listen, struct peer *ret_peer)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    *ret_peer = (struct peer){ .family = PEER_UNIX };
    if (listen->kind == LISTEN_UNIX)
        return true;
    if (getpeername(fd, (struct sockaddr *)&address, &len) != 0) {
        if (errno != ENOTCONN && errno != EINVAL) /* a filter forbids it, or memory is short */
            log_fault("getpeername; a new connection is dropped", errno);
        return false;
    }
    acceptor_peer(&address, ret_peer);
    return true;
}

static void pause_accepting(struct proactor *p, const struct proactor_listener *accept, int error)
{
    p->accept_retry_ms = p->clock.now_ms + PROACTOR_ACCEPT_RETRY_MS;
    p->active = true; /* what is left out is told by a tick */
    log_repeated(LOG_ERROR, "accept", error,
                 "accept on %s: %s; clients wait until a connection closes%s",
                 accept->listener->config->text, strerror(error), advice_on(error));
}

static void take_connection(struct proactor *p, const struct proactor_listener *accept, int fd)
{
    struct peer peer;
    if (room(p) == 0 || p->ending || !peer_of(fd, accept->listener->config, &peer)) {
        close(fd);
        return;
    }
    proactor_conn_open(p, fd, accept->listener->config, &peer);
}

/* Asks to be told of a client that waits, without accepting it. */
static void watch(struct proactor *p, struct proactor_listener *accept)
{
    const struct operation watch = { OPERATION_POLL, .fd = accept->listener->fd,
                                     .poll.events = POLLIN };
    if (proactor_begin(p, &accept->op, PROACTOR_OP_CALLER, &watch))
        accept->multishot = false;
}

void proactor_accepted(struct proactor *p, struct proactor_op *op, int res, unsigned flags)
{
    struct proactor_listener *accept = container_of(op, struct proactor_listener, op);
    if (!accept->multishot && (flags & COMPLETION_MORE) == 0) {
        CHECK(p->accepts_armed > 0);
        p->accepts_armed--;
    }
    if (res >= 0) {
        take_connection(p, accept, res);
        return;
    }
    int error = -res;
    /* ECANCELED: we have asked for it. */
    if (error == ECANCELED || acceptor_lost_one(error) || p->ending)
        return; /* armed again at the end of the turn */
    if (error == EMFILE || error == ENFILE) {
        if (!acceptor_has_caller(accept->listener->fd)) {
            watch(p, accept); /* an accept takes a descriptor before there is a client */
            return;
        }
        if (session_env_reclaim(p->env) > 0 || proactor_make_way(p))
            return;
        proactor_ask_reclaim(p);
    }
    pause_accepting(p, accept, error);
}

/* Whether there is room for all that a multishot accept may bring until it is stopped. */
static bool multishot_fits(const struct proactor *p)
{
    return room(p) > p->accept_margin;
}

static bool all_full(const struct proactor *p)
{
    return p->shared->all_full == NULL || p->shared->all_full(p->shared->wake_context);
}

/* May somebody here make way for a client of this listener? Only one at a time. */
static bool can_make_way(const struct proactor *p, const struct proactor_listener *accept)
{
    return !list_empty(&p->idle) && p->leaving == 0 &&
           (accept->listener->holders == NULL || all_full(p));
}

static void complain_full(struct proactor *p)
{
    if (log_is_due(&p->full_log_ms, p->clock.now_ms))
        log_warn("connections_max = %u reached; %s", p->limits.connections_max,
                 list_empty(&p->idle) && p->leaving == 0
                     ? "clients wait until a connection closes"
                     : "the longest idle ones are closed for new ones");
}

void proactor_called(struct proactor *p, struct proactor_op *op, int res)
{
    struct proactor_listener *accept = container_of(op, struct proactor_listener, op);
    accept->called = res > 0 && !p->ending;
}

/* There is no room. Who is idle makes way for a client that waits, as far as is known here: who has
 * sent something may stand in a completion that nobody has looked at. */
static void await_room(struct proactor *p, struct proactor_listener *accept)
{
    accept->called = accept->called && acceptor_has_caller(accept->listener->fd);
    if (acceptor_others_have_room(accept->listener, p->config)) {
        if (accept->called) /* another process's; it may be full by then */
            p->accept_retry_ms = p->clock.now_ms + PROACTOR_ACCEPT_RETRY_MS;
        else
            watch(p, accept);
        return;
    }
    bool makes_way = can_make_way(p, accept);
    if (accept->called || !makes_way)
        complain_full(p);
    if (!makes_way)
        return;
    if (!accept->called)
        watch(p, accept);
    else if (p->taken < PROACTOR_TAKE_MAX)
        accept->called = !proactor_make_way(p);
}

static void arm(struct proactor *p, struct proactor_listener *accept)
{
    bool multishot = multishot_fits(p);
    if (!multishot && p->accepts_armed >= room(p)) {
        await_room(p, accept);
        return;
    }
    accept->called = false;
    const struct operation operation = { OPERATION_ACCEPT, .lasting = multishot,
                                         .fd = accept->listener->fd };
    if (!proactor_begin(p, &accept->op, PROACTOR_OP_ACCEPT, &operation))
        return;
    accept->multishot = multishot;
    p->accepts_armed += !multishot;
}

static bool shares_listener(const struct proactor *p)
{
    for (size_t i = 0; i < p->listeners_count; i++) {
        if (p->accepts[i].listener->holders != NULL)
            return true;
    }
    return false;
}

/* Others may sleep who have somebody to make way, and did not watch while there was room here. */
static void tell_others(struct proactor *p)
{
    bool helpless = room(p) == 0 && list_empty(&p->idle);
    if (helpless && !p->helpless && shares_listener(p) && all_full(p))
        p->shared->wake_all(p->shared->wake_context);
    p->helpless = helpless;
}

void proactor_accept(struct proactor *p)
{
    if (p->ending || p->drain_end_ms != 0 || p->retire_end_ms != 0)
        return;
    bool waits = p->accept_retry_ms > p->clock.now_ms;
    if (!waits)
        p->accept_retry_ms = 0;
    for (size_t i = 0; i < p->listeners_count; i++) {
        struct proactor_listener *accept = &p->accepts[i];
        if (accept->op.in_flight && accept->multishot && !multishot_fits(p))
            (void)proactor_cancel(p, &accept->op, accept->listener->fd); /* else in the next turn */
        else if (!accept->op.in_flight && !waits)
            arm(p, accept);
    }
    tell_others(p);
}

int proactor_accept_timeout_ms(const struct proactor *p)
{
    if (p->accept_retry_ms == 0 || p->ending || p->drain_end_ms != 0 || p->retire_end_ms != 0)
        return -1;
    uint64_t now_ms = p->clock.now_ms;
    return p->accept_retry_ms > now_ms ? (int)(p->accept_retry_ms - now_ms) : 0;
}

/* Clients whose connection the kernel has made already are not to be lost. */
static void accept_rest(struct proactor *p, const struct proactor_listener *accept)
{
    for (int i = 0; i < accept->listener->config->backlog && room(p) > 0; i++) {
        stats_count(STATS_CALL_ACCEPT);
        int fd = accept4(accept->listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            take_connection(p, accept, fd);
        else if (!acceptor_lost_one(errno)) /* EAGAIN: none is left */
            return;
    }
}

bool proactor_unlisten(struct proactor *p)
{
    bool ended = true;
    for (size_t i = 0; i < p->listeners_count; i++) {
        struct proactor_listener *accept = &p->accepts[i];
        if (accept->op.in_flight) {
            (void)proactor_cancel(p, &accept->op, accept->listener->fd);
            ended = false;
        } else if (accept->listener->fd >= 0) {
            if (!p->ending)
                accept_rest(p, accept);
            processor_forget(p->processor, accept->listener->fd);
            if (p->retire_end_ms != 0)
                listener_leave(accept->listener);
            else
                listener_close(accept->listener);
        }
    }
    if (ended)
        pulse_unlisten(&p->beat);
    return ended;
}

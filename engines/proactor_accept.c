/* proactor_accept.c: takes connections from listening sockets.
 *
 * A multishot accept brings every connection without being asked again, and more than there is room
 * for: all that the backlog holds, and what comes meanwhile, before it can be stopped. So it is
 * armed only while twice that many are free; nearer to connections_max accepts are armed one by
 * one, never more than there is room for, and clients beyond that wait in the kernel's backlog. */
#include "engines/proactor_internal.h"

#include "engines/acceptor.h"
#include "engines/listen.h"

#include "core/config.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t room(const struct proactor *p)
{
    return p->connections_max - pool_used(p->pool);
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
                 accept->listener->config->text, strerror(error), acceptor_advice(error));
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

void proactor_accepted(struct proactor *p, struct proactor_op *op, int res, unsigned flags)
{
    struct proactor_listener *accept = container_of(op, struct proactor_listener, op);
    if (!accept->multishot && (flags & IORING_CQE_F_MORE) == 0) {
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
        if (session_env_reclaim(p->env) > 0)
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

static void arm(struct proactor *p, struct proactor_listener *accept)
{
    bool multishot = multishot_fits(p);
    if (!multishot && p->accepts_armed >= room(p)) {
        if (log_is_due(&p->full_log_ms, p->clock.now_ms))
            log_warn("connections_max = %u reached; clients wait until a connection closes",
                     p->connections_max);
        return;
    }
    struct io_uring_sqe *sqe = proactor_begin(p, &accept->op, PROACTOR_OP_ACCEPT);
    if (sqe == NULL)
        return;
    int flags = SOCK_NONBLOCK | SOCK_CLOEXEC; /* sendfile(2) is not to block */
    if (multishot)
        io_uring_prep_multishot_accept(sqe, accept->listener->fd, NULL, NULL, flags);
    else
        io_uring_prep_accept(sqe, accept->listener->fd, NULL, NULL, flags);
    proactor_set(sqe, &accept->op);
    accept->multishot = multishot;
    p->accepts_armed += !multishot;
}

void proactor_accept(struct proactor *p)
{
    if (p->ending || p->drain_end_ms != 0)
        return;
    bool waits = p->accept_retry_ms > p->clock.now_ms;
    if (!waits)
        p->accept_retry_ms = 0;
    for (size_t i = 0; i < p->listeners_count; i++) {
        struct proactor_listener *accept = &p->accepts[i];
        if (accept->op.in_flight && accept->multishot && !multishot_fits(p))
            (void)proactor_cancel(p, &accept->op); /* else in the next turn */
        else if (!accept->op.in_flight && !waits)
            arm(p, accept);
    }
}

int proactor_accept_timeout_ms(const struct proactor *p)
{
    if (p->accept_retry_ms == 0 || p->ending || p->drain_end_ms != 0)
        return -1;
    uint64_t now_ms = p->clock.now_ms;
    return p->accept_retry_ms > now_ms ? (int)(p->accept_retry_ms - now_ms) : 0;
}

/* Clients whose connection the kernel has made already are not to be lost. */
static void accept_rest(struct proactor *p, const struct proactor_listener *accept)
{
    for (int i = 0; i < accept->listener->config->backlog && room(p) > 0; i++) {
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
            (void)proactor_cancel(p, &accept->op);
            ended = false;
        } else if (accept->listener->fd >= 0) {
            if (!p->ending)
                accept_rest(p, accept);
            listener_close(accept->listener);
        }
    }
    return ended;
}

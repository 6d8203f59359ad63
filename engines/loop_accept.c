/* loop_accept.c: takes connections from listening sockets.
 *
 * Listeners are edge-triggered too: an edge puts one into the accept queue, EAGAIN takes it out. So
 * a loop that cannot accept (connections_max, or no descriptor left) leaves it in the queue, where
 * it costs nothing: no event repeats itself, and new connections wait in the kernel's backlog. */
#include "engines/loop_internal.h"

#include "engines/listen.h"

#include "core/check.h"
#include "core/config.h"
#include "core/log.h"
#include "core/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int loop_listen(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        *listener = (struct loop_listener){
            .source = { LOOP_LISTENER_MAGIC, loop->cfg.listeners[i].fd },
            .config = loop->cfg.listeners[i].config,
        };
        list_init(&listener->ready);
        struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = listener };
        if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, listener->source.fd, &event) != 0)
            return -errno;
    }
    return 0;
}

void loop_unlisten(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        list_remove(&loop->listeners[i].ready);
        listener_close(&loop->cfg.listeners[i]); /* nobody else holds it: epoll forgets it, too */
        loop->listeners[i].source.fd = -1;
    }
}

static void peer_from_sockaddr(const struct sockaddr_storage *address, struct peer *ret_peer)
{
    *ret_peer = (struct peer){ .family = PEER_UNIX };
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        ret_peer->family = PEER_IPV4;
        memcpy(ret_peer->addr, &in->sin_addr, 4);
        ret_peer->port = ntohs(in->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        ret_peer->family = PEER_IPV6;
        memcpy(ret_peer->addr, &in6->sin6_addr, 16);
        ret_peer->port = ntohs(in6->sin6_port);
    }
}

/* Once in LOOP_LOG_EVERY_MS, by `*stamp_ms`. */
static bool may_complain(const struct loop *loop, uint64_t *stamp_ms)
{
    uint64_t now_ms = loop->clock.now_ms;
    if (*stamp_ms != 0 && now_ms - *stamp_ms < LOOP_LOG_EVERY_MS)
        return false;
    *stamp_ms = now_ms;
    return true;
}

static void accept_pause(struct loop *loop, const struct loop_listener *listener, int error)
{
    loop->accept_retry_ms = loop->clock.now_ms + LOOP_ACCEPT_RETRY_MS;
    if (!may_complain(loop, &loop->accept_log_ms))
        return;
    const char *advice = error == EMFILE   ? "; raise the limit of open files (ulimit -n)"
                         : error == ENFILE ? "; raise the sysctl fs.file-max"
                                           : "";
    log_error("accept on %s: %s; clients wait until a connection closes%s", listener->config->text,
              strerror(error), advice);
}

/* Errors that concern one connection, already gone, and not the listener: accept(2), "Error
 * handling". */
static bool is_lost_connection(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPERM: /* a firewall rule */
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
        return true;
    default:
        return false;
    }
}

static bool is_full(const struct loop *loop)
{
    return pool_used(loop->pool) >= loop->cfg.config->connections_max;
}

/* Takes connections from one listener until none waits, or a limit is reached: then it stays in the
 * accept queue, at its end. */
static void accept_from(struct loop *loop, struct loop_listener *listener)
{
    for (int i = 0; i < LOOP_ACCEPT_MAX; i++) {
        if (is_full(loop)) {
            if (may_complain(loop, &loop->full_log_ms))
                log_warn("connections_max = %u reached; clients wait until a connection closes",
                         loop->cfg.config->connections_max);
            break;
        }
        struct sockaddr_storage address;
        socklen_t address_len = sizeof(address);
        int fd = accept4(listener->source.fd, (struct sockaddr *)&address, &address_len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        int error = fd < 0 ? errno : 0;
        if (error == EAGAIN)
            return;
        if (is_lost_connection(error))
            continue;
        if (error == 0) {
            struct peer peer;
            peer_from_sockaddr(&address, &peer);
            error = -loop_conn_open(loop, fd, listener->config, &peer);
        }
        if ((error == EMFILE || error == ENFILE) && session_env_reclaim(loop->env) > 0)
            continue;
        if (error != 0) {
            accept_pause(loop, listener, error);
            break;
        }
    }
    list_push_back(&loop->accept_queue, &listener->ready);
}

void loop_accept(struct loop *loop)
{
    if (loop_accept_timeout_ms(loop) != 0)
        return;
    loop->accept_retry_ms = 0;
    struct list batch;
    list_init(&batch);
    list_splice_back(&batch, &loop->accept_queue);
    while (!list_empty(&batch)) {
        struct loop_listener *listener = container_of(batch.next, struct loop_listener, ready);
        CHECK_OBJ(&listener->source, LOOP_LISTENER_MAGIC);
        list_remove(&listener->ready);
        accept_from(loop, listener);
    }
}

int loop_accept_timeout_ms(const struct loop *loop)
{
    if (list_empty(&loop->accept_queue) || is_full(loop))
        return -1;
    uint64_t now_ms = loop->clock.now_ms;
    return loop->accept_retry_ms > now_ms ? (int)(loop->accept_retry_ms - now_ms) : 0;
}

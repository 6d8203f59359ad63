/* acceptor.c: addresses of clients, errors of accept(2), and who waits. */
#include "engines/acceptor.h"

#include "engines/engine.h"

#include "config/config.h"
#include "core/stats_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

void acceptor_peer(const struct sockaddr_storage *address, struct peer *ret_peer)
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

bool acceptor_lost_one(int error)
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

bool acceptor_has_caller(int fd)
{
    struct pollfd listener = { .fd = fd, .events = POLLIN };
    return poll(&listener, 1, 0) == 1 && (listener.revents & POLLIN) != 0;
}

bool acceptor_others_have_room(const struct listener *listener, const struct config *config)
{
    return listener->of_processes &&
           stats_connections() < (uint64_t)config->processes * config->connections_max;
}

bool acceptor_has_input(int fd)
{
    int octets;
    return ioctl(fd, FIONREAD, &octets) == 0 && octets > 0;
}

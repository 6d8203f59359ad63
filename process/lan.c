/* lan.c: see lan.h. */
#include "process/lan.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static bool is_for_all(const struct listen_config *listen)
{
    return (listen->kind == LISTEN_IPV4 && strcmp(listen->host, "0.0.0.0") == 0) ||
           (listen->kind == LISTEN_IPV6 && strcmp(listen->host, "::") == 0);
}

/* As it stands in a URL; false: it is none that `listen` takes, or that others can ask for. */
static bool format_address(const struct listen_config *listen, const struct sockaddr *address,
                           char *text, size_t size)
{
    char number[INET6_ADDRSTRLEN];

    if (address->sa_family == AF_INET && (listen->kind == LISTEN_IPV4 || !listen->ipv6_only)) {
        const struct sockaddr_in *v4 = (const void *)address;

        inet_ntop(AF_INET, &v4->sin_addr, number, sizeof number);
        snprintf(text, size, "%s", number);
        return true;
    }
    if (address->sa_family == AF_INET6 && listen->kind == LISTEN_IPV6) {
        const struct sockaddr_in6 *v6 = (const void *)address;

        if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
            return false;
        inet_ntop(AF_INET6, &v6->sin6_addr, number, sizeof number);
        snprintf(text, size, "[%s]", number);
        return true;
    }
    return false;
}

void lan_print(const struct listen_config *listen, uint16_t port, FILE *out)
{
    struct ifaddrs *all = NULL;
    unsigned count = 0;

    if (!is_for_all(listen) || getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *at = all; at != NULL && count < LAN_ADDRESSES_MAX;
         at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN + 2];

        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 ||
            !format_address(listen, at->ifa_addr, text, sizeof text))
            continue;
        fprintf(out, "  %s://%s:%u/ (%s)\n", listen->tls ? "https" : "http", text, (unsigned)port,
                (at->ifa_flags & IFF_LOOPBACK) != 0 ? "this machine" : at->ifa_name);
        count++;
    }
    freeifaddrs(all);
}

/* host_name.h: the addresses of a name that is listened on: `listen = {"localhost:80"}`. Asked
 * once, at the start. */
#ifndef CONFIG_HOST_NAME_H
#define CONFIG_HOST_NAME_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* The most addresses that a name may have here. */
#define HOST_ADDRESSES_MAX 32

struct host_address {
    bool ipv6;
    char text[INET6_ADDRSTRLEN]; /* numeric, as inet_ntop(3) writes it */
};

struct host_addresses {
    size_t count;
    struct host_address at[HOST_ADDRESSES_MAX];
};

/* Can `name` be looked up: letters, digits, '-', '_' and dots, and not digits and dots alone, which
 * getaddrinfo(3) takes for an address of another notation? */
bool host_name_is_valid(const char *name);

/* What stands for all addresses of this machine: host_name_find() finds 0.0.0.0, and :: where there
 * is IPv6. */
#define HOST_NAME_ANY "*"

/* Finds the addresses of `name` (getaddrinfo(3): /etc/hosts, DNS), each once. Those that this
 * machine does not have, be it that it has no IPv6, are left out, unless it has none of them;
 * link-local ones always, since a name does not tell the link. May wait for a name server. 0, or
 * -errno and `*ret_what`, static: -ENOENT (there are none, or nobody could be asked), -E2BIG, -ENOMEM. */
int host_name_find(const char *name, struct host_addresses *ret_addresses, const char **ret_what);

#endif

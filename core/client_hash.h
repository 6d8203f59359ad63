/* client_hash.h: a client as a number, for tables that strangers fill (siphash.h). */
#ifndef CORE_CLIENT_HASH_H
#define CORE_CLIENT_HASH_H

#include "core/peer.h"

#include <stdint.h>

/* How many bits of an address tell two clients apart. */
struct client_prefix {
    uint32_t ipv4, ipv6;
};

/* A key that nobody can guess (getrandom(2)). 0 or -errno. */
int client_hash_key(uint64_t ret_key[2]);

/* The number of the client and of what is counted of it (`zone`). Clients with the same prefix are
 * one; an IPv4-mapped IPv6 address is the IPv4 address that it maps. Never 0. */
uint64_t client_hash(const uint64_t key[2], uint64_t zone, const struct peer *peer,
                     const struct client_prefix *prefix);

#endif

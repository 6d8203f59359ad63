/* address_set.h: a set of clients' addresses, written as single addresses and networks:
 * "192.0.2.1", "10.0.0.0/8", "2001:db8::/32", and "unix:" for whoever comes by a unix socket. Pure.
 *
 * Asked once a connection, and once for each address in a request's X-Forwarded-For, whose length
 * the client chooses; so a question costs a binary search, however long the list is. */
#ifndef CORE_ADDRESS_SET_H
#define CORE_ADDRESS_SET_H

#include "core/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum { ADDRESS_KEY_SIZE = 17 };

/* From `first` to `last`, both within. A key is a family, then the address as in struct peer. */
struct address_range {
    uint8_t first[ADDRESS_KEY_SIZE], last[ADDRESS_KEY_SIZE];
};

/* All zero: the empty set. */
struct address_set {
    struct address_range *ranges; /* in ascending order, none touching another; in the arena */
    size_t count;
};

/* What is wrong with `text` as an element, as the end of a sentence that begins with it ("is no
 * address"); NULL: nothing. Bits behind the prefix must be 0: who writes 10.1.2.3/8 may mean one
 * address or sixteen million. */
const char *address_range_check(const char *text);

/* The set of `count` texts that address_range_check() has passed, in memory of `arena`. 0 or
 * -ENOMEM. */
int address_set_make(struct arena *arena, char *const *texts, size_t count,
                     struct address_set *ret_set);

/* Does it hold the address of `peer`? An IPv4-mapped IPv6 address is the IPv4 address that it maps,
 * in elements as well: a socket for both families tells it so. */
bool address_set_has(const struct address_set *set, const struct peer *peer);

#endif

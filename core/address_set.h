/* address_set.h: a set of clients' addresses, written as single addresses and networks:
 * "192.0.2.1", "10.0.0.0/8", "2001:db8::/32", and "unix:" for whoever comes by a unix socket. Pure.
 *
 * Asked once a request, and once for each address in a request's X-Forwarded-For, whose length the
 * client chooses; and a list may hold a hundred thousand networks. So a set is kept as the
 * addresses at which one that counts upward enters or leaves it, and a question is a binary search
 * among these: whoever has passed an odd number of them is inside. Networks that overlap, touch, or
 * stand twice cost nothing more (decision 49 has the figures beside those of tries). */
#ifndef CORE_ADDRESS_SET_H
#define CORE_ADDRESS_SET_H

#include "core/peer.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* An address as a number: IPv6, or, in `low` alone, IPv4. */
struct address_key {
    uint64_t high, low;
};

/* All zero: the empty set. */
struct address_set {
    const uint32_t *ipv4; /* borders, ascending: the set begins at the first, ends before the
                             second, and so on; in the arena, as are the others' */
    const struct address_key *ipv6;
    size_t ipv4_count, ipv6_count;
    bool unix_sockets; /* whoever comes by a unix socket is in it */
};

/* One element. */
struct address_range {
    struct address_key first, last; /* both within */
    uint8_t family;                 /* enum peer_family */
    bool excluded;                  /* from the set: see address_list_make_set() */
};

/* Elements on their way into a set; all zero: none. */
struct address_list {
    struct address_range *ranges; /* malloc(3)ed */
    size_t count, room;
};

/* What is wrong with `text` as an element, as the end of a sentence that begins with it ("is no
 * address"); NULL: nothing. Bits behind the prefix must be 0: who writes 10.1.2.3/8 may mean one
 * address or sixteen million. */
const char *address_range_check(const char *text);

/* Likewise, of a text that has no NUL, and `*ret_range` is what it says. */
const char *address_range_parse(struct span text, struct address_range *ret_range);

/* Adds an element. 0 or -ENOMEM. */
int address_list_add(struct address_list *list, const struct address_range *range);

/* The set of those whom the list includes, in memory of `arena`. Of several elements that hold an
 * address the smallest counts, and of two equal ones that which excludes; who is in none is in the
 * set when `rest` is. Sorts the list. 0 or -ENOMEM. */
int address_list_make_set(struct address_list *list, bool rest, struct arena *arena,
                          struct address_set *ret_set);

/* Frees the elements: the list is empty. */
void address_list_free(struct address_list *list);

/* The set of `count` texts that address_range_check() has passed, in memory of `arena`. 0 or
 * -ENOMEM. */
int address_set_make(struct arena *arena, char *const *texts, size_t count,
                     struct address_set *ret_set);

/* Does it hold the address of `peer`? An IPv4-mapped IPv6 address is the IPv4 address that it maps,
 * in elements as well: a socket for both families tells it so. */
bool address_set_has(const struct address_set *set, const struct peer *peer);

#endif

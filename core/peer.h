/* peer.h: the address of a client, small enough to keep in every idle connection. */
#ifndef CORE_PEER_H
#define CORE_PEER_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_family { PEER_UNIX, PEER_IPV4, PEER_IPV6 };

struct peer {
    uint8_t family;   /* enum peer_family */
    uint8_t addr[16]; /* IPv4 in the first 4, network order */
    uint16_t port;    /* host order; 0 for PEER_UNIX */
};

enum { PEER_TEXT_MAX = 46 }; /* with the NUL */

/* Writes the address without the port ("192.0.2.1", "2001:db8::1", "unix:"); an IPv4-mapped IPv6
 * address as IPv4. `ret_text` holds PEER_TEXT_MAX octets. Returns the length without the NUL. */
size_t peer_format(const struct peer *peer, char *ret_text);

/* Is it this machine: a loopback address (RFC 6890), or a unix socket? Pure. */
bool peer_is_local(const struct peer *peer);

/* Reads a numeric address, and nothing else: "192.0.2.1" (four decimals without leading zeros), or
 * IPv6 without brackets and zone (RFC 4291 section 2.2); the port becomes 0. False: it is none, and
 * `*ret_peer` is as it was. */
bool peer_parse(struct span text, struct peer *ret_peer);

#endif

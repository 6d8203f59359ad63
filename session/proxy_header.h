/* proxy_header.h: the header that a proxy puts in front of a connection, so that the server behind
 * it learns who the client is: the PROXY protocol, versions 1 and 2, of HAProxy's specification
 * (doc/proxy-protocol.txt, the sections named below are its own). Pure; for session_proxy.c.
 *
 *   version 1, section 2.1: one line of text, "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"
 *   version 2, section 2.2: a signature of 12 octets, command, family, length, addresses, TLVs
 *
 * TLVs (section 2.2) are walked within their bounds and passed over, but for
 * the checksum (section 2.2.3). */
#ifndef SESSION_PROXY_HEADER_H
#define SESSION_PROXY_HEADER_H

#include "core/peer.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    PROXY_HEADER_V1_MAX = 107, /* octets of a line with its CRLF: the longest that section 2.1
                                  allows */
    PROXY_HEADER_MAX = 4096,   /* octets of a header of version 2 with its TLVs. Addresses take 232
                                  at most; certificates' names and tokens of clouds are the rest */
};

enum proxy_header_result {
    PROXY_HEADER_DONE,    /* `*ret_header` is filled in */
    PROXY_HEADER_MORE,    /* no fault so far, and not complete */
    PROXY_HEADER_MISSING, /* something else comes: not even the first octets are a header's */
    PROXY_HEADER_WRONG,   /* it begins as a header, and breaks the rules of its version */
    PROXY_HEADER_LONG,    /* it is longer than the limits above */
};

struct proxy_header {
    size_t len; /* octets; what follows is the client's */
    bool
        has_client; /* else the proxy speaks for itself (LOCAL), or does not know (UNKNOWN, no or
                       other than stream addresses): the connection's own address is the client's */
    struct peer client; /* valid with has_client; of PEER_UNIX for a client at a unix socket of the
                           proxy's */
};

/* Judges the first `len` octets (above 0) of a connection. The first fault in the order of the
 * octets decides, so the result does not depend on how they were split. `ret_header` is untouched
 * unless the result is DONE. */
enum proxy_header_result proxy_header_parse(const char *data, size_t len,
                                            struct proxy_header *ret_header);

#endif

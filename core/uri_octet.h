/* uri_octet.h: which octets are taken where in a request-target, as one table, and the escape. For
 * targets, authorities and what is written into a Location (uri_encode.h). Pure.
 *
 * A host is what RFC 3986 (appendix A) says. A path and a query may hold more: clients send names
 * as they are, and a server of files has nothing to lose by it (decision 21). */
#ifndef CORE_URI_OCTET_H
#define CORE_URI_OCTET_H

#include <stdbool.h>
#include <stdint.h>

/* '%' is in no class. */
enum uri_octet {
    URI_PATH = 1 << 0,  /* all but CTL, SP, '#', and what means something: '/' and '?' */
    URI_QUERY = 1 << 1, /* all but CTL, SP and '#' */
    URI_NAME = 1 << 2,  /* reg-name: unreserved and sub-delims */
    URI_SAFE = 1 << 3,  /* what uri_path_encode() leaves alone: pchar and '/', but for "&';",
                                which mean something in HTML */
    URI_STRICT = 1 << 4 /* query of RFC 3986 section 3.4: pchar, '/' and '?' */
};

/* A mask of enum uri_octet for every octet. */
extern const uint8_t uri_octets[256];

static inline bool uri_octet_is(char octet, enum uri_octet what)
{
    return uri_octets[(uint8_t)octet] & what;
}

static inline bool uri_is_hex(char octet)
{
    return (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'F') ||
           (octet >= 'a' && octet <= 'f');
}

/* The value of a hexadecimal digit. */
static inline int uri_hex_value(char digit)
{
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* The octet that the escape "%XX" at `at`, in text that ends at `end`, stands for; -1: there is
 * none, or it is truncated or bad. */
static inline int uri_escape_octet(const char *at, const char *end)
{
    if (end - at < 3 || at[0] != '%' || !uri_is_hex(at[1]) || !uri_is_hex(at[2]))
        return -1;
    return uri_hex_value(at[1]) << 4 | uri_hex_value(at[2]);
}

#endif

/* uri_octet.h: which octets are taken where in a request-target, as one table, and the escape. For
 * target.c and authority.c. Pure.
 *
 * A host is what RFC 3986 (appendix A) says. A path and a query may hold more: clients send names
 * as they are, and a server of files has nothing to lose by it (decision 21). */
#ifndef HTTP_URI_OCTET_H
#define HTTP_URI_OCTET_H

#include "http/octet.h"

#include <stdbool.h>
#include <stdint.h>

/* '%' is in no class. */
enum http_uri_octet {
    HTTP_URI_PATH = 1 << 0,  /* all but CTL, SP, '#', and what means something: '/' and '?' */
    HTTP_URI_QUERY = 1 << 1, /* all but CTL, SP and '#' */
    HTTP_URI_NAME = 1 << 2,  /* reg-name: unreserved and sub-delims */
    HTTP_URI_SAFE = 1 << 3,  /* what http_path_encode() leaves alone: pchar and '/', but for "&';",
                                which mean something in HTML */
    HTTP_URI_STRICT = 1 << 4 /* query of RFC 3986 section 3.4: pchar, '/' and '?' */
};

/* A mask of enum http_uri_octet for every octet. */
extern const uint8_t http_uri_octets[256];

static inline bool http_uri_octet_is(char octet, enum http_uri_octet what)
{
    return http_uri_octets[(uint8_t)octet] & what;
}

/* The value of a hexadecimal digit. */
static inline int http_uri_hex_value(char digit)
{
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* The octet that the escape "%XX" at `at`, in text that ends at `end`, stands for; -1: there is
 * none, or it is truncated or bad. */
static inline int http_uri_escape_octet(const char *at, const char *end)
{
    if (end - at < 3 || at[0] != '%' || !http_octet_is(at[1], HTTP_OCTET_HEX) ||
        !http_octet_is(at[2], HTTP_OCTET_HEX))
        return -1;
    return http_uri_hex_value(at[1]) << 4 | http_uri_hex_value(at[2]);
}

#endif

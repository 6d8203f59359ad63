/* uri_octet.h: which octets the grammar of a URI allows where (RFC 3986 appendix A), as one table,
 * and the escape. For target.c and authority.c. Pure. */
#ifndef HTTP_URI_OCTET_H
#define HTTP_URI_OCTET_H

#include "http/octet.h"

#include <stdbool.h>
#include <stdint.h>

/* '%' is in no class. */
enum http_uri_octet {
    HTTP_URI_PATH = 1 << 0,  /* pchar: unreserved, sub-delims, ':' and '@' */
    HTTP_URI_QUERY = 1 << 1, /* pchar, '/' and '?' */
    HTTP_URI_NAME = 1 << 2,  /* reg-name: unreserved and sub-delims */
    HTTP_URI_SAFE = 1 << 3,  /* what http_path_encode() leaves alone: pchar and '/', but for "&';",
                                which mean something in HTML */
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

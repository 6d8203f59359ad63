/* octet.h: which octets the grammar of HTTP allows where (RFC 9110 section 5.6), as one table.
 * For the parsers of request heads and bodies. */
#ifndef HTTP_OCTET_H
#define HTTP_OCTET_H

#include <stdbool.h>
#include <stdint.h>

enum http_octet {
    HTTP_OCTET_TOKEN = 1 << 0, /* tchar (RFC 9110 section 5.6.2) */
    HTTP_OCTET_LINE = 1 << 1,  /* SP, visible, 80 to FF: what a request line may hold. Only its
                                  target does hold all of them, as clients send names as they are */
    HTTP_OCTET_VALUE = 1 << 2, /* HTAB, SP, visible, obs-text: what a field value may hold */
    HTTP_OCTET_HEX = 1 << 3,   /* 0-9, A-F, a-f */
};

/* A mask of enum http_octet for every octet. */
extern const uint8_t http_octets[256];

static inline bool http_octet_is(char octet, enum http_octet what)
{
    return http_octets[(uint8_t)octet] & what;
}

#endif

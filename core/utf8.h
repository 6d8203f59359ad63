/* utf8.h: where octets are a character of UTF-8 (RFC 3629), and which one. For whatever shows or
 * logs octets that strangers chose. Pure. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the character that `s`, which is not empty, begins with: 1 to 4; 0: it is
 * not UTF-8 there (a continuation, cut, overlong, a surrogate, above U+10FFFF). */
static inline size_t utf8_char_len(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    unsigned char low = 0x80;
    unsigned char high = 0xbf; /* of the second octet */
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0; /* else overlong */
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xed)
        high = 0x9f; /* else a surrogate */
    else if (p[0] == 0xf4)
        high = 0x8f; /* else beyond U+10FFFF */
    if (s.len < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

/* The number of the character at `at`, of which utf8_char_len() said that it is `len` long. */
static inline uint32_t utf8_char(const char *at, size_t len)
{
    uint32_t number = (unsigned char)at[0];

    if (len > 1)
        number &= 0x7fu >> len;
    for (size_t i = 1; i < len; i++)
        number = number << 6 | ((unsigned char)at[i] & 0x3fu);
    return number;
}

#endif

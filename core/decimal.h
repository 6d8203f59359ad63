/* decimal.h: a number in decimal digits, as text and back. snprintf(3) takes some 500 instructions
 * for one, which counts where an answer takes 5000. */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>

struct decimal {
    char digits[20]; /* UINT64_MAX has 20 */
};

/* The digits of `value`, in `room`: valid as long as that is. */
static inline struct span decimal_text(uint64_t value, struct decimal *room)
{
    size_t at = sizeof(room->digits);
    do {
        room->digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return span_make(room->digits + at, sizeof(room->digits) - at);
}

/* One digit or more and nothing else, up to `max`. False, and *ret_number is as it was: it is
 * something else. */
static inline bool decimal_parse(struct span text, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';
        if (digit > 9 || digit > max || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (text.len == 0)
        return false;
    *ret_number = number;
    return true;
}

/* A port, leading zeros too, up to 65535 (RFC 3986 section 3.2.3). False, and *ret_port is as it
 * was: it is something else. */
static inline bool decimal_parse_port(struct span text, uint16_t *ret_port)
{
    uint64_t port;
    if (!decimal_parse(text, UINT16_MAX, &port))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

#endif

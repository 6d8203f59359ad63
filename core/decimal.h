/* decimal.h: a number in decimal digits, as text. snprintf(3) takes some 500 instructions for one,
 * which counts where an answer takes 5000. */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include "core/span.h"

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

#endif

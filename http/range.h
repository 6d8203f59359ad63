/* range.h: the Range field (RFC 9110 section 14). Pure. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "config/config.h"
#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

struct http_range {
    uint64_t first, last; /* octet positions, both inclusive */
};

enum http_range_result {
    HTTP_RANGE_NONE,    /* no, unknown or malformed Range, or too many: send the whole (200) */
    HTTP_RANGE_PARTIAL, /* *ret_count ranges, at least one: 206 */
    HTTP_RANGE_UNSATISFIABLE, /* well-formed, and no range lies within the representation: 416 */
};

enum {
    /* Ranges that one field may ask for, and upper bound of the setting ranges_max. */
    HTTP_RANGES_MAX = CONFIG_RANGES_MAX
};

/* Evaluates the value of a Range field against a representation of `size` octets. Ranges come out
 * in the order asked, unsatisfiable ones dropped, overlapping and touching ones coalesced (into the
 * place of the first of them). NONE where more than `ranges_max` (<= HTTP_RANGES_MAX; 0: always)
 * are left then, or where more than HTTP_RANGES_MAX are asked for. Numbers saturate at UINT64_MAX.
 * `ret_ranges` holds `ranges_max`. With `size` 0 every byte-range is unsatisfiable. n ranges take n
 * log n steps, and 18 octets of stack for each of HTTP_RANGES_MAX. */
enum http_range_result http_range_parse(struct span value, uint64_t size, unsigned ranges_max,
                                        struct http_range *ret_ranges, size_t *ret_count);

#endif

/* range.c: reads a Range field, resolves it against a size, and coalesces.
 *
 * At most HTTP_RANGES_MAX ranges are looked at, so comparing each with each is bounded. */
#include "http/range.h"

#include "core/check.h"

#include <stdbool.h>

/* One range-spec as written. Numbers have saturated. */
struct range_spec {
    uint64_t first; /* of an int-range */
    uint64_t last;  /* UINT64_MAX when open-ended; of a suffix-range: its length */
    bool is_suffix;
};

/* Takes the digits off the front; false when there is none. */
static bool take_number(struct span *in, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t i = 0;

    for (; i < in->len && in->ptr[i] >= '0' && in->ptr[i] <= '9'; i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(in->ptr[i] - '0'), &value))
            value = UINT64_MAX;
    }
    if (i == 0)
        return false;
    in->ptr += i;
    in->len -= i;
    *ret_value = value;
    return true;
}

/* Takes an int-range or a suffix-range off the front (RFC 9110 section 14.1.1). */
static bool take_spec(struct span *in, struct range_spec *ret_spec)
{
    struct range_spec spec = { .last = UINT64_MAX };

    spec.is_suffix = !take_number(in, &spec.first);
    if (in->len == 0 || in->ptr[0] != '-')
        return false;
    in->ptr++;
    in->len--;
    if (!take_number(in, &spec.last) && spec.is_suffix)
        return false;
    if (!spec.is_suffix && spec.last < spec.first)
        return false;
    *ret_spec = spec;
    return true;
}

/* The octets that a spec selects of `size`; false when it selects none (RFC 9110 section 14.1.2).
 */
static bool spec_resolve(const struct range_spec *spec, uint64_t size, struct http_range *ret_range)
{
    if (spec->is_suffix) {
        if (spec->last == 0 || size == 0)
            return false;
        *ret_range = (struct http_range){ spec->last < size ? size - spec->last : 0, size - 1 };
        return true;
    }
    if (spec->first >= size)
        return false;
    *ret_range = (struct http_range){ spec->first, spec->last < size ? spec->last : size - 1 };
    return true;
}

/* Reads a whole range-set (1#range-spec with empty elements), keeping what is satisfiable. False:
 * malformed, or too many. */
static bool take_set(struct span set, uint64_t size, unsigned ranges_max,
                     struct http_range *ret_ranges, size_t *ret_count)
{
    size_t asked = 0, count = 0;

    while (set.len > 0) {
        struct range_spec spec;

        if (set.ptr[0] != ',') {
            if (!take_spec(&set, &spec) || ++asked > ranges_max)
                return false;
            if (spec_resolve(&spec, size, &ret_ranges[count]))
                count++;
            set = span_trim(set);
            if (set.len > 0 && set.ptr[0] != ',')
                return false;
        }
        if (set.len > 0) /* the comma */
            set = span_trim(span_make(set.ptr + 1, set.len - 1));
    }
    *ret_count = count;
    return asked > 0;
}

static bool ranges_overlap(const struct http_range *a, const struct http_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Overlapping, or with no octet between them. A last position is less than a size, so one more
 * never overflows. */
static bool ranges_touch(const struct http_range *a, const struct http_range *b)
{
    return a->first <= b->last + 1 && b->first <= a->last + 1;
}

/* Is more asked for than there is, by more than two ranges that overlap (RFC 9110 section 14.2)? */
static bool ranges_abusive(const struct http_range *ranges, size_t count, uint64_t size)
{
    uint64_t left = size;
    size_t overlapping = 0;
    bool too_much = false;

    for (size_t i = 0; i < count; i++) {
        uint64_t len = ranges[i].last - ranges[i].first + 1;
        bool overlaps = false;

        too_much |= len > left;
        left -= len < left ? len : left;
        for (size_t j = 0; j < count && !overlaps; j++)
            overlaps = i != j && ranges_overlap(&ranges[i], &ranges[j]);
        overlapping += overlaps;
    }
    return too_much && overlapping > 2;
}

/* Adds a range to `count` ranges of which no two touch; returns their new number. What it touches
 * becomes one range with it, in the place of the first of them. */
static size_t ranges_add(struct http_range *ranges, size_t count, struct http_range range)
{
    size_t place = count;

    for (size_t i = 0; i < count;) {
        if (!ranges_touch(&ranges[i], &range)) {
            i++;
            continue;
        }
        if (ranges[i].first < range.first)
            range.first = ranges[i].first;
        if (ranges[i].last > range.last)
            range.last = ranges[i].last;
        count--;
        for (size_t j = i; j < count; j++)
            ranges[j] = ranges[j + 1];
        if (i < place)
            place = i;
        i = 0; /* It has grown, and may touch what it did not touch before. */
    }
    for (size_t j = count; j > place; j--)
        ranges[j] = ranges[j - 1];
    ranges[place] = range;
    return count + 1;
}

enum http_range_result http_range_parse(struct span value, uint64_t size, unsigned ranges_max,
                                        struct http_range *ret_ranges, size_t *ret_count)
{
    static const struct span unit = { "bytes=", 6 };
    struct http_range ranges[HTTP_RANGES_MAX];
    size_t asked, count = 0;

    CHECK(ranges_max <= HTTP_RANGES_MAX);
    if (value.len < unit.len || !span_caseeq(span_make(value.ptr, unit.len), unit))
        return HTTP_RANGE_NONE;
    value = span_make(value.ptr + unit.len, value.len - unit.len);
    if (!take_set(value, size, ranges_max, ranges, &asked))
        return HTTP_RANGE_NONE;
    if (asked == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    if (ranges_abusive(ranges, asked, size))
        return HTTP_RANGE_NONE;
    for (size_t i = 0; i < asked; i++)
        count = ranges_add(ret_ranges, count, ranges[i]);
    *ret_count = count;
    return HTTP_RANGE_PARTIAL;
}

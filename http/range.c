/* range.c: reads a Range field, resolves it against a size, and coalesces.
 *
 * A client chooses how many there are, up to HTTP_RANGES_MAX, and how they lie. So they are sorted,
 * and neighbours are coalesced in one pass: n ranges take n log n steps, whatever they are, and no
 * memory but the stack's.
 *
 * What a request costs is judged by what would be sent. Once coalesced, ranges share no octet, so
 * they cannot ask for more than there is (the attack of CVE-2011-3192); what is left to bound is
 * their number. */
#include "http/range.h"

#include "core/check.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static_assert(HTTP_RANGES_MAX <= UINT16_MAX, "an index of a range is 16 bits");

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
 * malformed, or more than HTTP_RANGES_MAX. */
static bool take_set(struct span set, uint64_t size, struct http_range *ret_ranges,
                     size_t *ret_count)
{
    size_t asked = 0, count = 0;

    while (set.len > 0) {
        struct range_spec spec;

        if (set.ptr[0] != ',') {
            if (!take_spec(&set, &spec) || ++asked > HTTP_RANGES_MAX)
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

/* ---- in the order of their first octets ---- */

/* Is `a` before `b`? Of two that begin together, the one asked for first is. */
static bool comes_before(const struct http_range *ranges, uint16_t a, uint16_t b)
{
    return ranges[a].first != ranges[b].first ? ranges[a].first < ranges[b].first : a < b;
}

/* Lets the index at `at` sink to its place in a heap of `count`, the last of all at its top. */
static void heap_sink(uint16_t *order, size_t count, size_t at, const struct http_range *ranges)
{
    uint16_t sinking = order[at];

    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && comes_before(ranges, order[child], order[child + 1]))
            child++;
        if (comes_before(ranges, order[child], sinking))
            break;
        order[at] = order[child];
    }
    order[at] = sinking;
}

/* The indices of the ranges, sorted (heapsort: no memory, and no input that makes it slow). */
static void order_make(const struct http_range *ranges, size_t count, uint16_t *ret_order)
{
    for (size_t i = 0; i < count; i++)
        ret_order[i] = (uint16_t)i;
    for (size_t i = count / 2; i-- > 0;)
        heap_sink(ret_order, count, i, ranges);
    for (size_t left = count; left-- > 1;) {
        uint16_t top = ret_order[0];

        ret_order[0] = ret_order[left];
        ret_order[left] = top;
        heap_sink(ret_order, left, 0, ranges);
    }
}

/* Makes one range of those that overlap or have no octet between them, in the place of the first of
 * them that was asked for. Returns how many are left. */
static size_t ranges_coalesce(struct http_range *ranges, const uint16_t *order, size_t count)
{
    static const struct http_range absorbed = { .first = 1, .last = 0 };
    size_t kept = 0;

    for (size_t i = 0; i < count;) {
        uint16_t place = order[i];
        struct http_range whole = ranges[place];

        for (ranges[place] = absorbed; ++i < count && ranges[order[i]].first <= whole.last + 1;) {
            if (ranges[order[i]].last > whole.last)
                whole.last = ranges[order[i]].last;
            if (order[i] < place)
                place = order[i];
            ranges[order[i]] = absorbed;
        }
        ranges[place] = whole;
    }
    for (size_t i = 0; i < count; i++)
        if (ranges[i].first <= ranges[i].last)
            ranges[kept++] = ranges[i];
    return kept;
}

enum http_range_result http_range_parse(struct span value, uint64_t size, unsigned ranges_max,
                                        struct http_range *ret_ranges, size_t *ret_count)
{
    static const struct span unit = { "bytes=", 6 };
    struct http_range ranges[HTTP_RANGES_MAX];
    uint16_t order[HTTP_RANGES_MAX];
    size_t count;

    CHECK(ranges_max <= HTTP_RANGES_MAX);
    if (ranges_max == 0 || value.len < unit.len ||
        !span_caseeq(span_make(value.ptr, unit.len), unit))
        return HTTP_RANGE_NONE;
    value = span_make(value.ptr + unit.len, value.len - unit.len);
    if (!take_set(value, size, ranges, &count))
        return HTTP_RANGE_NONE;
    if (count == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    order_make(ranges, count, order);
    count = ranges_coalesce(ranges, order, count);
    if (count > ranges_max)
        return HTTP_RANGE_NONE;
    memcpy(ret_ranges, ranges, count * sizeof(ranges[0]));
    *ret_count = count;
    return HTTP_RANGE_PARTIAL;
}

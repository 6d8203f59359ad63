/* fuzz_range.c: Range fields. Input: "SIZE MAX VALUE", the two numbers in decimal. MAX is drawn
 * from all that ranges_max may be, so that what the setting allows and what the code holds are the
 * same.
 *
 * What comes out lies within the size, is disjoint, and asked for again gives itself. */
#include "http/range.h"

#include "core/check.h"
#include "config/config_keys.h"

#include <inttypes.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes a number and the octet behind it; wraps around. */
static uint64_t take_number(struct span *in)
{
    uint64_t value = 0;

    while (in->len > 0 && in->ptr[0] >= '0' && in->ptr[0] <= '9') {
        value = value * 10 + (uint64_t)(in->ptr[0] - '0');
        *in = span_make(in->ptr + 1, in->len - 1);
    }
    if (in->len > 0)
        *in = span_make(in->ptr + 1, in->len - 1);
    return value;
}

static void check_again(const struct http_range *ranges, size_t count, uint64_t size)
{
    static struct http_range again[HTTP_RANGES_MAX];
    static char value[HTTP_RANGES_MAX * 48];
    size_t len = 0, again_count;

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%" PRIu64 "-%" PRIu64,
                                i == 0 ? "bytes=" : " , ", ranges[i].first, ranges[i].last);
    CHECK(http_range_parse(span_make(value, len), size, HTTP_RANGES_MAX, again, &again_count) ==
          HTTP_RANGE_PARTIAL);
    CHECK(again_count == count);
    for (size_t i = 0; i < count; i++)
        CHECK(again[i].first == ranges[i].first && again[i].last == ranges[i].last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = span_make((const char *)data, size);
    uint64_t file_size = take_number(&value);
    const struct config_key *key = config_key_find("ranges_max");
    static struct http_range ranges[HTTP_RANGES_MAX];
    unsigned max = (unsigned)(key->min + take_number(&value) % (key->max - key->min + 1));
    size_t count = 0;
    uint64_t sum = 0;

    if (http_range_parse(value, file_size, max, ranges, &count) != HTTP_RANGE_PARTIAL) {
        CHECK(count == 0);
        return 0;
    }
    CHECK(count >= 1 && count <= max);
    for (size_t i = 0; i < count; i++) {
        CHECK(ranges[i].first <= ranges[i].last && ranges[i].last < file_size);
        sum += ranges[i].last - ranges[i].first + 1;
        for (size_t j = 0; j < i; j++)
            CHECK(ranges[i].first > ranges[j].last + 1 || ranges[j].first > ranges[i].last + 1);
    }
    CHECK(sum <= file_size); /* disjoint, so it cannot have wrapped around */
    check_again(ranges, count, file_size);
    return 0;
}

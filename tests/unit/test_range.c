/* test_range.c: Range fields against sizes; ranges are written "first-last", one space between. */
#include "http/range.c"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char none[] = "none", unsatisfiable[] = "416";

/* What a field asks for, as text. */
static void evaluate(struct span value, uint64_t size, unsigned max, char *text, size_t text_size)
{
    struct http_range ranges[HTTP_RANGES_MAX];
    size_t count = 99, len = 0;

    text[0] = '\0';
    switch (http_range_parse(value, size, max, ranges, &count)) {
    case HTTP_RANGE_NONE:
        assert_int_equal(count, 99);
        snprintf(text, text_size, "%s", none);
        return;
    case HTTP_RANGE_UNSATISFIABLE:
        assert_int_equal(count, 99);
        snprintf(text, text_size, "%s", unsatisfiable);
        return;
    case HTTP_RANGE_PARTIAL:
        assert_in_range(count, 1, max);
        break;
    }
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, text_size - len, "%s%" PRIu64 "-%" PRIu64,
                                i == 0 ? "" : " ", ranges[i].first, ranges[i].last);
}

struct row {
    const char *value;
    uint64_t size;
    const char *want;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[4096];

        evaluate(span_str(rows[i].value), rows[i].size, HTTP_RANGES_MAX, text, sizeof(text));
        if (strcmp(text, rows[i].want) != 0)
            fail_msg("%s of %" PRIu64 ": %s instead of %s", rows[i].value, rows[i].size, text,
                     rows[i].want);
    }
}

static void test_single(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* RFC 9110 section 14.1.2 */
        { "bytes=0-499", 10000, "0-499" },
        { "bytes=500-999", 10000, "500-999" },
        { "bytes=-500", 10000, "9500-9999" },
        { "bytes=9500-", 10000, "9500-9999" },
        /* one octet, the last, beyond */
        { "bytes=0-0", 1, "0-0" },
        { "bytes=0-0", 10000, "0-0" },
        { "bytes=9999-9999", 10000, "9999-9999" },
        { "bytes=9999-", 10000, "9999-9999" },
        { "bytes=9999-10000", 10000, "9999-9999" },
        { "bytes=10000-", 10000, unsatisfiable },
        { "bytes=10000-10000", 10000, unsatisfiable },
        { "bytes=0-", 10000, "0-9999" },
        { "bytes=0-9999", 10000, "0-9999" },
        { "bytes=0-10000", 10000, "0-9999" },
        { "bytes=0-99999", 10000, "0-9999" },
        /* suffixes */
        { "bytes=-1", 10000, "9999-9999" },
        { "bytes=-10000", 10000, "0-9999" },
        { "bytes=-10001", 10000, "0-9999" },
        { "bytes=-0", 10000, unsatisfiable },
        { "bytes=-00", 10000, unsatisfiable },
        { "bytes=-1", 1, "0-0" },
        /* an empty representation */
        { "bytes=0-", 0, unsatisfiable },
        { "bytes=0-0", 0, unsatisfiable },
        { "bytes=-1", 0, unsatisfiable },
        { "bytes=-0", 0, unsatisfiable },
        { "bytes=-18446744073709551615", 0, unsatisfiable },
        /* leading zeros are digits */
        { "bytes=000-00499", 10000, "0-499" },
        { "bytes=0000000000000000000000000000000000001-2", 10, "1-2" },
        /* the unit is not case-sensitive */
        { "Bytes=0-1", 10, "0-1" },
        { "BYTES=0-1", 10, "0-1" },
        /* beyond 4 GiB, and saturating */
        { "bytes=4294967296-4294967297", UINT64_C(20) << 30, "4294967296-4294967297" },
        { "bytes=-4294967296", UINT64_C(20) << 30, "17179869184-21474836479" },
        { "bytes=0-18446744073709551614", 10, "0-9" },
        { "bytes=0-18446744073709551615", 10, "0-9" },
        { "bytes=0-18446744073709551616", 10, "0-9" },
        { "bytes=0-99999999999999999999999999999999999999", 10, "0-9" },
        { "bytes=-18446744073709551615", 10, "0-9" },
        { "bytes=-18446744073709551616", 10, "0-9" },
        { "bytes=-99999999999999999999999999999999999999", 10, "0-9" },
        { "bytes=18446744073709551615-", 10, unsatisfiable },
        { "bytes=18446744073709551616-", 10, unsatisfiable },
        { "bytes=18446744073709551617-18446744073709551618", 10, unsatisfiable },
        { "bytes=99999999999999999999999999999999999999-", 10, unsatisfiable },
        { "bytes=0-18446744073709551615", UINT64_MAX, "0-18446744073709551614" },
        { "bytes=0-", UINT64_MAX, "0-18446744073709551614" },
        { "bytes=-1", UINT64_MAX, "18446744073709551614-18446744073709551614" },
        { "bytes=-18446744073709551615", UINT64_MAX, "0-18446744073709551614" },
        { "bytes=-18446744073709551614", UINT64_MAX, "1-18446744073709551614" },
        { "bytes=18446744073709551614-", UINT64_MAX, "18446744073709551614-18446744073709551614" },
        { "bytes=18446744073709551615-", UINT64_MAX, unsatisfiable },
    };

    assert_rows(rows, ARRAY_LEN(rows));
}

static void test_several(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* RFC 9110 sections 14.1.2 and 14.2 */
        { "bytes=0-0,-1", 10000, "0-0 9999-9999" },
        { "bytes=0-999, 4500-5499, -1000", 10000, "0-999 4500-5499 9000-9999" },
        { "bytes=500-600,601-999", 10000, "500-999" },
        { "bytes=500-700,601-999", 10000, "500-999" },
        /* the order asked */
        { "bytes=-1,0-0", 10000, "9999-9999 0-0" },
        { "bytes=8-9,4-5,0-1", 10, "8-9 4-5 0-1" },
        { "bytes=4-5,8-9,0-1", 10, "4-5 8-9 0-1" },
        /* blanks and empty elements */
        { "bytes=0-0 , 2-2", 10, "0-0 2-2" },
        { "bytes=0-0\t,\t2-2", 10, "0-0 2-2" },
        { "bytes=0-0 ,\t 2-2 \t", 10, "0-0 2-2" },
        { "bytes=,0-0", 10, "0-0" },
        { "bytes=0-0,", 10, "0-0" },
        { "bytes=,, 0-0, ,,2-2 ,", 10, "0-0 2-2" },
        /* unsatisfiable ones are dropped */
        { "bytes=10-,0-0", 10, "0-0" },
        { "bytes=0-0,10-20,2-2", 10, "0-0 2-2" },
        { "bytes=-0,2-2", 10, "2-2" },
        { "bytes=10-,11-,-0", 10, unsatisfiable },
        { "bytes=0-0,-1", 0, unsatisfiable },
        /* touching and overlapping ones become one, in the place of the first */
        { "bytes=0-1,2-3", 10, "0-3" },
        { "bytes=2-3,0-1", 10, "0-3" },
        { "bytes=0-1,3-4", 10, "0-1 3-4" },
        { "bytes=0-0,-1", 1, "0-0" },
        { "bytes=0-0,-1", 2, "0-1" },
        { "bytes=0-5,0-5", 20, "0-5" },
        { "bytes=0-5,2-3", 20, "0-5" },
        { "bytes=2-3,0-5", 20, "0-5" },
        { "bytes=0-,-5", 20, "0-19" },
        { "bytes=0-,0-", 20, "0-19" },
        { "bytes=9-9,0-1,2-3", 20, "9-9 0-3" },
        { "bytes=0-1,9-9,2-3", 20, "0-3 9-9" },
        { "bytes=2-3,9-9,0-1", 20, "0-3 9-9" },
        /* one that joins others */
        { "bytes=0-1,4-5,2-3", 20, "0-5" },
        { "bytes=8-9,0-1,4-5,2-3", 20, "8-9 0-5" },
        { "bytes=0-1,15-16,4-5,2-3", 20, "0-5 15-16" },
        { "bytes=4-5,15-16,0-1,2-3", 20, "0-5 15-16" },
        { "bytes=0-1,4-5,8-9,12-13,2-11", 40, "0-13" },
        { "bytes=12-13,0-1,8-9,4-5,2-11,20-20", 40, "0-13 20-20" },
        { "bytes=18446744073709551614-,0-0", UINT64_MAX,
          "18446744073709551614-18446744073709551614 0-0" },
        { "bytes=18446744073709551613-18446744073709551613,18446744073709551614-", UINT64_MAX,
          "18446744073709551613-18446744073709551614" },
    };

    assert_rows(rows, ARRAY_LEN(rows));
}

static void test_ignored(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "", 10, none },
        { "bytes", 10, none },
        { "bytes=", 10, none },
        { "bytes=,", 10, none },
        { "bytes= , ,", 10, none },
        { "bytes 0-1", 10, none },
        { "bytes:0-1", 10, none },
        { "bytes =0-1", 10, none },
        { " bytes=0-1", 10, none },
        { "bytes= 0-1", 10, none },
        { "byte=0-1", 10, none },
        { "bytess=0-1", 10, none },
        { "0-1", 10, none },
        { "=0-1", 10, none },
        /* another unit */
        { "items=0-1", 10, none },
        { "seconds=0-1", 10, none },
        { "none", 10, none },
        /* malformed specs, alone and beside good ones */
        { "bytes=-", 10, none },
        { "bytes=0", 10, none },
        { "bytes=--1", 10, none },
        { "bytes=0--1", 10, none },
        { "bytes=-1-", 10, none },
        { "bytes=-1-2", 10, none },
        { "bytes=0-1-2", 10, none },
        { "bytes=1-0", 10, none },
        { "bytes=9999-1", 10, none },
        { "bytes=0 -1", 10, none },
        { "bytes=0- 1", 10, none },
        { "bytes=- 1", 10, none },
        { "bytes=+0-1", 10, none },
        { "bytes=0-+1", 10, none },
        { "bytes=0x0-1", 10, none },
        { "bytes=a-b", 10, none },
        { "bytes=0-1x", 10, none },
        { "bytes=0-1;", 10, none },
        { "bytes=0.0-1", 10, none },
        { "bytes=0-1 2-3", 10, none },
        { "bytes=0-1;2-3", 10, none },
        { "bytes=0-1,x", 10, none },
        { "bytes=x,0-1", 10, none },
        { "bytes=0-1,3-2", 10, none },
        { "bytes=0-1,-", 10, none },
        { "bytes=10-,x", 10, none },
        { "bytes=0-0,bytes=2-2", 10, none },
        { "bytes=0\xe2\x80\x93"
          "1",
          10, none },
        { "bytes=\xd9\xa0-1", 10, none },
        { "bytes=*", 10, none },
        { "bytes=0-1/10", 10, none },
        { "bytes=\"0-1\"", 10, none },
    };

    assert_rows(rows, ARRAY_LEN(rows));
    char text[64];
    evaluate(span_make("bytes=0-1\0", 10), 10, 10, text, sizeof(text));
    assert_string_equal(text, none);
}

/* More octets asked for than there are: what overlaps is one range, however often it is asked for.
 */
static void test_overlaps(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "bytes=5-8192,0-8191,5-8182,0-8191", 100000, "0-8192" },
        { "bytes=0-,0-,0-", 10, "0-9" },
        { "bytes=0-,1-,2-", 10, "0-9" },
        { "bytes=0-,5-,-1", 10, "0-9" },
        { "bytes=0-,-1,-1", 10, "0-9" },
        { "bytes=0-0,0-0,0-0", 1, "0-0" },
        { "bytes=0-,0-", 10, "0-9" },
        { "bytes=0-5,5-9,0-0", 10, "0-9" },
        { "bytes=0-5,5-9,-0", 10, "0-9" },
        { "bytes=0-1,1-2,2-3", 10, "0-3" },
        { "bytes=0-1,1-2,2-3,3-4,4-5", 10, "0-5" },
        { "bytes=0-1,1-2,2-3,3-4,4-5,9-9", 10, "0-5 9-9" },
        { "bytes=9-9,2-3,3-4,4-5,1-2,0-1", 10, "9-9 0-5" },
        { "bytes=0-4,5-9,0-0", 10, "0-9" },
        { "bytes=0-,0-,0-", UINT64_MAX, "0-18446744073709551614" },
        { "bytes=0-,1-,2-", UINT64_C(1) << 63, "0-9223372036854775807" },
    };

    assert_rows(rows, ARRAY_LEN(rows));
}

/* Exactly as many as allowed, and one more. What does not become a range of the answer counts only
 * against what can be read. */
static void test_count(void **state)
{
    (void)state;
    for (unsigned max = 1; max <= HTTP_RANGES_MAX; max += max < 70 ? 1 : 93) {
        char value[HTTP_RANGES_MAX * 12 + 64] = "bytes=", text[HTTP_RANGES_MAX * 12];
        char whole[32];
        size_t len = strlen(value);
        struct http_range ranges[HTTP_RANGES_MAX];
        size_t count = 0;

        snprintf(whole, sizeof(whole), "0-%u", 2 * max);

        for (unsigned i = 0; i < max; i++)
            len += (size_t)snprintf(value + len, sizeof(value) - len, "%u-%u,,", 2 * i, 2 * i);
        assert_int_equal(http_range_parse(span_str(value), 5000, max, ranges, &count),
                         HTTP_RANGE_PARTIAL);
        assert_int_equal(count, max);
        evaluate(span_str(value), 5000, max - 1, text, sizeof(text));
        assert_string_equal(text, none);
        snprintf(value + len, sizeof(value) - len, "4000-4000");
        evaluate(span_str(value), 5000, max, text, sizeof(text));
        assert_string_equal(text, none);
        snprintf(value + len, sizeof(value) - len, "0-1,5000-,0-%u", 2 * max);
        evaluate(span_str(value), 5000, 1, text, sizeof(text));
        if (max + 3 > HTTP_RANGES_MAX)
            assert_string_equal(text, none);
        else
            assert_string_equal(text, whole);
    }
    char text[64];
    evaluate(SPAN_LIT("bytes=0-0"), 10, 0, text, sizeof(text));
    assert_string_equal(text, none);
    evaluate(SPAN_LIT("bytes=10-"), 10, 0, text, sizeof(text));
    assert_string_equal(text, none);
}

/* As RFC 9110 section 14.2 reads: each range is compared with each. What range.c does by sorting
 * must come to the same. Returns the number left. */
static size_t naive_parse(const struct http_range *asked, size_t asked_count,
                          struct http_range *ret_ranges)
{
    size_t count = 0;

    for (size_t i = 0; i < asked_count; i++) {
        struct http_range range = asked[i];
        size_t place = count, kept;

        for (bool grown = true; grown;) {
            grown = false;
            kept = 0;
            for (size_t j = 0; j < count; j++) {
                struct http_range other = ret_ranges[j];

                if (other.first > range.last + 1 || range.first > other.last + 1) {
                    ret_ranges[kept++] = other;
                    continue;
                }
                range.first = other.first < range.first ? other.first : range.first;
                range.last = other.last > range.last ? other.last : range.last;
                place = kept < place ? kept : place;
                grown = true;
            }
            count = kept;
        }
        memmove(&ret_ranges[place + 1], &ret_ranges[place], (count - place) * sizeof(range));
        ret_ranges[place] = range;
        count++;
    }
    return count;
}

/* Random sets of all sizes up to the most, dense and sparse, against the naive rules. */
static void test_against_naive(void **state)
{
    (void)state;
    static char value[HTTP_RANGES_MAX * 24];
    static struct http_range asked[HTTP_RANGES_MAX], want[HTTP_RANGES_MAX + 1],
        have[HTTP_RANGES_MAX];
    uint64_t random = 88172645463325252u;
    size_t several = 0;

    for (unsigned round = 0; round < 3000; round++) {
        const unsigned counts[] = { 2, 3, 5, 20, 65 };
        const uint64_t sizes[] = { 12, 1000, 100000, 10000000 };
        unsigned asked_count = round % 50 == 0 ? HTTP_RANGES_MAX : counts[round % 5];
        uint64_t size = sizes[round / 7 % ARRAY_LEN(sizes)];
        size_t len = (size_t)snprintf(value, sizeof(value), "bytes="), count = 0, want_count;

        for (unsigned i = 0; i < asked_count; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            asked[i].first = (random >> 8) % size;
            asked[i].last = asked[i].first + (random >> 40) % (round % 3 + 1) * (random >> 60);
            if (asked[i].last >= size)
                asked[i].last = size - 1;
            len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%" PRIu64 "-%" PRIu64,
                                    i == 0 ? "" : ",", asked[i].first, asked[i].last);
        }
        want_count = naive_parse(asked, asked_count, want);
        assert_int_equal(
            http_range_parse(span_make(value, len), size, HTTP_RANGES_MAX, have, &count),
            HTTP_RANGE_PARTIAL);
        assert_int_equal(count, want_count);
        assert_memory_equal(have, want, count * sizeof(have[0]));
        several += count > 100;
    }
    assert_true(several > 10); /* they are not all tiny */
}

/* Small sets, all of them: coalescing keeps exactly the octets asked for, and leaves no two ranges
 * that touch. */
static void test_coalescing_exhaustively(void **state)
{
    (void)state;
    enum { SIZE = 6 };
    struct http_range all[SIZE * SIZE], out[3];
    size_t all_count = 0;

    for (uint64_t first = 0; first < SIZE; first++)
        for (uint64_t last = first; last < SIZE; last++)
            all[all_count++] = (struct http_range){ first, last };
    for (size_t i = 0; i < all_count * all_count * all_count; i++) {
        const struct http_range in[3] = { all[i % all_count], all[i / all_count % all_count],
                                          all[i / all_count / all_count] };
        unsigned asked = 0, sent = 0;
        uint16_t order[3];
        size_t count;

        memcpy(out, in, sizeof(out));
        order_make(out, 3, order);
        count = ranges_coalesce(out, order, 3);
        for (size_t j = 0; j < 3; j++)
            for (uint64_t at = in[j].first; at <= in[j].last; at++)
                asked |= 1u << at;
        for (size_t j = 0; j < count; j++) {
            assert_true(out[j].first <= out[j].last);
            for (uint64_t at = out[j].first; at <= out[j].last; at++) {
                assert_false(sent >> at & 1);
                sent |= 1u << at;
            }
            for (size_t k = 0; k < j; k++)
                assert_true(out[j].first > out[k].last + 1 || out[k].first > out[j].last + 1);
        }
        assert_int_equal(asked, sent);
        assert_true(out[0].first <= in[0].first && out[0].last >= in[0].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),        cmocka_unit_test(test_several),
        cmocka_unit_test(test_ignored),       cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_count),         cmocka_unit_test(test_coalescing_exhaustively),
        cmocka_unit_test(test_against_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

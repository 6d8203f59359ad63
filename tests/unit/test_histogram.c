/* test_histogram.c: buckets are good to 5 %, and percentiles are those of the values. */
#include "core/histogram.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_every_bucket_is_narrow(void **state)
{
    (void)state;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t least = histogram_least(i), next = histogram_least(i + 1);
        uint64_t middle = least + (next - least) / 2;
        assert_true(next > least);
        assert_int_equal(histogram_bucket(least), i);
        assert_int_equal(histogram_bucket(next - 1), i);
        assert_true((middle - least) * 100 <= least * 5);
        assert_true((next - 1 - middle) * 100 <= middle * 5);
    }
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void test_percentiles(void **state)
{
    static struct histogram h;
    static const double parts[] = { 0.01, 0.5, 0.9, 0.99, 0.999, 1 };

    (void)state;
    assert_int_equal(histogram_at(&h, 0.5), 0);
    for (uint64_t value = 1; value <= 1000000; value++)
        h.buckets[histogram_bucket(value)]++;
    assert_int_equal(histogram_count(&h), 1000000);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        double exact = parts[i] * 1000000, told = (double)histogram_at(&h, parts[i]);
        assert_true(told > exact * 0.95 && told < exact * 1.05);
    }
    assert_int_equal(histogram_below(&h, 1024), 1023);
    assert_int_equal(histogram_below(&h, 65536), 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bucket_is_narrow),
        cmocka_unit_test(test_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_load_histogram: percentiles of gearshift-load's histogram beside the exact ones. */
#include "../../bench/load/histogram.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_bucket_follows_the_one_before(void **state)
{
    (void)state;
    for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        assert_int_equal(bucket_of(end_of(i)), i);
        if (i + 2 < HISTOGRAM_BUCKETS)
            assert_int_equal(bucket_of(end_of(i) + 1), i + 1);
    }
}

static void a_percentile_is_at_most_one_bucket_too_long(void **state)
{
    (void)state;
    static struct histogram histogram;
    static const double percents[] = { 1, 10, 50, 90, 99, 99.9 };
    for (uint64_t i = 1; i <= 100000; i++) /* 37 ns to 3.7 ms, evenly */
        histogram_add(&histogram, i * 37);
    for (unsigned i = 0; i < sizeof percents / sizeof *percents; i++) {
        double exact = percents[i] * 1000 * 37;
        double told = (double)histogram_percentile_ns(&histogram, percents[i]);
        assert_true(told >= exact * 0.999999);
        assert_true(told <= exact * 1.008);
    }
    assert_int_equal(histogram_percentile_ns(&histogram, 100), 3700000);
    assert_int_equal(histogram.count, 100000);
}

static void the_ends(void **state)
{
    (void)state;
    static struct histogram histogram;
    assert_int_equal(histogram_percentile_ns(&histogram, 50), 0);
    histogram_add(&histogram, UINT64_MAX);
    assert_true(histogram_percentile_ns(&histogram, 50) == UINT64_MAX);
    histogram_add(&histogram, 0);
    histogram_add(&histogram, 0);
    assert_int_equal(histogram_percentile_ns(&histogram, 0), 0);
    assert_int_equal(histogram_percentile_ns(&histogram, 50), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bucket_follows_the_one_before),
        cmocka_unit_test(a_percentile_is_at_most_one_bucket_too_long),
        cmocka_unit_test(the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_config_limits.c: the notation of a limit by client, and what is no such. */
#include "config/config_limits.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND RATE_TICKS_A_SECOND

static void test_rates(void **state)
{
    static const struct {
        const char *text;
        uint64_t interval, burst, delay; /* the last two in intervals; UINT64_MAX: no delay */
    } rows[] = {
        { "10/s", SECOND / 10, 10, UINT64_MAX },
        { "10r/s burst=20 nodelay", SECOND / 10, 20, UINT64_MAX },
        { "10/s burst=0", SECOND / 10, 0, UINT64_MAX },
        { "30/m", 2 * SECOND, 30, UINT64_MAX },
        { "30/m  burst=5  delay=0", 2 * SECOND, 5, 0 },
        { "7200/h delay=8 burst=12", SECOND / 2, 12, 8 },
        { "10/s burst=20 delay=20", SECOND / 10, 20, UINT64_MAX },
        { "1000000/s", 16, 1000, UINT64_MAX },
        { "3/s", 5333333, 3, UINT64_MAX },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rate_limit limit;
        if (config_text_rate(rows[i].text) != NULL)
            fail_msg("\"%s\" %s", rows[i].text, config_text_rate(rows[i].text));
        config_rate_parse(rows[i].text, &limit);
        assert_int_equal(limit.interval, rows[i].interval);
        assert_int_equal(limit.burst, rows[i].burst * rows[i].interval);
        assert_true(limit.delay ==
                    (rows[i].delay == UINT64_MAX ? UINT64_MAX : rows[i].delay * rows[i].interval));
    }
}

static void test_refusals(void **state)
{
    static const char *const rows[][2] = {
        { "fast", "does not begin with a number" },
        { "-1/s", "does not begin with a number" },
        { "10", "says of no time" },
        { "10 /s", "says of no time" },
        { "10/d", "none of s, m and h" },
        { "10/sec", "none of s, m and h alone" },
        { "0/s", "nothing at all" },
        { "1000001/s", "more than 1000000" },
        { "60000001/m", "more than 1000000" },
        { "12345678901/s", "does not begin with a number" },
        { "10/s burst", "something else" },
        { "10/s bursts=1", "something else" },
        { "10/s burst=", "no number behind burst=" },
        { "10/s burst=5x", "no number behind burst=" },
        { "10/s burst=1 burst=2", "burst twice" },
        { "10/s delay=1 delay=2", "delay twice" },
        { "1/h burst=13", "half a day" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *what = config_text_rate(rows[i][0]);
        if (what == NULL || strstr(what, rows[i][1]) == NULL)
            fail_msg("\"%s\": %s", rows[i][0], what != NULL ? what : "accepted");
    }
}

/* What the same server says in the same key is the same zone, in every configuration. */
static void test_zones(void **state)
{
    (void)state;
    uint64_t zone = zone_of("a", "limit_requests", "10/s");
    assert_true(zone == zone_of("a", "limit_requests", "10/s"));
    assert_false(zone == zone_of("b", "limit_requests", "10/s"));
    assert_false(zone == zone_of("a", "limit_requests_server", "10/s"));
    assert_false(zone == zone_of("a", "limit_requests", "11/s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

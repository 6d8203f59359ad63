/* test_clock.c: both clocks move, strings are right in every year and zone, and are made once a
 * second only. */
#include "core/clock.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void test_http_date_known(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110 section 5.6.7 */
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" }, /* 2100 has no leap day */
        { 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
        { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[32];
        format_http_date(rows[i].seconds, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* The C library's calendar is the other opinion. */
static void test_against_libc(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 200000; i++) {
        /* from year 1 to year 9999 */
        int64_t seconds =
            -62135596800 +
            (int64_t)((uint64_t)random() * 2147483648u + (uint64_t)random()) % 315537897600;
        time_t t = (time_t)seconds;
        struct tm tm;
        char ours[32], libc[64], libc_padded[160];

        assert_non_null(gmtime_r(&t, &tm));
        format_http_date(seconds, ours);
        strftime(libc, sizeof libc, "%a, %d %b ", &tm);
        snprintf(libc_padded, sizeof libc_padded, "%s%04d %02d:%02d:%02d GMT", libc,
                 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_string_equal(ours, libc_padded);

        clock_format_utc(seconds, ours);
        snprintf(libc_padded, sizeof libc_padded, "%04d-%02d-%02dT%02d:%02d:%02d",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_string_equal(ours, libc_padded);
        assert_int_equal(strlen(ours), CLOCK_UTC_LEN);
    }
}

static void test_log_date_zones(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *text;
    } rows[] = {
        { "UTC0", "06/Nov/1994:08:49:37 +0000" },    { "IST-5:30", "06/Nov/1994:14:19:37 +0530" },
        { "NST3:30", "06/Nov/1994:05:19:37 -0330" }, { "LINT-14", "06/Nov/1994:22:49:37 +1400" },
        { "XXX12", "05/Nov/1994:20:49:37 -1200" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[32];
        setenv("TZ", rows[i].zone, 1);
        tzset();
        format_log_date(784111777, text);
        assert_string_equal(text, rows[i].text);
    }
    unsetenv("TZ");
    tzset();
}

static void test_update_formats_once_a_second(void **state)
{
    (void)state;
    struct clock clock = { 0 };
    bool seen = false;

    clock_update(&clock);
    assert_int_equal(strlen(clock.http_date), 29);
    assert_int_equal(strlen(clock.log_date), 26);
    assert_true(clock.now_ms > 0);
    assert_in_range(clock.wall_ms, 0, 999);
    for (int i = 0; i < 100 && !seen; i++) {
        int64_t second = clock.wall_s;
        clock.http_date[0] = '#';
        clock_update(&clock);
        if (clock.wall_s == second) {
            assert_int_equal(clock.http_date[0], '#');
            seen = true;
        }
    }
    assert_true(seen);
    /* Another second: both are made anew. */
    clock.wall_s -= 1;
    clock.log_date[0] = '#';
    clock_update(&clock);
    assert_true(clock.http_date[0] != '#' && clock.log_date[0] != '#');
}

static void test_clocks_move(void **state)
{
    (void)state;
    struct clock clock = { 0 };

    clock_update(&clock);
    uint64_t before_ms = clock.now_ms;
    int64_t wall_before_ms = clock.wall_s * 1000 + clock.wall_ms;
    usleep(30 * 1000);
    clock_update(&clock);
    assert_in_range(clock.now_ms - before_ms, 29, 5000);
    assert_in_range(clock.wall_s * 1000 + clock.wall_ms - wall_before_ms, 15, 5000);
    assert_true(clock_monotonic_ms() >= clock.now_ms);
    assert_true(llabs((long long)(time(NULL) - clock.wall_s)) <= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_date_known), cmocka_unit_test(test_against_libc),
        cmocka_unit_test(test_log_date_zones),  cmocka_unit_test(test_update_formats_once_a_second),
        cmocka_unit_test(test_clocks_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

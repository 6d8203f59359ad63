/* test_date.c: the three formats, the ends of the calendar, and libc as a second opinion. */
#include "http/date.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define NOW_2026 INT64_C(1795392000) /* 2026-11-23 00:00:00 */

static void assert_format(int64_t seconds, const char *want)
{
    char text[HTTP_DATE_LEN + 2];

    memset(text, '!', sizeof(text));
    http_date_format(seconds, text);
    assert_string_equal(text, want);
    assert_int_equal(text[HTTP_DATE_LEN + 1], '!');
}

static void test_format(void **state)
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
        { 951868799, "Tue, 29 Feb 2000 23:59:59 GMT" },
        { 951868800, "Wed, 01 Mar 2000 00:00:00 GMT" },
        { 1709164800, "Thu, 29 Feb 2024 00:00:00 GMT" },
        { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
        { 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" },
        { INT32_MAX, "Tue, 19 Jan 2038 03:14:07 GMT" },
        { (int64_t)INT32_MAX + 1, "Tue, 19 Jan 2038 03:14:08 GMT" },
        { INT32_MIN, "Fri, 13 Dec 1901 20:45:52 GMT" },
        { UINT32_MAX, "Sun, 07 Feb 2106 06:28:15 GMT" },
        /* clamped */
        { YEAR_1_FIRST, "Mon, 01 Jan 0001 00:00:00 GMT" },
        { YEAR_1_FIRST - 1, "Mon, 01 Jan 0001 00:00:00 GMT" },
        { INT64_MIN, "Mon, 01 Jan 0001 00:00:00 GMT" },
        { YEAR_9999_END, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { YEAR_9999_END + 1, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_format(rows[i].seconds, rows[i].text);
}

/* Days all over the calendar, at odd seconds: as gmtime_r(3) has them, and back. */
static void test_format_against_libc(void **state)
{
    (void)state;
    for (int64_t s = YEAR_1_FIRST; s <= YEAR_9999_END; s += 5 * DAY_S + 12345) {
        char text[HTTP_DATE_LEN + 1], want[64];
        time_t t = (time_t)s;
        struct tm tm;
        int64_t parsed = 0;

        assert_non_null(gmtime_r(&t, &tm));
        /* The C locale is in force, since no setlocale(3) was called. */
        size_t len = strftime(want, sizeof(want), "%a, %d %b ", &tm);
        len += (size_t)snprintf(want + len, sizeof(want) - len, "%04d ", tm.tm_year + 1900);
        strftime(want + len, sizeof(want) - len, "%H:%M:%S GMT", &tm);
        http_date_format(s, text);
        assert_string_equal(text, want);
        assert_true(http_date_parse(span_str(text), 0, &parsed));
        assert_int_equal(parsed, s);
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        /* RFC 9110 section 5.6.7 */
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
        { "Sun Nov 06 08:49:37 1994", 784111777 },
        { "Sun Nov 16 08:49:37 1994", 784975777 },
        /* every weekday's name, right or wrong */
        { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Monday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Tuesday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Wednesday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Thursday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Friday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Saturday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sat Nov  6 08:49:37 1994", 784111777 },
        /* the ends */
        { "Mon, 01 Jan 0001 00:00:00 GMT", YEAR_1_FIRST },
        { "Mon Jan  1 00:00:00 0001", YEAR_1_FIRST },
        { "Fri, 31 Dec 9999 23:59:59 GMT", YEAR_9999_END },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
        /* leap days */
        { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
        { "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
        { "Thu Feb 29 00:00:00 2024", 1709164800 },
        { "Thursday, 29-Feb-24 00:00:00 GMT", 1709164800 },
        { "Tue, 29 Feb 1600 00:00:00 GMT", -11670998400 },
        /* leap seconds: 1990-12-31, and one that never was, but could be */
        { "Mon, 31 Dec 1990 23:59:60 GMT", 662688000 },
        { "Sun, 06 Nov 1994 23:59:60 GMT", 784166400 },
        { "Sun, 06 Nov 1994 23:59:59 GMT", 784166399 },
        { "Sun, 06 Nov 1994 00:00:00 GMT", 784080000 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seconds = 42;

        if (!http_date_parse(span_str(rows[i].text), NOW_2026, &seconds))
            fail_msg("refused: %s", rows[i].text);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

/* Every month's last day passes in its three spellings, and the one after it does not. */
static void test_ends_of_months(void **state)
{
    (void)state;
    static const struct {
        int year, february;
    } years[] = { { 1900, 28 }, { 2000, 29 }, { 2023, 28 }, { 2024, 29 }, { 2100, 28 },
                  { 2400, 29 }, { 4, 29 },    { 1, 28 },    { 9996, 29 }, { 9999, 28 } };
    static const int lengths[12] = { 31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        for (int month = 0; month < 12; month++) {
            int last = month == 1 ? years[i].february : lengths[month];

            for (int day = 0; day < 100; day++) {
                char imf[64], asctime_text[64];
                int64_t a = 0, b = 0;
                bool valid = day >= 1 && day <= last;

                snprintf(imf, sizeof(imf), "Mon, %02d %.3s %04d 01:02:03 GMT", day,
                         month_names[month], years[i].year);
                snprintf(asctime_text, sizeof(asctime_text), "Mon %.3s %2d 01:02:03 %04d",
                         month_names[month], day, years[i].year);
                assert_int_equal(http_date_parse(span_str(imf), 0, &a), valid);
                assert_int_equal(http_date_parse(span_str(asctime_text), 0, &b), valid);
                assert_int_equal(a, b);
            }
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "S",
        "Sun",
        "Sun,",
        "Sun ",
        "Sunday",
        "Sunday,",
        "0",
        "784111777",
        "GMT",
        "*",
        /* IMF-fixdate */
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 ",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMTx",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 EST",
        "Sun, 06 Nov 1994 08:49:37  GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "SUN, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 06 November 1994 08:49:37 GMT",
        "Sun, 06 11 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 994 08:49:37 GMT",
        "Sun, 06 Nov 11994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:9:37 GMT",
        "Sun, 06 Nov 1994 08:49:7 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 08:49:37.000 GMT",
        "Sun, 06 Nov 1994 084937 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Jan 1994 08:49:37 GMT",
        "Tue, 29 Feb 1994 08:49:37 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994, 08:49:37 GMT",
        "Sun, 06 Nov 199x 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
        "Sun, 06 Nov 1994 08:49:37 GMT;",
        /* time-of-day */
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 23:60:00 GMT",
        "Sun, 06 Nov 1994 23:59:61 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 06 Nov 1994 22:59:60 GMT",
        "Sun, 06 Nov 1994 23:58:60 GMT",
        "Sun, 06 Nov 1994 99:99:99 GMT",
        "Sun, 06 Nov 1994 -1:00:00 GMT",
        /* rfc850-date */
        "Sunday, 06-Nov-94 08:49:37",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 6-Nov-94 08:49:37 GMT",
        "Sunday,06-Nov-94 08:49:37 GMT",
        "Sunday 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "sunday, 06-Nov-94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sundae, 06-Nov-94 08:49:37 GMT",
        "Sunsday, 06-Nov-94 08:49:37 GMT",
        "Tuesda, 06-Nov-94 08:49:37 GMT",
        "Wedday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 31-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT ",
        "Sunday, 29-Feb-23 00:00:00 GMT",
        /* asctime-date */
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  6 08:49:37 94",
        "Sun  Nov  6 08:49:37 1994",
        "Sun Nov  6  08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov 31 08:49:37 1994",
        "Sun Nov  6 08:49:37 0000",
        "Sun Nov  6 08:49:37 1994\n",
        "Sun Nov  6 08:49:37 199",
        "Sunday Nov  6 08:49:37 1994",
        "Sun nov  6 08:49:37 1994",
        /* others */
        "1994-11-06T08:49:37Z",
        "06 Nov 1994 08:49:37 GMT",
        "Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994",
        "\xc5\x9fun, 06 Nov 1994 08:49:37 GMT",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seconds = 42;

        if (http_date_parse(span_str(rows[i]), NOW_2026, &seconds))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(seconds, 42);
    }
    int64_t seconds;
    assert_false(http_date_parse(span_make("Sun, 06 Nov 1994 08:49:37 GMT\0", 30), 0, &seconds));
    assert_false(http_date_parse(span_make("Sun, 06 Nov 1994 08:49:37\0GMT", 29), 0, &seconds));
}

/* A two-digit year is the latest that is not more than 50 years ahead (RFC 9110 section 5.6.7). */
static void test_century(void **state)
{
    (void)state;
    static const struct {
        const char *now, *text, *want;
    } rows[] = {
        { "Mon, 23 Nov 2026 00:00:00 GMT", "06-Nov-94 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT" },
        { "Mon, 23 Nov 2026 00:00:00 GMT", "06-Nov-26 08:49:37", "Fri, 06 Nov 2026 08:49:37 GMT" },
        { "Mon, 23 Nov 2026 00:00:00 GMT", "01-Jan-75 00:00:00", "Tue, 01 Jan 2075 00:00:00 GMT" },
        { "Mon, 23 Nov 2026 00:00:00 GMT", "31-Dec-77 00:00:00", "Sat, 31 Dec 1977 00:00:00 GMT" },
        /* exactly 50 years, and a second more */
        { "Mon, 23 Nov 2026 00:00:00 GMT", "23-Nov-76 00:00:00", "Mon, 23 Nov 2076 00:00:00 GMT" },
        { "Mon, 23 Nov 2026 00:00:00 GMT", "23-Nov-76 00:00:01", "Tue, 23 Nov 1976 00:00:01 GMT" },
        { "Mon, 23 Nov 2026 00:00:00 GMT", "22-Nov-76 23:59:59", "Sun, 22 Nov 2076 23:59:59 GMT" },
        { "Mon, 23 Nov 2026 00:00:00 GMT", "24-Nov-76 00:00:00", "Wed, 24 Nov 1976 00:00:00 GMT" },
        /* around the turn of a century */
        { "Fri, 31 Dec 1999 23:59:59 GMT", "01-Jan-00 00:00:00", "Sat, 01 Jan 2000 00:00:00 GMT" },
        { "Fri, 31 Dec 1999 23:59:59 GMT", "01-Jan-49 00:00:00", "Fri, 01 Jan 2049 00:00:00 GMT" },
        { "Fri, 31 Dec 1999 23:59:59 GMT", "01-Jan-50 00:00:00", "Sun, 01 Jan 1950 00:00:00 GMT" },
        { "Sat, 01 Jan 2000 00:00:00 GMT", "31-Dec-99 23:59:59", "Fri, 31 Dec 1999 23:59:59 GMT" },
        { "Sat, 01 Jan 2000 00:00:00 GMT", "01-Jan-50 00:00:00", "Sat, 01 Jan 2050 00:00:00 GMT" },
        { "Sat, 01 Jan 2000 00:00:00 GMT", "01-Jan-50 00:00:01", "Sun, 01 Jan 1950 00:00:01 GMT" },
        { "Thu, 01 Jan 2099 00:00:00 GMT", "28-Feb-00 00:00:00", "Sun, 28 Feb 2100 00:00:00 GMT" },
        /* "now" on a leap day, with none 50 years on */
        { "Thu, 29 Feb 2024 00:00:00 GMT", "01-Mar-74 00:00:00", "Thu, 01 Mar 2074 00:00:00 GMT" },
        { "Thu, 29 Feb 2024 00:00:00 GMT", "01-Mar-74 00:00:01", "Fri, 01 Mar 1974 00:00:01 GMT" },
        { "Sat, 29 Feb 2020 00:00:00 GMT", "29-Feb-72 00:00:00", "Tue, 29 Feb 1972 00:00:00 GMT" },
        /* the ends of the calendar */
        { "Mon, 01 Jan 0001 00:00:00 GMT", "01-Jan-02 00:00:00", "Tue, 01 Jan 0002 00:00:00 GMT" },
        { "Fri, 31 Dec 9999 23:59:59 GMT", "31-Dec-99 23:59:59", "Fri, 31 Dec 9999 23:59:59 GMT" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[64];
        int64_t now, want, have = 0;

        assert_true(http_date_parse(span_str(rows[i].now), 0, &now));
        assert_true(http_date_parse(span_str(rows[i].want), 0, &want));
        assert_format(want, rows[i].want); /* the table's weekdays, too */
        snprintf(text, sizeof(text), "Monday, %s GMT", rows[i].text);
        assert_true(http_date_parse(span_str(text), now, &have));
        assert_int_equal(have, want);
    }

    /* 2100 is no leap year, nor is there a year 0 or 10000. */
    int64_t now, have = 42;
    assert_true(http_date_parse(SPAN_LIT("Thu, 01 Jan 2099 00:00:00 GMT"), 0, &now));
    assert_false(http_date_parse(SPAN_LIT("Monday, 29-Feb-00 00:00:00 GMT"), now, &have));
    assert_false(http_date_parse(SPAN_LIT("Monday, 01-Jan-99 00:00:00 GMT"), INT64_MIN, &have));
    assert_false(http_date_parse(SPAN_LIT("Monday, 01-Jan-00 00:00:00 GMT"), INT64_MAX, &have));
    assert_int_equal(have, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),         cmocka_unit_test(test_format_against_libc),
        cmocka_unit_test(test_parse),          cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ends_of_months), cmocka_unit_test(test_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

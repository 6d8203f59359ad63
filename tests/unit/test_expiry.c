/* test_expiry.c: of which certificates the error log is told, and when. */
#include "process/expiry.c"

#include "core/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400)

static void test_text(void **state)
{
    static const int64_t until = 1767225600; /* 2026-01-01 */
    char text[128];

    (void)state;
    /* Of 90 days a sixth is 15. */
    assert_false(pem_expiry_text(until - 90 * DAY, until, until - 14 * DAY, text, sizeof text));
    assert_true(pem_expiry_text(until - 90 * DAY, until, until - 14 * DAY + 1, text, sizeof text));
    assert_string_equal(text,
                        "the certificate expires on 2026-01-01, in 13 days: is it being renewed?");
    /* Of 6 days it is one. */
    assert_false(pem_expiry_text(until - 6 * DAY, until, until - DAY, text, sizeof text));
    assert_true(pem_expiry_text(until - 6 * DAY, until, until - DAY + 1, text, sizeof text));
    assert_true(pem_expiry_text(until - 6 * DAY, until, until + 1, text, sizeof text));
    assert_string_equal(text, "the certificate has expired on 2026-01-01: clients refuse it");
}

static void test_all(void **state)
{
    (void)state;
    assert_int_equal(warn(0), 0);
    stats_certificates_begin();
    stats_certificate("a.pem", 0, 90 * DAY);
    stats_certificate("b.pem", 0, 100 * DAY);
    stats_certificates_end();
    assert_int_equal(warn(0), 0);
    assert_int_equal(warn(80 * DAY), 1);
    assert_int_equal(warn(90 * DAY), 2);
    assert_int_equal(warn(900 * DAY), 2);
}

static void test_once_a_day(void **state)
{
    struct supervisor s;

    (void)state;
    memset(&s, 0, sizeof s);
    assert_true(expiry_due_ms(&s) == UINT64_MAX);
    expiry_go_on(&s, 5);
    assert_int_equal(expiry_due_ms(&s), 5 + DAY_MS);
    expiry_go_on(&s, 5 + DAY_MS - 1);
    assert_int_equal(expiry_due_ms(&s), 5 + DAY_MS);
    expiry_go_on(&s, 5 + DAY_MS);
    assert_int_equal(expiry_due_ms(&s), 5 + 2 * DAY_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_once_a_day),
    };

    if (stats_create(1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

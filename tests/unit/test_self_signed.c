/* test_self_signed.c: what was made for some names is found for these names, as long as half of its
 * time is not over; there are not more than there is room for. */
#include "tls/self_signed.c"

#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static char *ab[] = { "a.test", "b.test" }, *ba[] = { "b.test", "a.test" };
static const struct server both = { .hosts = ab, .hosts_count = 2 };
static const struct server turned = { .hosts = ba, .hosts_count = 2 };
static const struct server one = { .hosts = ab, .hosts_count = 1 };
static const struct server none = { .hosts_count = 0 };

static int forget_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        forget(&table[i]);
    return 0;
}

static void test_by_names(void **state)
{
    (void)state;
    struct self_signed found;

    assert_false(self_signed_find(&both, 1000, &found));
    self_signed_keep(&both, SPAN_LIT("certificate"), SPAN_LIT("key"), 1000);
    self_signed_keep(&none, SPAN_LIT("of nobody"), SPAN_LIT("k"), 1000);
    assert_false(self_signed_find(&one, 1000, &found));
    assert_false(self_signed_find(&turned, 1000, &found));
    assert_true(self_signed_find(&none, 1000, &found));
    assert_true(span_eq(found.certificate, SPAN_LIT("of nobody")));
    assert_true(self_signed_find(&both, 1000, &found));
    assert_true(span_eq(found.names, SPAN_LIT("a.test\nb.test\n")));
    assert_true(span_eq(found.certificate, SPAN_LIT("certificate")));
    assert_true(span_eq(found.key, SPAN_LIT("key")));
    self_signed_keep(&both, SPAN_LIT("another"), SPAN_LIT("key"), 2000); /* in its place */
    assert_true(self_signed_find(&both, 2000, &found));
    assert_true(span_eq(found.certificate, SPAN_LIT("another")));
    assert_true(self_signed_at(1, &found));
    assert_false(self_signed_at(2, &found));
}

static void test_by_time(void **state)
{
    (void)state;
    const int64_t made_s = 1000000, end_s = made_s + (int64_t)SELF_SIGNED_KEPT_DAYS * DAY_S;
    struct self_signed found;

    self_signed_keep(&both, SPAN_LIT("certificate"), SPAN_LIT("key"), made_s);
    assert_true(self_signed_find(&both, end_s, &found));
    assert_false(self_signed_find(&both, end_s + 1, &found));
    assert_false(self_signed_find(&both, made_s - 1, &found)); /* a clock that was put back */
}

static void test_the_oldest_makes_room(void **state)
{
    (void)state;
    struct self_signed found;
    char name[32], *host = name;
    const struct server server = { .hosts = &host, .hosts_count = 1 };

    for (int i = 0; i <= SELF_SIGNED_MAX; i++) {
        snprintf(name, sizeof name, "%d.test", i);
        self_signed_keep(&server, SPAN_LIT("c"), SPAN_LIT("k"), 1000 + i);
    }
    assert_true(self_signed_at(SELF_SIGNED_MAX - 1, &found));
    assert_false(self_signed_at(SELF_SIGNED_MAX, &found));
    assert_true(self_signed_find(&server, 2000, &found));
    snprintf(name, sizeof name, "0.test");
    assert_false(self_signed_find(&server, 2000, &found));
    snprintf(name, sizeof name, "1.test");
    assert_true(self_signed_find(&server, 2000, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_by_names, forget_all),
        cmocka_unit_test_teardown(test_by_time, forget_all),
        cmocka_unit_test_teardown(test_the_oldest_makes_room, forget_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_cert_names.c: certificates by name: exact, by a star, the newest of a kind, and many. */
#include "tls/cert_names.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct cert_names *names;

static void add(const char *name, enum cert_kind kind, int64_t since, int32_t certificate)
{
    assert_int_equal(cert_names_add(names, span_str(name), kind, since, certificate), 0);
}

/* The number of that kind for `host`; CERT_NONE: there is none. */
static int32_t found(const char *host, enum cert_kind kind)
{
    const struct cert_choice *choice = cert_names_find(names, span_str(host));

    return choice != NULL ? choice->certificates[kind] : CERT_NONE;
}

static void test_names(void **state)
{
    (void)state;
    names = cert_names_create();
    add("Www.Example.org", CERT_RSA, 1, 0);
    add("*.example.org", CERT_RSA, 1, 1);
    add("*.a.example.org", CERT_ECDSA, 1, 2);
    assert_int_equal(cert_names_finish(names), 0);
    assert_int_equal(cert_names_count(names), 3);
    assert_int_equal(found("www.example.org", CERT_RSA), 0);
    assert_int_equal(found("WWW.EXAMPLE.ORG", CERT_RSA), 0);
    assert_int_equal(found("www.example.org", CERT_ECDSA), CERT_NONE);
    assert_int_equal(found("x.example.org", CERT_RSA), 1);
    assert_int_equal(found("x.a.example.org", CERT_ECDSA), 2);
    assert_int_equal(found("x.a.example.org", CERT_RSA), CERT_NONE);
    static const char *const nobody[] = {
        "",   "example.org", ".example.org",    "y.x.example.org", "example", "*.org", ".",
        "..", "x",           "www.example.org."
    };
    for (size_t i = 0; i < ARRAY_LEN(nobody); i++)
        assert_null(cert_names_find(names, span_str(nobody[i])));
    char big[HOST_MAX + 2];
    memset(big, 'a', sizeof(big));
    memcpy(big + 1, ".example.org", strlen(".example.org"));
    assert_null(cert_names_find(names, span_make(big, HOST_MAX + 1)));
    assert_null(cert_names_find(names, span_make(big, HOST_MAX)));
    assert_null(cert_names_find(names, span_make("www\0example.org", 15)));
    cert_names_destroy(names);
}

static void test_the_newest(void **state)
{
    (void)state;
    names = cert_names_create();
    add("a", CERT_RSA, 5, 0);
    add("a", CERT_RSA, 7, 1);
    add("a", CERT_RSA, 6, 2);
    add("a", CERT_ECDSA, 1, 3);
    add("a", CERT_ECDSA, 1, 4);
    add("b", CERT_RSA, 9, 0);
    add("a", CERT_OTHER, INT64_MIN, 5);
    assert_int_equal(cert_names_finish(names), 0);
    assert_int_equal(cert_names_count(names), 2);
    assert_int_equal(found("a", CERT_RSA), 1);
    assert_int_equal(found("a", CERT_ECDSA), 3);
    assert_int_equal(found("a", CERT_OTHER), 5);
    assert_int_equal(found("b", CERT_RSA), 0);
    cert_names_destroy(names);
}

static void test_many(void **state)
{
    (void)state;
    char name[64];

    names = cert_names_create();
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "host-%d.example.org", i);
        add(name, CERT_ECDSA, i, i);
    }
    assert_int_equal(cert_names_finish(names), 0);
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "host-%d.example.org", i);
        assert_int_equal(found(name, CERT_ECDSA), i);
    }
    cert_names_destroy(names);
}

static void test_none(void **state)
{
    (void)state;
    names = cert_names_create();
    assert_int_equal(cert_names_finish(names), 0);
    assert_null(cert_names_find(names, span_str("a.b")));
    assert_int_equal(cert_names_count(names), 0);
    cert_names_destroy(names);
    cert_names_destroy(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_newest),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

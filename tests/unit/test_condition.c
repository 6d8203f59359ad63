/* test_condition.c: preconditions alone, together and repeated, on requests as they are parsed. */
#include "http/condition.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW      INT64_C(1795392000) /* 2026-11-23 00:00:00 */
#define MODIFIED INT64_C(784111777)
#define THEN     "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE   "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER    "Sun, 06 Nov 1994 08:49:38 GMT"
#define FUTURE   "Tue, 23 Nov 2027 00:00:00 GMT"

static const struct http_validators both = { .etag = { "\"tag\"", 5 },
                                             .has_last_modified = true,
                                             .last_modified_s = MODIFIED };
static const struct http_validators weak = { .etag = { "W/\"tag\"", 7 } };
static const struct http_validators none = { .etag = { NULL, 0 } };

/* The request with these field lines. The head must outlive it. */
static struct http_request make_request(const char *fields, char *head, size_t size)
{
    static const struct http_limits limits = {
        .request_line_max = 8192,
        .field_max = 8192,
        .head_max = 32768,
        .fields_max = 100,
        .body_max = 1 << 20,
    };
    struct http_request request;
    int len = snprintf(head, size, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);

    assert_in_range(len, 1, size - 1);
    assert_int_equal(http_request_parse(head, (size_t)len, &limits, &request), 0);
    return request;
}

enum { PASS = HTTP_CONDITION_PASS, KNOWN = HTTP_CONDITION_NOT_MODIFIED };
enum { FAILED = HTTP_CONDITION_FAILED };

struct row {
    const char *fields;
    int want;
};

static void assert_rows(const struct http_validators *validators, const struct row *rows,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char head[1024];
        struct http_request request = make_request(rows[i].fields, head, sizeof(head));
        int have = (int)http_condition_evaluate(&request, validators, NOW);

        if (have != rows[i].want)
            fail_msg("%s: %d instead of %d", rows[i].fields, have, rows[i].want);
    }
}

static void test_single(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "", PASS },
        /* If-Match: strong comparison */
        { "If-Match: \"tag\"\r\n", PASS },
        { "If-Match: \"x\", \"tag\"\r\n", PASS },
        { "If-Match: *\r\n", PASS },
        { "If-Match: W/\"tag\"\r\n", FAILED },
        { "If-Match: \"other\"\r\n", FAILED },
        { "If-Match: \"x\", \"y\"\r\n", FAILED },
        { "If-Match:\r\n", FAILED },
        { "If-Match: tag\r\n", FAILED },
        /* If-None-Match: weak comparison */
        { "If-None-Match: \"tag\"\r\n", KNOWN },
        { "If-None-Match: W/\"tag\"\r\n", KNOWN },
        { "If-None-Match: \"x\", \"tag\"\r\n", KNOWN },
        { "If-None-Match: *\r\n", KNOWN },
        { "If-None-Match: \"other\"\r\n", PASS },
        { "If-None-Match:\r\n", PASS },
        { "If-None-Match: tag\r\n", PASS },
        /* If-Modified-Since */
        { "If-Modified-Since: " THEN "\r\n", KNOWN },
        { "If-Modified-Since: " AFTER "\r\n", KNOWN },
        { "If-Modified-Since: " BEFORE "\r\n", PASS },
        { "If-Modified-Since: " FUTURE "\r\n", KNOWN }, /* a valid date all the same */
        { "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", KNOWN },
        { "If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", KNOWN },
        { "If-Modified-Since: Sunday, 06-Nov-94 08:49:36 GMT\r\n", PASS },
        { "If-Modified-Since: Saturday, 06-Nov-93 08:49:37 GMT\r\n", PASS },
        /* invalid dates are ignored */
        { "If-Modified-Since:\r\n", PASS },
        { "If-Modified-Since: *\r\n", PASS },
        { "If-Modified-Since: tomorrow\r\n", PASS },
        { "If-Modified-Since: 0\r\n", PASS },
        { "If-Modified-Since: " AFTER ", " AFTER "\r\n", PASS },
        { "If-Modified-Since: \"" AFTER "\"\r\n", PASS },
        { "If-Modified-Since: " AFTER "; length=1\r\n", PASS },
        { "If-Modified-Since: Sun, 32 Nov 2094 08:49:37 GMT\r\n", PASS },
        /* If-Unmodified-Since */
        { "If-Unmodified-Since: " THEN "\r\n", PASS },
        { "If-Unmodified-Since: " AFTER "\r\n", PASS },
        { "If-Unmodified-Since: " FUTURE "\r\n", PASS },
        { "If-Unmodified-Since: " BEFORE "\r\n", FAILED },
        { "If-Unmodified-Since: Sun Nov  6 08:49:36 1994\r\n", FAILED },
        { "If-Unmodified-Since:\r\n", PASS },
        { "If-Unmodified-Since: yesterday\r\n", PASS },
        { "If-Unmodified-Since: " BEFORE ", " BEFORE "\r\n", PASS },
    };

    assert_rows(&both, rows, ARRAY_LEN(rows));
}

/* In the order of RFC 9110 section 13.2.2. */
static void test_together(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* If-Match wins over If-Unmodified-Since */
        { "If-Match: \"tag\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", PASS },
        { "If-Unmodified-Since: " THEN "\r\nIf-Match: \"other\"\r\n", FAILED },
        /* If-None-Match wins over If-Modified-Since */
        { "If-None-Match: \"other\"\r\nIf-Modified-Since: " THEN "\r\n", PASS },
        { "If-None-Match: \"tag\"\r\nIf-Modified-Since: " BEFORE "\r\n", KNOWN },
        { "If-Modified-Since: " THEN "\r\nIf-None-Match:\r\n", PASS },
        { "If-Modified-Since: " THEN "\r\nIf-None-Match: garbage\r\n", PASS },
        /* the first two come before the last two */
        { "If-None-Match: \"tag\"\r\nIf-Match: \"other\"\r\n", FAILED },
        { "If-None-Match: \"tag\"\r\nIf-Match: \"tag\"\r\n", KNOWN },
        { "If-None-Match: \"other\"\r\nIf-Match: \"tag\"\r\n", PASS },
        { "If-Modified-Since: " THEN "\r\nIf-Unmodified-Since: " BEFORE "\r\n", FAILED },
        { "If-Modified-Since: " THEN "\r\nIf-Unmodified-Since: " THEN "\r\n", KNOWN },
        { "If-Modified-Since: " THEN "\r\nIf-Unmodified-Since: invalid\r\n", KNOWN },
        { "If-None-Match: *\r\nIf-Unmodified-Since: " BEFORE "\r\n", FAILED },
        { "If-Match: *\r\nIf-Modified-Since: " THEN "\r\n", KNOWN },
        { "If-Match: *\r\nIf-None-Match: *\r\n", KNOWN },
        { "If-Match: \"tag\"\r\nIf-Unmodified-Since: " BEFORE "\r\nIf-None-Match: \"tag\"\r\n"
          "If-Modified-Since: " BEFORE "\r\n",
          KNOWN },
        /* Range and If-Range change nothing here */
        { "Range: bytes=0-0\r\nIf-Range: \"x\"\r\nIf-None-Match: \"tag\"\r\n", KNOWN },
    };

    assert_rows(&both, rows, ARRAY_LEN(rows));
}

/* Lists may come in lines; a date that does is ignored (RFC 9110 sections 13.1.3, 13.1.4). */
static void test_repeated(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "If-None-Match: \"x\"\r\nAccept: */*\r\nIf-None-Match: \"tag\"\r\n", KNOWN },
        { "If-None-Match: \"tag\"\r\nIf-None-Match: \"x\"\r\n", KNOWN },
        { "If-None-Match: \"x\"\r\nIF-NONE-MATCH: \"y\"\r\nif-none-match: W/\"tag\"\r\n", KNOWN },
        { "If-None-Match: \"x\"\r\nIf-None-Match: \"y\"\r\n", PASS },
        { "If-None-Match: x\r\nIf-None-Match: \"tag\"\r\n", KNOWN },
        { "If-None-Match:\r\nIf-None-Match: \"tag\"\r\n", KNOWN },
        { "If-Match: \"x\"\r\nIf-Match: \"tag\"\r\n", PASS },
        { "If-Match: \"x\"\r\nIf-Match: W/\"tag\"\r\n", FAILED },
        { "If-Match: \"x\"\r\nIf-Match: \"y\", *\r\n", FAILED },
        { "If-Modified-Since: " THEN "\r\nIf-Modified-Since: " THEN "\r\n", PASS },
        { "If-Unmodified-Since: " BEFORE "\r\nIf-Unmodified-Since: " BEFORE "\r\n", PASS },
    };

    assert_rows(&both, rows, ARRAY_LEN(rows));
}

/* A representation without validators: only `*` knows it, and dates are ignored. */
static void test_without_validators(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "If-Match: *\r\n", PASS },
        { "If-Match: \"tag\"\r\n", FAILED },
        { "If-Match: \"\"\r\n", FAILED },
        { "If-None-Match: *\r\n", KNOWN },
        { "If-None-Match: \"tag\"\r\n", PASS },
        { "If-None-Match: \"\"\r\n", PASS },
        { "If-Modified-Since: " FUTURE "\r\n", PASS },
        { "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", PASS },
    };
    static const struct row weak_rows[] = {
        { "If-Match: W/\"tag\"\r\n", FAILED },
        { "If-Match: \"tag\"\r\n", FAILED },
        { "If-None-Match: \"tag\"\r\n", KNOWN },
    };

    assert_rows(&none, rows, ARRAY_LEN(rows));
    assert_rows(&weak, weak_rows, ARRAY_LEN(weak_rows));
}

static void test_range_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const struct http_validators *validators;
        bool allowed;
    } rows[] = {
        { "", &both, true },
        { "", &none, true },
        { "If-Range: \"tag\"\r\n", &both, true },
        { "If-Range: \"other\"\r\n", &both, false },
        { "If-Range: W/\"tag\"\r\n", &both, false },
        { "If-Range: W/\"tag\"\r\n", &weak, false },
        { "If-Range: \"tag\"\r\n", &weak, false },
        { "If-Range: \"tag\"\r\n", &none, false },
        { "If-Range: \"\"\r\n", &none, false },
        { "If-Range: *\r\n", &both, false },
        { "If-Range: tag\r\n", &both, false },
        { "If-Range:\r\n", &both, false },
        { "If-Range:\r\n", &none, false },
        { "If-Range: \"tag\", \"tag\"\r\n", &both, false },
        { "If-Range: \"tag\"\r\nIf-Range: \"tag\"\r\n", &both, false },
        /* a date must be equal, not only later */
        { "If-Range: " THEN "\r\n", &both, true },
        { "If-Range: Sunday, 06-Nov-94 08:49:37 GMT\r\n", &both, true },
        { "If-Range: Sun Nov  6 08:49:37 1994\r\n", &both, true },
        { "If-Range: " AFTER "\r\n", &both, false },
        { "If-Range: " BEFORE "\r\n", &both, false },
        { "If-Range: " FUTURE "\r\n", &both, false },
        { "If-Range: " THEN ", " THEN "\r\n", &both, false },
        { "If-Range: Wed, 99 Nov 1994 08:49:37 GMT\r\n", &both, false },
        { "If-Range: Thu, 01 Jan 1970 00:00:00 GMT\r\n", &none, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char head[1024];
        struct http_request request = make_request(rows[i].fields, head, sizeof(head));

        if (http_condition_range_allowed(&request, rows[i].validators, NOW) != rows[i].allowed)
            fail_msg("%s", rows[i].fields);
    }
}

/* A two-digit year depends on now: the same field, 30 years apart. */
static void test_now_counts(void **state)
{
    (void)state;
    char head[1024];
    struct http_request request =
        make_request("If-Modified-Since: Monday, 01-Jan-60 00:00:00 GMT\r\n", head, sizeof(head));

    assert_int_equal(http_condition_evaluate(&request, &both, MODIFIED), HTTP_CONDITION_PASS);
    assert_int_equal(http_condition_evaluate(&request, &both, NOW), HTTP_CONDITION_NOT_MODIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),        cmocka_unit_test(test_together),
        cmocka_unit_test(test_repeated),      cmocka_unit_test(test_without_validators),
        cmocka_unit_test(test_range_allowed), cmocka_unit_test(test_now_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

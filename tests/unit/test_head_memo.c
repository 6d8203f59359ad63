/* test_head_memo.c: which heads are known again, and what is told of them. That it is what the
 * guard and the parser tell, of any octets: fuzz/fuzz_guard.c. */
#include "http/head_memo.c"

#include "core/check.h"
#include "http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BROWSER                                                                                    \
    "Host: example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\n"                        \
    "If-None-Match: \"a\"\r\nCookie: a=b\r\n\r\n"

static const struct http_limits limits = {
    .request_line_max = 100, .field_max = 3000, .head_max = 4000, .fields_max = 20, .body_max = 10
};

static struct http_request found, parsed;
static size_t found_len;

/* Is the head at the front of `text` known? In memory that ends where it does. */
static bool is_known(struct http_head_memo *memo, const char *text)
{
    static char *copy;
    size_t len = strlen(text);
    free(copy);
    copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return http_head_memo_find(memo, copy, len, &limits, &found_len, &found);
}

/* Has a head judged and kept. */
static void keep(struct http_head_memo *memo, const char *text)
{
    struct http_guard guard;
    size_t len;
    int status;
    http_guard_init(&guard);
    assert_int_equal(http_guard_scan(&guard, text, strlen(text), &limits, &len, &status),
                     HTTP_GUARD_DONE);
    assert_int_equal(http_request_parse(text, len, &limits, &parsed), 0);
    http_head_memo_keep(memo, &parsed);
}

static void assert_text(struct span text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void test_the_same_fields_are_known(void **state)
{
    struct http_head_memo *memo = *state;
    assert_false(is_known(memo, "GET /a HTTP/1.1\r\n" BROWSER));
    keep(memo, "GET /a HTTP/1.1\r\n" BROWSER);
    assert_true(is_known(memo, "GET /a HTTP/1.1\r\n" BROWSER));
    assert_true(is_known(memo, "HEAD /longer/than/that?q=1 HTTP/1.1\r\n" BROWSER));
    assert_int_equal(found.method, HTTP_HEAD);
    assert_int_equal(found_len, strlen("HEAD /longer/than/that?q=1 HTTP/1.1\r\n" BROWSER));
    assert_text(http_request_slice(&found, found.request_line),
                "HEAD /longer/than/that?q=1 HTTP/1.1");
    assert_text(http_request_slice(&found, found.target), "/longer/than/that?q=1");
    assert_text(http_request_slice(&found, found.authority), "example.com");
    assert_text(http_request_field(&found, HTTP_FIELD_IF_NONE_MATCH), "\"a\"");
    assert_text(http_request_field(&found, HTTP_FIELD_USER_AGENT), "Mozilla/5.0");
    assert_false(http_request_has(&found, HTTP_FIELD_RANGE));
    assert_true(found.keep_alive);
    assert_text(http_request_named(&found, SPAN_LIT("cookie")), "a=b");
}

static void test_one_octet_makes_another_head(void **state)
{
    struct http_head_memo *memo = *state;
    char other[] = "GET /a HTTP/1.1\r\n" BROWSER;
    keep(memo, other);
    for (size_t i = strlen("GET /a HTTP/1.1\r\n"); i < sizeof(other) - 1; i++) {
        other[i] ^= 1;
        assert_false(is_known(memo, other));
        other[i] ^= 1;
        char octet = other[i];
        other[i] = '\0'; /* all that has come, for now */
        assert_false(is_known(memo, other));
        other[i] = octet;
    }
    assert_true(is_known(memo, other));
}

static void test_a_pipelined_head_is_known_behind_another(void **state)
{
    struct http_head_memo *memo = *state;
    keep(memo, "GET /a HTTP/1.1\r\n" BROWSER);
    assert_true(is_known(memo, "GET /a HTTP/1.1\r\n" BROWSER "GET /b HTTP/1.1\r\n" BROWSER));
    assert_int_equal(found_len, strlen("GET /a HTTP/1.1\r\n" BROWSER));
}

static void test_only_plain_request_lines_are_known(void **state)
{
    static const char *const lines[] = {
        "GET /a HTTP/1.0\r\n",     "GET /a HTTP/1.2\r\n",        "POST /a HTTP/1.1\r\n",
        "GET /a#b HTTP/1.1\r\n",   "GET /\xc3\xa4 HTTP/1.1\r\n", "GET http://a/ HTTP/1.1\r\n",
        "GET  /a HTTP/1.1\r\n",    "GET /a  HTTP/1.1\r\n",       "get /a HTTP/1.1\r\n",
        "\r\nGET /a HTTP/1.1\r\n", "GET /a\tHTTP/1.1\r\n",       "GET /a HTTP/1.1\n",
    };
    struct http_head_memo *memo = *state;
    char text[1024];
    keep(memo, "GET /a HTTP/1.1\r\n" BROWSER);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        snprintf(text, sizeof(text), "%s%s", lines[i], BROWSER);
        assert_false(is_known(memo, text));
    }
    snprintf(text, sizeof(text), "GET /%086d HTTP/1.1\r\n%s", 0, BROWSER); /* request_line_max */
    assert_true(is_known(memo, text));
    snprintf(text, sizeof(text), "GET /%087d HTTP/1.1\r\n%s", 0, BROWSER);
    assert_false(is_known(memo, text));
}

static void test_what_is_too_long_is_not_kept(void **state)
{
    struct http_head_memo *memo = *state;
    char text[2 * MEMO_TEXT_MAX];
    int rest = (int)(sizeof("Host: a\r\nX: \r\n\r\n") - 1);
    for (int over = 0; over < 2; over++) {
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\nX: %0*d\r\n\r\n",
                 MEMO_TEXT_MAX - rest + over, 0);
        keep(memo, text);
        assert_int_equal(is_known(memo, text), over == 0);
    }
}

static void test_bodies_are_announced_as_they_were(void **state)
{
    struct http_head_memo *memo = *state;
    const char *text = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n"
                       "Expect: 100-continue\r\nConnection: close\r\n\r\n";
    keep(memo, text);
    assert_true(is_known(memo, text));
    assert_int_equal(found.content_length, 7);
    assert_int_equal(found.framing, HTTP_FRAMING_LENGTH);
    assert_true(found.expect_continue);
    assert_false(found.keep_alive);
}

static void test_many_heads_find_their_places(void **state)
{
    struct http_head_memo *memo = *state;
    char text[256];
    unsigned known = 0;
    for (int i = 0; i < 16 * MEMO_COUNT; i++) {
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: host-%d\r\nX-A: b\r\n\r\n", i);
        keep(memo, text);
        assert_true(is_known(memo, text));
    }
    for (int i = 0; i < 16 * MEMO_COUNT; i++) {
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: host-%d\r\nX-A: b\r\n\r\n", i);
        known += is_known(memo, text);
    }
    assert_in_range(known, MEMO_COUNT / 2, MEMO_COUNT); /* the last one of each place */
}

static void test_octets_are_skipped_as_they_are_judged_one_by_one(void **state)
{
    (void)state;
    char text[40];
    for (size_t at = 0; at < sizeof(text); at++) {
        for (int octet = 0; octet < 256; octet++) {
            memset(text, 'a', sizeof(text));
            text[at] = (char)octet;
            const char *end = text + sizeof(text);
            assert_ptr_equal(skip_plain(text, end),
                             octet_run_goes_on(text[at], OCTET_RUN_PLAIN) ? end : text + at);
        }
    }
}

static int make(void **state)
{
    *state = http_head_memo_create();
    return *state != NULL ? 0 : -1;
}

static int end(void **state)
{
    http_head_memo_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_same_fields_are_known, make, end),
        cmocka_unit_test_setup_teardown(test_one_octet_makes_another_head, make, end),
        cmocka_unit_test_setup_teardown(test_a_pipelined_head_is_known_behind_another, make, end),
        cmocka_unit_test_setup_teardown(test_only_plain_request_lines_are_known, make, end),
        cmocka_unit_test_setup_teardown(test_what_is_too_long_is_not_kept, make, end),
        cmocka_unit_test_setup_teardown(test_bodies_are_announced_as_they_were, make, end),
        cmocka_unit_test_setup_teardown(test_many_heads_find_their_places, make, end),
        cmocka_unit_test(test_octets_are_skipped_as_they_are_judged_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

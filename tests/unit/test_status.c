/* test_status.c: every status that is answered has its line and, where it needs one, its page. */
#include "http/status.c"
#include "config/config_return.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Stands in for core/check.c, so that a failed check is a result. */
_Noreturn void check_failed(const char *file, int line, const char *function, const char *expr)
{
    (void)function;
    mock_assert(0, expr, file, line);
    abort();
}

static bool contains(struct span text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

/* Code and phrase as in RFC 9110 section 15 and RFC 6585 section 5; has it a page? */
static const struct {
    int status;
    const char *reason;
    bool page;
} known[] = {
    { 100, "Continue", false },
    { 200, "OK", false },
    { 204, "No Content", false },
    { 206, "Partial Content", false },
    { 304, "Not Modified", false },
    { 301, "Moved Permanently", true },
    { 302, "Found", true },
    { 303, "See Other", true },
    { 307, "Temporary Redirect", true },
    { 308, "Permanent Redirect", true },
    { 400, "Bad Request", true },
    { 401, "Unauthorized", true },
    { 402, "Payment Required", true },
    { 403, "Forbidden", true },
    { 404, "Not Found", true },
    { 405, "Method Not Allowed", true },
    { 406, "Not Acceptable", true },
    { 408, "Request Timeout", true },
    { 409, "Conflict", true },
    { 410, "Gone", true },
    { 411, "Length Required", true },
    { 412, "Precondition Failed", true },
    { 413, "Content Too Large", true },
    { 414, "URI Too Long", true },
    { 415, "Unsupported Media Type", true },
    { 416, "Range Not Satisfiable", true },
    { 417, "Expectation Failed", true },
    { 418, "I'm a teapot", true },
    { 421, "Misdirected Request", true },
    { 422, "Unprocessable Content", true },
    { 423, "Locked", true },
    { 424, "Failed Dependency", true },
    { 425, "Too Early", true },
    { 426, "Upgrade Required", true },
    { 428, "Precondition Required", true },
    { 429, "Too Many Requests", true },
    { 431, "Request Header Fields Too Large", true },
    { 451, "Unavailable For Legal Reasons", true },
    { 500, "Internal Server Error", true },
    { 501, "Not Implemented", true },
    { 502, "Bad Gateway", true },
    { 503, "Service Unavailable", true },
    { 504, "Gateway Timeout", true },
    { 505, "HTTP Version Not Supported", true },
    { 506, "Variant Also Negotiates", true },
    { 507, "Insufficient Storage", true },
    { 508, "Loop Detected", true },
    { 511, "Network Authentication Required", true },
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        char line[128], heading[128];
        struct span page = http_status_page(known[i].status);

        snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", known[i].status, known[i].reason);
        assert_true(span_eq(http_status_reason(known[i].status), span_str(known[i].reason)));
        assert_true(span_eq(http_status_line(known[i].status), span_str(line)));
        assert_int_equal(page.len > 0, known[i].page);
        if (!known[i].page)
            continue;
        snprintf(heading, sizeof(heading), "%d %s", known[i].status, known[i].reason);
        assert_true(contains(page, heading));
        assert_int_equal(memcmp(page.ptr, "<!doctype html>\n", 16), 0);
        assert_int_equal(memcmp(page.ptr + page.len - 8, "</html>\n", 8), 0);
        assert_true(contains(page, "<meta charset=\"utf-8\">"));
        assert_false(contains(page, "<script"));
        assert_true(page.len < 1024);
        /* A literal: the same octets at the same place. */
        assert_ptr_equal(page.ptr, http_status_page(known[i].status).ptr);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    size_t count = 0;

    for (int status = -1; status < 1000; status++)
        count += !span_eq(http_status_reason(status), SPAN_LIT("Unknown"));
    assert_int_equal(count, ARRAY_LEN(known));
}

/* What `return` takes is what there is a line for. */
static void test_returns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (statuses[i] != CONFIG_STATUS_CLOSE)
            assert_false(span_eq(http_status_reason(statuses[i]), SPAN_LIT("Unknown")));
    }
}

static void test_never_answered_is_a_bug(void **state)
{
    (void)state;
    expect_assert_failure(http_status_line(0));
    expect_assert_failure(http_status_line(299));
    expect_assert_failure(http_status_page(-404));
    expect_assert_failure(http_status_page(999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_returns),
        cmocka_unit_test(test_never_answered_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

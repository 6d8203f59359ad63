/* test_real_ip.c: the client that a proxy names, in each of the fields, along chains of proxies. */
#include "http/real_ip.c"

#include "core/arena.h"
#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct http_limits limits = {
    .request_line_max = 8192, .field_max = 65536, .head_max = 65536, .fields_max = 1000
};
static const char *const names[] = { "X-Forwarded-For", "Forwarded", "X-Real-IP" };
static struct arena *arena;
static struct address_set trusted; /* 10.0.0.0/8, 2001:db8::/32 */

/* Who asks, by these field lines. */
static void assert_client_of(enum real_ip_header header, bool recursive, const char *lines,
                             const char *want)
{
    const struct real_ip real_ip = { .from = trusted, .header = header, .recursive = recursive };
    struct peer client = { .family = PEER_IPV4, .addr = { 10, 0, 0, 1 } };
    struct http_request request;
    static char head[70000];
    char text[PEER_TEXT_MAX];
    int len = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

    assert_int_equal(http_request_parse(head, (size_t)len, &limits, &request), 0);
    http_real_ip(&request, &real_ip, &client);
    peer_format(&client, text);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s, not %s", lines, text, want);
}

/* ... in one line of that field. */
static void assert_value(enum real_ip_header header, bool recursive, const char *value,
                         const char *want)
{
    char line[1024];

    snprintf(line, sizeof(line), "%s: %s\r\n", names[header], value);
    assert_client_of(header, recursive, line, want);
}

struct row {
    const char *value, *last, *first; /* the client, and with real_ip_recursive */
};

static void test_lists(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "192.0.2.1", "192.0.2.1", "192.0.2.1" },
        { "192.0.2.1:1234", "192.0.2.1", "192.0.2.1" },
        { "2001:db9::1", "2001:db9::1", "2001:db9::1" },
        { "[2001:db9::1]", "2001:db9::1", "2001:db9::1" },
        { "[2001:db9::1]:80", "2001:db9::1", "2001:db9::1" },
        { "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1" },
        { "198.51.100.1, 192.0.2.1", "192.0.2.1", "192.0.2.1" },
        { "198.51.100.1,192.0.2.1,10.0.0.2", "10.0.0.2", "192.0.2.1" },
        { "198.51.100.1 , 192.0.2.1,\t10.0.0.3, 2001:db8::5", "2001:db8::5", "192.0.2.1" },
        { "10.0.0.4, 10.0.0.3, 10.0.0.2", "10.0.0.2", "10.0.0.4" },
        { "192.0.2.1, ,, 10.0.0.2,", "10.0.0.2", "192.0.2.1" },
        { "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2", "10.0.0.2" },
        { "192.0.2.1, 10.0.0.2 10.0.0.3", "10.0.0.1", "10.0.0.1" },
        { "192.0.2.1, ::ffff:10.0.0.2", "10.0.0.2", "192.0.2.1" },
        { "unknown", "10.0.0.1", "10.0.0.1" },
        { "192.0.2.1, unix:", "10.0.0.1", "10.0.0.1" },
        { "", "10.0.0.1", "10.0.0.1" },
        { ",", "10.0.0.1", "10.0.0.1" },
        { "192.0.2.1:", "10.0.0.1", "10.0.0.1" },
        { "192.0.2.1:123456", "10.0.0.1", "10.0.0.1" },
        { "192.0.2.1:80x", "10.0.0.1", "10.0.0.1" },
        { "[192.0.2.1]", "10.0.0.1", "10.0.0.1" },
        { "[2001:db9::1", "10.0.0.1", "10.0.0.1" },
        { "2001:db9::1]:80", "10.0.0.1", "10.0.0.1" },
        { "[2001:db9::1]80", "10.0.0.1", "10.0.0.1" },
        { "\"192.0.2.1\"", "10.0.0.1", "10.0.0.1" },
        { "for=192.0.2.1", "10.0.0.1", "10.0.0.1" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_value(REAL_IP_X_FORWARDED_FOR, false, rows[i].value, rows[i].last);
        assert_value(REAL_IP_X_FORWARDED_FOR, true, rows[i].value, rows[i].first);
        assert_value(REAL_IP_X_REAL_IP, false, rows[i].value, rows[i].last);
    }
}

static void test_forwarded(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* RFC 7239 sections 4 and 6 */
        { "for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", "192.0.2.60" },
        { "for=192.0.2.43, for=198.51.100.17", "198.51.100.17", "198.51.100.17" },
        { "For=\"[2001:db9:cafe::17]:4711\"", "2001:db9:cafe::17", "2001:db9:cafe::17" },
        { "for=\"192.0.2.43:47011\"", "192.0.2.43", "192.0.2.43" },
        { "for=\"192.0.2.43:_port\"", "192.0.2.43", "192.0.2.43" },
        { "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17", "192.0.2.43" },
        { "proto=http;for=192.0.2.60", "192.0.2.60", "192.0.2.60" },
        { "by=10.0.0.9;host=\"a,b;c\";for=192.0.2.60", "192.0.2.60", "192.0.2.60" },
        { "for=192.0.2.1, for=10.0.0.3;host=\"x, for=6.6.6.6\" , for=10.0.0.2;", "10.0.0.2",
          "192.0.2.1" },
        { "for=\"1\\92.0.2.1\"", "192.0.2.1", "192.0.2.1" },
        { ";for=192.0.2.1;;", "192.0.2.1", "192.0.2.1" },
        /* nobody that can be told */
        { "for=unknown", "10.0.0.1", "10.0.0.1" },
        { "for=192.0.2.1, for=_hidden, for=10.0.0.2", "10.0.0.2", "10.0.0.2" },
        { "for=192.0.2.1, proto=http", "10.0.0.1", "10.0.0.1" },
        { "for=192.0.2.1;for=192.0.2.2", "10.0.0.1", "10.0.0.1" },
        { "for=[2001:db9::1]", "10.0.0.1", "10.0.0.1" },
        { "for=\"192.0.2.1", "10.0.0.1", "10.0.0.1" },
        { "for=", "10.0.0.1", "10.0.0.1" },
        { "for=\"\"", "10.0.0.1", "10.0.0.1" },
        { "for", "10.0.0.1", "10.0.0.1" },
        { "192.0.2.1", "10.0.0.1", "10.0.0.1" },
        { "for=\"192.0.2.1\\\"", "10.0.0.1", "10.0.0.1" },
        { "for=192.0.2.1\"", "10.0.0.1", "10.0.0.1" },
        /* what a client has sent does not hide what proxies have appended */
        { "for=\", for=192.0.2.1", "192.0.2.1", "192.0.2.1" },
        { "for=\"x, for=192.0.2.1, for=\"[2001:db8::2]\"", "2001:db8::2", "192.0.2.1" },
        { "for=\\, for=192.0.2.1, for=\"10.0.0.2:1\"", "10.0.0.2", "192.0.2.1" },
        { "for=\"6.6.6.6, for=10.0.0.2", "10.0.0.2", "10.0.0.2" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_value(REAL_IP_FORWARDED, false, rows[i].value, rows[i].last);
        assert_value(REAL_IP_FORWARDED, true, rows[i].value, rows[i].first);
    }
}

/* Several lines are one list (RFC 9110 section 5.3); other fields are not looked at. */
static void test_lines(void **state)
{
    (void)state;
    static const char lines[] = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=6.6.6.6\r\n"
                                "x-forwarded-for: 10.0.0.3\r\nX-Real-IP: 7.7.7.7\r\n"
                                "X-FORWARDED-FOR: 10.0.0.2\r\n";

    assert_client_of(REAL_IP_X_FORWARDED_FOR, false, lines, "10.0.0.2");
    assert_client_of(REAL_IP_X_FORWARDED_FOR, true, lines, "192.0.2.1");
    assert_client_of(REAL_IP_FORWARDED, true, lines, "6.6.6.6");
    assert_client_of(REAL_IP_X_REAL_IP, true, lines, "7.7.7.7");
    assert_client_of(REAL_IP_X_FORWARDED_FOR, true, "X-Forwarded-Fox: 6.6.6.6\r\n", "10.0.0.1");
    assert_client_of(REAL_IP_X_FORWARDED_FOR, true, "", "10.0.0.1");
}

/* The walk ends with the last HTTP_REAL_IP_LINES_MAX lines, and a long line is walked to its end.
 */
static void test_many(void **state)
{
    (void)state;
    static char lines[66000];
    size_t len = (size_t)snprintf(lines, sizeof(lines), "X-Forwarded-For: 192.0.2.1\r\n");

    for (int i = 1; i < 40; i++) {
        if (i == HTTP_REAL_IP_LINES_MAX)
            assert_client_of(REAL_IP_X_FORWARDED_FOR, true, lines, "192.0.2.1");
        len +=
            (size_t)snprintf(lines + len, sizeof(lines) - len, "X-Forwarded-For: 10.0.0.%d\r\n", i);
    }
    assert_client_of(REAL_IP_X_FORWARDED_FOR, true, lines, "10.0.0.24");
    assert_client_of(REAL_IP_X_FORWARDED_FOR, false, lines, "10.0.0.39");

    len = (size_t)snprintf(lines, sizeof(lines), "X-Forwarded-For: 192.0.2.1");
    while (len < 60000)
        len += (size_t)snprintf(lines + len, sizeof(lines) - len, ",10.0.0.2");
    snprintf(lines + len, sizeof(lines) - len, "\r\n");
    assert_client_of(REAL_IP_X_FORWARDED_FOR, true, lines, "192.0.2.1");
}

static int setup(void **state)
{
    char ipv4[] = "10.0.0.0/8", ipv6[] = "2001:db8::/32";
    char *texts[] = { ipv4, ipv6 };

    (void)state;
    arena = arena_create();
    return arena == NULL ? 1 : address_set_make(arena, texts, ARRAY_LEN(texts), &trusted);
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

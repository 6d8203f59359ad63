/* test_guard.c: the guard alone: what it refuses and passes, whole and at every split point, and
 * its limits at, one below and one above. */
#include "http/guard.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct http_limits limits_default = {
    .request_line_max = 8192,
    .field_max = 8192,
    .head_max = 32768,
    .fields_max = 100,
};

struct verdict {
    enum http_guard_result result;
    size_t len;
    int status;
};

/* One scan of a copy that ends where the data ends, so that ASan sees a read beyond it. */
static struct verdict scan(struct http_guard *guard, const char *data, size_t len,
                           const struct http_limits *limits)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    struct verdict v = { .len = 0, .status = 0 };
    v.result = http_guard_scan(guard, copy, len, limits, &v.len, &v.status);
    free(copy);
    return v;
}

static void assert_same(struct verdict a, struct verdict b, const char *data, size_t split)
{
    if (a.result != b.result || a.len != b.len || a.status != b.status)
        fail_msg("split at %zu: %d/%zu/%d, whole %d/%zu/%d: %s", split, b.result, b.len, b.status,
                 a.result, a.len, a.status, data);
}

/* The verdict on the whole, after checking that it is the same split once at every octet, and
 * octet by octet. */
static struct verdict judge(const char *data, size_t len, const struct http_limits *limits)
{
    struct http_guard guard;
    http_guard_init(&guard);
    struct verdict whole = scan(&guard, data, len, limits);
    for (size_t split = 0; split < len; split++) {
        http_guard_init(&guard);
        struct verdict v = scan(&guard, data, split, limits);
        if (v.result == HTTP_GUARD_MORE)
            v = scan(&guard, data, len, limits);
        assert_same(whole, v, data, split);
    }
    http_guard_init(&guard);
    struct verdict v = { .result = HTTP_GUARD_MORE };
    for (size_t n = 0; n <= len && v.result == HTTP_GUARD_MORE; n++)
        v = scan(&guard, data, n, limits);
    assert_same(whole, v, data, len);
    return whole;
}

struct guard_case {
    int status; /* 0: passes */
    const char *data;
    size_t len;
};

#define CASE(status, text)                                                                         \
    {                                                                                              \
        (status), (text), sizeof(text) - 1                                                         \
    }
/* A field line, and a whole request line, in a head that is otherwise good. */
#define FIELD(status, line) CASE(status, "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\nX: y\r\n\r\n")
#define LINE(status, line)  CASE(status, line "\r\nHost: a\r\n\r\n")

static const struct guard_case cases[] = {
    /* request lines that pass */
    LINE(0, "GET / HTTP/1.1"),
    LINE(0, "G / HTTP/1.0"),
    LINE(0, "GET / HTTP/1.9"),
    LINE(0, "!#$%&'*+-.^_`|~09azAZ * HTTP/1.1"),
    LINE(0, "GET http://a/b?c HTTP/1.1"),
    LINE(0, "CONNECT a:443 HTTP/1.1"),
    LINE(0, "GET HTTP/1.1 HTTP/1.1"),
    LINE(0, "GET /\"<>\\^`{|}#[] HTTP/1.1"), /* what a target may hold is target.c's */
    LINE(0, "GET /\xc3\xa9 HTTP/1.1"),
    LINE(0, "GET /\xff HTTP/1.1"),
    LINE(0, "GET /a-target-of-more-than-16-\x80\xff HTTP/1.1"),
    CASE(0, "GET / HTTP/1.1\r\n\r\n"),
    CASE(0, "\r\nGET / HTTP/1.1\r\n\r\n"),
    CASE(0, "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    /* request lines that do not */
    LINE(400, "GET /"),
    LINE(400, "GET / "),
    LINE(400, "GET"),
    LINE(400, "GET HTTP/1.1"),
    LINE(400, "GET  HTTP/1.1"),
    LINE(400, " / HTTP/1.1"),
    LINE(400, " GET / HTTP/1.1"),
    LINE(400, "\tGET / HTTP/1.1"),
    LINE(400, "GET  / HTTP/1.1"),
    LINE(400, "GET /  HTTP/1.1"),
    LINE(400, "GET / HTTP/1.1 "),
    LINE(400, "GET / HTTP/1.1\t"),
    LINE(400, "GET\t/ HTTP/1.1"),
    LINE(400, "GET /\tHTTP/1.1"),
    LINE(400, "GET /a b HTTP/1.1"),
    LINE(400, "GET / x HTTP/1.1"),
    LINE(400, "GET / HTTP/1.1 x"),
    LINE(400, "GET / HTTP/1.1 HTTP/1.1"),
    LINE(400, "G\"T / HTTP/1.1"),
    LINE(400, "GET: / HTTP/1.1"),
    LINE(400, "G(T) / HTTP/1.1"),
    LINE(400, "G\xc3\x89T / HTTP/1.1"),
    LINE(400, "\xff / HTTP/1.1"),
    LINE(400, "GET / HTTP/1.\xb2"),
    LINE(400, "GET / HTTP/1.1\xff"),
    LINE(400, "GET /\xa0HTTP/1.1"),
    LINE(400, "GET\xa0/ HTTP/1.1"),
    LINE(400, "GET /a-target-of-more-than-16-octets\x1f HTTP/1.1"),
    LINE(400, "GET /\x01 HTTP/1.1"),
    LINE(400, "GET /\x1f HTTP/1.1"),
    LINE(400, "GET /\x7f HTTP/1.1"),
    LINE(400, "GET /\0 HTTP/1.1"),
    LINE(400, "GE\0T / HTTP/1.1"),
    LINE(400, "GET / HTTP"),
    LINE(400, "GET / HTTP/"),
    LINE(400, "GET / HTTP/1"),
    LINE(400, "GET / HTTP/1."),
    LINE(400, "GET / HTTP/.1"),
    LINE(400, "GET / HTTP/01.1"),
    LINE(400, "GET / HTTP/1.01"),
    LINE(400, "GET / HTTP/1.10"),
    LINE(400, "GET / HTTP/11.1"),
    LINE(400, "GET / HTTP/1,1"),
    LINE(400, "GET / HTTP/1.a"),
    LINE(400, "GET / HTTP/a.1"),
    LINE(400, "GET / HTTP/-1.1"),
    LINE(400, "GET / HTTP/1.-1"),
    LINE(400, "GET / HTTP/ 1.1"),
    LINE(400, "GET / HTTP /1.1"),
    LINE(400, "GET / http/1.1"),
    LINE(400, "GET / Http/1.1"),
    LINE(400, "GET / HTTPS/1.1"),
    LINE(400, "GET / XTTP/1.1"),
    LINE(400, "GET / ICE/1.0"),
    LINE(400, "GET / RTSP/1.0"),
    LINE(400, "GET /HTTP/1.1"),
    LINE(505, "GET / HTTP/0.9"),
    LINE(505, "GET / HTTP/0.0"),
    LINE(505, "GET / HTTP/2.0"),
    LINE(505, "GET / HTTP/3.1"),
    LINE(505, "GET / HTTP/9.9"),
    CASE(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    /* line ends */
    CASE(400, "GET / HTTP/1.1\nHost: a\n\n"),
    CASE(400, "GET / HTTP/1.1\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\rHost: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    CASE(400, "GET /\rx HTTP/1.1\r\n\r\n"),
    CASE(400, "GET /\nx HTTP/1.1\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n\r \n"),
    CASE(400, "\nGET / HTTP/1.1\r\n\r\n"),
    CASE(400, "\rGET / HTTP/1.1\r\n\r\n"),
    CASE(400, "\r\r\nGET / HTTP/1.1\r\n\r\n"),
    CASE(400, "\r\n\nGET / HTTP/1.1\r\n\r\n"),
    CASE(400, " \r\nGET / HTTP/1.1\r\n\r\n"),
    CASE(400, "\0\r\nGET / HTTP/1.1\r\n\r\n"),
    CASE(400, "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    CASE(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* TLS on a plain port */
    /* field lines that pass */
    FIELD(0, "a:b"),
    FIELD(0, "a: b"),
    FIELD(0, "a:\tb"),
    FIELD(0, "a:"),
    FIELD(0, "a: "),
    FIELD(0, "a: \t "),
    FIELD(0, "a: b \t"),
    FIELD(0, "a: b c\td"),
    FIELD(0, "a::"),
    FIELD(0, "a: :b: c"),
    FIELD(0, "a: \x80\xff\xc3\xa9"),
    FIELD(0, "a: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    FIELD(0, "!#$%&'*+-.^_`|~0123456789: b"),
    FIELD(0, "a_b: c"),
    FIELD(0, "a-name-of-more-than-sixteen-octets: and a value of more than sixteen octets"),
    FIELD(0, "a-name-of-16-oct: b"),
    FIELD(0, "a-name-of-15oct: b"),
    FIELD(0, "a_name_with_underscores: b"),
    /* field lines that do not */
    FIELD(400, " a: b"),
    FIELD(400, "\ta: b"),
    FIELD(400, " "),
    FIELD(400, "\t"),
    FIELD(400, " : b"),
    FIELD(400, "a : b"),
    FIELD(400, "a\t: b"),
    FIELD(400, "a b: c"),
    FIELD(400, ": b"),
    FIELD(400, ":"),
    FIELD(400, ":a-b: a value that fills a block"),
    FIELD(400, "a"),
    FIELD(400, "a-name-alone-of-more-than-sixteen-octets"),
    FIELD(400, "a b"),
    FIELD(400, "a=b"),
    FIELD(400, "a(b): c"),
    FIELD(400, "a@b: c"),
    FIELD(400, "a[b]: c"),
    FIELD(400, "a/b: c"),
    FIELD(400, "\"a\": c"),
    FIELD(400, "a\\: c"),
    FIELD(400, "{a}: c"),
    FIELD(400, "a;: c"),
    FIELD(400, "a,b: c"),
    FIELD(400, "a\x80: c"),
    FIELD(400, "\xc3\xa9: c"),
    FIELD(400, "a\x01: c"),
    FIELD(400, "a\x7f: c"),
    FIELD(400, "a\0: c"),
    FIELD(400, "\0: c"),
    FIELD(400, "a: b\0c"),
    FIELD(400, "a: \0"),
    FIELD(400, "a: b\x01"),
    FIELD(400, "a: \x08"),
    FIELD(400, "a: b\x0b"),
    FIELD(400, "a: b\x0c"),
    FIELD(400, "a: b\x1b[1m"),
    FIELD(400, "a: b\x1f"),
    FIELD(400, "a: b\x7f"),
    FIELD(400, "a: a value of more than sixteen octets\x7f and more"),
    FIELD(400, "a: b\r\n c"),
    FIELD(400, "a: b\r\n\tc"),
    FIELD(400, "a: b\rc"),
    FIELD(400, "a: b\nc: d"),
    FIELD(400, "GET / HTTP/1.1"),
    CASE(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n \r\n\r\n"),
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct guard_case *c = &cases[i];
        struct verdict v = judge(c->data, c->len, &limits_default);
        bool right = c->status == 0 ? v.result == HTTP_GUARD_DONE && v.len == c->len
                                    : v.result == HTTP_GUARD_REFUSED && v.status == c->status;
        if (!right)
            fail_msg("case %zu: result %d, len %zu, status %d: %s", i, v.result, v.len, v.status,
                     c->data);
    }
}

/* No proper prefix of a good head is refused or complete. */
static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cases[i].status != 0)
            continue;
        for (size_t len = 0; len < cases[i].len; len++) {
            struct http_guard guard;
            http_guard_init(&guard);
            assert_int_equal(scan(&guard, cases[i].data, len, &limits_default).result,
                             HTTP_GUARD_MORE);
        }
    }
}

/* What follows a head, whatever it is, does not change the verdict; nor do empty lines in front. */
static void test_neighbours(void **state)
{
    (void)state;
    static const char data[] = "\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n\0\n\r\x80 not looked at";
    static const size_t len = sizeof("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n") - 1;
    struct verdict v = judge(data, sizeof(data) - 1, &limits_default);
    assert_int_equal(v.result, HTTP_GUARD_DONE);
    assert_int_equal(v.len, len);

    struct http_guard guard;
    http_guard_init(&guard);
    assert_int_equal(scan(&guard, data, sizeof(data) - 1, &limits_default).result, HTTP_GUARD_DONE);
    assert_int_equal(guard.skipped, 4);
    assert_int_equal(guard.fields, 1);
    assert_int_equal(guard.version_major, 1);
    assert_int_equal(guard.version_minor, 1);
}

/* Every octet at every place of a value and of a name, against the grammar. */
static void test_every_octet(void **state)
{
    (void)state;
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int octet = 0; octet < 256; octet++) {
        bool token = octet != 0 && strchr(tchars, octet) != NULL;
        bool value = octet == '\t' || (octet >= 0x20 && octet != 0x7f);
        assert_int_equal(http_octet_is((char)octet, HTTP_OCTET_TOKEN), token);
        assert_int_equal(http_octet_is((char)octet, HTTP_OCTET_VALUE), value);
        assert_int_equal(http_octet_is((char)octet, HTTP_OCTET_LINE),
                         octet >= 0x20 && octet != 0x7f);
        assert_int_equal(http_octet_is((char)octet, HTTP_OCTET_HEX),
                         (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'F') ||
                             (octet >= 'a' && octet <= 'f'));
        for (size_t at = 0; at < 20; at++) {
            char head[] = "GET / HTTP/1.1\r\nnnnnnnnnnnnnnnnnnnnn:vvvvvvvvvvvvvvvvvvvvvv\r\n\r\n";
            char *name = strstr(head, "nnnn"), *content = strstr(head, "vvvv") + 1;
            struct http_guard guard;
            content[at] = (char)octet;
            http_guard_init(&guard);
            struct verdict v = scan(&guard, head, sizeof(head) - 1, &limits_default);
            assert_int_equal(v.result, value ? HTTP_GUARD_DONE : HTTP_GUARD_REFUSED);
            content[at] = 'v';
            name[at] = (char)octet;
            http_guard_init(&guard);
            v = scan(&guard, head, sizeof(head) - 1, &limits_default);
            assert_int_equal(v.result, token || (octet == ':' && at > 0) ? HTTP_GUARD_DONE
                                                                         : HTTP_GUARD_REFUSED);
        }
    }
}

/* "GET /aaa HTTP/1.1", the line alone, of `len` octets. */
static void put_request_line(char *out, size_t len)
{
    memset(out, 'a', len);
    memcpy(out, "GET /", 5);
    memcpy(out + len - 9, " HTTP/1.1", 9);
}

static void test_request_line_limit(void **state)
{
    (void)state;
    static const uint32_t limits_tried[] = { 14, 15, 16, 17, 31, 32, 33, 100, 300 };
    for (size_t i = 0; i < ARRAY_LEN(limits_tried); i++) {
        struct http_limits limits = limits_default;
        limits.request_line_max = limits_tried[i];
        for (int over = -1; over <= 1; over++) {
            char head[400];
            size_t len = (size_t)((int)limits_tried[i] + over);
            if (len < 14)
                continue;
            put_request_line(head, len);
            memcpy(head + len, "\r\n\r\n", 4);
            struct verdict v = judge(head, len + 4, &limits);
            assert_int_equal(v.result, over > 0 ? HTTP_GUARD_REFUSED : HTTP_GUARD_DONE);
            assert_int_equal(v.status, over > 0 ? 414 : 0);
            /* A line that never ends is refused when it crosses the limit, not later. It is all
             * method, which is too long for one from so many octets on. */
            memset(head, 'a', sizeof(head));
            v = judge(head, len, &limits);
            assert_int_equal(v.result, over > 0 ? HTTP_GUARD_REFUSED : HTTP_GUARD_MORE);
            assert_int_equal(v.status, over <= 0 ? 0 : len > METHOD_MAX ? 501 : 414);
        }
    }
}

/* Whose fault is a line that is too long? */
static void test_long_lines(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *start; /* of a line that goes on with 'x' */
    } rows[] = {
        { 414, "GET /" },
        { 414, "!#$%&'*+-.^_`|~ /" },
        { 414, "A-METHOD-OF-AT-MOST-32-OCTETS-XX /" },
        { 501, "A-METHOD-OF-MORE-THAN-32-OCTETS-XX /" },
        { 501, "" },
        { 501, "GET" },
        { 400, " " },
        { 400, "/" },
        { 400, "GET/" },
        { 400, "\xff" },
        { 400, "A-METHOD-OF-MORE-THAN-32-OCTETS-XX:" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_limits limits = limits_default;
        char line[200];
        limits.request_line_max = 100;
        memset(line, 'x', sizeof(line));
        memcpy(line, rows[i].start, strlen(rows[i].start));
        for (size_t len = 101; len <= sizeof(line); len += 9)
            assert_int_equal(judge(line, len, &limits).status, rows[i].status);
        assert_int_equal(judge(line, 100, &limits).result, HTTP_GUARD_MORE);
    }
}

/* Empty lines in front count for nothing. */
static void test_request_line_limit_skipped(void **state)
{
    (void)state;
    struct http_limits limits = limits_default;
    limits.request_line_max = 14;
    static const char data[] = "\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    assert_int_equal(judge(data, sizeof(data) - 1, &limits).result, HTTP_GUARD_DONE);
}

static void test_field_limit(void **state)
{
    (void)state;
    for (uint32_t field_max = 2; field_max < 70; field_max++) {
        struct http_limits limits = limits_default;
        limits.field_max = field_max;
        for (size_t colon = 1; colon < field_max; colon += 1 + field_max / 5) {
            for (uint32_t len = field_max - 1; len <= field_max + 1; len++) {
                char head[200];
                if (colon >= len)
                    continue;
                size_t at = (size_t)sprintf(head, "GET /a-long-target HTTP/1.1\r\n");
                memset(head + at, 'x', len);
                head[at + colon] = ':';
                memcpy(head + at + len, "\r\n\r\n", 4);
                struct verdict v = judge(head, at + len + 4, &limits);
                assert_int_equal(v.status, len > field_max ? 431 : 0);
                assert_int_equal(v.result, len > field_max ? HTTP_GUARD_REFUSED : HTTP_GUARD_DONE);
            }
        }
    }
}

static void test_head_limit(void **state)
{
    (void)state;
    static const char start[] = "\r\nGET / HTTP/1.1\r\n";
    static const char fields[] = "Host: a\r\nUser-Agent: something of some length\r\nX:";
    for (uint32_t extra = 0; extra < 40; extra++) {
        char head[200];
        int len = snprintf(head, sizeof(head), "%s%s%.*s\r\n\r\n", start, fields, (int)extra,
                           "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
        struct http_limits limits = limits_default;
        for (int over = -1; over <= 1; over++) {
            limits.head_max = (uint32_t)((int)(sizeof(fields) - 1 + extra) - over);
            struct verdict v = judge(head, (size_t)len, &limits);
            assert_int_equal(v.status, over > 0 ? 431 : 0);
        }
    }
}

static void test_fields_limit(void **state)
{
    (void)state;
    struct http_limits limits = limits_default;
    limits.fields_max = 7;
    for (unsigned fields = 0; fields <= 9; fields++) {
        char head[200] = "GET / HTTP/1.1\r\n";
        for (unsigned i = 0; i < fields; i++)
            strcat(head, i % 2 == 0 ? "X: y\r\n" : "A-Longer-Name: and a longer value\r\n");
        strcat(head, "\r\n");
        struct verdict v = judge(head, strlen(head), &limits);
        assert_int_equal(v.status, fields > 7 ? 431 : 0);
    }
    limits.fields_max = 0;
    static const char bare[] = "GET / HTTP/1.1\r\n\r\n";
    assert_int_equal(judge(bare, sizeof(bare) - 1, &limits).result, HTTP_GUARD_DONE);
}

/* A head that makes use of every limit is complete within what guard.h promises. */
static void test_largest_head(void **state)
{
    (void)state;
    struct http_limits limits = limits_default;
    limits.request_line_max = 40;
    limits.head_max = 60;
    size_t promised =
        2 * HTTP_GUARD_EMPTY_LINES_MAX + limits.request_line_max + limits.head_max + 6;
    char head[200] = "\r\n\r\n\r\n\r\n";
    put_request_line(head + 8, 40);
    memset(head + 48, 'x', promised - 48);
    memcpy(head + 48, "\r\nX:", 4);
    memcpy(head + promised - 4, "\r\n\r\n", 4);
    struct verdict v = judge(head, promised, &limits);
    assert_int_equal(v.result, HTTP_GUARD_DONE);
    assert_int_equal(v.len, promised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_request_line_limit),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_request_line_limit_skipped),
        cmocka_unit_test(test_field_limit),
        cmocka_unit_test(test_head_limit),
        cmocka_unit_test(test_fields_limit),
        cmocka_unit_test(test_largest_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

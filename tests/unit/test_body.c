/* test_body.c: bodies of known length and chunked ones: what passes, what is refused and with what,
 * whole, split once at every octet and octet by octet; and the limits at, one below, one above. */
#include "http/body.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct http_limits limits_default = { .body_max = 1000, .chunk_overhead_max = 200 };

struct verdict {
    enum http_body_result result;
    size_t used; /* octets of the body, all pieces together */
    int status;
};

static struct verdict feed(struct http_body *body, const char *data, size_t len,
                           const struct http_limits *limits)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    struct verdict v = { .used = 12345, .status = 12345 };
    v.result = http_body_feed(body, copy, len, limits, &v.used, &v.status);
    free(copy);
    if (v.result == HTTP_BODY_REFUSED) {
        assert_int_equal(v.used, 12345);
        v.used = 0;
    } else {
        assert_int_equal(v.status, 12345);
        v.status = 0;
        assert_true(v.used <= len);
        assert_true(v.result == HTTP_BODY_DONE || v.used == len);
    }
    return v;
}

static void assert_same(struct verdict a, struct verdict b, const char *data, size_t split)
{
    if (a.result != b.result || a.used != b.used || a.status != b.status)
        fail_msg("split at %zu: %d/%zu/%d, whole %d/%zu/%d: %s", split, b.result, b.used, b.status,
                 a.result, a.used, a.status, data);
}

static struct verdict judge(const struct http_request *request, const char *data, size_t len,
                            const struct http_limits *limits)
{
    struct http_body body;
    http_body_init(&body, request);
    struct verdict whole = feed(&body, data, len, limits);
    for (size_t split = 0; split <= len; split++) {
        http_body_init(&body, request);
        struct verdict v = feed(&body, data, split, limits);
        if (v.result == HTTP_BODY_MORE) {
            size_t before = v.used;
            v = feed(&body, data + split, len - split, limits);
            if (v.result != HTTP_BODY_REFUSED)
                v.used += before;
        }
        assert_same(whole, v, data, split);
    }
    http_body_init(&body, request);
    struct verdict v = feed(&body, data, 0, limits);
    for (size_t n = 0; n < len && v.result == HTTP_BODY_MORE; n++) {
        v = feed(&body, data + n, 1, limits);
        if (v.result != HTTP_BODY_REFUSED)
            v.used += n;
    }
    assert_same(whole, v, data, len);
    return whole;
}

static const struct http_request chunked = { .framing = HTTP_FRAMING_CHUNKED };

struct body_case {
    int status; /* 0: passes, and all of it is used */
    const char *data;
    size_t len;
};

#define CASE(status, text)                                                                         \
    {                                                                                              \
        (status), (text), sizeof(text) - 1                                                         \
    }
/* A chunk whose size line has `ext` behind the size, and a last chunk. */
#define EXT(status, ext)      CASE(status, "3" ext "\r\nabc\r\n0\r\n\r\n")
#define TRAILER(status, line) CASE(status, "3\r\nabc\r\n0\r\n" line "\r\n\r\n")

static const struct body_case cases[] = {
    /* chunks that pass */
    CASE(0, "0\r\n\r\n"),
    CASE(0, "0000000000000000000000000000\r\n\r\n"),
    CASE(0, "3\r\nabc\r\n0\r\n\r\n"),
    CASE(0, "3\r\n\r\n\r\r\n0\r\n\r\n"),
    CASE(0, "3\r\n0\r\n\r\n0\r\n\r\n"),
    CASE(0, "3\r\n\0\x80\x7f\r\n0\r\n\r\n"),
    CASE(0, "a\r\n0123456789\r\n0\r\n\r\n"),
    CASE(0, "A\r\n0123456789\r\n0\r\n\r\n"),
    CASE(0, "0A\r\n0123456789\r\n00\r\n\r\n"),
    CASE(0, "00000000000000000000001\r\na\r\n0\r\n\r\n"),
    CASE(0, "1\r\na\r\n2\r\nbc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"),
    /* extensions that pass */
    EXT(0, ";a"),
    EXT(0, ";a=b"),
    EXT(0, ";a=b;c=d"),
    EXT(0, ";a;b;c=d;e"),
    EXT(0, ";abc=def"),
    EXT(0, ";!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~"),
    EXT(0, " ;a"),
    EXT(0, "\t; \ta \t= \tb \t; c"),
    EXT(0, ";a=\"\""),
    EXT(0, ";a=\"b c\td\""),
    EXT(0, ";a=\"b;c=d,[]{}()<>@:/?\""),
    EXT(0, ";a=\"\\\"\""),
    EXT(0, ";a=\"\\\\\""),
    EXT(0, ";a=\"b\\c\\ \\\t\\\x80\""),
    EXT(0, ";a=\"\x80\xff\""),
    EXT(0, ";a=\"b\" ;c=\"d\";e"),
    CASE(0, "0;a=b\r\n\r\n"),
    CASE(0, "0 ;a=\"b\"\r\nX: y\r\n\r\n"),
    /* trailers that pass */
    TRAILER(0, "X: y"),
    TRAILER(0, "X:"),
    TRAILER(0, "X: \t y z \t"),
    TRAILER(0, "X: \"\\\x80\xff:;="),
    TRAILER(0, "a!#$%&'*+-.^_`|~9: y"),
    TRAILER(0, "X: y\r\nZ: w"),
    TRAILER(0, "Content-Length: 7\r\nTransfer-Encoding: chunked\r\nHost: b"),
    /* sizes that do not */
    CASE(400, "\r\n"),
    CASE(400, ";a\r\n"),
    CASE(400, " 3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "\t3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3 \r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3\t\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3 0\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "+3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "-3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "0x3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "0X3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "x3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3h\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "g\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "G\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    CASE(400, "3.0\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3,3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "\"3\"\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "\xef\xbb\xbf"
              "3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "\xd9\xa3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3\0\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3\x0b\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "10000000000000000\r\n"),
    CASE(400, "FFFFFFFFFFFFFFFFF\r\n"),
    CASE(400, "00000000000000001000000000000000F\r\n"),
    /* line ends that do not */
    CASE(400, "3\nabc\r\n0\r\n\r\n"),
    CASE(400, "3\rabc\r\n0\r\n\r\n"),
    CASE(400, "3\r\r\nabc\r\n0\r\n\r\n"),
    CASE(400, "3\r\nabc\n0\r\n\r\n"),
    CASE(400, "3\r\nabc\r0\r\n\r\n"),
    CASE(400, "3\r\nabc0\r\n\r\n"),
    CASE(400, "3\r\nabcd\r\n0\r\n\r\n"),
    CASE(400, "3\r\nab\r\n0\r\n\r\n"),
    CASE(400, "3\r\nabc \r\n0\r\n\r\n"),
    CASE(400, "3\r\nabc\r\n\r\n0\r\n\r\n"),
    CASE(400, "0\n\n"),
    CASE(400, "0\r\n\n"),
    CASE(400, "0\r\n\rX"),
    CASE(400, "0\n\r\n"),
    /* extensions that do not */
    EXT(400, ";"),
    EXT(400, "; "),
    EXT(400, " ;"),
    EXT(400, ";;a"),
    EXT(400, ";a;"),
    EXT(400, ";a; "),
    EXT(400, ";a;;b"),
    EXT(400, ";="),
    EXT(400, ";=b"),
    EXT(400, ";a="),
    EXT(400, ";a= "),
    EXT(400, ";a=;b"),
    EXT(400, ";a=b="),
    EXT(400, ";a=b=c"),
    EXT(400, ";a==b"),
    EXT(400, ";a b"),
    EXT(400, ";a=b c"),
    EXT(400, ";a "),
    EXT(400, ";a=b "),
    EXT(400, ";a=\"b\" "),
    EXT(400, ";a=\"b\"c"),
    EXT(400, ";a=b\"c\""),
    EXT(400, ";\"a\"=b"),
    EXT(400, ";a=\"b"),
    EXT(400, ";a=\"b\\\""),
    EXT(400, ";a=\"\r\n\""),
    EXT(400, ";a=\"\x01\""),
    EXT(400, ";a=\"\x7f\""),
    EXT(400, ";a=\"\\\x01\""),
    EXT(400, ";a=\"\\\r\n\""),
    EXT(400, ";a=\"\0\""),
    EXT(400, ";a\x01"),
    EXT(400, ";a\0"),
    EXT(400, ";a\x7f"),
    EXT(400, ";a\x80"),
    EXT(400, ";a=\x80"),
    EXT(400, ";a=b\x0b"),
    EXT(400, ";a,b"),
    EXT(400, ";a:b"),
    EXT(400, ";a=b,c"),
    EXT(400, ";a=/"),
    EXT(400, ";a=\\b"),
    EXT(400, ",a"),
    EXT(400, "=a"),
    EXT(400, ";\na"),
    EXT(400, ";a\nb"),
    EXT(400, ";a\rb"),
    /* trailers that do not */
    TRAILER(400, "X"),
    TRAILER(400, "X y"),
    TRAILER(400, ": y"),
    TRAILER(400, ":"),
    TRAILER(400, "X : y"),
    TRAILER(400, "X\t: y"),
    TRAILER(400, " X: y"),
    TRAILER(400, "\tX: y"),
    TRAILER(400, "X: y\r\n z"),
    TRAILER(400, "X: y\r\n\tz"),
    TRAILER(400, "X: y\nZ: w"),
    TRAILER(400, "X: y\rZ: w"),
    TRAILER(400, "X: \0"),
    TRAILER(400, "X: \x01"),
    TRAILER(400, "X: \x7f"),
    TRAILER(400, "X\x80: y"),
    TRAILER(400, "X(): y"),
    TRAILER(400, "\"X\": y"),
    TRAILER(400, "X=Y: y"),
    CASE(400, "0\r\nGET / HTTP/1.1\r\n\r\n"),
};

static void test_chunked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct body_case *c = &cases[i];
        struct verdict v = judge(&chunked, c->data, c->len, &limits_default);
        bool right = c->status == 0 ? v.result == HTTP_BODY_DONE && v.used == c->len
                                    : v.result == HTTP_BODY_REFUSED && v.status == c->status;
        if (!right)
            fail_msg("case %zu: result %d, used %zu, status %d: %s", i, v.result, v.used, v.status,
                     c->data);
    }
}

/* Nothing is done before its end, and no octet behind it is touched. */
static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cases[i].status != 0)
            continue;
        struct http_body body;
        for (size_t len = 0; len < cases[i].len; len++) {
            http_body_init(&body, &chunked);
            struct verdict v = feed(&body, cases[i].data, len, &limits_default);
            assert_int_equal(v.result, HTTP_BODY_MORE);
            assert_int_equal(v.used, len);
        }
        char followed[300];
        memcpy(followed, cases[i].data, cases[i].len);
        memcpy(followed + cases[i].len, "\r\n\0GET", 6);
        struct verdict v = judge(&chunked, followed, cases[i].len + 6, &limits_default);
        assert_int_equal(v.result, HTTP_BODY_DONE);
        assert_int_equal(v.used, cases[i].len);

        http_body_init(&body, &chunked);
        feed(&body, cases[i].data, cases[i].len, &limits_default);
        v = feed(&body, "0\r\n\r\n", 5, &limits_default);
        assert_int_equal(v.result, HTTP_BODY_DONE);
        assert_int_equal(v.used, 0);
    }
}

static void test_none_and_length(void **state)
{
    (void)state;
    static const char data[] = "0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    struct http_request request = { .framing = HTTP_FRAMING_NONE };
    struct verdict v = judge(&request, data, sizeof(data) - 1, &limits_default);
    assert_int_equal(v.result, HTTP_BODY_DONE);
    assert_int_equal(v.used, 0);

    request.framing = HTTP_FRAMING_LENGTH;
    for (size_t length = 0; length < sizeof(data) + 2; length++) {
        request.content_length = length;
        v = judge(&request, data, sizeof(data) - 1, &limits_default);
        bool whole = length <= sizeof(data) - 1;
        assert_int_equal(v.result, whole ? HTTP_BODY_DONE : HTTP_BODY_MORE);
        assert_int_equal(v.used, whole ? length : sizeof(data) - 1);
    }
}

/* Chunks of `size` octets, `count` of them; the length written. */
static size_t put_chunks(char *out, unsigned size, unsigned count)
{
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        at += (size_t)sprintf(out + at, "%x\r\n", size);
        memset(out + at, 'x', size);
        memcpy(out + at + size, "\r\n", 2);
        at += size + 2;
    }
    memcpy(out + at, "0\r\n\r\n", 5);
    return at + 5;
}

static void test_body_limit(void **state)
{
    (void)state;
    struct http_limits limits = limits_default;
    char data[500];
    for (unsigned count = 1; count <= 4; count++) {
        size_t len = put_chunks(data, 30, count);
        for (int over = -1; over <= 1; over++) {
            limits.body_max = (uint64_t)((int)(30 * count) - over);
            struct verdict v = judge(&chunked, data, len, &limits);
            assert_int_equal(v.result, over > 0 ? HTTP_BODY_REFUSED : HTTP_BODY_DONE);
            assert_int_equal(v.status, over > 0 ? 413 : 0);
        }
    }
}

/* Sizes near the end of 64 bits, alone and as a sum: too large, but no overflow. */
static void test_size_limits(void **state)
{
    (void)state;
    struct http_limits limits = limits_default;
    static const char large[] = "FFFFFFFFFFFFFFFF\r\n", sum[] = "1\r\na\r\nffffffffffffffff\r\n",
                      bad[] = "FFFFFFFFFFFFFFFF;\r\n";
    struct verdict v = judge(&chunked, large, sizeof(large) - 1, &limits);
    assert_int_equal(v.status, 413);
    v = judge(&chunked, bad, sizeof(bad) - 1, &limits);
    assert_int_equal(v.status, 400);
    limits.body_max = UINT64_MAX;
    v = judge(&chunked, large, sizeof(large) - 1, &limits);
    assert_int_equal(v.result, HTTP_BODY_MORE);
    v = judge(&chunked, sum, sizeof(sum) - 1, &limits);
    assert_int_equal(v.status, 413);
}

/* Everything but data counts: sizes, extensions, line ends, trailers. */
static void test_overhead_limit(void **state)
{
    (void)state;
    static const char data[] = "3;a=\"b\" ; c\r\nabc\r\n2\r\nde\r\n00;d\r\nX: y\r\nZ: w\r\n\r\n";
    const uint32_t overhead = sizeof(data) - 1 - 5;
    struct http_limits limits = limits_default;
    for (uint32_t max = 0; max <= overhead + 1; max++) {
        limits.chunk_overhead_max = max;
        struct verdict v = judge(&chunked, data, sizeof(data) - 1, &limits);
        assert_int_equal(v.result, max < overhead ? HTTP_BODY_REFUSED : HTTP_BODY_DONE);
        assert_int_equal(v.status, max < overhead ? 413 : 0);
    }
    /* An extension that never ends (CVE-2024-22019). */
    limits.chunk_overhead_max = 50;
    char endless[60];
    memset(endless, 'x', sizeof(endless));
    memcpy(endless, "1;", 2);
    assert_int_equal(judge(&chunked, endless, 50, &limits).result, HTTP_BODY_MORE);
    assert_int_equal(judge(&chunked, endless, 51, &limits).status, 413);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunked),         cmocka_unit_test(test_ends),
        cmocka_unit_test(test_none_and_length), cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_size_limits),     cmocka_unit_test(test_overhead_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

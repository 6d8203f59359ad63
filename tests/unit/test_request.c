/* test_request.c: guard and request together, as the connection uses them: what a head is refused
 * with, and what is known of one that passes. The guard runs at every split point. */
#include "http/request.c"

#include "http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "request_refused.h"

static const struct http_limits limits = {
    .request_line_max = 8192,
    .field_max = 8192,
    .head_max = 32768,
    .fields_max = 100,
    .body_max = 1000,
};

/* Feeds `data` in two pieces. Returns the status (0: passes, -1: not complete); on success
 * *ret_request is filled, from octets in *ret_copy that the caller frees. */
static int judge_split(const char *data, size_t len, size_t split, char **ret_copy,
                       struct http_request *ret_request)
{
    struct http_guard guard;
    size_t head_len = 0;
    int status = 0;
    char *first = malloc(split + 1), *whole = malloc(len + 1);
    assert_true(first != NULL && whole != NULL);
    memcpy(first, data, split);
    memcpy(whole, data, len);
    http_guard_init(&guard);
    enum http_guard_result result =
        http_guard_scan(&guard, first, split, &limits, &head_len, &status);
    free(first);
    if (result == HTTP_GUARD_MORE)
        result = http_guard_scan(&guard, whole, len, &limits, &head_len, &status);
    *ret_copy = NULL;
    if (result != HTTP_GUARD_DONE) {
        free(whole);
        return result == HTTP_GUARD_MORE ? -1 : status;
    }
    /* Just the head, so that ASan sees a read beyond it. */
    size_t request_len = head_len - guard.skipped;
    char *copy = malloc(request_len);
    assert_non_null(copy);
    memcpy(copy, whole + guard.skipped, request_len);
    free(whole);
    *ret_copy = copy;
    return http_request_parse(copy, request_len, &limits, ret_request);
}

/* The status of `data`, checked to be the same at every split point. */
static int judge(const char *data, size_t len)
{
    int first = 0;
    for (size_t split = 0; split <= len; split++) {
        struct http_request request;
        char *copy;
        int status = judge_split(data, len, split, &copy, &request);
        free(copy);
        if (split == 0)
            first = status;
        else if (status != first)
            fail_msg("split at %zu: %d, else %d: %s", split, status, first, data);
    }
    return first;
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        int status = judge(refused[i].data, refused[i].len);
        if (status != refused[i].status)
            fail_msg("%d, expected %d: %s", status, refused[i].status, refused[i].data);
    }
}

struct passed {
    const char *data;
    enum http_method method;
    const char *target, *authority;
    uint8_t version_minor;
    bool keep_alive, expect_continue;
    enum http_framing framing;
    uint64_t content_length;
};

/* The members that most cases share; what differs is given behind. */
#define GET_11(text)                                                                               \
    .data = (text), .method = HTTP_GET, .target = "/", .authority = "a", .version_minor = 1,       \
    .keep_alive = true

/* Cases override members that GET_11() gives. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#endif
static const struct passed passed[] = {
    /* request line */
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\n\r\n") },
    { GET_11("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") },
    { GET_11("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_HEAD },
    { GET_11("GET /a%20b?c=d&e HTTP/1.1\r\nHost: a\r\n\r\n"), .target = "/a%20b?c=d&e" },
    { GET_11("GET //a HTTP/1.1\r\nHost: a\r\n\r\n"), .target = "//a" },
    { GET_11("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_OPTIONS, .target = "*" },
    { GET_11("OPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_OPTIONS, .target = "/x" },
    { GET_11("GET /[slug].js?x=a|b[c]{d} HTTP/1.1\r\nHost: a\r\n\r\n"),
      .target = "/[slug].js?x=a|b[c]{d}" },
    { GET_11("GET /\"<>\\^` HTTP/1.1\r\nHost: a\r\n\r\n"), .target = "/\"<>\\^`" },
    { GET_11("GET /caf\xc3\xa9.txt?\xff HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
      .target = "/caf\xc3\xa9.txt?\xff", .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    { GET_11("GET http://b/\x80?\xa0 HTTP/1.1\r\nHost: a\r\n\r\n"), .target = "http://b/\x80?\xa0",
      .authority = "b" },
    { GET_11("GET /\xe9 HTTP/1.0\r\nHost: a\r\n\r\n"), .target = "/\xe9", .version_minor = 0,
      .keep_alive = false },
    /* versions */
    { GET_11("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), .version_minor = 0, .keep_alive = false },
    { GET_11("GET / HTTP/1.0\r\n\r\n"), .authority = "", .version_minor = 0, .keep_alive = false },
    { GET_11("GET / HTTP/1.2\r\nHost: a\r\n\r\n") },
    { GET_11("GET / HTTP/1.9\r\nHost: a\r\n\r\n") },
    { GET_11("POST / HTTP/1.5\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
      .method = HTTP_METHOD_KNOWN, .framing = HTTP_FRAMING_CHUNKED },
    /* absolute form */
    { GET_11("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n"), .target = "http://b", .authority = "b" },
    { GET_11("GET http://b/c HTTP/1.1\r\nHost: a:80\r\n\r\n"), .target = "http://b/c",
      .authority = "b" },
    { GET_11("GET HTTPS://B.c:8443/?d HTTP/1.1\r\nHost: a\r\n\r\n"),
      .target = "HTTPS://B.c:8443/?d", .authority = "B.c" },
    { GET_11("GET http://b?c/d HTTP/1.1\r\nHost: a.\r\n\r\n"), .target = "http://b?c/d",
      .authority = "b" },
    { GET_11("GET http://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n"), .target = "http://[::1]:80/",
      .authority = "[::1]" },
    { GET_11("GET http://b/ HTTP/1.0\r\n\r\n"), .target = "http://b/", .authority = "b",
      .version_minor = 0, .keep_alive = false },
    { GET_11("BREW http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN,
      .target = "http://b/", .authority = "b" },
    /* Host */
    { GET_11("GET / HTTP/1.1\r\nHost:a\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost:\ta\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nhOsT: a\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a:\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a:0\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: WWW.Example.org:80\r\n\r\n"),
      .authority = "WWW.Example.org" },
    { GET_11("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"), .authority = "127.0.0.1" },
    { GET_11("GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"), .authority = "[2001:db8::1]" },
    { GET_11("GET / HTTP/1.1\r\nHost: a.b.\r\n\r\n"), .authority = "a.b." },
    { GET_11("GET / HTTP/1.1\r\nX-Host: b\r\nHost: a\r\nHosts: c\r\nHose: d\r\n\r\n") },
    /* Connection */
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nCONNECTION: CLOSE\r\n\r\n"), .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: \tclose\t\r\n\r\n"), .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: x,close\r\n\r\n"), .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: close ,x\r\n\r\n"), .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"),
      .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, keep-alive\r\n\r\n"),
      .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nConnection: x\r\nHost: a\r\nConnection: close\r\n\r\n"),
      .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n"),
      .keep_alive = false },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection:\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,, ,\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, xclose, clos\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n") },
    { GET_11("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), .authority = "",
      .version_minor = 0 },
    { GET_11("GET / HTTP/1.0\r\nConnection: x\r\nX: y\r\nConnection: z, Keep-Alive\r\n\r\n"),
      .authority = "", .version_minor = 0 },
    { GET_11("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), .authority = "",
      .version_minor = 0, .keep_alive = false },
    /* Upgrade changes nothing */
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
             "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n") },
    { GET_11("POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
             "Content-Length: 5\r\n\r\n"),
      .method = HTTP_METHOD_KNOWN, .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    /* framing */
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
      .framing = HTTP_FRAMING_LENGTH },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"),
      .framing = HTTP_FRAMING_LENGTH, .content_length = 1000 },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n"),
      .framing = HTTP_FRAMING_LENGTH, .content_length = 999 },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:\t 5 \t\r\n\r\n"),
      .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\t\r\n\r\n"),
      .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    { GET_11("GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\n"), .authority = "", .version_minor = 0,
      .keep_alive = false, .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
      .framing = HTTP_FRAMING_CHUNKED },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\ntransfer-ENCODING:ChUnKeD\r\n\r\n"),
      .framing = HTTP_FRAMING_CHUNKED },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \tchunked \t\r\n\r\n"),
      .framing = HTTP_FRAMING_CHUNKED },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encodings: gzip\r\n"
             "Content-Lengths: x\r\nX-Content-Length: y\r\n\r\n") },
    /* Expect */
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n") },
    { GET_11("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"),
      .framing = HTTP_FRAMING_LENGTH },
    { GET_11("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"),
      .method = HTTP_METHOD_KNOWN, .expect_continue = true, .framing = HTTP_FRAMING_LENGTH,
      .content_length = 5 },
    { GET_11("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
             "EXPECT: 100-continue\r\nExpect: 100-continue\r\n\r\n"),
      .method = HTTP_METHOD_KNOWN, .expect_continue = true, .framing = HTTP_FRAMING_CHUNKED },
    { GET_11("PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
      .method = HTTP_METHOD_KNOWN, .version_minor = 0, .keep_alive = false,
      .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    { GET_11("PUT / HTTP/1.0\r\nHost: a\r\nExpect: x\r\n\r\n"), .method = HTTP_METHOD_KNOWN,
      .version_minor = 0, .keep_alive = false },
    /* methods that llhttp does not know, or knows for something else */
    { GET_11("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_CONNECT,
      .target = "b:443" },
    { GET_11("CONNECT b:443 HTTP/1.3\r\nHost: a\r\n\r\n"), .method = HTTP_CONNECT,
      .target = "b:443" },
    { GET_11("PRI * HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN, .target = "*" },
    { GET_11("SOURCE / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("PLAY / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN,
      .target = "*" },
    { GET_11("BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
      .method = HTTP_METHOD_UNKNOWN, .framing = HTTP_FRAMING_LENGTH, .content_length = 5 },
    { GET_11("! / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("get / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("Get / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("GETT / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("GE / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
    { GET_11("POSTT / HTTP/1.1\r\nHost: a\r\n\r\n"), .method = HTTP_METHOD_UNKNOWN },
};
#pragma GCC diagnostic pop

static void assert_span(struct span span, const char *expected, const char *data)
{
    if (!span_eq(span, span_str(expected)))
        fail_msg("'%.*s', expected '%s': %s", (int)span.len, span.ptr, expected, data);
}

static void test_passed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        const struct passed *p = &passed[i];
        size_t len = strlen(p->data);
        for (size_t split = 0; split <= len; split++) {
            struct http_request r;
            char *copy;
            int status = judge_split(p->data, len, split, &copy, &r);
            if (status != 0)
                fail_msg("status %d: %s", status, p->data);
            assert_span(http_request_slice(&r, r.target), p->target, p->data);
            assert_span(http_request_slice(&r, r.authority), p->authority, p->data);
            assert_ptr_equal(r.head, copy);
            if (r.method != p->method || r.version_minor != p->version_minor ||
                r.keep_alive != p->keep_alive || r.expect_continue != p->expect_continue ||
                r.framing != p->framing || r.content_length != p->content_length)
                fail_msg("method %d, minor %d, keep %d, expect %d, framing %d, length %ju: %s",
                         r.method, r.version_minor, r.keep_alive, r.expect_continue, r.framing,
                         (uintmax_t)r.content_length, p->data);
            free(copy);
        }
    }
}

/* The methods that IANA lists, all of them 405, in every version. */
static void test_known_methods(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known_methods); i++) {
        for (int minor = 0; minor <= 9; minor++) {
            char head[100];
            int len = snprintf(head, sizeof(head), "%s /x HTTP/1.%d\r\nHost: a\r\n\r\n",
                               known_methods[i], minor);
            struct http_request r;
            assert_int_equal(http_request_parse(head, (size_t)len, &limits, &r), 0);
            assert_int_equal(r.method, HTTP_METHOD_KNOWN);
            assert_int_equal(r.version_minor, minor > 0);
        }
    }
}

/* Every field that means something is found in any case, with its value trimmed; the first line is
 * kept, and the walk finds the others, empty ones too. */
static void test_fields(void **state)
{
    (void)state;
    for (int field = HTTP_FIELD_HOST + 1; field < HTTP_FIELD_COUNT; field++) {
        if (field == HTTP_FIELD_CONTENT_LENGTH || field == HTTP_FIELD_TRANSFER_ENCODING)
            continue;
        for (int upper = 0; upper < 3; upper++) {
            char name[32], head[400];
            struct http_request r;
            size_t name_len = field_names[field].len;
            memcpy(name, field_names[field].ptr, name_len + 1);
            for (size_t i = 0; i < name_len; i++)
                if (upper == 1 || (upper == 2 && i % 2 == 0))
                    name[i] = (char)(name[i] >= 'a' ? name[i] - 32 : name[i]);
            int len = snprintf(head, sizeof(head),
                               "GET / HTTP/1.0\r\nX-%s: 0\r\n%s: \t100-continue \r\n%sx: 2\r\n"
                               "%.*s: 3\r\n%s:\r\nY: %s: 4\r\n%s:100-Continue\t\r\n\r\n",
                               name, name, name, (int)name_len - 1, name, name, name, name);
            assert_int_equal(http_request_parse(head, (size_t)len, &limits, &r), 0);
            assert_int_equal(r.present, 1U << field);
            assert_int_equal(r.repeated, 1U << field);
            assert_span(http_request_field(&r, (enum http_field)field), "100-continue", head);

            static const char *const values[] = { "100-continue", "", "100-Continue" };
            uint32_t cursor = 0;
            struct span value;
            for (size_t i = 0; i < ARRAY_LEN(values); i++) {
                assert_true(http_request_field_next(&r, (enum http_field)field, &cursor, &value));
                assert_span(value, values[i], head);
            }
            assert_false(http_request_field_next(&r, (enum http_field)field, &cursor, &value));
            assert_false(http_request_field_next(&r, (enum http_field)field, &cursor, &value));
        }
    }
}

static void test_field_absent(void **state)
{
    (void)state;
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nReferer: b\r\nRange:\r\n\r\n";
    struct http_request r;
    struct span value;
    uint32_t cursor = 0;
    assert_int_equal(http_request_parse(head, sizeof(head) - 1, &limits, &r), 0);
    assert_false(http_request_has(&r, HTTP_FIELD_IF_MATCH));
    assert_span(http_request_field(&r, HTTP_FIELD_IF_MATCH), "", head);
    assert_false(http_request_field_next(&r, HTTP_FIELD_IF_MATCH, &cursor, &value));
    assert_int_equal(cursor, 0);

    assert_true(http_request_field_next(&r, HTTP_FIELD_REFERER, &cursor, &value));
    assert_span(value, "b", head);
    assert_false(http_request_field_next(&r, HTTP_FIELD_REFERER, &cursor, &value));

    assert_true(http_request_has(&r, HTTP_FIELD_RANGE));
    cursor = 0;
    assert_true(http_request_field_next(&r, HTTP_FIELD_RANGE, &cursor, &value));
    assert_span(value, "", head);
    assert_false(http_request_field_next(&r, HTTP_FIELD_RANGE, &cursor, &value));
}

/* Names that differ in one octet from those that mean something. */
static void test_field_names_near(void **state)
{
    (void)state;
    for (int field = 0; field < HTTP_FIELD_COUNT; field++) {
        struct span name = field_names[field];
        assert_int_equal(field_find(name), field);
        for (size_t i = 0; i < name.len; i++) {
            char near[32];
            memcpy(near, name.ptr, name.len);
            near[i] = near[i] == 'q' ? 'z' : 'q';
            assert_int_equal(field_find(span_make(near, name.len)), HTTP_FIELD_COUNT);
        }
        assert_int_equal(field_find(span_make(name.ptr, name.len - 1)), HTTP_FIELD_COUNT);
    }
}

/* llhttp calls back in as many pieces as it likes: both ways of handing a head over find the same,
 * and the plain one feeds it line by line. */
static void test_plain_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        const char *data = passed[i].data;
        while (data[0] == '\r')
            data += 2;
        struct http_request a = { .head = data, .head_len = (uint32_t)strlen(data) };
        struct http_request b = a;
        struct parse parse = { .request = &a };
        assert_int_equal(request_line_split(&a), 0);
        assert_int_equal(request_line_split(&b), 0);
        if (!parse_as_sent(&parse))
            continue;
        parse.request = &b;
        assert_true(parse_plain(&parse));
        assert_int_equal(a.present, b.present);
        assert_int_equal(a.repeated, b.repeated);
        for (int field = 0; field < HTTP_FIELD_COUNT; field++)
            assert_true(span_eq(span_trim(http_request_field(&a, (enum http_field)field)),
                                span_trim(http_request_field(&b, (enum http_field)field))));
    }
}

/* Every split of a head into three calls of llhttp: spans that come in pieces are put together. */
static void test_spans_in_pieces(void **state)
{
    (void)state;
    static const char head[] =
        "GET /target HTTP/1.1\r\nHost: a.b\r\nX: y\r\nReferer: r s\r\nAccept:\r\n"
        "If-Range: \"e\"\r\nRange:\r\nRange: c\r\n\r\n";
    const size_t len = sizeof(head) - 1;
    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            struct http_request r = { .head = head, .head_len = (uint32_t)len };
            struct parse parse = { .request = &r };
            llhttp_t parser;
            assert_int_equal(request_line_split(&r), 0);
            parse_begin(&parser, &parse);
            enum llhttp_errno result = llhttp_execute(&parser, head, first);
            if (result == HPE_OK)
                result = llhttp_execute(&parser, head + first, second - first);
            if (result == HPE_OK)
                result = llhttp_execute(&parser, head + second, len - second);
            assert_int_equal(result, HPE_PAUSED);
            assert_true(parse_agrees(&parser, &parse, head + len));
            assert_span(http_request_field(&r, HTTP_FIELD_HOST), "a.b", head);
            assert_span(http_request_field(&r, HTTP_FIELD_REFERER), "r s", head);
            assert_span(http_request_field(&r, HTTP_FIELD_IF_RANGE), "\"e\"", head);
            assert_span(http_request_field(&r, HTTP_FIELD_ACCEPT), "", head);
            assert_span(http_request_field(&r, HTTP_FIELD_RANGE), "", head);
            assert_int_equal(r.repeated, 1U << HTTP_FIELD_RANGE);
        }
    }
}

/* What the log needs is there after a refusal too, and offsets outlive a move of the head. */
static void test_slices(void **state)
{
    (void)state;
    static const char bad[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n";
    struct http_request r;
    assert_int_equal(http_request_parse(bad, sizeof(bad) - 1, &limits, &r), 400);
    assert_ptr_equal(r.head, bad);
    assert_int_equal(r.head_len, sizeof(bad) - 1);
    assert_span(http_request_slice(&r, r.request_line), "POST /x HTTP/1.1", bad);

    char moved[100] = "GET /x HTTP/1.1\r\nHost: a.b:80\r\nUser-Agent: c\r\n\r\n";
    char *first = strdup(moved);
    assert_int_equal(http_request_parse(first, strlen(first), &limits, &r), 0);
    free(first);
    r.head = moved;
    assert_span(http_request_slice(&r, r.request_line), "GET /x HTTP/1.1", moved);
    assert_span(http_request_slice(&r, r.authority), "a.b", moved);
    assert_span(http_request_field(&r, HTTP_FIELD_USER_AGENT), "c", moved);
}

static void test_version(void **state)
{
    (void)state;
    unsigned major, minor, patch;
    assert_int_equal(sscanf(http_parser_version(), "llhttp %u.%u.%u", &major, &minor, &patch), 3);
    assert_int_equal(major, LLHTTP_VERSION_MAJOR);
    assert_int_equal(minor, LLHTTP_VERSION_MINOR);
}

/* Any field, by its name as variables have it; the first line of a name counts. */
static void test_named(void **state)
{
    (void)state;
    static const char head[] = "GET /x_a: HTTP/1.1\r\nHost: h\r\nX-A: \t one \r\nx_a: two\r\n"
                               "X-Empty:\r\nX-A-Longer: three\r\n\r\n";
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "host", "h" }, { "x_a", "one" },      { "x_empty", "" },  { "x_a_longer", "three" },
        { "x", "" },     { "x_a_longer_", "" }, { "get /x_a", "" }, { "", "" },
    };
    struct http_request request = { .head = "" };

    assert_int_equal(http_request_named(&request, SPAN_LIT("host")).len, 0);
    assert_int_equal(http_request_parse(head, sizeof(head) - 1, &limits, &request), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span value = http_request_named(&request, span_str(rows[i].name));
        if (!span_eq(value, span_str(rows[i].value)))
            fail_msg("%s: %.*s", rows[i].name, (int)value.len, value.ptr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_passed),
        cmocka_unit_test(test_known_methods),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_field_absent),
        cmocka_unit_test(test_field_names_near),
        cmocka_unit_test(test_plain_is_the_same),
        cmocka_unit_test(test_spans_in_pieces),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

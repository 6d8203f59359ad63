/* test_target.c: request-targets in every form; what a path becomes, and what is refused. */
#include "http/target.c"

#include "core/uri_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static char decoded[HTTP_PATH_MAX];

/* Parses, with a decoded buffer that shows whether it was written. */
static int parse(struct span target, bool is_connect, struct http_target *ret_target)
{
    memset(decoded, 0x7f, sizeof(decoded));
    return http_target_parse(target, is_connect, decoded, ret_target);
}

static void assert_span(struct span have, const char *want, const char *target)
{
    if (!span_eq(have, span_str(want)))
        fail_msg("%s: \"%.*s\" instead of \"%s\"", target, (int)have.len, have.ptr, want);
}

/* Paths that stay as they are: no copy is made. */
static void test_path_in_place(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "/",          "/1k.html",       "/a/b/c",
        "/a/b/",      "/.well-known/x", "/.a",
        "/..a",       "/...",           "/.../",
        "/a.",        "/a..",           "/a../b",
        "/a./b",      "/a.b/c..d/",     "/-._~!$&'()*+,;=:@",
        "/a+b",       "/a%2Fb",         "/%2F",
        "/%2F/",      "/..%2Fb",        "/AZaz09",
        "/*",         "/[slug].js",     "/\\..\\",
        "/\"<>^`{|}", "/\xc3\xa4",      "/caf\xe9/\xff\x80",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_target target;

        assert_int_equal(parse(span_str(rows[i]), false, &target), 0);
        assert_int_equal(target.form, HTTP_TARGET_ORIGIN);
        assert_span(target.path, rows[i], rows[i]);
        assert_ptr_equal(target.path.ptr, rows[i]);
        assert_span(target.raw_path, rows[i], rows[i]);
        assert_int_equal(target.query.len, 0);
        assert_int_equal(target.authority.len, 0);
        assert_int_equal(target.trailing_slash, rows[i][strlen(rows[i]) - 1] == '/');
        assert_int_equal(decoded[0], 0x7f);
    }
}

static void test_path_changes(void **state)
{
    (void)state;
    static const struct {
        const char *target, *path;
    } rows[] = {
        /* escapes */
        { "/%41", "/A" },
        { "/a%20b", "/a b" },
        { "/%2b+", "/++" },
        { "/%23%3F%25%22%3C%3e%26", "/#?%\"<>&" },
        { "/%5C..%5c", "/\\..\\" },
        { "/%01%09%7F", "/\x01\t\x7f" },
        { "/a%0d%0aSet-Cookie:x", "/a\r\nSet-Cookie:x" },
        { "/[%5b]%5D", "/[[]]" },
        { "/%3Fq?r", "/?q" },
        { "/a/%68", "/a/h" },
        /* decoded once */
        { "/%2541", "/%41" },
        { "/%252e%252e/", "/%2e%2e/" },
        { "/%252F", "/%2F" },
        { "/%2500", "/%00" },
        /* an escaped slash is data */
        { "/a%2fb", "/a%2Fb" },
        { "/%2f", "/%2F" },
        { "/%2e%2e%2fa", "/..%2Fa" },
        { "/a/..%2f..%2fb", "/a/..%2F..%2Fb" },
        { "/%2f%2F/x//", "/%2F%2F/x/" },
        /* UTF-8 (RFC 3629): the first and the last of each length, and beside the surrogates */
        { "/%C2%80", "/\xc2\x80" },
        { "/%df%bf", "/\xdf\xbf" },
        { "/%E0%A0%80", "/\xe0\xa0\x80" },
        { "/%ED%9F%BF", "/\xed\x9f\xbf" },
        { "/%EE%80%80", "/\xee\x80\x80" },
        { "/%EF%BF%BF", "/\xef\xbf\xbf" },
        { "/%F0%90%80%80", "/\xf0\x90\x80\x80" },
        { "/%F4%8F%BF%BF", "/\xf4\x8f\xbf\xbf" },
        { "/%c3%a4/%E2%82%AC.html", "/\xc3\xa4/\xe2\x82\xac.html" },
        { "/\xc3%a4", "/\xc3\xa4" },
        /* what is not UTF-8: Latin-1, GBK, alone, cut, overlong, surrogates, never used */
        { "/caf%E9", "/caf\xe9" },
        { "/%D6%D0%CE%C4", "/\xd6\xd0\xce\xc4" },
        { "/%80%BF", "/\x80\xbf" },
        { "/%C3/%A4", "/\xc3/\xa4" },
        { "/%E2%82a", "/\xe2\x82"
                      "a" },
        { "/%FE%ff", "/\xfe\xff" },
        { "/%ED%A0%BD%ED%B8%80", "/\xed\xa0\xbd\xed\xb8\x80" },
        /* an overlong '.' or '/' is none: only the kernel's '/' and '.' make segments */
        { "/%c0%ae%c0%ae/%C0%AFa", "/\xc0\xae\xc0\xae/\xc0\xaf"
                                   "a" },
        /* repeated slashes */
        { "//", "/" },
        { "///", "/" },
        { "//a", "/a" },
        { "/a//b", "/a/b" },
        { "/a//", "/a/" },
        { "//evil.example/x", "/evil.example/x" },
        /* dot segments: examples of RFC 3986 section 5.2.4, and others */
        { "/a/b/c/./../../g", "/a/g" },
        { "/b/c/d/../g", "/b/c/g" },
        { "/b/c/./g", "/b/c/g" },
        { "/b/c/.", "/b/c/" },
        { "/b/c/./", "/b/c/" },
        { "/b/c/..", "/b/" },
        { "/b/c/../", "/b/" },
        { "/b/c/../..", "/" },
        { "/b/c/../../", "/" },
        { "/b/c/../../g", "/g" },
        { "/b/c/./g/.", "/b/c/g/" },
        { "/b/c/g/../h", "/b/c/h" },
        { "/.", "/" },
        { "/./", "/" },
        { "/././.", "/" },
        { "/a/..", "/" },
        { "/a/../", "/" },
        { "/a/./..//./b", "/b" },
        { "/a//../b", "/b" },
        { "/a/b/..?x/../..", "/a/" },
        /* removed after decoding */
        { "/a/%2e%2e/b", "/b" },
        { "/a/.%2e/b", "/b" },
        { "/a/%2E./b", "/b" },
        { "/%2e/b", "/b" },
        { "/a/%2e%2E", "/" },
        { "/%2e%2e%2e", "/..." },
        { "/%2ea", "/.a" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_target target;
        size_t raw_len = strcspn(rows[i].target, "?");

        if (parse(span_str(rows[i].target), false, &target) != 0)
            fail_msg("refused: %s", rows[i].target);
        assert_span(target.path, rows[i].path, rows[i].target);
        assert_ptr_equal(target.path.ptr, decoded);
        assert_int_equal(target.raw_path.len, raw_len);
        assert_ptr_equal(target.raw_path.ptr, rows[i].target);
        assert_span(target.query, rows[i].target + raw_len, rows[i].target);
        assert_int_equal(target.trailing_slash, rows[i].path[strlen(rows[i].path) - 1] == '/');
    }
}

static void test_query(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "?",
        "?a=b",
        "?a=b&c=d",
        "??",
        "?/",
        "?/../../..",
        "?//",
        "?%41",
        "?%2F%2e",
        "?a?b",
        "?%0d%0A",
        "?q=%E2%82%AC",
        "?-._~!$&'()*+,;=:@/?",
        "?a+b",
        "?x=a|b[c]{d}",
        "?\"<>\\^`",
        "?\xc3\xa4",
        "?%E4",
        "?%C0%80",
        "?\xff",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_target target;
        char text[64];

        snprintf(text, sizeof(text), "/x%s", rows[i]);
        assert_int_equal(parse(span_str(text), false, &target), 0);
        assert_span(target.path, "/x", text);
        assert_ptr_equal(target.path.ptr, text);
        assert_span(target.query, rows[i], text);
        assert_ptr_equal(target.query.ptr, text + 2);
        assert_false(target.trailing_slash);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "a",
        "a/b",
        "?",
        "?a",
        "**",
        "*/",
        "*a",
        ".",
        "..",
        "%2F",
        "\\",
        "/#",
        "/a#b",
        "#",
        "/ ",
        "/a b",
        "/\t",
        "/\r",
        "/\n",
        "/\x01",
        "/\x7f",
        /* escapes */
        "/%",
        "/%4",
        "/%4g",
        "/%g4",
        "/%%",
        "/%%41",
        "/%u0041",
        "/% 41",
        "/%-1",
        "/a%",
        "/a%2",
        "/%00",
        "/a%00b",
        "/?%",
        "/?%4",
        "/?%zz",
        "/?%00",
        "/%?41",
        "/%4?1",
        "/%C3%",
        "/%C3%4",
        /* queries */
        "/?#",
        "/?a#b",
        "/? ",
        "/?\x7f",
        /* leaving the root */
        "/..",
        "/../",
        "/../a",
        "/../..",
        "/a/../..",
        "/a/../../a",
        "/a/b/../../../c",
        "/./..",
        "/.//..",
        "//..",
        "//../a",
        "/%2e%2e",
        "/%2e%2e/a",
        "/.%2e/",
        "/%2E./a",
        "/a/%2e%2e/%2e%2e",
        "/..?a",
        "/a/../..?b",
        "/../a/../a",
        "/%2e/..",
        /* absolute forms */
        "http:",
        "http:/",
        "http://",
        "http:///",
        "http:///a",
        "http://?a",
        "http:/a",
        "http:a",
        "ftp://a/",
        "file:///etc/passwd",
        "httpx://a/",
        "ws://a/",
        "://a/",
        "//a b",
        "http//a/",
        "http://user@a/",
        "http://u:p@a/",
        "http://a:65536/",
        "http://a:x/",
        "http://:80/",
        "http://a#b",
        "http://a\\b/",
        "http://[::1/",
        "http://[::1%25lo]/",
        "http://a b/",
        "http://a/ ",
        "http://a/%00",
        "http://a/..",
        "http://a/../b",
        "http://a/#",
        "http://\xc3/",
        "http://%zz/",
        "http://./",
        "http://a..b/",
        "http://a?#",
        "a:80",
        "localhost",
        "localhost:80",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_target target = { .query = { NULL, 99 } };
        int status = parse(span_str(rows[i]), false, &target);

        if (status != 400)
            fail_msg("%s: %d", rows[i], status);
        assert_int_equal(target.query.len, 99); /* untouched */
    }
    struct http_target target;
    assert_int_equal(parse(span_make("/a\0b", 4), false, &target), 400);
    assert_int_equal(parse(span_make("/?\0", 3), false, &target), 400);
}

/* Each octet, raw and as an escape, in a path and in a query. */
static void test_every_octet(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        bool raw = octet > ' ' && octet != 0x7f && octet != '#' && octet != '%';
        char text[16] = "/a_b";
        struct http_target target;

        text[2] = (char)octet;
        assert_int_equal(parse(span_make(text, 4), false, &target), raw ? 0 : 400);
        memcpy(text, "/?_b", 4);
        text[2] = (char)octet;
        assert_int_equal(parse(span_make(text, 4), false, &target), raw ? 0 : 400);

        snprintf(text, sizeof(text), "/a%%%02xb", (unsigned)octet);
        assert_int_equal(parse(span_str(text), false, &target), octet > 0 ? 0 : 400);
        if (octet > 0 && octet != '/') {
            assert_int_equal(target.path.len, 4);
            assert_int_equal(target.path.ptr[2], (char)octet);
        }
        snprintf(text, sizeof(text), "/?%%%02Xb", (unsigned)octet);
        assert_int_equal(parse(span_str(text), false, &target), octet > 0 ? 0 : 400);
    }
}

static void test_absolute_form(void **state)
{
    (void)state;
    static const struct {
        const char *target, *authority, *raw_path, *path, *query;
    } rows[] = {
        { "http://www.example.org/pub/WWW/TheProject.html", "www.example.org",
          "/pub/WWW/TheProject.html", "/pub/WWW/TheProject.html", "" }, /* RFC 9112 section 3.2.2 */
        { "http://a", "a", "", "/", "" },
        { "http://a/", "a", "/", "/", "" },
        { "http://a?q", "a", "", "/", "?q" },
        { "http://a?/../b", "a", "", "/", "?/../b" },
        { "http://a?", "a", "", "/", "?" },
        { "HTTP://A/b", "A", "/b", "/b", "" },
        { "https://a:443/b?c", "a:443", "/b", "/b", "?c" },
        { "hTTpS://[::1]:8443/b/../c/", "[::1]:8443", "/b/../c/", "/c/", "" },
        { "http://a:/x", "a:", "/x", "/x", "" },
        { "http://a//b", "a", "//b", "/b", "" },
        { "http://a/http://b/", "a", "/http://b/", "/http:/b/", "" },
        { "http://a/%41", "a", "/%41", "/A", "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_target target;

        if (parse(span_str(rows[i].target), false, &target) != 0)
            fail_msg("refused: %s", rows[i].target);
        assert_int_equal(target.form, HTTP_TARGET_ABSOLUTE);
        assert_span(target.authority, rows[i].authority, rows[i].target);
        assert_span(target.raw_path, rows[i].raw_path, rows[i].target);
        assert_span(target.path, rows[i].path, rows[i].target);
        assert_span(target.query, rows[i].query, rows[i].target);
    }
}

static void test_other_forms(void **state)
{
    (void)state;
    static const char *const authorities[] = { "www.example.com:80", "[::1]:443", "a:0",
                                               "127.0.0.1:65535" };
    static const char *const refused[] = { "",      "a",      "a:",        ":80",     "/",
                                           "*",     "/a",     "a:80/",     "a:65536", "u@a:80",
                                           "[::1]", "[::1]:", "http://a/", "a:80?",   "a b:80" };
    struct http_target target;

    assert_int_equal(parse(SPAN_LIT("*"), false, &target), 0);
    assert_int_equal(target.form, HTTP_TARGET_ASTERISK);
    assert_int_equal(target.path.len + target.raw_path.len + target.query.len, 0);
    for (size_t i = 0; i < ARRAY_LEN(authorities); i++) {
        assert_int_equal(parse(span_str(authorities[i]), true, &target), 0);
        assert_int_equal(target.form, HTTP_TARGET_AUTHORITY);
        assert_int_equal(parse(span_str(authorities[i]), false, &target), 400);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (parse(span_str(refused[i]), true, &target) != 400)
            fail_msg("accepted: %s", refused[i]);
}

/* The longest path that passes, and one octet more, with and without decoding. */
static void test_path_length(void **state)
{
    (void)state;
    enum { MAX = HTTP_PATH_MAX - 1 };
    static char text[3 * HTTP_PATH_MAX];
    struct http_target target;

    memset(text, 'a', sizeof(text));
    text[0] = '/';
    assert_int_equal(parse(span_make(text, MAX), false, &target), 0);
    assert_int_equal(target.path.len, MAX);
    assert_int_equal(parse(span_make(text, MAX + 1), false, &target), 404);

    /* An escape at the end, then in front of a slash. */
    memcpy(text + MAX - 1, "%41", 3);
    assert_int_equal(parse(span_make(text, MAX + 2), false, &target), 0);
    assert_int_equal(target.path.len, MAX);
    assert_int_equal(target.path.ptr[MAX - 1], 'A');
    text[MAX + 2] = '/';
    assert_int_equal(parse(span_make(text, MAX + 3), false, &target), 404);
    text[MAX + 2] = 'a';
    assert_int_equal(parse(span_make(text, MAX + 3), false, &target), 404);
    memcpy(text + MAX - 1, "a%2f", 4);
    assert_int_equal(parse(span_make(text, MAX + 3), false, &target), 404);
    memcpy(text + MAX - 3, "%2f", 3);
    assert_int_equal(parse(span_make(text, MAX), false, &target), 0);
    assert_memory_equal(target.path.ptr + MAX - 3, "%2F", 3);
    memcpy(text + MAX - 3, "a%2f", 4);
    assert_int_equal(parse(span_make(text, MAX + 1), false, &target), 404);

    /* Raw octets may be more than the decoded ones; a fault anywhere is still a fault. */
    for (size_t i = 0; i < HTTP_PATH_MAX - 2; i++)
        memcpy(text + 1 + 3 * i, "%61", 3);
    assert_int_equal(parse(span_make(text, 1 + 3 * (MAX - 1)), false, &target), 0);
    assert_int_equal(target.path.len, MAX);
    memset(text + 1, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '#';
    assert_int_equal(parse(span_make(text, sizeof(text)), false, &target), 400);
    /* A query does not count. */
    text[2] = '?';
    assert_int_equal(parse(span_make(text, sizeof(text) - 1), false, &target), 0);
    assert_span(target.path, "/a", "long query");
}

/* `encode` writes that, and nothing behind it, with just enough room; and refuses less. */
static void expect_encoded(long (*encode)(struct span text, char *ret_text, size_t cap),
                           const char *plain, const char *encoded)
{
    char text[128];
    size_t want = strlen(encoded);

    memset(text, '!', sizeof(text));
    assert_int_equal(encode(span_str(plain), text, want), want);
    assert_memory_equal(text, encoded, want);
    assert_int_equal(text[want], '!');
    for (size_t cap = 0; cap < want; cap++) {
        assert_int_equal(encode(span_str(plain), text, cap), -ENOSPC);
        assert_int_equal(text[want], '!');
    }
}

static void test_encode(void **state)
{
    (void)state;
    static const struct {
        const char *path, *encoded;
    } rows[] = {
        { "", "" },
        { "/", "/" },
        { "/a/b.html", "/a/b.html" },
        { "/-._~!$()*+,=:@", "/-._~!$()*+,=:@" },
        { "/a b", "/a%20b" },
        { "/&';", "/%26%27%3B" },
        { "/\"<>#?%[]\\^`{|}", "/%22%3C%3E%23%3F%25%5B%5D%5C%5E%60%7B%7C%7D" },
        { "/\r\n\t\x01\x7f", "/%0D%0A%09%01%7F" },
        { "/\xc3\xa4\xff\x80", "/%C3%A4%FF%80" },
        { "/a%2Fb", "/a%252Fb" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_encoded(uri_path_encode, rows[i].path, rows[i].encoded);
}

/* Of a path that %2F has been left in, for a Location: it stays, and all else is encoded. */
static void test_encode_location(void **state)
{
    (void)state;
    static const struct {
        const char *path, *encoded;
    } rows[] = {
        { "", "" },
        { "/", "/" },
        { "/a b", "/a%20b" },
        { "/a%2Fb", "/a%2Fb" },
        { "/%2F%2F%", "/%2F%2F%25" },
        { "%2F", "%2F" },
        { "/%2f%2\n%", "/%252f%252%0A%25" },
        { "/\xff%2F\xff", "/%FF%2F%FF" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_encoded(uri_location_encode, rows[i].path, rows[i].encoded);
}

/* A query keeps its escapes; what was sent raw becomes one where RFC 3986 does not allow it. */
static void test_encode_query(void **state)
{
    (void)state;
    static const struct {
        const char *query, *encoded;
    } rows[] = {
        { "", "" },
        { "?", "?" },
        { "?a=b&c=%20%E4/?", "?a=b&c=%20%E4/?" },
        { "?-._~!$&'()*+,;=:@/?", "?-._~!$&'()*+,;=:@/?" },
        { "?x=a|b[c]{d}", "?x=a%7Cb%5Bc%5D%7Bd%7D" },
        { "?\"<>\\^`", "?%22%3C%3E%5C%5E%60" },
        { "?\xc3\xa4\xff", "?%C3%A4%FF" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_encoded(uri_query_encode, rows[i].query, rows[i].encoded);
}

/* What uri_path_encode() writes leads back to the same path; a request for it needs no copy when
 * nothing was escaped. */
static void test_encode_round_trip(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "/",          "/a b/",      "/%41",       "/%2F",
        "/a%2Fb/%2F", "/?#&';<>\"", "/\xc3\xa4/", "/\xf4\x8f\xbf\xbf",
        "/a\\..\\",   "/...",       "/.a",        "/\x01\t\x7f",
        "/\r\n",      "/caf\xe9",   "/\x80/\xff", "/[a]|^`{}",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];
        long len = uri_path_encode(span_str(rows[i]), text, sizeof(text));
        struct http_target target;

        assert_true(len > 0);
        assert_int_equal(parse(span_make(text, (size_t)len), false, &target), 0);
        assert_span(target.path, rows[i], rows[i]);
        assert_int_equal(target.query.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_in_place),   cmocka_unit_test(test_path_changes),
        cmocka_unit_test(test_query),           cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_octet),     cmocka_unit_test(test_absolute_form),
        cmocka_unit_test(test_other_forms),     cmocka_unit_test(test_path_length),
        cmocka_unit_test(test_encode),          cmocka_unit_test(test_encode_round_trip),
        cmocka_unit_test(test_encode_location), cmocka_unit_test(test_encode_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

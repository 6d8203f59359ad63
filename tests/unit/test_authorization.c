/* test_authorization.c: Authorization fields, signed links and Referer fields: what is written in
 * requests to say who may. */
#include "http/authorization.c"

#include "core/check.h"
#include "core/signed_link.h"
#include "http/referer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_credentials(void **state)
{
    (void)state;
    static const struct {
        const char *value, *name, *password; /* NULL: none */
    } rows[] = {
        { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" }, /* RFC 7617 section 2 */
        { "bASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" },
        { "Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3" }, /* section 2.1 */
        { "Basic YTo=", "a", "" },
        { "Basic Og==", "", "" },
        { "Basic YTpiOmM=", "a", "b:c" },
        { "Basic YQ==", NULL, NULL }, /* no colon */
        { "Basic YTpi", "a", "b" },
        { "Basic YTpi=", NULL, NULL },
        { "Basic YTo", NULL, NULL }, /* padding missing */
        { "Basic YTpi YTpi", NULL, NULL },
        { "Basic YTp-", NULL, NULL },     /* of the other alphabet */
        { "Basic YQA6YQ==", NULL, NULL }, /* NUL */
        { "Basic YQo6YQ==", NULL, NULL }, /* LF */
        { "Basic", NULL, NULL },
        { "Basic ", NULL, NULL },
        { "BasicYTpi", NULL, NULL },
        { "Bearer YTpi", NULL, NULL },
        { "", NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_credentials c;
        bool is = http_authorization_parse(span_str(rows[i].value), &c);

        if (is != (rows[i].name != NULL))
            fail_msg("\"%s\"", rows[i].value);
        if (!is)
            continue;
        assert_true(span_eq(c.name, span_str(rows[i].name)));
        assert_string_equal(c.password, rows[i].password);
        http_credentials_wipe(&c);
    }
}

static void test_longest(void **state)
{
    (void)state;
    struct http_credentials c;
    char value[2048] = "Basic ";

    memset(value + 6, 'Y', 1024); /* "aaa..." without a colon */
    assert_false(http_authorization_parse(span_make(value, 6 + 1024), &c));
    memset(value + 6, 'Y', 1600);
    assert_false(http_authorization_parse(span_make(value, 6 + 1600), &c));
}

#define KEY "0123456789abcdef0123456789abcdef"

static void test_signatures(void **state)
{
    (void)state;
    const struct span keys[] = { SPAN_LIT("another key, of today"), SPAN_LIT(KEY) };
    const struct span path = SPAN_LIT("/films/a.mp4");
    /* printf '2000 /films/a.mp4' | openssl dgst -sha256 -hmac KEY -binary | base64 */
    char good[SIGNED_TEXT_LEN + 1] = "";
    signed_link_sign(keys[1], SPAN_LIT("2000"), path, good);
    assert_string_equal(good, "2UwAwcoVd7Y4vrcfkeuJyZjhB5b17_mDnMiT-FtCFqs");
    static const struct {
        const char *format; /* of the query, with the signature */
        int64_t now_s;
        enum signed_verdict verdict;
    } rows[] = {
        { "?expires=2000&signature=%s", 1000, SIGNED_GOOD },
        { "?expires=2000&signature=%s", 2000, SIGNED_GOOD },
        { "?expires=2000&signature=%s", 2001, SIGNED_EXPIRED },
        { "?a=b&signature=%s&expires=2000&&c", 1000, SIGNED_GOOD },
        { "?expires=2001&signature=%s", 1000, SIGNED_BAD },
        { "?expires=02000&signature=%s", 1000, SIGNED_BAD },
        { "?expires=2000&signature=%sx", 1000, SIGNED_BAD },
        { "?expires=2000&signature=%s&signature=", 1000, SIGNED_BAD },
        { "?expires=2000&signature=%s&expires=9999", 1000, SIGNED_BAD },
        { "?expires=2000&xsignature=%s", 1000, SIGNED_BAD },
        { "?expires=2000", 1000, SIGNED_BAD },
        { "?", 1000, SIGNED_BAD },
        { "", 1000, SIGNED_BAD },
        { "?&&&", 1000, SIGNED_BAD },
        { "?expires=&signature=%s", 1000, SIGNED_BAD },
        { "?expires=-1&signature=%s", 1000, SIGNED_BAD },
        { "?expires=1234567890123&signature=%s", 1000, SIGNED_BAD },
        { "?expires=2000&signature=", 1000, SIGNED_BAD },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char query[256];

        snprintf(query, sizeof(query), rows[i].format, good);
        if (signed_link_judge(keys, 2, path, span_str(query), rows[i].now_s) != rows[i].verdict)
            fail_msg("%s at %d", rows[i].format, (int)rows[i].now_s);
    }
    char query[256];
    snprintf(query, sizeof(query), "?expires=2000&signature=%s", good);
    assert_int_equal(signed_link_judge(keys, 1, path, span_str(query), 1000), SIGNED_BAD);
    assert_int_equal(signed_link_judge(keys, 2, SPAN_LIT("/films/b.mp4"), span_str(query), 1000),
                     SIGNED_BAD);
}

static void test_referer_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
    } rows[] = {
        { "http://a.example/x", "a.example" },
        { "HTTPS://A.example:8080", "A.example" },
        { "https://a?b", "a" },
        { "https://a#b", "a" },
        { "http://[::1]:80/", "[::1]" },
        { "http://[::1]/", "[::1]" },
        { "http://good@evil/", "" },
        { "http://good\\@evil/", "" },
        { "http://", "" },
        { "http:///x", "" },
        { "ftp://a/", "" },
        { "about:blank", "" },
        { "a.example", "" },
        { "", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!span_eq(http_referer_host(span_str(rows[i].url)), span_str(rows[i].host)))
            fail_msg("%s", rows[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_referer_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

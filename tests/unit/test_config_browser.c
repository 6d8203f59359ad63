/* test_config_browser.c: what a location tells browsers: presets, hsts, cors. */
#include "config/config_browser.c"

#include "config/security_headers.h"
#include "config/config_text.h"
#include "config_fixture.h"

static const struct location *location_of(const struct config *config)
{
    return &config->servers[0].locations[0];
}

static const char *header_value(const struct location *location, const char *name)
{
    const struct header_rule *header = find_header(location, name);

    return header != NULL ? header->value : NULL;
}

static void test_presets(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config;
    const struct location *location;

    (void)state;
    config = fixture_config(&fixture, "server a { root = /srv/www security_headers = strict\n"
                                      "headers = {\"X-Frame-Options: SAMEORIGIN\", "
                                      "\"Permissions-Policy:\"} }");
    location = location_of(config);
    assert_string_equal(header_value(location, "X-Frame-Options"), "SAMEORIGIN");
    assert_string_equal(header_value(location, "Referrer-Policy"), "no-referrer");
    assert_null(header_value(location, "Permissions-Policy"));
    assert_true(location->policy_is_preset);
    assert_string_equal(location->hsts, "max-age=31536000");
    config_free(config);

    config = fixture_config(&fixture,
                            "server a { root = /srv/www security_headers = strict hsts = \"\"\n"
                            "headers = {\"Content-Security-Policy: default-src *\"} }");
    assert_false(location_of(config)->policy_is_preset);
    assert_string_equal(location_of(config)->hsts, "");
    config_free(config);

    /* Who says it in headers says it for every answer. */
    config = fixture_config(&fixture, "server a { root = /srv/www security_headers = strict\n"
                                      "headers = {\"Strict-Transport-Security: max-age=1\"} }");
    assert_string_equal(location_of(config)->hsts, "");
    config_free(config);
}

static void test_hsts_texts(void **state)
{
    static const struct {
        const char *text;
        bool passes;
    } rows[] = {
        { "max-age=0", true },
        { "max-age=31536000; includeSubDomains; preload", true },
        { "includesubdomains;max-age=5", true },
        { "", false },
        { "includeSubDomains", false },
        { "max-age=", false },
        { "max-age=1y", false },
        { "max-age=-1", false },
        { "max-age=1; max-age=2", false },
        { "max-age=1;", true },
        { "max-age=1; x", false },
        { "max-age=31536000; preload", false },
        { "max-age=300; includeSubDomains; preload", false },
        { "max-age=99999999999999999999999999", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((config_text_hsts(rows[i].text) == NULL) != rows[i].passes)
            fail_msg("%s", rows[i].text);
}

static void test_origins(void **state)
{
    static const struct {
        const char *text;
        bool passes;
    } rows[] = {
        { "*", true },
        { "https://a.example", true },
        { "http://localhost:3000", true },
        { "https://*.example.org:8443", true },
        { "http://[::1]:8080", true },
        { "http://[::1]", true },
        { "http://192.0.2.1", true },
        { "null", false },
        { "a.example", false },
        { "ftp://a.example", false },
        { "https://", false },
        { "https://a.example/", false },
        { "https://A.example", false },
        { "https://a.example:443", false },
        { "http://a.example:80", false },
        { "https://a.example:80", true },
        { "https://a.example:", false },
        { "https://a.example:0", false },
        { "https://a.example:65536", false },
        { "https://a.*.example", false },
        { "https://*", false },
        { "https://a b", false },
        { "https://user@a.example", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((config_text_origin(rows[i].text) == NULL) != rows[i].passes)
            fail_msg("%s: %s", rows[i].text,
                     rows[i].passes ? config_text_origin(rows[i].text) : "passes");
}

static void test_refusals(void **state)
{
    struct fixture fixture = { 0 };
    static const struct refusal rows[] = {
        { "server a { root = /srv/www cors = {\"*\"} cors_credentials = on }",
          "server.conf:1: cors: with cors_credentials \"*\" would let every site read what is a "
          "user's own; name the origins" },
        { "server a { root = /srv/www cors = {\"*\", \"https://a.example\"} }",
          "server.conf:1: cors: \"*\" stands for all origins, and there are others beside it; take "
          "the others away" },
        { "server a { root = /srv/www cors = {\"https://a.example\"} cors_credentials = on\n"
          "cors_headers = {\"*\"} }",
          "server.conf:1: cors_headers: with cors_credentials a \"*\" is no word for all of them; "
          "name the fields" },
        { "server a { root = /srv/www cors = {\"https://a.example\"}\n"
          "headers = {\"Access-Control-Allow-Origin: *\"} }",
          "server.conf:1: cors: Access-Control-Allow-Origin stands in headers as well; take one of "
          "the two away" },
        { "server a { root = /srv/www hsts = \"max-age=1\"\n"
          "headers = {\"Strict-Transport-Security: max-age=2\"} }",
          "server.conf:1: hsts: Strict-Transport-Security stands in headers as well; take one of "
          "the two away" },
    };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_hsts_texts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

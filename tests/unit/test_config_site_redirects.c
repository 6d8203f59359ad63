/* test_config_site_redirects.c: the rules that a site brings along: which are taken, and what is
 * said of those that are not. */
#include "config/config_site_redirects.c"

#include "config_fixture.h"

static struct fixture fixture = {
    .files = { { "", "" },
               { "/srv/www/_redirects", "/a /b\n"
                                        "/de /x 302 Country=de\n"
                                        "# nothing\n"
                                        "/p/:q /q/:q 302!\n"
                                        "/bad /a\"b\n"
                                        "/s/* /s.html 200\n" },
               { "/site/table", "/x /y\n" } },
    .files_count = 3,
};

static size_t count_of(const struct config *config)
{
    return redirect_rules_count(config->servers[0].site_redirects->rules);
}

static void test_rules(void **state)
{
    struct config *config =
        fixture_config(&fixture, "server a { root = /srv/www redirects_file = on }");
    const struct site_redirects *site = config->servers[0].site_redirects;
    const struct config_warning *warning = config->warnings;

    (void)state;
    assert_int_equal(count_of(config), 3);
    assert_string_equal(site->written, "on");
    assert_true(site->any_force && config->servers[0].locations[0].redirects_file);
    assert_true(template_is_constant(site->targets[0]));
    assert_true(template_uses(site->targets[1], TEMPLATE_CAPTURE));
    assert_string_equal(warning->text,
                        "/srv/www/_redirects:2: the rule is for visitors of some countries or "
                        "languages, which nobody here knows; it is left out");
    warning = warning->next;
    assert_string_equal(warning->text,
                        "/srv/www/_redirects:5: the rule holds a character that a URL must have "
                        "percent-encoded; it is left out");
    assert_null(warning->next);
    config_free(config);
    config = fixture_config(&fixture, "server a { redirects_file = table }");
    assert_int_equal(count_of(config), 1);
    assert_string_equal(config->servers[0].site_redirects->written, "/site/table");
    assert_null(config->warnings);
    config_free(config);
    config = fixture_config(&fixture, "server a { root = /srv/other redirects_file = on }");
    assert_int_equal(count_of(config), 0); /* there is no such file */
    assert_null(config->warnings);
    config_free(config);
    config = fixture_config(&fixture, "server a { root = /srv/www redirects_file = off }");
    assert_null(config->servers[0].site_redirects);
    config_free(config);
}

static void test_bounds(void **state)
{
    struct config *config =
        fixture_config(&fixture, "redirects_rules_max = 1\n"
                                 "server a { root = /srv/www redirects_file = on }");

    (void)state;
    assert_int_equal(count_of(config), 1);
    assert_non_null(strstr(config->warnings->next->text, "redirects_rules_max = 1 rules"));
    assert_non_null(strstr(config->warnings->next->text, "/srv/www/_redirects:4:"));
    config_free(config);
    config = fixture_config(&fixture, "redirects_file_max = 8\n"
                                      "server a { root = /srv/www redirects_file = on }");
    assert_int_equal(count_of(config), 0);
    assert_non_null(strstr(config->warnings->text, "redirects_file_max = 8 bytes"));
    config_free(config);
}

static void test_refusals(void **state)
{
    static const struct refusal rows[] = {
        { "server a { redirects_file = none root = /srv/www }",
          "server.conf:1: redirects_file: /site/none cannot be read: No such file or "
          "directory" },
        { "server _ { redirects_file = on }",
          "server.conf:1: redirects_file: the server has no root that a _redirects could lie "
          "in; add root to the server, or name the file" },
    };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

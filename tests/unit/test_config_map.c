/* test_config_map.c: maps of a configuration: what their variables stand for, and each refusal. */
#include "config/config_map.c"

#include "config_fixture.h"

static struct fixture fixture = {
    .files = { { "", "" },
               { "/site/moved.map", "# moved\n/a /b;\n\"/c d\" '/e'\n~^/n/(.*)$ /m/$1;\n" },
               { "/site/twice.map", "/z /1;\n\n/A /2;\n" },
               { "/site/bad.map", "/z /1;\n/y;\n" },
               { "/site/control.map", "/y \"a\\nb\";\n" } },
    .files_count = 5,
};

static void test_values(void **state)
{
    struct config *config = NULL;

    (void)state;
    assert_int_not_equal(
        fixture_load_text(&fixture,
                          "map $uri $new { file = moved.map \"/a\" = \"/x\" ~* '^/Q' = '$arg_q' }\n"
                          "map \"$new$host\" $next { default = \"<$new>\" }\n"
                          "server a { root = /srv/www headers = \"X: $next\" }",
                          &config),
        0); /* "/a" stands twice */
    assert_non_null(strstr(fixture.why, "/site/moved.map:2"));
    assert_non_null(strstr(fixture.why, "\"/a\" stands twice, first at"));
    config = fixture_config(
        &fixture, "map $uri $new { file = moved.map \"/A1\" = \"/x\" ~* '^/Q' = '$arg_q' }\n"
                  "map \"$new$host\" $next { default = \"<$new>\" ignore_case = off }\n"
                  "server a { root = /srv/www headers = \"X: $next\" }");
    assert_non_null(config);
    assert_int_equal(config->maps_count, 2);
    const struct config_map *map = &config->maps[0];
    assert_string_equal(map->name, "new");
    assert_true(map->ignore_case && !config->maps[1].ignore_case);
    assert_int_equal(map->depth, 1);
    assert_int_equal(config->maps[1].depth, 2);
    assert_int_equal(map->count, 5);
    assert_true(config->has_regex);
    assert_true(
        span_eq(map->values[map_find(map->map, NULL, SPAN_LIT("/a1"), NULL)].text, SPAN_LIT("/x")));
    assert_true(span_eq(map->values[map_find(map->map, NULL, SPAN_LIT("/C D"), NULL)].text,
                        SPAN_LIT("/e")));
    assert_non_null(map->values[1].template);
    config_free(config);
}

static void test_refusals(void **state)
{
    static const char *const rows[][2] = {
        { "map $uri { }", "the variable that it defines is missing before \"{\"" },
        { "map $uri new { }", "\"new\" is no variable that it could define" },
        { "map $uri $9 { }", "\"$9\" is no variable that it could define" },
        { "map $uri $host { }", "$host is a variable already" },
        { "map $uri $arg_x { }", "$arg_x is a variable already" },
        { "map $uri $tls_protocol { }", "$tls_protocol is a variable already" },
        { "map $uri $status { }", "$status is a variable already" },
        { "map $uri $sent_http_x { }", "$sent_http_x is a variable already" },
        { "map $uri $env_X { }", "$env_X is a variable already" },
        { "map $uri $a { } map $uri $a { }", "$a is defined by a map before it" },
        { "map /x $a { }", "\"/x\" holds no variable" },
        { "map $uri $a { default = \"$a\" }", "holds $a, which is not known" },
        { "map $uri $a { \"/x\" = \"$1\" }", "holds $1, but" },
        { "map $uri $a { ~ \"(.\" = x }", "is no regular expression" },
        { "map $uri $a { ~ \"(.)\" = \"$2\" }", "holds $2, but the expression has 1 group" },
        { "map $uri $a { ~ \"^/(.*)\" = \"https://$1\" }", "leads to a host that the client" },
        { "map $uri $a { default = x default = y }", "\"default\" stands twice" },
        { "map $uri $a { \"x\" }", "= is missing before" },
        { "map $uri $a { \"x\" = }", "a value is missing behind \"x\" =" },
        { "map $uri $a { ~ x = y }", "stands where an expression in quotes is expected" },
        { "map $uri $a { x = y }", "\"x\" is no key" },
        { "map $uri $a { \"volatile\" = y }", "leave it out" },
        { "map $uri $a { file = none.map }", "/site/none.map cannot be read" },
        { "map $uri $a { file = twice.map \"/a\" = 1 }", "/site/twice.map:3" },
        { "map $uri $a { file = bad.map }", "/site/bad.map:2: map: the line has no value" },
        { "map $uri $a { file = control.map }", "holds a control character" },
        { "map_entries_max = 2 map $uri $a { file = moved.map }", "raise map_entries_max" },
        { "map $uri $a { } map $a $b { } map $b $c { } map $c $d { } map $d $e { }",
          "more than 4 deep" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512];

        snprintf(text, sizeof(text), "%s\nserver a { root = /srv/www }", rows[i][0]);
        struct config *config = NULL;
        if (fixture_load_text(&fixture, text, &config) == 0 ||
            strstr(fixture.why, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], fixture.why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_config_pattern.c: titles that are patterns: which kind each is, and which might be meant
 * otherwise. */
#include "config/config_pattern.c"

#include "config/config_print.h"
#include "config_fixture.h"

#define SERVER(text) "server a { root = /srv/www\n" text " }"

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        enum pattern_kind kind;
        const char *prefix;
    } rows[] = {
        { "\"/\"", PATTERN_PREFIX, "/" },
        { "\"/x/\"", PATTERN_PREFIX, "/x/" },
        { "/x/", PATTERN_PREFIX, "/x/" },
        { "^~ \"/x/\"", PATTERN_PREFIX_FIRM, "/x/" },
        { "= \"/x\"", PATTERN_EXACT, "/x" },
        { "=\"/x\"", PATTERN_EXACT, "/x" },
        { "= \"/x/*\"", PATTERN_EXACT, "/x/*" },
        { "\"*.{js,css}\"", PATTERN_GLOB, "/" },
        { "\"/x/**\"", PATTERN_GLOB, "/" },
        { "\"/x[/]\"", PATTERN_GLOB, NULL },
        { "~ '^/(a|b)\\.c$'", PATTERN_REGEX, "/" },
        { "~* \"^/a\"", PATTERN_REGEX_CASELESS, "/" },
        { "~*\"^/a\"", PATTERN_REGEX_CASELESS, "/" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config *config = NULL;
        char text[200];

        snprintf(text, sizeof(text), SERVER("location %s { }"), rows[i].text);
        if (rows[i].prefix == NULL) {
            assert_int_equal(fixture_load_text(&fixture, text, &config), -EINVAL);
            continue;
        }
        config = fixture_config(&fixture, text);
        const struct location *location = &config->servers[0].locations[0];
        assert_int_equal(location->pattern.kind, rows[i].kind);
        assert_true(span_eq(location->prefix, span_str(rows[i].prefix)));
        assert_int_equal(config->has_regex, rows[i].kind >= PATTERN_REGEX);
        config_free(config);
    }
}

/* Prefixes come last, the longest first; the others keep their order. */
static void test_order(void **state)
{
    static const char *const order[] = { "^/b", "/z", "*.b", "*.a", "/a/b/", "/a/", "/" };
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, SERVER("location \"/a/\" { } location ~ \"^/b\" { } location = \"/z\" { }\n"
                         "location \"*.b\" { } location ^~ \"/a/b/\" { } location \"*.a\" { }"));
    const struct server *server = &config->servers[0];

    (void)state;
    assert_int_equal(server->locations_count, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_string_equal(server->locations[i].pattern.text.ptr, order[i]);
        assert_int_equal(server->locations[i].id, i);
    }
    assert_non_null(server->locations_set);
    config_free(config);
    config = fixture_config(&fixture, SERVER("location \"/a/\" { }"));
    assert_null(config->servers[0].locations_set); /* few prefixes need none */
    config_free(config);
}

static void test_alias(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, SERVER("location = \"/robots.txt\" { alias = /srv/www/r.txt }"));
    const struct location *location = &config->servers[0].locations[0];

    (void)state;
    assert_string_equal(location->root->path, "/srv/www");
    assert_true(span_eq(location->file, SPAN_LIT("r.txt")));
    config_free(config);
}

/* What -T prints loads again, and prints the same. */
static void test_print(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, SERVER("location = '/r\"' { alias = /srv/www/r.txt } location ~* '\\.a\"$' { }\n"
                         "location \"/\\\\*[a]\" { } location ^~ \"/f/\" { alias = /srv/other }"));
    char *first = NULL, *second = NULL;
    size_t size;
    FILE *out = open_memstream(&first, &size);

    (void)state;
    assert_int_equal(config_print(config, out), 0);
    fclose(out);
    config_free(config);
    config = fixture_config(&fixture, first);
    assert_int_equal(config->servers[0].locations_count, 5);
    assert_true(span_eq(config->servers[0].locations[0].file, SPAN_LIT("r.txt")));
    out = open_memstream(&second, &size);
    assert_int_equal(config_print(config, out), 0);
    fclose(out);
    assert_string_equal(first, second);
    free(first);
    free(second);
    config_free(config);
}

static void test_refused(void **state)
{
    static const struct refusal rows[] = {
        { SERVER("location \"/x\" { }"),
          "server.conf:2: location: \"/x\" does not end with '/'; write = before it for that path "
          "alone, or a '/' behind it for what lies below" },
        { SERVER("location x { }"),
          "server.conf:2: location: \"x\" does not begin with '/'; for files of that name in all "
          "folders write \"/**/\" before it" },
        { SERVER("location \"x/\" { }"),
          "server.conf:2: location: \"x/\" does not begin with '/'" },
        { SERVER("location \"\" { }"), "server.conf:2: location: its title is empty; allowed: a "
                                       "pattern of paths, such as \"/docs/\"" },
        { SERVER("location \"/x//\" { }"),
          "server.conf:2: location: \"/x//\" holds a segment that is empty, \".\" or \"..\"; "
          "allowed: a path that begins with '/'" },
        { SERVER("location = \"/x/../y\" { }"),
          "server.conf:2: location: \"/x/../y\" holds a segment that is empty, \".\" or \"..\"; "
          "allowed: a path that begins with '/'" },
        { SERVER("location = \"x\" { }"),
          "server.conf:2: location: \"x\" does not begin with '/'" },
        { SERVER("location ^~ \"/x\" { }"),
          "server.conf:2: location: \"/x\" does not end with '/'" },
        { SERVER("location \"/users/*/\" { }"),
          "server.conf:2: location: \"/users/*/\" ends with '/', but as a glob it is for whole "
          "paths; write ** behind it for what lies below, or ?* for the files there" },
        { SERVER("location \"/q?page=1\" { }"),
          "server.conf:2: location: \"/q?page=1\" looks like a path with a query, which no pattern "
          "sees; take the query away; \"[?]\" is that character in a path" },
        { SERVER("location \"/{a\" { }"),
          "server.conf:2: location: \"/{a\" has a { without its }" },
        { SERVER("location ~ \"/(a\" { }"),
          "server.conf:2: location: \"/(a\" is no regular expression: missing closing parenthesis, "
          "at octet 4" },
        { SERVER("location ~ { }"), "server.conf:2: location: its title is missing before \"{\"; "
                                    "write location \"/downloads/\" { ... }" },
        { SERVER("redirect ~ \"^/a\" { to = /b }"),
          "server.conf:2: redirect: \"~\" stands before its title, which is no pattern here" },
        { SERVER("location = \"/x\" { alias = /srv/other }"),
          "server.conf:2: alias: \"/srv/other\" is a directory; name the file that the path stands "
          "for, or end the location's title with '/' and take = away" },
        { SERVER("location \"*.a\" { alias = /srv/other }"),
          "server.conf:2: alias: its location is for a glob, so there is no prefix to take off the "
          "path; take root, below which the whole path is looked up" },
        { SERVER("location ~ a { alias = /srv/other }"),
          "server.conf:2: alias: its location is for a regular expression, so there is no prefix "
          "to "
          "take off the path; take root, below which the whole path is looked up" },
        { SERVER("location \"/a/\" { }\nlocation ^~ \"/a/\" { }"),
          "server.conf:3: location: \"/a/\" stands twice, first at server.conf:2; take one of them "
          "away" },
        { SERVER("location ~ \"a\" { }\nlocation ~ \"a\" { }"),
          "server.conf:3: location: \"a\" stands twice, first at server.conf:2; take one of them "
          "away" },
        { "server a { location = \"/x\" { } }",
          "server.conf:1: location: \"/x\" has no directory to serve; add root or alias to it, or "
          "root to its server" },
        { "server a {\nroot = ~*x }",
          "server.conf:2: root: a value is missing behind =, on the same "
          "line; allowed: the path of a directory" },
    };
    struct fixture fixture = { 0 };
    struct config *config;

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
    /* The same text in several kinds is no duplicate. */
    config = fixture_config(&fixture, SERVER("location = \"/a/\" { } location \"/a/\" { }\n"
                                             "location ~ \"/a/\" { } location ~* \"/a/\" { }"));
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds), cmocka_unit_test(test_order),   cmocka_unit_test(test_alias),
        cmocka_unit_test(test_print), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

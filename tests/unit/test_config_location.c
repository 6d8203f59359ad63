/* test_config_location.c: what a location inherits, what it replaces, and what adds up. */
#include "config/config_location.c"

#include "config_fixture.h"

/* The location of that prefix. */
static const struct location *at(const struct server *server, const char *prefix)
{
    for (size_t i = 0; i < server->locations_count; i++) {
        if (span_eq(server->locations[i].prefix, span_str(prefix)))
            return &server->locations[i];
    }
    fail_msg("no location %s", prefix);
    return NULL;
}

/* "Name=value " of each. */
static const char *headers_of(const struct location *location)
{
    static char text[1024];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < location->headers_count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s=%s ", location->headers[i].name,
                                location->headers[i].value);
    return text;
}

static void test_order(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www location \"/a/\" { } location \"/a/b/c/\" { } "
                  "location \"/b/c/\" { } location \"/a/b/\" { } }\n"
                  "server b { root = /srv/www location \"/\" { autoindex = on } }\n");
    static const char *const order[] = { "/a/b/c/", "/a/b/", "/b/c/", "/a/", "/" };

    (void)state;
    assert_int_equal(config->servers[0].locations_count, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_true(span_eq(config->servers[0].locations[i].prefix, span_str(order[i])));
        assert_int_equal(config->servers[0].locations[i].id, i);
    }
    assert_int_equal(config->servers[1].locations_count, 1);
    assert_true(config->servers[1].locations[0].autoindex);
    assert_int_equal(config->servers[1].locations[0].id, 5);
    assert_int_equal(config->locations_count, 6);
    config_free(config);
}

static void test_simple_keys(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "server a { root = www index = {\"a\", \"b\"} autoindex = on\n"
                  "symlinks = deny charset = latin1 precompressed = {br, zstd}\n"
                  "compress = {zstd, gzip} compress_types = \"text/*\"\n"
                  "try = {\"$uri\", \"$uri.html\"}\n"
                  "types = {\"A=t/server\", \"b=t/server\"} default_type = t/server\n"
                  "location \"/same/\" { }\n"
                  "location \"/other/\" { root = /srv/other index = {} autoindex = "
                  "off symlinks = inside charset = \"\" precompressed = gzip compress = {} "
                  "compress_types = {} dotfiles "
                  "= on try = {} types = {\"b=t/own\", \"*=t/all\"} default_type = \"\" }\n"
                  "location \"/alias/\" { alias = /srv/other } }");
    const struct server *server = &config->servers[0];
    const struct location *same = at(server, "/same/"), *other = at(server, "/other/");
    const struct location *alias = at(server, "/alias/");

    (void)state;
    assert_string_equal(same->root->path, "/site/www");
    assert_false(same->strip_prefix);
    assert_int_equal(same->index_count, 2);
    assert_string_equal(same->index[1], "b");
    assert_true(same->autoindex);
    assert_int_equal(same->symlinks, FILE_SYMLINKS_DENY);
    assert_string_equal(same->charset, "latin1");
    assert_int_equal(same->precompressed, 1u << CODING_BR | 1u << CODING_ZSTD);
    assert_int_equal(same->compress, 1u << CODING_GZIP | 1u << CODING_ZSTD);
    assert_int_equal(same->compress_types_count, 1);
    assert_string_equal(same->compress_types[0], "text/*");
    assert_int_equal(same->try_count, 2);
    assert_int_equal(same->types_count, 2);
    assert_string_equal(same->types[0].name, "a");
    assert_string_equal(same->default_type, "t/server");

    assert_string_equal(other->root->path, "/srv/other");
    assert_int_equal(other->index_count, 0);
    assert_false(other->autoindex);
    assert_true(other->dotfiles);
    assert_int_equal(other->symlinks, FILE_SYMLINKS_INSIDE);
    assert_string_equal(other->charset, "");
    assert_int_equal(other->precompressed, 1u << CODING_GZIP);
    assert_int_equal(other->compress, 0);
    assert_int_equal(other->compress_types_count, 0);
    assert_int_equal(other->try_count, 0);
    assert_int_equal(other->types_count, 3);
    assert_string_equal(other->types[0].value, "t/own");
    assert_string_equal(other->types[1].name, "*");
    assert_string_equal(other->types[2].name, "a");
    assert_string_equal(other->default_type, "");

    assert_true(alias->strip_prefix);
    assert_ptr_equal(alias->root, other->root); /* a path is opened once */
    assert_ptr_equal(same->root, at(server, "/")->root);
    assert_int_equal(config->roots_count, 2);
    config_free(config);
}

static void test_headers(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "engine = reactor\n"
                  "server a { root = /srv/www headers = {\"A: 1\", \"B:2 \", \"E: "
                  "<$engine>$engine$engin\"}\n"
                  "location \"/add/\" { headers = {\"C: \\\"x\\\\y\\\"\"} }\n"
                  "location \"/replace/\" { headers = {\"b: 3\", \"x-content-type-options: x\"} }\n"
                  "location \"/remove/\" { headers = {\"a:\", \"E: \", \"None:\", "
                  "\"X-Content-Type-Options:\"} }\n"
                  "location \"/same/\" { headers = {} } }");
    const struct server *server = &config->servers[0];

    (void)state;
    assert_string_equal(headers_of(at(server, "/")),
                        "X-Content-Type-Options=nosniff A=1 B=2 E=<reactor>reactor$engin ");
    assert_string_equal(headers_of(at(server, "/same/")),
                        "X-Content-Type-Options=nosniff A=1 B=2 E=<reactor>reactor$engin ");
    assert_string_equal(headers_of(at(server, "/add/")),
                        "X-Content-Type-Options=nosniff A=1 B=2 E=<reactor>reactor$engin "
                        "C=\"x\\y\" ");
    assert_string_equal(headers_of(at(server, "/replace/")),
                        "x-content-type-options=x A=1 b=3 E=<reactor>reactor$engin ");
    assert_string_equal(headers_of(at(server, "/remove/")), "B=2 ");
    config_free(config);
}

static void test_error_pages(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "server a { root = /srv/www error_pages = {\"404=/a\", "
                                 "\"500=/b\"} location \"/x/\" { error_pages = {\"403=/c\", "
                                 "\"404=/d\"} } }");
    const struct location *x = at(&config->servers[0], "/x/");

    (void)state;
    assert_int_equal(x->error_pages_count, 3);
    assert_int_equal(x->error_pages[0].status, 404);
    assert_string_equal(x->error_pages[0].uri, "/d");
    assert_int_equal(x->error_pages[1].status, 500);
    assert_string_equal(x->error_pages[1].uri, "/b");
    assert_int_equal(x->error_pages[2].status, 403);
    assert_int_equal(at(&config->servers[0], "/")->error_pages_count, 2);
    config_free(config);
}

static void test_cache_rules(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture,
        "server a { root = /srv/www cache \"*.css\" { control = \"public\" expires = 1y }\n"
        "cache \"*\" { expires = 0 }\n"
        "location \"/x/\" { cache \"*\" { control = no-store } cache \"y\" { expires = 1m } "
        "} }");
    const struct server *server = &config->servers[0];
    const struct location *x = at(server, "/x/");

    (void)state;
    assert_int_equal(x->cache_own->count, 2);
    assert_string_equal(x->cache_own->rules[0].pattern.text.ptr, "*");
    assert_string_equal(x->cache_own->rules[0].control, "no-store");
    assert_int_equal(x->cache_own->rules[0].expires_s, -1);
    assert_string_equal(x->cache_own->rules[1].pattern.text.ptr, "y");
    assert_null(x->cache_own->rules[1].control);
    assert_int_equal(x->cache_own->rules[1].expires_s, 60);
    assert_int_equal(pattern_set_find(x->cache_own->set, NULL, SPAN_LIT("/x/y"), NULL), 1);
    assert_ptr_equal(x->cache_outer, server->cache);
    assert_int_equal(server->cache->rules[0].expires_s, 31536000);
    assert_int_equal(server->cache->rules[1].expires_s, 0);
    assert_null(at(server, "/")->cache_own);
    assert_ptr_equal(at(server, "/")->cache_outer, server->cache);
    config_free(config);
}

/* Titles as of locations; what they could hardly mean is refused. */
static void test_cache_patterns(void **state)
{
    static const struct refusal rows[] = {
        { "server a { root = /srv/www\ncache \"/posts/*\" { expires = 1s } }",
          "server.conf:2: cache: \"/posts/*\" is for what lies in that folder, and not for what "
          "lies "
          "in folders in it; write \"/posts/\" for all that lies below, or \"/posts/?*\" for that "
          "folder alone" },
        { "server a { root = /srv/www\ncache \"posts/*\" { expires = 1s } }",
          "server.conf:2: cache: \"posts/*\" is for what lies in that folder, and not for what "
          "lies "
          "in folders in it; write \"/posts/\" for all that lies below, or \"posts/?*\" for that "
          "folder alone" },
        { "server a { root = /srv/www\ncache \"/*/*\" { expires = 1s } }",
          "server.conf:2: cache: \"/*/*\" is for what lies in that folder, and not for what lies "
          "in "
          "folders in it; write ** in the place of the last * for all that lies below, or ?* for "
          "that folder alone" },
        { "server a { root = /srv/www\ncache \"/posts\" { expires = 1s } }",
          "server.conf:2: cache: \"/posts\" does not end with '/'; write = before it for that path "
          "alone, or a '/' behind it for what lies below" },
        { "server a { root = /srv/www\ncache = \"/\" { expires = 1s } }",
          "server.conf:2: cache: \"/\" ends with '/', as no file does; name the file that is sent, "
          "such as \"index.html\" behind it" },
        { "server a { root = /srv/www\ndownload = {\"~ (\"} }",
          "server.conf:2: download: \"(\" is no regular expression: missing closing parenthesis, "
          "at octet 2" },
        { "server a { root = /srv/www\ndownload = {\"= \"} }",
          "server.conf:2: download: \"= \" is empty; allowed: a pattern of paths, such as "
          "\"/docs/\"" },
    };
    static const char *const good[] = {
        "cache \"*.{css,js}\" { expires = 1s }", "cache = \"/a\" { expires = 1s }",
        "cache ^~ \"/a/\" { expires = 1s }",     "cache ~* \"[.]PNG$\" { expires = 1s }",
        "cache \"sw.js\" { expires = 1s }",      "download = {\"= /a\", \"~* [.]PDF$\", \"a/*.b\"}",
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char text[200];

        snprintf(text, sizeof(text), "server a { root = /srv/www %s }", good[i]);
        config_free(fixture_config(&fixture, text));
    }
}

/* Only other locations or redirects lead anywhere. */
static void test_no_root(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture,
        "server a { location \"/x/\" { alias = /srv/www } }\n"
        "server b { redirect \"/\" { to = \"https://x.example/\" } }\n"
        "server c { location \"/\" { autoindex = on } location \"/x/\" { root = /srv/www } "
        "}");

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_null(at(&config->servers[i], "/")->root);
    assert_non_null(at(&config->servers[2], "/x/")->root);
    assert_int_equal(config->roots_count, 1);
    config_free(config);
}

static void test_refused(void **state)
{
#define HEADERS_ALLOWED "; allowed: \"Name: value\", or \"Name:\" to remove one that is inherited"
#define PAGES_ALLOWED   "; allowed: \"status=/path\" with a status from 400 to 599"
    static const struct refusal rows[] = {
        { "server a { root = /srv/www headers = {\"A: 1\",\n\"a: 2\"} }",
          "server.conf:2: headers: \"a\" stands twice in the list" HEADERS_ALLOWED },
        { "server a { root = /srv/www headers = {\"A\"} }",
          "server.conf:1: headers: \"A\" has no ':'" HEADERS_ALLOWED },
        { "server a { root = /srv/www headers = {\"A B: c\"} }",
          "server.conf:1: headers: \"A B: c\" has no header field's name before the "
          "':'" HEADERS_ALLOWED },
        { "server a { root = /srv/www headers = {\"server: x\"} }",
          "server.conf:1: headers: \"server: x\" sets a field that the server makes "
          "itself" HEADERS_ALLOWED },
        { "engine = e$engine server a { root = /srv/www headers = {\"A: $engine\"} }",
          "server.conf:1: headers: the value of \"A: $engine\" still holds $engine when that is "
          "replaced" HEADERS_ALLOWED },
        { "server a { root = /srv/www headers = {\"A: b\x7f\"} }",
          "server.conf:1:44: a control character stands in a string" },
        { "server a { root = /srv/www error_pages = {\"404=/a\", \"404=/b\"} }",
          "server.conf:1: error_pages: 404 stands twice in the list" PAGES_ALLOWED },
        { "server a { root = /srv/www error_pages = {\"399=/a\"} }",
          "server.conf:1: error_pages: \"399\" is no status of an error" PAGES_ALLOWED },
        { "server a { root = /srv/www error_pages = {\"600=/a\"} }",
          "server.conf:1: error_pages: \"600\" is no status of an error" PAGES_ALLOWED },
        { "server a { root = /srv/www error_pages = {\"404=a.html\"} }",
          "server.conf:1: error_pages: \"a.html\" does not begin with '/'" PAGES_ALLOWED },
        { "server a { root = /srv/www\ncache \"*.css\" { } }",
          "server.conf:2: cache: \"*.css\" says nothing; add control, expires or both to it" },
        { "server a { root = /srv/www\ncache \"\" { expires = 1s } }",
          "server.conf:2: cache: its title is empty; allowed: a pattern such as \"*.css\"" },
        { "server a { root = /srv/www\ncache \"a\" { expires = 1500ms } }",
          "server.conf:2: expires: \"1500ms\" is not in whole seconds; allowed: whole seconds from "
          "0 "
          "to 100y, as in 10s, 1m, 2h, 1d or 1y" },
        { "server a { root = /srv/www\ncache \"a\" { expires = 101y } }",
          "server.conf:2: expires: \"101y\" is too large; allowed: whole seconds from 0 to 100y, "
          "as in "
          "10s, 1m, 2h, 1d or 1y" },
        { "server a { root = /srv/www\ncache \"a\" { expires = off } }",
          "server.conf:2: expires: \"off\" is not a duration; allowed: whole seconds from 0 to "
          "100y, as "
          "in 10s, 1m, 2h, 1d or 1y" },
    };
    struct fixture fixture = { 0 };
    char text[8192], value[1900];
    struct refusal row = { text,
                           "server.conf:3: headers: with those inherited, the fields have 5754 "
                           "octets; allowed: 4096" };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
    memset(value, 'v', sizeof(value));
    snprintf(text, sizeof(text),
             "server a { root = /srv/www headers = {\"AAA: %.*s\", \"BBB: %.*s\"}\n"
             "location \"/x/\" {\nheaders = {\"CCC: %.*s\"} } }",
             (int)sizeof(value), value, (int)sizeof(value), value, (int)sizeof(value), value);
    fixture_refuse(&fixture, &row, 1);
}

static void test_redirects(void **state)
{
    static const struct refusal rows[] = {
        { "server a {\nredirect \"x\" { to = /y } }",
          "server.conf:2: redirect: \"x\" does not begin "
          "with '/'; allowed: a path that begins with '/'" },
        { "server a {\nredirect \"/x\" { status = 302 } }",
          "server.conf:2: redirect: \"/x\" does not say where to; add to = \"/new/\" to it" },
        { "server a {\nredirect \"/x\" { to = /y\nstatus = 304 } }",
          "server.conf:3: status: \"304\" is no status of a redirect; allowed: 301, 302, 303, 307 "
          "or "
          "308" },
        { "server a {\nredirect \"/x\" { to = /y\nstatus = moved } }",
          "server.conf:3: status: \"moved\" is not a status; allowed: 301, 302, 303, 307 or 308" },
        { "server a {\nredirect \"/x\" { to = y } }",
          "server.conf:2: to: \"y\" is neither a path nor a URL; allowed: a path that begins with "
          "'/', "
          "or a URL that begins with http:// or https://, in which $host, $uri and $query may "
          "stand" },
        { "server a {\nredirect \"/x\" { to = \"/x?y\" } }",
          "server.conf:2: to: \"/x?y\" is redirected again by redirect \"/x\", for ever; name a "
          "path that the redirect does not cover" },
        { "server a {\nredirect \"/x\" { to = \"/y$url\" } }",
          "server.conf:2: to: \"/y$url\" holds a variable that is none of $host, $uri and $query; "
          "a "
          "dollar sign itself is written %24; allowed: a path that begins with '/', or a URL that "
          "begins with http:// or https://, in which $host, $uri and $query may stand" },
        { "server a {\nredirect \"/x/\" { to = \"$uri?y\" } }",
          "server.conf:2: to: \"$uri?y\" is redirected again by redirect \"/x/\", for ever; name a "
          "path that the redirect does not cover" },
        { "server a {\nredirect \"/x/\" { to = \"/x$uri\" } }",
          "server.conf:2: to: \"/x$uri\" is redirected again by redirect \"/x/\", for ever; name a "
          "path that the redirect does not cover" },
        { "server a {\nredirect \"/x/\" { to = \"/x/y/\" } }",
          "server.conf:2: to: \"/x/y/\" is redirected again by redirect \"/x/\", for ever; name a "
          "path that the redirect does not cover" },
    };
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "server a { redirect \"/x/\" { to = /x status = 308 }\n"
                                 "redirect \"/y\" { to = https://b.example/ # z\n}\n"
                                 "redirect \"/x/z\" { to = $uri.html } }");

    (void)state;
    /* the longest first */
    assert_int_equal(config->servers[0].redirects_count, 3);
    assert_true(span_eq(config->servers[0].redirects[0].from, SPAN_LIT("/x/z")));
    assert_string_equal(config->servers[0].redirects[0].to, "$uri.html");
    assert_true(span_eq(config->servers[0].redirects[1].from, SPAN_LIT("/x/")));
    assert_string_equal(config->servers[0].redirects[1].to, "/x");
    assert_int_equal(config->servers[0].redirects[1].status, 308);
    assert_string_equal(config->servers[0].redirects[2].to, "https://b.example/");
    assert_int_equal(config->servers[0].redirects[2].status, 301);
    config_free(config);
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_access_logs(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config =
        fixture_config(&fixture, "access_log = logs/a.log access_log_format = json\n"
                                 "server a { root = /srv/www }\n"
                                 "server b { root = /srv/www access_log = /var/b.log }\n"
                                 "server c { root = /srv/www access_log = off }\n"
                                 "server d { root = /srv/www access_log = /site//./logs/a.log }\n");

    (void)state;
    assert_int_equal(config->access_logs_count, 2);
    assert_string_equal(config->access_logs[0].path, "/site/logs/a.log");
    assert_string_equal(config->servers[0].access->format->text, "json");
    assert_int_equal(config->servers[0].access_log, 0);
    assert_int_equal(config->servers[1].access_log, 1);
    assert_int_equal(config->servers[2].access_log, CONFIG_NO_LOG);
    assert_int_equal(config->servers[3].access_log, 0);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),       cmocka_unit_test(test_simple_keys),
        cmocka_unit_test(test_headers),     cmocka_unit_test(test_error_pages),
        cmocka_unit_test(test_cache_rules), cmocka_unit_test(test_cache_patterns),
        cmocka_unit_test(test_no_root),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_redirects),   cmocka_unit_test(test_access_logs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

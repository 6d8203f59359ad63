/* test_config_parse.c: what is refused, each with its sentence; and that file, line and column are
 * right, whatever comes before. What is accepted: test_config_tree.c. */
#include "config/config_parse.c"

#include "config_fixture.h"

#define SITE "server \"a.example\" { root = /srv/www }\n"

static void test_braces(void **state)
{
    static const struct refusal rows[] = {
        { "engine = reactor\nserver \"a\" {\n  root = /srv/www\n",
          "server.conf:2: server: its closing brace } is missing at the end of server.conf" },
        { "server \"a\" {\n  root = /srv/www\n  location \"/x/\" {\n    autoindex = on\n}\n",
          "server.conf:1: server: its closing brace } is missing at the end of server.conf" },
        { "server \"a\" {\n  cache \"*.css\" {",
          "server.conf:2: cache: its closing brace } is missing at the end of server.conf" },
        { SITE "}\n", "server.conf:2:1: a closing brace } stands here without an opening one" },
        { "server \"a\"\n  root = /srv/www\n}\n",
          "server.conf:2: server: its opening brace { is missing before \"root\"" },
        { "server \"a\" {\n index = {\"a\", \"b\"\n root = /srv/www\n}\n",
          "server.conf:3: index: the list that begins in line 2 goes on with \"root\"; its values "
          "are separated by commas and } ends it" },
        { "server \"a\" {\n index = {\"a\",\n",
          "server.conf:3: index: the end of the file stands where a value of the list is expected "
          "that begins in line 2" },
        { "server \"a\" {\n index = {\"a\" \"b\"}\n}",
          "server.conf:2: index: the list that begins in line 2 goes on with \"b\"; its values "
          "are separated by commas and } ends it" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_duplicates(void **state)
{
    static const struct refusal rows[] = {
        { "threads = 1\nuser = nobody\nthreads = 2\n" SITE,
          "server.conf:3: threads: it is set twice, first at server.conf:1; take one of them "
          "away" },
        { "server \"a\" {\n index = {\"a\"}\n index = {\"b\"}\n}",
          "server.conf:3: index: it is set twice, first at server.conf:2; take one of them away" },
        { "server \"a\" {\n root = /srv/www\n location \"/x/\" { }\n\n location \"/x/\" { }\n}",
          "server.conf:5: location: \"/x/\" stands twice, first at server.conf:3; take one of them "
          "away" },
        { "server \"a\" {\n root = /srv/www\n redirect \"/x\" { to = /y }\n redirect '/x' { to = "
          "/z }\n}",
          "server.conf:4: redirect: \"/x\" stands twice, first at server.conf:3; take one of them "
          "away" },
        { "server \"a\" { root = /srv/www\n location \"/x/\" {\n cache \"*.a\" { expires = 1s }\n "
          "cache \"*.a\" { expires = 2s } } }",
          "server.conf:4: cache: \"*.a\" stands twice, first at server.conf:3; take one of them "
          "away" },
        { "server \"a\" { root = /srv/www }\nserver \"A\" { root = /srv/other }\n",
          "server.conf:2: server: the name \"a\" is taken, at 127.0.0.1:8080, by the server at "
          "server.conf:1; give one of the two another name, or another address" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_semicolons(void **state)
{
    static const struct refusal rows[] = {
        { "engine = epoll;\n" SITE,
          "server.conf:1: engine: no semicolon is needed in \"epoll;\": a value ends at the next "
          "blank; one that holds a semicolon needs quotes" },
        { "engine = epoll ;\n" SITE,
          "server.conf:1:16: no semicolon is needed here: a setting ends with its value" },
        { "engine = \"reactor\";\n" SITE,
          "server.conf:1:19: no semicolon is needed here: a setting ends with its value" },
        { "server a { index = {a, b;}\n}",
          "server.conf:1: index: no semicolon is needed in \"b;\": a value ends at the next blank; "
          "one that holds a semicolon needs quotes" },
        { "server a { root = /srv/www };",
          "server.conf:1:29: no semicolon is needed here: a setting ends with its value" },
        { "user nobody;\n",
          "server.conf:1: user: = is missing before \"nobody;\"; write user = value" },
        { "engine;\n", "server.conf:1:1: \"engine;\" is no key; no semicolon is needed here" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_names(void **state)
{
    static const struct refusal rows[] = {
        { "header_timout = 1s\n",
          "server.conf:1:1: \"header_timout\" is no key or block at the top level; did you mean "
          "\"header_timeout\"?" },
        { "sever \"a\" { }", "server.conf:1:1: \"sever\" is no key or block at the top level; did "
                             "you mean \"server\"?" },
        { "server a {\n  locaton \"/\" { }\n}",
          "server.conf:2:3: \"locaton\" is no key or block in a server block; did you mean "
          "\"location\"?" },
        { "worker_processes = 4\n",
          "server.conf:1:1: \"worker_processes\" is no key or block at the "
          "top level; server.conf(5) lists all" },
        { "upstream \"b\" { server = 1 }",
          "server.conf:1:1: \"upstream\" is no key or block at the "
          "top level; server.conf(5) lists all" },
        { "root = /srv/www\n", "server.conf:1: root: it cannot stand at the top level; allowed: in "
                               "a server block or in a location block" },
        { "server a { control = auto }",
          "server.conf:1: control: it cannot stand in a server block; "
          "allowed: at the top level or in a cache block" },
        { "server a {\n threads = 3\n}", "server.conf:2: threads: it cannot stand in a server "
                                         "block; allowed: at the top level" },
        { "location \"/\" { }", "server.conf:1: location: it cannot stand at the top level; "
                                "allowed: in a server block" },
        { "server a { location \"/x/\" { location \"/y/\" { } } }",
          "server.conf:1: location: it cannot stand in a location block; allowed: in a server "
          "block" },
        { "server|engine = 1\n", "server.conf:1:1: \"server|engine\" is no key or block at the top "
                                 "level; server.conf(5) lists all" },
        { "\"engine\" = reactor\n",
          "server.conf:1:1: \"engine\" stands where the name of a key or block is expected; a "
          "value "
          "with "
          "blanks or any of = { } ( ) , # in it needs quotes around all of it" },
        { "server = { }", "server.conf:1: server: its title is missing before \"=\"; write server "
                          "\"www.example.org\" { ... }" },
        { "server {\n root = /srv/www\n}",
          "server.conf:1: server: its title is missing before \"{\"; write server "
          "\"www.example.org\" { ... }" },
        { "server a { listen { } }",
          "server.conf:1: listen: it is not a block; write listen = value" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_values(void **state)
{
    static const struct refusal rows[] = {
        { "threads =\nuser = nobody\n" SITE,
          "server.conf:1: threads: a value is missing behind =, on the same line; allowed: a "
          "number from 0 to 1024" },
        { "threads = {1}\n" SITE, "server.conf:1: threads: it takes one value, not a list in "
                                  "braces; allowed: a number from 0 to 1024" },
        { "server a { index += {b} }",
          "server.conf:1:18: += is not known here; a list is given as a whole with =" },
        { "error_log = /var/log/my log\n" SITE, "server.conf:1: error_log: \"log\" stands behind "
                                                "its value; a value with blanks or any of = { "
                                                "} ( ) , # in it needs quotes around all of it" },
        { "error_log = a,b\n" SITE, "server.conf:1: error_log: \",\" stands behind its value; a "
                                    "value with blanks or any of = "
                                    "{ } ( ) , # in it needs quotes around all of it" },
        { "pid_file = \"/run/x\n" SITE,
          "server.conf:1:12: a string has no closing quote on its line" },
        { "pid_file = '/run/x\n'", "server.conf:1:12: a string has no closing quote on its line" },
        { "engine = reactor\n/* a comment\n\n" SITE,
          "server.conf:2:1: this comment has no end, */ is missing" },
        { "pid_file = \"${HOME}/x\"\n", "server.conf:1:13: ${...} has no meaning here; write \\${ "
                                        "for the characters themselves" },
        { "user = ${HOME}\n", "server.conf:1: user: \"{\" stands behind its value; a value with "
                              "blanks or any of = { } ( "
                              ") , # in it needs quotes around all of it" },
        { "pid_file = \"C:\\dir\"\n", "server.conf:1:15: a backslash in a string must be followed "
                                      "by \", \\ or $; write \\\\ for "
                                      "the character itself" },
        { "pid_file = \"/a\\001b\"\n", "server.conf:1:15: a backslash in a string must be followed "
                                       "by \", \\ or $; write \\\\ for "
                                       "the character itself" },
        { "pid_file = \"/a\001b\"\n", "server.conf:1:15: a control character stands in a string" },
        { "engine = rea\001ctor\n", "server.conf:1:13: a control character stands here" },
        { "server a { alias_hosts = {*.b} }",
          "server.conf:1:27: a value that holds any of # \" ' * + needs quotes around all of it" },
        { "server a { redirect /x { to = https://a.example/#b } }",
          "server.conf:1:49: a value that holds any of # \" ' * + needs quotes around all of it" },
        { "engine = a\"b\"\n",
          "server.conf:1:11: a value that holds any of # \" ' * + needs quotes around all of it" },
        { "types = {css=text/css}\n",
          "server.conf:1: types: the list that begins in line 1 goes on with \"=\"; its values are "
          "separated by commas and } ends it" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_lines_behind_comments(void **state)
{
    static const struct refusal rows[] = {
        { "# one\n// two\n/* three\n four */ # four\n\r\nthreads = x\r\n" SITE,
          "server.conf:6: threads: \"x\" is not a number; allowed: a number from 0 to 1024" },
        { "\xef\xbb\xbfthreads = x\n",
          "server.conf:1: threads: \"x\" is not a number; allowed: a number from 0 to 1024" },
        { "server \"a\" {\n # c\n root = /srv/www\n error_pages = {\n \"404=/a\", # c\n // c\n "
          "\"405\" }\n}",
          "server.conf:7: error_pages: \"405\" has no '='; allowed: \"status=/path\" with a status "
          "from 400 to 599" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_include(void **state)
{
    struct fixture fixture = {
        .files = { { "", "" },
                   { "/site/conf/engine.conf", "# c\nthreads = 3\ninclude(\"deep/user.conf\")\n" },
                   { "/site/conf/deep/user.conf", "user = www-data" },
                   { "/site/conf/site.conf",
                     "root = www\nlocation \"/m/\" { alias = \"/srv/other\" }" } },
        .files_count = 4,
    };
    struct config *config;

    (void)state;
    config = fixture_config(&fixture, "include(\"conf/engine.conf\")\nserver a {\n"
                                      "include('/site/conf/site.conf') autoindex = on }\n");
    assert_int_equal(config->threads, 3);
    assert_string_equal(config->user, "www-data");
    assert_string_equal(config_place(config, "threads"), "conf/engine.conf:2");
    assert_string_equal(config_place(config, "user"), "conf/deep/user.conf:1");
    assert_string_equal(config->servers[0].locations[1].root->path, "/site/conf/www");
    assert_true(config->servers[0].locations[1].autoindex);
    config_free(config);
}

/* A pattern leads to all files that match, in the order of their names, or to none. */
static void test_include_pattern(void **state)
{
    struct fixture fixture = {
        .files = { { "", "" },
                   { "/site/conf/sites/.hidden.conf", "x" },
                   { "/site/conf/sites/10.conf", "server b { root = /srv/www }" },
                   { "/site/conf/sites/2.conf", "server c { root = \"w*\" }" },
                   { "/site/conf/sites/2.conf~", "x" },
                   { "/site/conf/sites/a/x.conf", "x" },
                   { "/site/conf/w/1", "user = a" },
                   { "/site/conf/w/2", "threads = 3" },
                   { "/site/conf/w[1]/engine", "engine = e" },
                   { "/site/top.conf", "include(\"conf/sites.conf\") include \"/site/conf/w/*\"" },
                   { "/site/conf/sites.conf", "include(\"sites/*.conf\") include 'none/*/x?'"
                                              "include \"w\\\\[1]/eng[i]ne\"" } },
        .files_count = 11,
    };
    struct config *config = NULL;

    (void)state;
    /* What is relative in an included file begins at that file's folder. */
    assert_int_equal(fixture_load_text(&fixture, "include(\"top.conf\")", &config), -ENOENT);
    assert_string_equal(fixture.why,
                        "conf/sites/2.conf:1: root: \"/site/conf/sites/w*\" cannot be served: No "
                        "such file or directory; allowed: the path of a directory");
    fixture.files[3].text = "server c { root = /srv/www }";
    config = fixture_config(&fixture, "include(\"top.conf\")");
    assert_int_equal(config->servers_count, 2);
    assert_string_equal(config->servers[0].name, "b");
    assert_string_equal(config->servers[1].name, "c");
    assert_string_equal(config_place(config, "user"), "/site/conf/w/1:1");
    assert_string_equal(config_place(config, "threads"), "/site/conf/w/2:1");
    assert_string_equal(config_place(config, "engine"), "conf/w[1]/engine:1");
    config_free(config);
}

/* Characters of patterns in the name of the including file's folder are that name's. */
static void test_include_pattern_below_odd_folder(void **state)
{
    struct fixture fixture = { .files = { { "/site/[a]*\\/server.conf",
                                            "include(\"x/*\") server s { root = /srv/www }" },
                                          { "/site/[a]*\\/x/y", "user = b" },
                                          { "/site/a/x/y", "user = c" } },
                               .files_count = 3 };
    const struct config_source source = { .file = "[a]*\\/server.conf" };
    struct config *config = NULL;

    (void)state;
    assert_int_equal(fixture_load(&fixture, &source, &config), 0);
    assert_string_equal(config->user, "b");
    assert_string_equal(config_place(config, "user"), "[a]*\\/x/y:1");
    config_free(config);
}

static void test_include_refused(void **state)
{
    static const struct refusal rows[] = {
        { "\ninclude(\"none.conf\")",
          "server.conf:2: include: \"none.conf\" cannot be read: No such file or directory" },
        { "include(\"server.conf\")",
          "server.conf:1: include: \"server.conf\" includes itself, directly or by others" },
        { "include(\"conf/ring.conf\")", "conf/ring.conf:2: include: \"/site/./server.conf\" "
                                         "includes itself, directly or by others" },
        { "include(\"conf/bad.conf\")\n",
          "conf/bad.conf:3: threads: \"x\" is not a number; allowed: a number from 0 to 1024" },
        { "include(\"conf/open.conf\") }\n",
          "conf/open.conf:1: server: its closing brace } is missing at the end of conf/open.conf" },
        { "server a { include(\"conf/close.conf\")\n",
          "conf/close.conf:2:1: a closing brace } stands here without an opening one" },
        { "threads = 1\ninclude(\"conf/threads.conf\")\n",
          "conf/threads.conf:1: threads: it is set twice, first at server.conf:1; take one of them "
          "away" },
        { "include = \"x\"",
          "server.conf:1: include: the name of a file, in quotes, is missing before \"=\"; write "
          "include(\"file\"), or include(\"folder/*.conf\") for all that match" },
        { "include(x)",
          "server.conf:1: include: the name of a file, in quotes, is missing before \"x\"; write "
          "include(\"file\"), or include(\"folder/*.conf\") for all that match" },
        { "include(\"x\"", "server.conf:1: include: ) is missing before the end of the file; write "
                           "include(\"file\")" },
        { "threads = 1\n\ninclude \"conf/t*.conf\"",
          "conf/threads.conf:1: threads: it is set twice, first at server.conf:1; take one of them "
          "away" },
        { "include \"*.conf\"",
          "server.conf:1: include: \"server.conf\" includes itself, directly or by others" },
        { "include \"closed/*\"", "server.conf:1: include: what matches \"closed/*\" cannot be "
                                  "found: Permission denied" },
        { "include \"\"",
          "server.conf:1: include: the name of a file, in quotes, is missing before \"\"; write "
          "include(\"file\"), or include(\"folder/*.conf\") for all that match" },
        { "server a { redirect b { include(\"x\") } }",
          "server.conf:1: include: it cannot stand in a redirect block; allowed: at the top level "
          "or in a server block or in a location block" },
    };
    struct fixture fixture = {
        .files = { { "", "" },
                   { "/site/conf/ring.conf", "\ninclude(\"/site/./server.conf\")" },
                   { "/site/conf/bad.conf", "# a\n# b\nthreads = x\n" SITE },
                   { "/site/conf/open.conf", "server a {" },
                   { "/site/conf/close.conf", "\n}\n" },
                   { "/site/conf/threads.conf", "threads = 2" } },
        .files_count = 6,
    };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_include_depth(void **state)
{
    static const struct refusal rows[] = {
        { "include(\"1\")", "8:1: include: more than 8 files include one another" },
    };
    struct fixture fixture = { .files_count = 10 };
    char paths[10][24], texts[10][32];

    (void)state;
    for (int i = 1; i < 10; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/site/%d", i);
        snprintf(texts[i], sizeof(texts[i]), "include(\"%d\")", i + 1);
        fixture.files[i] = (struct fixture_file){ paths[i], texts[i] };
    }
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_braces),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_semicolons),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_lines_behind_comments),
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_include_refused),
        cmocka_unit_test(test_include_pattern),
        cmocka_unit_test(test_include_pattern_below_odd_folder),
        cmocka_unit_test(test_include_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

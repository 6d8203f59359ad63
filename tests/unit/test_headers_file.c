/* test_headers_file.c: _headers, line by line: what is taken, and what is told. */
#include "config/headers_file.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIXTEEN ":t:t:t:t:t:t:t:t:t:t:t:t:t:t:t:t"

static struct arena *arena, *scratch;
static struct regex_room *room;
static const struct header_blocks *blocks;
static bool has_hosts, has_regex;
static char told_text[4000];

static int setup(void **state)
{
    (void)state;
    arena = arena_create();
    scratch = arena_create();
    return regex_room_create(REGEX_STEPS_DEFAULT, &room);
}

static int teardown(void **state)
{
    (void)state;
    regex_room_destroy(room);
    arena_destroy(scratch);
    arena_destroy(arena);
    return 0;
}

static void note(void *context, size_t line, const char *what)
{
    size_t len = strlen(told_text);

    (void)context;
    snprintf(told_text + len, sizeof(told_text) - len, "%zu: %s\n", line, what);
}

/* For a server of these names, up to a NULL. */
static void parse_for(char *const *names, const char *text, size_t rules_max)
{
    const struct headers_file_told told = { note, NULL };
    struct headers_file_hosts hosts = { names, 0 };

    while (names[hosts.count] != NULL)
        hosts.count++;
    told_text[0] = '\0';
    has_regex = has_hosts = false;
    blocks = NULL;
    assert_int_equal(headers_file_parse(arena, scratch, span_str(text), rules_max, &hosts, &told,
                                        &blocks, &has_hosts, &has_regex),
                     0);
}

static void parse(const char *text, size_t rules_max)
{
    static char *const names[] = { "a.example", NULL };

    parse_for(names, text, rules_max);
}

/* The indices of the blocks for a path, as digits. */
static const char *found(const char *path)
{
    static char text[20];
    struct pattern_hit hits[20];
    int count = pattern_set_find_all(blocks->set, room, span_str(path), hits, ARRAY_LEN(hits));

    for (int i = 0; i < count; i++)
        text[i] = (char)('0' + hits[i].index);
    text[count] = '\0';
    return text;
}

static void test_fields(void **state)
{
    const struct field_rule *rules;

    (void)state;
    parse("\xef\xbb\xbf# comment\r\n/a\r\n  A: b: c \r\n\tA: d\n\n! E\n #x\nVary: F\n"
          "Content-Type: a/b; c=d\n/b\n",
          10);
    assert_string_equal(told_text, "");
    assert_false(has_regex);
    assert_int_equal(blocks->count, 2);
    assert_int_equal(blocks->blocks[0].count, 5);
    rules = blocks->blocks[0].rules;
    assert_int_equal(rules[0].deed, FIELD_SET);
    assert_string_equal(rules[0].field.name, "A");
    assert_string_equal(rules[0].field.value, "b: c");
    assert_string_equal(rules[1].field.value, "d");
    assert_int_equal(rules[2].deed, FIELD_REMOVE);
    assert_string_equal(rules[2].field.name, "E");
    assert_int_equal(rules[3].deed, FIELD_ADD);
    assert_string_equal(rules[4].field.value, "a/b; c=d");
    assert_int_equal(blocks->blocks[1].count, 0);
    parse("# nothing\n", 10);
    assert_null(blocks);
}

static void test_paths(void **state)
{
    (void)state;
    parse("/a\n/b/*\n/c/:x/d\n/*.html\n/a\n/b/*\n/%C3%A9\n/e/:y-:z\n/(.+)\n/f*\n", 20);
    assert_string_equal(told_text, "");
    assert_true(has_regex);
    assert_string_equal(found("/a"), "40"); /* http/mix.c sorts them by the file */
    assert_string_equal(found("/b/x/y"), "15");
    assert_string_equal(found("/c/1/d"), "2");
    assert_string_equal(found("/c/1/2/d"), "");
    assert_string_equal(found("/c//d"), "");
    assert_string_equal(found("/x/y.html"), "3");
    assert_string_equal(found("/\xc3\xa9"), "6");
    assert_string_equal(found("/e/1-2"), "7");
    assert_string_equal(found("/(.+)"), "8");
    assert_string_equal(found("/fx/y"), "9");
}

static void test_told(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        { "A: b\n/a\n", "1: \"A: b\" stands before any path; it is left out\n" },
        { "/a\nBad\n",
          "2: \"Bad\" is neither a path nor a field (\"Name: value\"); it is left out\n" },
        { "/a\n: b\n", "2: \": b\" has no header field's name before the ':'; it is left out\n" },
        { "/a\nA b: c\n",
          "2: \"A b: c\" has no header field's name before the ':'; it is left out\n" },
        { "/a\nA:\n", "2: \"A:\" has no value; \"! Name\" leaves a field out; it is left out\n" },
        { "/a\nContent-Length: 1\n", "2: \"Content-Length: 1\" sets a field that the server makes "
                                     "itself; it is left out\n" },
        { "/a\n! Date\n",
          "2: \"! Date\" sets a field that the server makes itself; it is left out\n" },
        { "/a\nA: b\x01\n", NULL },
        { "/:t\nContent-Type: text/:t\n",
          "2: \"Content-Type: text/:t\" has a placeholder of its path in its value, which is "
          "not replaced there; it is left out\n" },
        { "/:t\nA: " SIXTEEN SIXTEEN ":t\n",
          "2: \"A: " SIXTEEN SIXTEEN ":t\" has more than 32 placeholders; it is left out\n" },
        { "http://a.example/*\nA: b\n",
          "1: \"http://a.example/*\" is neither a path nor a URL with "
          "https://; its lines are left out\n" },
        { "https://a.example:443/\nA: b\n",
          "1: \"https://a.example:443/\" has a port, and lines are for all ports of a host; its "
          "lines are left out\n" },
        { "https://a.example\nA: b\n",
          "1: \"https://a.example\" has no host and path; its lines are left out\n" },
        { "https://:a.:b.:c/\nA: b\n", "1: \"https://:a.:b.:c/\" has more than two placeholders in "
                                       "its host; its lines are left out\n" },
        { "https://b.example/\nA: b\n", "" },
        { "//a\nA: b\n",
          "1: \"//a\" holds a segment that is empty, \".\" or \"..\"; its lines are left "
          "out\n" },
        { "/a%00\nA: b\n", "1: \"/a%00\" has a NUL in it; its lines are left out\n" },
        { "/a\n/b\n/c\n/d\nA: b\n",
          "3: there are more than headers_rules_max = 2 paths; what follows is left out\n" },
        { "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j\n",
          "1: \"/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j\" has more than 9 "
          "placeholders; its lines are left out\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        parse(rows[i].text, 2);
        if (rows[i].told != NULL)
            assert_string_equal(told_text, rows[i].told);
        else
            assert_true(told_text[0] != '\0');
        if (blocks != NULL && i != 13)
            assert_int_equal(blocks->blocks[0].count, 0);
    }
}

/* Lines for a host: of all names of the server, of none, or of some. */
static void test_hosts(void **state)
{
    static char *const one[] = { "a.example", NULL };
    static char *const two[] = { "a.example", "www.a.example", NULL };
    static char *const below[] = { "a.example", "*.a.example", NULL };
    static char *const any[] = { "_", NULL };
    static const struct {
        char *const *names;
        const char *host;
        bool holds, told;
    } rows[] = {
        { one, "a.example", true, false },
        { one, "A.Example", true, false },
        { one, "b.example", false, false },
        { one, ":site.example", true, false },
        { one, ":a.:b", true, false },
        { one, ":a", false, false },
        { one, "*", true, false },
        { one, "*.example", true, false },
        { one, "*.a.example", false, false },
        { two, "a.example", false, true },
        { two, "*a.example", false, true },
        { two, "*.example", true, false },
        { two, "c.example", false, false },
        { below, "x.a.example", false, true },
        { below, "x.b.example", false, false },
        { below, "*.example", true, false },
        { below, ":x.a.example", false, true },
        { any, "a.example", false, true },
        { any, "*", true, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[100];

        snprintf(text, sizeof(text), "https://%s/p/:x\nA: :x\n", rows[i].host);
        parse_for(rows[i].names, text, 5);
        assert_true(has_hosts);
        if ((blocks != NULL) != rows[i].holds || (told_text[0] != '\0') != rows[i].told)
            fail_msg("%zu, %s: %s", i, rows[i].host, told_text);
        if (blocks != NULL)
            assert_string_equal(found("/p/y"), "0");
    }
    parse("/a\nA: b\n", 5);
    assert_false(has_hosts);
}

/* A password is not told to the log. */
static void test_secrets(void **state)
{
    (void)state;
    parse("/a\nBasic-Auth: user:secret\n", 2);
    assert_null(strstr(told_text, "secret"));
    assert_non_null(strstr(told_text, "2: \"Basic-Auth\" is a password for Netlify"));
}

static void test_long(void **state)
{
    char *text = malloc(6000);

    (void)state;
    assert_non_null(text);
    strcpy(text, "/a\nA: b\n/");
    memset(text + 9, 'x', 3000);
    strcpy(text + 3009, "\nC: d\n");
    parse(text, 10);
    assert_string_equal(told_text, "3: the line has more than 2000 bytes; it is left out\n");
    assert_int_equal(blocks->count, 1);
    assert_int_equal(blocks->blocks[0].count, 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_config_tree.c: what a text becomes: which blocks, keys and values, in which order, how
 * quotes and escapes are read, and the line and the column of each. What is refused:
 * test_config_parse.c. */
#include "config/config_tree.c"

#include "config/config_lex.h"
#include "config/config_parse.h"
#include "config_fixture.h"

/* A text and its tree. */
struct parsed {
    struct config_build build;
    struct config_block *top;
    char why[512];
};

static void parse(struct parsed *parsed, struct fixture *fixture, const char *text)
{
    static struct config_files files;

    files = (struct config_files){ .read = fixture_read,
                                   .match = fixture_match,
                                   .context = fixture,
                                   .working_directory = "/site" };
    *parsed = (struct parsed){ .build = { .files = &files } };
    parsed->build.arena = parsed->build.scratch = arena_create();
    parsed->build.why = parsed->why;
    parsed->build.why_size = sizeof(parsed->why);
    assert_non_null(parsed->build.arena);
    if (config_parse(&parsed->build, "server.conf", span_str(text), &parsed->top) < 0)
        fail_msg("refused: %s", parsed->why);
}

static void parsed_free(struct parsed *parsed)
{
    arena_destroy(parsed->build.arena);
}

static void assert_place(struct config_place place, const char *file, int line, int column)
{
    assert_string_equal(place.file, file);
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

/* An entry of one value. */
static void assert_value(const struct config_block *block, const char *key, const char *text,
                         int line, int column)
{
    const struct config_entry *entry = config_entry_at(block, key);

    assert_true(entry->is_set);
    assert_int_equal(entry->count, 1);
    assert_string_equal(entry->items[0].text, text);
    assert_place(entry->items[0].place, "server.conf", line, column);
}

static void test_positions(void **state)
{
    static const char text[] = "\xef\xbb\xbfuser = a\tpid_file='b'\r\n"
                               "/* \n * */  types = {\n"
                               "\t\"a=b\", # c, d\n"
                               "e, 'f=g',\n"
                               "}\n";
    static const struct {
        const char *text;
        int line, column;
    } types[] = { { "a=b", 4, 2 }, { "e", 5, 1 }, { "f=g", 5, 4 } };
    struct fixture fixture = { 0 };
    struct parsed parsed;
    const struct config_entry *entry;

    (void)state;
    parse(&parsed, &fixture, text);
    assert_null(parsed.top->title);
    assert_place(parsed.top->place, "server.conf", 0, 0);
    assert_value(parsed.top, "user", "a", 1, 8);
    assert_value(parsed.top, "pid_file", "b", 1, 19);
    assert_place(config_entry_at(parsed.top, "pid_file")->place, "server.conf", 1, 10);
    entry = config_entry_at(parsed.top, "types");
    assert_place(entry->place, "server.conf", 3, 8);
    assert_int_equal(entry->count, ARRAY_LEN(types));
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        assert_string_equal(entry->items[i].text, types[i].text);
        assert_place(entry->items[i].place, "server.conf", types[i].line, types[i].column);
    }
    assert_false(config_entry_at(parsed.top, "threads")->is_set);
    parsed_free(&parsed);
}

/* Blocks keep their order, whatever their kind, and what stands in them. */
static void test_nesting(void **state)
{
    static const char text[] = "server a {\n"
                               "  cache '*.a' { control = x }\n"
                               "  location /x/ { index = y cache \"*.b\" { expires = 1s } }\n"
                               "  redirect /r { to = /s } cache c.c { }\n"
                               "  autoindex = on } server b { }";
    struct fixture fixture = { 0 };
    struct parsed parsed;
    const struct config_block *server, *location;

    (void)state;
    parse(&parsed, &fixture, text);
    assert_int_equal(parsed.top->blocks_count, 2);
    server = parsed.top->blocks[0];
    assert_string_equal(server->title, "a");
    assert_place(server->place, "server.conf", 1, 1);
    assert_value(server, "autoindex", "on", 5, 15);
    assert_int_equal(server->blocks_count, 4);
    assert_int_equal(config_blocks_of(server, CONFIG_CACHE), 2);
    assert_int_equal(server->blocks[0]->kind, CONFIG_CACHE);
    assert_string_equal(server->blocks[0]->title, "*.a");
    assert_value(server->blocks[0], "control", "x", 2, 27);
    location = server->blocks[1];
    assert_int_equal(location->kind, CONFIG_LOCATION);
    assert_place(location->place, "server.conf", 3, 3);
    assert_value(location, "index", "y", 3, 26);
    assert_int_equal(location->blocks_count, 1);
    assert_string_equal(location->blocks[0]->title, "*.b");
    assert_int_equal(server->blocks[2]->kind, CONFIG_REDIRECT);
    assert_string_equal(server->blocks[3]->title, "c.c");
    assert_int_equal(parsed.top->blocks[1]->blocks_count, 0);
    assert_place(parsed.top->blocks[1]->place, "server.conf", 5, 20);
    parsed_free(&parsed);
}

/* Many are as well kept as few. */
static void test_many(void **state)
{
    enum { COUNT = 1000 };
    char *text = NULL, name[32];
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    struct fixture fixture = { 0 };
    struct parsed parsed;
    const struct config_entry *entry;

    (void)state;
    assert_non_null(stream);
    fprintf(stream, "types = {");
    for (int i = 0; i < COUNT; i++)
        fprintf(stream, "t%d, ", i);
    fprintf(stream, "}\n");
    for (int i = 0; i < COUNT; i++)
        fprintf(stream, "server s%d { }\n", i);
    assert_int_equal(fclose(stream), 0);
    parse(&parsed, &fixture, text);
    free(text);
    entry = config_entry_at(parsed.top, "types");
    assert_int_equal(entry->count, COUNT);
    assert_int_equal(parsed.top->blocks_count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        assert_string_equal(entry->items[i].text, name);
        name[0] = 's';
        assert_string_equal(parsed.top->blocks[i]->title, name);
        assert_int_equal(parsed.top->blocks[i]->place.line, i + 2);
    }
    parsed_free(&parsed);
}

static void test_values(void **state)
{
    static const struct {
        const char *written, *value;
    } rows[] = {
        { "\"\"", "" },
        { "''", "" },
        { "C:\\dir", "C:\\dir" }, /* a word has no escapes */
        { "$uri", "$uri" },
        { "\"a b = { } ( ) , # // /* '\"", "a b = { } ( ) , # // /* '" },
        { "\"\\\"\\\\\\$\\${x}\"", "\"\\$${x}" },
        { "'\"${x}\\n\\\\'", "\"${x}\\n\\" },
        { "'it\\'s'", "it's" },
        { "\"\xc3\xa4\xff\"", "\xc3\xa4\xff" },
        { "\xc3\xa4", "\xc3\xa4" },
        { "\"\ta\"", "\ta" },
        { "a//b", "a//b" },
        { "on // c", "on" },
        { "on /* c */", "on" },
        { "/**/on", "on" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parsed parsed;
        char text[128];

        snprintf(text, sizeof(text), "user = %s\n", rows[i].written);
        parse(&parsed, &fixture, text);
        assert_string_equal(config_entry_at(parsed.top, "user")->items[0].text, rows[i].value);
        parsed_free(&parsed);
    }
}

/* A list of none is set; one of one value may lack its braces, and end with a comma. */
static void test_lists(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        { "types = {}", 0 },  { "types = {\n}", 0 },   { "types = a", 1 },
        { "types = {a}", 1 }, { "types = { a, }", 1 }, { "types = {a\n,\nb}", 2 },
    };
    struct fixture fixture = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parsed parsed;
        const struct config_entry *entry;

        parse(&parsed, &fixture, rows[i].text);
        entry = config_entry_at(parsed.top, "types");
        assert_true(entry->is_set);
        assert_int_equal(entry->count, rows[i].count);
        assert_place(entry->place, "server.conf", 1, 1);
        parsed_free(&parsed);
    }
}

/* What came from a file that is included has its places in that file. */
static void test_includes(void **state)
{
    struct fixture fixture = { .files = { { "/site/a/1.conf", "location /x/ { }" },
                                          { "/site/a/2.conf", " location /y/ { }" } },
                               .files_count = 2 };
    struct parsed parsed;
    const struct config_block *server;

    (void)state;
    parse(&parsed, &fixture, "server s { location /w/ { } include \"a/*.conf\" location /z/ { } }");
    server = parsed.top->blocks[0];
    assert_int_equal(server->blocks_count, 4);
    assert_place(server->blocks[0]->place, "server.conf", 1, 12);
    assert_place(server->blocks[1]->place, "a/1.conf", 1, 1);
    assert_place(server->blocks[2]->place, "a/2.conf", 1, 2);
    assert_place(server->blocks[3]->place, "server.conf", 1, 48);
    parsed_free(&parsed);
}

/* Two texts are parsed at a time, word by word: nothing is shared. */
static void test_two_lexers(void **state)
{
    struct config_lexer a, b;

    (void)state;
    config_lexer_init(&a, span_str("x\n y"), 1);
    config_lexer_init(&b, span_str("'q' /*"), 7);
    assert_true(span_eq(config_lexer_next(&a).text, SPAN_LIT("x")));
    assert_true(span_eq(config_lexer_next(&b).text, SPAN_LIT("'q'")));
    assert_true(span_eq(config_lexer_next(&a).text, SPAN_LIT("y")));
    assert_int_equal(config_lexer_next(&b).kind, CONFIG_TOKEN_BAD);
    assert_int_equal(config_lexer_next(&a).kind, CONFIG_TOKEN_END);
    assert_int_equal(config_lexer_next(&a).kind, CONFIG_TOKEN_END);
    assert_int_equal(a.line, 2);
    assert_int_equal(b.line, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions),  cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_lists),      cmocka_unit_test(test_includes),
        cmocka_unit_test(test_two_lexers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

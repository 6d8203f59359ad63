/* test_map_lines.c: files as people have them, and each refusal. */
#include "match/map_lines.c"

#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct map_reader reader;

static void begin(const char *text)
{
    map_reader_init(&reader, span_str(text));
}

static void expect(const char *key, const char *value, size_t number)
{
    struct map_line line;

    if (map_reader_next(&reader, &line) != 1)
        fail_msg("line %zu %s", reader.number, reader.what != NULL ? reader.what : "is missing");
    if (!span_eq(line.key, span_str(key)) || !span_eq(line.value, span_str(value)))
        fail_msg("\"%.*s\" \"%.*s\"", (int)line.key.len, line.key.ptr, (int)line.value.len,
                 line.value.ptr);
    assert_int_equal(line.number, number);
}

static void expect_end(void)
{
    struct map_line line;

    assert_int_equal(map_reader_next(&reader, &line), 0);
}

static void test_nginx(void **state)
{
    (void)state;
    begin("# moved in 2024\n"
          "/old/a.html   /new/a/;\n"
          "\n"
          "  \"/with blank\" '/x\"y';  # both quotes\n"
          "~^/p/(\\d+)$ \"/q/$1\";\n"
          "~*\\.PHP$ 1;default 0;\n"
          "\\default 2;");
    expect("/old/a.html", "/new/a/", 2);
    expect("/with blank", "/x\"y", 4);
    expect("~^/p/(\\d+)$", "/q/$1", 5);
    expect("~*\\.PHP$", "1", 6);
    expect("default", "0", 6);
    expect("\\default", "2", 7);
    expect_end();
    expect_end();
}

static void test_plain_lines(void **state)
{
    (void)state;
    begin("\xef\xbb\xbf/a /b\r\n/c\t/d#e\r\n\"\" \"\"\n/f \"a\\\\b\\\"c\" # end\r\n");
    expect("/a", "/b", 1);
    expect("/c", "/d#e", 2);
    expect("", "", 3);
    expect("/f", "a\\b\"c", 4);
    expect_end();
    begin("");
    expect_end();
    begin("\n \n# nothing");
    expect_end();
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        size_t number;
        const char *what;
    } rows[] = {
        { "/a /b\n/c\n/d /e", 2, "has no value behind its key" },
        { "/a;", 1, "has no value behind its key" },
        { "/a # /b", 1, "has no value behind its key" },
        { ";", 1, "has a ';' where a key is expected" },
        { "/a /b;;", 1, "has a ';' where a key is expected" },
        { "/a /b 301;", 1, "has more than a key and a value; one with blanks in it needs quotes" },
        { "\n\n\"/a /b;\n\"", 3, "has a quote that is not closed in its line" },
        { "/a \"/b\"c;", 1, "goes on behind a quote; a blank or a ';' belongs there" },
        { "/a\x01 /b;", 1, "holds a control character" },
        { "/a /b\x7f;", 1, "holds a control character" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct map_line line;
        int res;

        begin(rows[i].text);
        while ((res = map_reader_next(&reader, &line)) > 0)
            ;
        if (res != -EINVAL || reader.number != rows[i].number ||
            strcmp(reader.what, rows[i].what) != 0)
            fail_msg("%s: %d, line %zu %s", rows[i].text, res, reader.number,
                     reader.what != NULL ? reader.what : "");
    }
}

static void test_long(void **state)
{
    static char text[2 * MAP_KEY_MAX + 16];
    struct map_line line;

    (void)state;
    memset(text, 'k', MAP_KEY_MAX);
    memcpy(text + MAP_KEY_MAX, " v", 3);
    begin(text);
    assert_int_equal(map_reader_next(&reader, &line), 1);
    assert_int_equal(line.key.len, MAP_KEY_MAX);
    text[MAP_KEY_MAX] = 'k';
    begin(text);
    assert_int_equal(map_reader_next(&reader, &line), -EINVAL);
    assert_string_equal(reader.what, "has a key or a value of more than 4096 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nginx),
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_mime.c: the built-in types, files good and odd, and who wins. */
#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Allocations that still succeed; then all fail. */
static size_t allocations_left = SIZE_MAX;

static bool allocation_fails(void)
{
    if (allocations_left == 0)
        return true;
    allocations_left--;
    return false;
}

#define arena_create()           (allocation_fails() ? NULL : arena_create())
#define arena_alloc(arena, size) (allocation_fails() ? NULL : arena_alloc(arena, size))
#define arena_array(arena, count, size)                                                            \
    (allocation_fails() ? NULL : arena_array(arena, count, size))
#define arena_strndup(arena, text, len)                                                            \
    (allocation_fails() ? NULL : arena_strndup(arena, text, len))
#define arena_strdup(arena, text) (allocation_fails() ? NULL : arena_strdup(arena, text))
#include "http/mime.c"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static char why[256];

/* Fresh files of a test are removed by the test. */
static void write_file(char *path, size_t path_size, const char *text, size_t len)
{
    snprintf(path, path_size, "/tmp/test_mime.XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static struct mime_table *load(const char *file, struct header_rule *types, size_t types_count)
{
    struct config config = { .mime_types = (char *)(uintptr_t)file,
                             .types = types,
                             .types_count = types_count,
                             .default_type = (char[]){ "application/octet-stream" } };
    struct mime_table *table = NULL;

    why[0] = '\0';
    assert_int_equal(mime_table_load(&config, why, sizeof(why), &table), 0);
    assert_string_equal(why, "");
    return table;
}

static struct mime_table *load_text(const char *text, size_t len)
{
    char path[64];
    struct mime_table *table;

    write_file(path, sizeof(path), text, len);
    table = load(path, NULL, 0);
    unlink(path);
    return table;
}

static void assert_type(const struct mime_table *table, const char *path, const char *want)
{
    struct span type = mime_table_find(table, span_str(path));

    if (!span_eq(type, span_str(want)))
        fail_msg("%s: %.*s instead of %s", path, (int)type.len, type.ptr, want);
}

#define UNKNOWN "application/octet-stream"

static void test_builtin(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type;
    } rows[] = {
        { "index.html", "text/html" },
        { "a.htm", "text/html" },
        { "a.css", "text/css" },
        { "a.js", "text/javascript" },
        { "a.mjs", "text/javascript" },
        { "a.json", "application/json" },
        { "a.js.map", "application/json" },
        { "a.webmanifest", "application/manifest+json" },
        { "a.wasm", "application/wasm" },
        { "a.svg", "image/svg+xml" },
        { "a.png", "image/png" },
        { "a.jpg", "image/jpeg" },
        { "a.jpeg", "image/jpeg" },
        { "a.gif", "image/gif" },
        { "a.webp", "image/webp" },
        { "a.avif", "image/avif" },
        { "favicon.ico", "image/vnd.microsoft.icon" },
        { "a.woff", "font/woff" },
        { "a.woff2", "font/woff2" },
        { "a.ttf", "font/ttf" },
        { "a.otf", "font/otf" },
        { "a.mp4", "video/mp4" },
        { "a.webm", "video/webm" },
        { "a.ogg", "audio/ogg" },
        { "a.mp3", "audio/mpeg" },
        { "a.wav", "audio/wav" },
        { "a.flac", "audio/flac" },
        { "a.pdf", "application/pdf" },
        { "robots.txt", "text/plain" },
        { "a.md", "text/markdown" },
        { "a.xml", "application/xml" },
        { "a.xhtml", "application/xhtml+xml" },
        { "a.atom", "application/atom+xml" },
        { "a.rss", "application/rss+xml" },
        { "a.csv", "text/csv" },
        { "a.zip", "application/zip" },
        { "a.gz", "application/gzip" },
        { "a.zst", "application/zstd" },
        { "a.br", "application/x-brotli" },
        { "a.tar", "application/x-tar" },
        /* the last extension, of the last segment, without case */
        { "/x/y/a.tar.gz", "application/gzip" },
        { "A.HTML", "text/html" },
        { "a.HtMl", "text/html" },
        { "a.html.png", "image/png" },
        { "a.png/x", UNKNOWN },
        { "a.png/x.css", "text/css" },
        { "/.config/a.css", "text/css" },
        { ".a.css", "text/css" },
        { "a..css", "text/css" },
        { "\xc3\xa4.css", "text/css" },
        /* none, or an unknown one */
        { "", UNKNOWN },
        { "/", UNKNOWN },
        { ".", UNKNOWN },
        { "html", UNKNOWN },
        { "a.", UNKNOWN },
        { "a.html.", UNKNOWN },
        { ".html", UNKNOWN },
        { "/x/.html", UNKNOWN },
        { "a.unknown", UNKNOWN },
        { "a.htmlx", UNKNOWN },
        { "a.htm ", UNKNOWN },
        { "a.png/", UNKNOWN },
    };
    struct mime_table *table = load("", NULL, 0);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_type(table, rows[i].path, rows[i].type);
    mime_table_free(table);
}

static void test_file(void **state)
{
    (void)state;
    static const char text[] = "# a comment\n"
                               "\n"
                               "   \t \n"
                               "application/x-none\n"
                               "application/x-one\t\t\tone\n"
                               "application/x-two two TWO2   two3\t\n"
                               "  application/x-indented   indented\r\n"
                               "application/x-tail tail # not-this\n"
                               "#application/x-off off\n"
                               "application/x-first again\n"
                               "application/x-last again\n"
                               "text/x-css css\n"
                               "text/x-mkv mkv\n"
                               "bad line\n"
                               "/nothing nothing\n"
                               "nothing/ nothing\n"
                               "a/b/c nothing\n"
                               "text/pl\xc3\xa4in nothing\n"
                               "text/plain;charset=x nothing\n"
                               "text/x-evil\x01 nothing\n"
                               "application/x-js js mjs\n"
                               "application/x-wasm WASM\n"
                               "application/x-end end";
    struct mime_table *table = load_text(text, sizeof(text) - 1);

    assert_type(table, "a.one", "application/x-one");
    assert_type(table, "a.two", "application/x-two");
    assert_type(table, "a.two2", "application/x-two");
    assert_type(table, "a.two3", "application/x-two");
    assert_type(table, "a.indented", "application/x-indented");
    assert_type(table, "a.tail", "application/x-tail");
    assert_type(table, "a.not-this", UNKNOWN);
    assert_type(table, "a.off", UNKNOWN);
    assert_type(table, "a.again", "application/x-last");
    assert_type(table, "a.line", UNKNOWN);
    assert_type(table, "a.nothing", UNKNOWN);
    assert_type(table, "a.end", "application/x-end");
    /* above the built-in types, but not above those that the web needs */
    assert_type(table, "a.mkv", "text/x-mkv");
    assert_type(table, "a.css", "text/css");
    assert_type(table, "a.js", "text/javascript");
    assert_type(table, "a.mjs", "text/javascript");
    assert_type(table, "a.wasm", "application/wasm");
    assert_type(table, "a.html", "text/html");
    mime_table_free(table);
}

/* Octets of all kinds: NUL, very long lines, more extensions than there were slots. */
static void test_large_file(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    size_t size = COUNT * 64 + 200000, len = 0;
    char *text = malloc(size), path[64];

    assert_non_null(text);
    len += (size_t)snprintf(text, size, "text/x-nul n%cul\ntext/x-long ", 0);
    memset(text + len, 'x', 100000);
    len += 100000;
    text[len++] = '\n';
    for (int i = 0; i < COUNT; i++)
        len += (size_t)snprintf(text + len, size - len, "text/x-%d e%d E%dx\n", i, i, i);
    struct mime_table *table = load_text(text, len);
    free(text);

    assert_true(table->slots_count >= 2 * table->used);
    for (int i = 0; i < COUNT; i++) {
        char want[64];

        snprintf(want, sizeof(want), "text/x-%d", i);
        snprintf(path, sizeof(path), "/a/b.e%d", i);
        assert_type(table, path, want);
        snprintf(path, sizeof(path), "b.e%dX", i);
        assert_type(table, path, want);
    }
    assert_type(table, "a.css", "text/css");
    mime_table_free(table);
}

static void test_configured(void **state)
{
    (void)state;
    static const char text[] = "text/x-file one two js ts\n";
    struct header_rule types[] = {
        { .name = (char[]){ "one" }, .value = (char[]){ "text/x-config" } },
        { .name = (char[]){ ".Three" }, .value = (char[]){ "text/plain; charset=iso-8859-1" } },
        { .name = (char[]){ "js" }, .value = (char[]){ "application/javascript" } },
        { .name = (char[]){ "ts" }, .value = (char[]){ "application/typescript" } },
    };
    char path[64];

    write_file(path, sizeof(path), text, sizeof(text) - 1);
    struct mime_table *table = load(path, types, ARRAY_LEN(types));
    unlink(path);
    /* The table keeps nothing of the configuration. */
    memset(types[0].value, 'x', strlen(types[0].value));
    assert_type(table, "a.one", "text/x-config");
    assert_type(table, "a.two", "text/x-file");
    assert_type(table, "a.three", "text/plain; charset=iso-8859-1");
    assert_type(table, "a.js", "application/javascript");
    assert_type(table, "a.ts", "application/typescript");
    assert_type(table, "a.mjs", "text/javascript");
    mime_table_free(table);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "a", "" },
        { "a", "text" },
        { "a", "text/" },
        { "a", "/plain" },
        { "a", "text/plain\r\nX: y" },
        { "a", "text/plain;\n" },
        { "a", "text/plain," },
        { "", "text/plain" },
        { ".", "text/plain" },
        { "a", "te xt/plain" },
        { "a", "text/plain/x" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct header_rule rule = { .name = (char *)(uintptr_t)rows[i].name,
                                    .value = (char *)(uintptr_t)rows[i].value };
        struct config config = { .mime_types = (char[]){ "" },
                                 .types = &rule,
                                 .types_count = 1,
                                 .default_type = (char[]){ UNKNOWN } };
        struct mime_table *table = (struct mime_table *)&config;

        why[0] = '\0';
        assert_int_equal(mime_table_load(&config, why, sizeof(why), &table), -EINVAL);
        assert_non_null(strstr(why, "extension=type/subtype"));
        assert_ptr_equal(table, &config); /* untouched */
    }
}

/* An absent file is a warning; one that cannot be read is a failure that names it. */
static void test_file_errors(void **state)
{
    (void)state;
    struct mime_table *table = load("/nonexistent/mime.types", NULL, 0);

    assert_type(table, "a.html", "text/html");
    mime_table_free(table);

    struct config config = { .mime_types = (char[]){ "/tmp" },
                             .default_type = (char[]){ UNKNOWN } };
    assert_int_equal(mime_table_load(&config, why, sizeof(why), &table), -EISDIR);
    assert_non_null(strstr(why, "/tmp"));
    config.mime_types = (char[]){ "/dev/null/x" };
    assert_int_equal(mime_table_load(&config, why, sizeof(why), &table), -ENOTDIR);
    assert_non_null(strstr(why, "/dev/null/x"));
    mime_table_free(NULL);
}

/* Whichever allocation fails, there is an error and no table, and nothing leaks (with the address
 * sanitizer). */
static void test_out_of_memory(void **state)
{
    (void)state;
    static const char text[] = "text/x-file one two\n";
    struct header_rule rule = { .name = (char[]){ "three" }, .value = (char[]){ "text/x-config" } };
    char path[64];
    struct mime_table *table = NULL;
    size_t failures = 0;

    write_file(path, sizeof(path), text, sizeof(text) - 1);
    struct config config = {
        .mime_types = path, .types = &rule, .types_count = 1, .default_type = (char[]){ UNKNOWN }
    };
    for (; table == NULL; failures++) {
        allocations_left = failures;
        why[0] = '\0';
        int r = mime_table_load(&config, why, sizeof(why), &table);
        assert_int_equal(r, table == NULL ? -ENOMEM : 0);
        assert_int_equal(why[0] != '\0', table == NULL);
    }
    allocations_left = SIZE_MAX;
    unlink(path);
    assert_true(failures > mime_builtin.count + mime_pinned.count);
    mime_table_free(table);
}

static void test_is_text(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool text;
    } rows[] = {
        { "text/html", true },
        { "text/css", true },
        { "text/javascript", true },
        { "text/plain", true },
        { "TEXT/Plain", true },
        { "text/markdown", true },
        { "text/x-anything", true },
        { "text/plain; format=flowed", true },
        { "text/plain; x-charset=a", true },
        { "application/javascript", true },
        { "application/x-javascript", true },
        { "Application/ECMAScript", true },
        { "application/javascript; version=1", true },
        /* it has one already */
        { "text/plain; charset=iso-8859-1", false },
        { "text/plain;charset=utf-8", false },
        { "text/plain;\tCHARSET=utf-8", false },
        { "text/plain; format=flowed; Charset=utf-8", false },
        /* JSON and XML have none */
        { "application/json", false },
        { "application/manifest+json", false },
        { "application/xml", false },
        { "application/xhtml+xml", false },
        { "image/svg+xml", false },
        { "application/atom+xml", false },
        { "application/wasm", false },
        { "application/octet-stream", false },
        { "image/png", false },
        { "application/javascripts", false },
        { "texts/plain", false },
        { "text", false },
        { "text/", false },
        { "", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (mime_is_text(span_str(rows[i].type)) != rows[i].text)
            fail_msg("%s", rows[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),

        cmocka_unit_test(test_file),        cmocka_unit_test(test_large_file),
        cmocka_unit_test(test_configured),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_file_errors), cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

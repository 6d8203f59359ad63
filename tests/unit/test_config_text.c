/* test_config_text.c: what passes as a host name, media type, path, header field. */
#include "config/config_text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef const char *(*check_function)(const char *text);

/* Texts that pass, then texts that do not; NULL behind each. */
static void check(check_function function, const char *const *good, const char *const *bad)
{
    for (; *good != NULL; good++) {
        if (function(*good) != NULL)
            fail_msg("\"%s\" %s", *good, function(*good));
    }
    for (; *bad != NULL; bad++) {
        if (function(*bad) == NULL)
            fail_msg("\"%s\" passes", *bad);
    }
}

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void test_hosts(void **state)
{
    static const char *const good[] = {
        "localhost",     "www.example.org", "WWW.example",      "a_b", "1.2.3.4", "[::1]",
        "*.example.org", LABEL_63 ".x",     "xn--bcher-kva.ch", NULL
    };
    static const char *const bad[] = { "",     ".",          "a.",        ".a",
                                       "a..b", "a b",        "a:80",      "*",
                                       "*.",   "a.*.b",      "::1",       "[::1",
                                       "[]",   "[::g]",      "[1.2.3.4]", "b\xc3\xbc.ch",
                                       "a/b",  LABEL_63 "g", "*.*.a",     NULL };
    char long_name[260];

    (void)state;
    check(config_text_host, good, bad);
    for (size_t i = 0; i < sizeof(long_name); i++)
        long_name[i] = i % 2 == 0 ? 'a' : '.';
    long_name[253] = '\0';
    assert_null(config_text_host(long_name));
    long_name[253] = '.';
    long_name[255] = '\0';
    assert_non_null(config_text_host(long_name));
}

static void test_types(void **state)
{
    static const char *const good[] = { "text/html", "application/atom+xml",
                                        "text/plain; charset=x", "text/plain;charset=x", NULL };
    static const char *const bad[] = {
        "",      "text", "/html", "text/", "text/a b", "te xt/a", "text/plain\r\nX: y",
        "a/b/c", ";a/b", NULL
    };

    (void)state;
    check(config_text_media_type, good, bad);
}

static void test_media_ranges(void **state)
{
    static const char *const good[] = { "text/html", "text/*", "*/*", "image/svg+xml", NULL };
    static const char *const bad[] = { "",          "text",    "/html",        "text/",
                                       "text/a b",  "te xt/a", "text/html; q", "a/b/c",
                                       "*/a",       "*",       "text/a\r\n",   "te\"xt/a",
                                       "text/\xe4", NULL };

    (void)state;
    check(config_text_media_range, good, bad);
}

static void test_words(void **state)
{
    static const char *const good[] = { "reactor", "www-data", NULL };
    static const char *const bad[] = {
        "", "a b", "a\tb",
        "0123456789012345678901234567890123456789012345678901234567890"
        "1234",
        NULL
    };
    static const char *const charsets[] = { "utf-8", "ISO_8859-1", NULL };
    static const char *const no_charsets[] = {
        "", "utf 8", "utf-8;", "\"utf-8\"", "01234567890123456789012345678901234567890", NULL
    };

    (void)state;
    check(config_text_word, good, bad);
    check(config_text_charset, charsets, no_charsets);
}

static void test_paths(void **state)
{
    static const char *const paths[] = { "/", "/a", "/a/b/", "/...", "/a b/%41", NULL };
    static const char *const no_paths[] = { "",      "a",     "//",  "/a//b", "/.",
                                            "/a/..", "/../a", "/./", "/a\n",  NULL };
    static const char *const prefixes[] = { "/", "/a/", "/a/b/", NULL };
    static const char *const no_prefixes[] = { "", "a/", "/a", "/a//", "/../", NULL };
    static const char *const names[] = { "index.html", ".x", "...", NULL };
    static const char *const no_names[] = { "", ".", "..", "a/b", "/a", "a\x7f", NULL };

    (void)state;
    check(config_text_path, paths, no_paths);
    check(config_text_prefix, prefixes, no_prefixes);
    check(config_text_file_name, names, no_names);
}

static void test_try(void **state)
{
    static const char *const good[] = { "$uri",         "$uri.html",
                                        "$uri/",        "$uri/index.html",
                                        "/index.html",  "/$host$uri",
                                        "$uri$is_args", NULL };
    static const char *const bad[] = { "",       "uri", "index.html", "=404", "$ur",    "$uri/../x",
                                       "$uri..", "//x", "/../x",      "$url", "$uri//", NULL };

    (void)state;
    check(config_text_try, good, bad);
}

static void test_fields(void **state)
{
    static const char *const good[] = { "a", "a\tb", "max-age=1, public", "\xc3\xbc", NULL };
    static const char *const bad[] = { "", " \t ", "a\r\nb", "a\nb", "a\x01", "a\x7f", NULL };
    static const char *const names[] = { "X-A", "Cache-Control", "Server-Timing", "Dates" };
    static const char *const no_names[] = { "",
                                            "a b",
                                            "a:",
                                            "\xc3\xbc",
                                            "Content-Length",
                                            "transfer-encoding",
                                            "CONNECTION",
                                            "Date",
                                            "Content-Range",
                                            "Content-Encoding",
                                            "ETag",
                                            "Last-Modified",
                                            "Content-Type",
                                            "Accept-Ranges",
                                            "Keep-Alive",
                                            "Trailer",
                                            "Upgrade",
                                            "Vary",
                                            "Allow",
                                            "server" };
    char long_value[CONFIG_FIELD_VALUE_MAX + 2];

    (void)state;
    check(config_text_field_value, good, bad);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_null(config_text_field_name(span_str(names[i])));
    for (size_t i = 0; i < ARRAY_LEN(no_names); i++)
        assert_non_null(config_text_field_name(span_str(no_names[i])));
    assert_non_null(config_text_field_name(span_make("a\0b", 3)));
    memset(long_value, 'a', sizeof(long_value));
    long_value[CONFIG_FIELD_VALUE_MAX] = '\0';
    assert_null(config_text_field_value(long_value));
    long_value[CONFIG_FIELD_VALUE_MAX] = 'a';
    long_value[CONFIG_FIELD_VALUE_MAX + 1] = '\0';
    assert_non_null(config_text_field_value(long_value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),        cmocka_unit_test(test_types),
        cmocka_unit_test(test_media_ranges), cmocka_unit_test(test_words),
        cmocka_unit_test(test_paths),        cmocka_unit_test(test_try),
        cmocka_unit_test(test_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

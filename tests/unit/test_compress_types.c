/* test_compress_types.c: which media types `compress` holds for. */
#include "http/compress_types.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_usual(void **state)
{
    static const struct location location = { .compress_types_count = 0 };
    static const char *const good[] = { "text/html",
                                        "text/html; charset=utf-8",
                                        "TEXT/CSS",
                                        "text/x-anything",
                                        "application/json",
                                        "application/Json;a=b",
                                        "image/svg+xml",
                                        "application/atom+xml",
                                        "application/geo+json",
                                        "application/wasm",
                                        "font/ttf" };
    static const char *const bad[] = {
        "image/png", "font/woff2",   "application/octet-stream", "application/gzip", "video/mp4",
        "text",      "textual/html", "application/jsonp"
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(http_compress_suits(&location, span_str(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(http_compress_suits(&location, span_str(bad[i])));
}

static void test_configured(void **state)
{
    char *types[] = { (char[]){ "image/png" }, (char[]){ "model/*" } };
    struct location location = { .compress_types = types, .compress_types_count = 2 };

    (void)state;
    assert_true(http_compress_suits(&location, SPAN_LIT("image/PNG; x=y")));
    assert_true(http_compress_suits(&location, SPAN_LIT("model/stl")));
    assert_false(http_compress_suits(&location, SPAN_LIT("text/html")));
    assert_false(http_compress_suits(&location, SPAN_LIT("image/svg+xml")));
    assert_false(http_compress_suits(&location, SPAN_LIT("model/")));
    types[0] = (char[]){ "*/*" };
    assert_true(http_compress_suits(&location, SPAN_LIT("text/html")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_accept.c: Accept-Encoding and Accept, well-formed and not. */
#include "http/accept.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    ALL = 1 << CODING_GZIP | 1 << CODING_BR | 1 << CODING_ZSTD,
    DELTAS = 1 << CODING_DCB | 1 << CODING_DCZ
};

/* The order as text, one letter a coding: z, b, g, i, and Z, B with a dictionary. */
static void assert_order(const struct http_codings *codings, unsigned available, const char *want,
                         const char *field)
{
    enum coding order[CODING_COUNT];
    char text[CODING_COUNT + 1] = "";
    size_t count = http_codings_order(codings, available, order);

    assert_in_range(count, 1, CODING_COUNT);
    for (size_t i = 0; i < count; i++)
        text[i] = "igbzBZ"[order[i]];
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s instead of %s", field, text, want);
}

static void test_codings(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        unsigned available;
        const char *order;
    } rows[] = {
        /* RFC 9110 section 12.5.3 */
        { "compress, gzip", ALL, "gi" },
        { "", ALL, "i" },
        { "*", ALL, "zbgi" },
        { "compress;q=0.5, gzip;q=1.0", ALL, "gi" },
        { "gzip;q=1.0, identity; q=0.5, *;q=0", ALL, "gi" },
        /* browsers, curl, wget */
        { "gzip, deflate, br, zstd", ALL, "zbgi" },
        { "gzip, deflate, br, zstd", 1 << CODING_GZIP, "gi" },
        { "gzip, deflate, br, zstd", 1 << CODING_BR | 1 << CODING_GZIP, "bgi" },
        { "gzip, deflate, br, zstd", 0, "i" },
        { "deflate, gzip", ALL, "gi" },
        { "identity", ALL, "i" },
        { "gzip, deflate, br, zstd", 1 << CODING_IDENTITY | 1 << CODING_ZSTD, "zi" },
        /* weights; identity last among equals, and after all that is named when it is not */
        { "gzip;q=1, br;q=0.5, zstd;q=0.8", ALL, "gzbi" },
        { "gzip;q=0.001", ALL, "gi" },
        { "gzip;q=0.001, br;q=0.002", ALL, "bgi" },
        { "gzip;q=0.5, identity;q=0.5", ALL, "gi" },
        { "gzip;q=0.5, identity;q=0.501", ALL, "ig" },
        { "gzip;q=0.5, identity", ALL, "ig" },
        { "gzip, identity", ALL, "gi" },
        { "gzip;q=0.5, *", ALL, "zbig" },
        { "gzip, *;q=0.5", ALL, "gzbi" },
        { "gzip, br, zstd, dcb, dcz", ALL, "zbgi" },
        { "gzip, br, zstd, dcb, dcz", ALL | DELTAS, "ZBzbgi" },
        { "gzip, dcb, dcz;q=0.5, *;q=0.2", ALL | DELTAS, "BgZzbi" },
        { "*;q=0.5, gzip", ALL, "gzbi" },
        { "gzip;q=1.000", ALL, "gi" },
        { "gzip;q=1.", ALL, "gi" },
        { "gzip;q=0.", ALL, "i" },
        { "gzip;q=0.0", ALL, "i" },
        { "gzip;q=0.000", ALL, "i" },
        { "br;q=0.999, gzip;q=1.00, zstd;q=0.99", ALL, "gbzi" },
        /* not acceptable */
        { "gzip;q=0", ALL, "i" },
        { "gzip;q=0, *", ALL, "zbi" },
        { "*;q=0", ALL, "i" },
        { "*;q=0, gzip", ALL, "gi" },
        { "identity;q=0", ALL, "i" },
        { "identity;q=0, gzip", ALL, "gi" },
        { "identity;q=0, gzip;q=0.001", ALL, "gi" },
        { "identity;q=0, *;q=0", ALL, "i" },
        { "*, identity;q=0", ALL, "zbgi" },
        /* names */
        { "GZIP", ALL, "gi" },
        { "GZip;Q=0.5, Br", ALL, "bgi" },
        { "x-gzip", ALL, "gi" },
        { "X-GZIP;q=0", ALL, "i" },
        { "gzipp, xgzip, x-br, brotli, zst", ALL, "i" },
        /* given twice: the first counts */
        { "gzip;q=0, gzip", ALL, "i" },
        { "gzip, gzip;q=0", ALL, "gi" },
        { "gzip;q=0, x-gzip", ALL, "i" },
        { "*;q=0, *", ALL, "i" },
        /* blanks and empty elements */
        { "gzip , br", ALL, "bgi" },
        { " \tgzip\t;\tq=0.5 ,br ; q=0.4", ALL, "gbi" },
        { ",,gzip,, ,br,", ALL, "bgi" },
        { ",", ALL, "i" },
        /* malformed elements are skipped, the others count */
        { "gzip;q=1.001, br", ALL, "bi" },
        { "gzip;q=2, br", ALL, "bi" },
        { "gzip;q=1.0000, br", ALL, "bi" },
        { "gzip;q=0.1234, br", ALL, "bi" },
        { "gzip;q=.5, br", ALL, "bi" },
        { "gzip;q=00.5, br", ALL, "bi" },
        { "gzip;q=01, br", ALL, "bi" },
        { "gzip;q=-1, br", ALL, "bi" },
        { "gzip;q=+1, br", ALL, "bi" },
        { "gzip;q=1,5, br", ALL, "bgi" }, /* two elements: the comma parts them */
        { "gzip;q=0x1, br", ALL, "bi" },
        { "gzip;q=1e0, br", ALL, "bi" },
        { "gzip;q=0.x, br", ALL, "bi" },
        { "gzip;q=0.5., br", ALL, "bi" },
        { "gzip;q=, br", ALL, "bi" },
        { "gzip;q, br", ALL, "bi" },
        { "gzip;, br", ALL, "bi" },
        { "gzip;q =1, br", ALL, "bi" },
        { "gzip;q= 1, br", ALL, "bi" },
        { "gzip;q=\"1\", br", ALL, "bi" },
        { "gzip;q=1 x, br", ALL, "bi" },
        { "gzip;level=9, br", ALL, "bi" },
        { "gzip;x;q=1, br", ALL, "bi" },
        { "gzip br", ALL, "i" },
        { "gzip br, zstd", ALL, "zi" },
        { "gzip:br, zstd", ALL, "zi" },
        { "\"gzip\", br", ALL, "bi" },
        { "\"gzip, zstd\", br", ALL, "bi" },
        { "gz\xc3\xadp, br", ALL, "bi" },
        { ";q=1, br", ALL, "bi" },
        { "=, br", ALL, "bi" },
        { "\"br", ALL, "i" },
        { "gzip, x=\"\\", ALL, "gi" },
        { "**, br", ALL, "bi" },
        { "*/*, br", ALL, "bi" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_codings codings;

        http_codings_init(&codings);
        http_codings_parse(&codings, span_str(rows[i].field));
        assert_order(&codings, rows[i].available, rows[i].order, rows[i].field);
    }
}

static void test_codings_without_field(void **state)
{
    (void)state;
    struct http_codings codings;

    http_codings_init(&codings);
    assert_int_equal(codings.weight[CODING_IDENTITY], 1000);
    assert_int_equal(codings.weight[CODING_GZIP], 0);
    assert_order(&codings, ALL, "i", "no field");
}

/* Lines of one field count as one list (RFC 9110 section 5.3): cut at every comma, the result is
 * the same. */
static void test_codings_in_lines(void **state)
{
    (void)state;
    static const struct {
        const char *lines[4];
        const char *order;
    } rows[] = {
        { { "gzip", "br" }, "bgi" },       { { "gzip;q=0.5", "br;q=0.4", "zstd;q=0.3" }, "gbzi" },
        { { "*;q=0.5", "gzip" }, "gzbi" }, { { "gzip", "*;q=0.5" }, "gzbi" },
        { { "*;q=0", "gzip" }, "gi" },     { { "identity;q=0.5", "gzip;q=0.4", "*;q=0" }, "ig" },
        { { "gzip;q=0", "*" }, "zbi" },    { { "", "gzip", "" }, "gi" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_codings codings, joined;
        char text[128] = "";

        http_codings_init(&codings);
        http_codings_init(&joined);
        for (size_t j = 0; j < ARRAY_LEN(rows[i].lines) && rows[i].lines[j] != NULL; j++) {
            http_codings_parse(&codings, span_str(rows[i].lines[j]));
            strcat(text, rows[i].lines[j]);
            strcat(text, ", ");
        }
        http_codings_parse(&joined, span_str(text));
        assert_order(&codings, ALL, rows[i].order, rows[i].lines[0]);
        assert_order(&joined, ALL, rows[i].order, text);
    }
}

/* Every weight with three decimals, and what is not one. */
static void test_weights(void **state)
{
    (void)state;
    for (int value = 0; value <= 1999; value++) {
        char text[16];
        int weight = 42;

        snprintf(text, sizeof(text), "%d.%03d", value / 1000, value % 1000);
        assert_int_equal(weight_parse(span_str(text), &weight), value <= 1000);
        assert_int_equal(weight, value <= 1000 ? value : 42);
    }
    for (int value = 0; value <= 99; value++) {
        char text[16];
        int weight;

        snprintf(text, sizeof(text), "0.%d", value);
        assert_true(weight_parse(span_str(text), &weight));
        assert_int_equal(weight, value < 10 ? value * 100 : value * 10);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_true(span_eq(http_coding_name(CODING_IDENTITY), SPAN_LIT("")));
    assert_true(span_eq(http_coding_name(CODING_GZIP), SPAN_LIT("gzip")));
    assert_true(span_eq(http_coding_name(CODING_BR), SPAN_LIT("br")));
    assert_true(span_eq(http_coding_name(CODING_ZSTD), SPAN_LIT("zstd")));
    assert_true(span_eq(http_coding_suffix(CODING_IDENTITY), SPAN_LIT("")));
    assert_true(span_eq(http_coding_suffix(CODING_GZIP), SPAN_LIT(".gz")));
    assert_true(span_eq(http_coding_suffix(CODING_BR), SPAN_LIT(".br")));
    assert_true(span_eq(http_coding_suffix(CODING_ZSTD), SPAN_LIT(".zst")));
    assert_true(span_eq(http_coding_name(CODING_DCB), SPAN_LIT("dcb")));
    assert_true(span_eq(http_coding_name(CODING_DCZ), SPAN_LIT("dcz")));
}

static void test_prefers_json(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        bool json;
    } rows[] = {
        { "application/json", true },
        { "Application/JSON", true },
        { "application/json;charset=utf-8", true },
        { "application/json, text/plain, */*", true }, /* as programs ask */
        { "application/json, */*", true },
        { "*/*, application/json", true },
        { "application/*", true },
        { "application/json, text/html;q=0.9", true },
        { "text/html;q=0.9, application/json", true },
        { "application/json;q=0.5, text/html;q=0.4", true },
        { "application/json;q=0.001", true },
        { "application/*;q=0.5, text/*;q=0.4", true },
        { "text/html;q=0, */*", true },
        { "text/html;q=0.8, */*", true },
        { "text/*;q=0.3, application/json;q=0.7, text/html;q=0.4, */*;q=0.5", true },
        { "text/html;q=0.5;x=\"a,b\", application/json", true },
        { "text/html;x=\"q=1, text/html\";q=0.5, application/json;q=0.6", true },
        { "bad/;;, application/json", true },
        { "text/html;q=9, application/json", true }, /* what is malformed says nothing */
        /* a browser, curl, wget */
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", false },
        { "*/*", false },
        { "", false },
        { ",", false },
        { "text/html", false },
        { "text/plain", false },
        { "image/png", false },
        { "text/html, application/json", false },
        { "application/json, text/html", false },
        { "application/json;q=0", false },
        { "application/json;q=0, */*", false },
        { "application/json;q=0.5, */*", false },
        { "application/json;q=0.5, text/html", false },
        { "application/json;q=0.8, text/*;q=0.9", false },
        { "application/*, */*", false },
        { "application/*;q=0.5, text/*;q=0.5", false },
        { "application/json;q=1.5", false },
        { "application/json;q=", false },
        { "application/json x", false },
        { "application/jsonp", false },
        { "application/ld+json", false },
        { "json", false },
        { "application", false },
        { "x=\"application/json\"", false },
        { "\"application/json", false },
        { "text/html;x=\", application/json", false }, /* the quotes never end */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (http_accept_prefers_json(span_str(rows[i].field)) != rows[i].json)
            fail_msg("%s", rows[i].field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_codings_without_field),
        cmocka_unit_test(test_codings_in_lines),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_prefers_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_uri_octet.c: the table, against RFC 3986 appendix A written out, and what is taken beyond
 * it. */
#include "core/uri_octet.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ALPHA      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGIT      "0123456789"
#define UNRESERVED ALPHA DIGIT "-._~"
#define SUB_DELIMS "!$&'()*+,;="
#define PCHAR      UNRESERVED SUB_DELIMS ":@"

static void test_table_is_the_grammar(void **state)
{
    (void)state;
    static const struct {
        enum uri_octet what;
        const char *octets;
    } rows[] = {
        { URI_NAME, UNRESERVED SUB_DELIMS },
        { URI_SAFE, UNRESERVED "/!$()*+,=:@" },
        { URI_STRICT, PCHAR "/?" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int octet = 0; octet < 256; octet++)
            assert_int_equal(uri_octet_is((char)octet, rows[i].what),
                             octet != 0 && strchr(rows[i].octets, octet) != NULL);
}

/* A path and a query hold all octets but CTL, SP, '#', the '%' of an escape, and what ends them. */
static void test_raw_octets(void **state)
{
    (void)state;
    for (int octet = 0; octet < 256; octet++) {
        bool raw = octet > ' ' && octet != 0x7f && octet != '#' && octet != '%';

        assert_int_equal(uri_octet_is((char)octet, URI_QUERY), raw);
        assert_int_equal(uri_octet_is((char)octet, URI_PATH), raw && octet != '/' && octet != '?');
    }
}

static void test_escape(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int octet;
    } rows[] = {
        { "%00", 0 },   { "%41", 'A' }, { "%7F", 0x7f }, { "%fF", 0xff }, { "%aB1", 0xab },
        { "", -1 },     { "%", -1 },    { "%4", -1 },    { "%4g", -1 },   { "%g4", -1 },
        { "%%41", -1 }, { "% 1", -1 },  { "%+1", -1 },   { "%-1", -1 },   { "%0x", -1 },
        { "41", -1 },   { "0x41", -1 }, { "%4:", -1 },   { "%@1", -1 },   { "%1`", -1 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(uri_escape_octet(rows[i].text, rows[i].text + strlen(rows[i].text)),
                         rows[i].octet);
    /* What lies beyond the end does not count. */
    static const char text[] = "%41";
    assert_int_equal(uri_escape_octet(text, text + 2), -1);
    assert_int_equal(uri_escape_octet(text, text), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_the_grammar),
        cmocka_unit_test(test_raw_octets),
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

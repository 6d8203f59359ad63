/* test_json_text.c: characters and octets as the text of a JSON string. */
#include "core/json_text.c"

#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* All of `octets`, one call a character. */
static const char *put_all(const char *octets)
{
    static char text[256];
    struct span left = span_str(octets);
    char *out = text;

    while (left.len > 0) {
        size_t used = 0;
        char *end = json_put_char(out, left, &used);
        assert_true(end - out <= JSON_CHAR_MAX && (size_t)(end - out) <= 6 * used);
        out = end;
        left = span_make(left.ptr + used, left.len - used);
    }
    *out = '\0';
    return text;
}

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        const char *octets, *text;
    } rows[] = {
        { "plain ~", "plain ~" },
        { "\"\\\x01\n\x7f", "\\u0022\\u005C\\u0001\\u000A\\u007F" },
        { "Caf\xc3\xa9 \xe2\x82\xac", "Caf\\u00E9 \\u20AC" },
        { "\xf0\x9d\x84\x9e\xf4\x8f\xbf\xbf", "\\uD834\\uDD1E\\uDBFF\\uDFFF" },
        { "caf\xe9", "caf\\\\xE9" },
        { "\xed\xa0\x80\xc0\xaf", "\\\\xED\\\\xA0\\\\x80\\\\xC0\\\\xAF" },
        { "\xe2\x82", "\\\\xE2\\\\x82" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(put_all(rows[i].octets), rows[i].text);
}

/* Every character there is, each written from its number. */
static void test_every_character(void **state)
{
    (void)state;
    for (uint32_t number = 1; number <= 0x10ffff; number++) {
        char octets[5] = "", text[16];
        if (number >= 0xd800 && number < 0xe000)
            continue;
        if (number < 0x80)
            sprintf(octets, "%c", (int)number);
        else if (number < 0x800)
            sprintf(octets, "%c%c", (int)(0xc0 | number >> 6), (int)(0x80 | (number & 63)));
        else if (number < 0x10000)
            sprintf(octets, "%c%c%c", (int)(0xe0 | number >> 12), (int)(0x80 | (number >> 6 & 63)),
                    (int)(0x80 | (number & 63)));
        else
            sprintf(octets, "%c%c%c%c", (int)(0xf0 | number >> 18),
                    (int)(0x80 | (number >> 12 & 63)), (int)(0x80 | (number >> 6 & 63)),
                    (int)(0x80 | (number & 63)));
        if (number >= 0x10000)
            sprintf(text, "\\u%04X\\u%04X", (unsigned)(0xd7c0 + (number >> 10)),
                    (unsigned)(0xdc00 + number % 1024));
        else if (number < 0x20 || number > 0x7e || number == '"' || number == '\\')
            sprintf(text, "\\u%04X", (unsigned)number);
        else
            sprintf(text, "%c", (int)number);
        if (strcmp(put_all(octets), text) != 0)
            fail_msg("U+%04X: %s, not %s", (unsigned)number, put_all(octets), text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

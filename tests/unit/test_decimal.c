/* test_decimal.c: numbers as text, and ports read from text. */
#include "core/decimal.h"
#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_text(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = { { 0, "0" }, { 9, "9" }, { 10, "10" }, { UINT64_MAX, "18446744073709551615" } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal room;
        assert_true(span_eq(decimal_text(cases[i].value, &room), span_str(cases[i].text)));
    }
}

static void test_ports(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int port; /* -1: it is none */
    } cases[] = {
        { "0", 0 },        { "80", 80 },    { "65535", 65535 },
        { "0000080", 80 }, { "65536", -1 }, { "", -1 },
        { " 80", -1 },     { "80 ", -1 },   { "+80", -1 },
        { "-1", -1 },      { "8o", -1 },    { "4294967376", -1 },           /* 2^32 + 80 */
        { "99999", -1 },   { "0x50", -1 },  { "18446744073709551696", -1 }, /* 2^64 + 80 */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint16_t port = 7;
        bool taken = decimal_parse_port(span_str(cases[i].text), &port);
        assert_int_equal(taken, cases[i].port >= 0);
        assert_int_equal(port, taken ? cases[i].port : 7);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool taken;
        uint64_t number;
    } cases[] = {
        { "0", 0, true, 0 },
        { "1", 0, false, 0 },
        { "007", 9, true, 7 },
        { "8", 7, false, 0 },
        { "4294967294", UINT32_MAX - 1, true, UINT32_MAX - 1 },
        { "4294967295", UINT32_MAX - 1, false, 0 },
        { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },
        { "99999999999999999999", UINT64_MAX, false, 0 },
        { "1\xb2", UINT64_MAX, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t number = 42;
        assert_int_equal(decimal_parse(span_str(cases[i].text), cases[i].max, &number),
                         cases[i].taken);
        assert_true(number == (cases[i].taken ? cases[i].number : 42));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

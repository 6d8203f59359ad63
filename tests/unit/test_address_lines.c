/* test_address_lines.c: files of addresses, as they are published. */
#include "core/address_lines.c"

#include "core/arena.h"
#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_lines(void **state)
{
    (void)state;
    static const char text[] = "# FireHOL\r\n"
                               "\n"
                               "10.0.0.0/8\r\n"
                               " \t 192.0.2.1\t# a comment\n"
                               "1.10.16.0/20 ; SBL256894\n"
                               "; Spamhaus\n"
                               "10.0.0.0/8\n"
                               "2001:db8::/32;\n"
                               "unix:\n"
                               "   \n"
                               "::ffff:9.9.9.9";
    struct address_list list = { 0 };
    struct address_lines_fault fault;

    assert_int_equal(address_lines_add(span_str(text), false, &list, &fault), 0);
    assert_int_equal(list.count, 7);
    assert_int_equal(list.ranges[1].first.low, 0xc0000201);
    assert_int_equal(list.ranges[4].family, PEER_IPV6);
    assert_false(list.ranges[4].excluded);
    assert_int_equal(address_lines_add(SPAN_LIT("9.9.9.9"), true, &list, &fault), 0);
    assert_true(list.ranges[7].excluded);
    assert_int_equal(address_lines_add(SPAN_LIT(""), true, &list, &fault), 0);
    assert_int_equal(list.count, 8);
    address_list_free(&list);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *element, *what;
        size_t line;
    } rows[] = {
        { "x", "x", "is no address", 1 },
        { "\n# c\n10.0.0.1/8\n", "10.0.0.1/8",
          "is an address within a network, not the network's own: the bits behind the prefix must "
          "be 0",
          3 },
        { "1.2.3.4\r\n1.2.3.4 5.6.7.8\r\n", "1.2.3.4 5.6.7.8", "is no address", 2 },
        { "all", "all", "is no address", 1 },
        { "deny 1.2.3.4;", "deny 1.2.3.4", "is no address", 1 },
        { "\xef\xbb\xbf"
          "1.2.3.4",
          "\xef\xbb\xbf"
          "1.2.3.4",
          "is no address", 1 },
        { "1.2.3.0/33", "1.2.3.0/33", "has no number from 0 to 32 behind the '/'", 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address_list list = { 0 };
        struct address_lines_fault fault;

        assert_int_equal(address_lines_add(span_str(rows[i].text), false, &list, &fault), -EINVAL);
        assert_int_equal(fault.line, rows[i].line);
        assert_true(span_eq(fault.text, span_str(rows[i].element)));
        assert_string_equal(fault.what, rows[i].what);
        address_list_free(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

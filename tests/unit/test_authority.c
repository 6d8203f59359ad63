/* test_authority.c: hosts and ports, good and bad. */
#include "http/authority.c"

#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_valid(void **state)
{
    (void)state;
    static const struct {
        const char *value, *host;
    } rows[] = {
        { "localhost", "localhost" },
        { "LocalHost:80", "LocalHost" },
        { "localhost:", "localhost" },
        { "localhost:0", "localhost" },
        { "localhost:65535", "localhost" },
        { "localhost:00080", "localhost" },
        { "localhost:00000000000000000000000080", "localhost" },
        { "www.example.org.", "www.example.org." },
        { "www.example.org.:80", "www.example.org." },
        { "a.", "a." },
        { "%2e.a", "%2e.a" },
        { "127.0.0.1:8080", "127.0.0.1" },
        { "999.999.999.999", "999.999.999.999" }, /* a reg-name */
        { "a-b_c~d.e!$&'()*+,;=f", "a-b_c~d.e!$&'()*+,;=f" },
        { "%41%c3%A4:1", "%41%c3%A4" },
        { "[::]", "[::]" },
        { "[::1]", "[::1]" },
        { "[::1]:80", "[::1]" },
        { "[::1]:", "[::1]" },
        { "[1::]", "[1::]" },
        { "[2001:db8::1]", "[2001:db8::1]" },
        { "[2001:DB8:0:0:0:0:0:1]", "[2001:DB8:0:0:0:0:0:1]" },
        { "[1:2:3:4:5:6:7:8]:65535", "[1:2:3:4:5:6:7:8]" },
        { "[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]" },
        { "[::2:3:4:5:6:7:8]", "[::2:3:4:5:6:7:8]" },
        { "[1::3:4:5:6:7:8]", "[1::3:4:5:6:7:8]" },
        { "[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]" },
        { "[::0.0.0.0]", "[::0.0.0.0]" },
        { "[::255.255.255.255]", "[::255.255.255.255]" },
        { "[1:2:3:4:5:6:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]" },
        { "[::2:3:4:5:6:192.0.2.1]", "[::2:3:4:5:6:192.0.2.1]" },
        { "[v1.fe80]", "[v1.fe80]" },
        { "[VaF.a:b!~]:1", "[VaF.a:b!~]" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span host = { NULL, 99 };

        if (!http_authority_parse(span_str(rows[i].value), &host))
            fail_msg("refused: %s", rows[i].value);
        if (!span_eq(host, span_str(rows[i].host)))
            fail_msg("%s: host is %.*s", rows[i].value, (int)host.len, host.ptr);
        assert_ptr_equal(host.ptr, rows[i].value);
    }
}

static void test_invalid(void **state)
{
    (void)state;
    static const char *const rows[] = {
        /* no host at all */
        "",
        ".",
        "..",
        ".:80",
        ".a",
        "..a",
        "a..",
        "a..b",
        "a.b..c",
        "a..:80",
        "1..2.3",
        "user@localhost",
        "user:password@localhost",
        "@",
        "localhost/",
        "/",
        "a/b",
        "a?b",
        "?",
        "#",
        "a#b",
        "a\\b",
        "\\",
        "http://localhost",
        "a b",
        " a",
        "a ",
        "a\tb",
        "a\"b",
        "a<b",
        "a>b",
        "a{b",
        "a}b",
        "a|b",
        "a^b",
        "a`b",
        "\xc3\xa4.example",
        "a\xa0",
        "a\x7f",
        "a\x01",
        "a[b",
        "a]b",
        "[",
        "]",
        ":",
        ":80",
        "::",
        ":0",
        /* escapes */
        "%",
        "%4",
        "%zz",
        "a%",
        "a%4",
        "a%4:80",
        /* ports */
        "localhost:x",
        "localhost:8x",
        "localhost:-1",
        "localhost:+80",
        "localhost: 80",
        "localhost:80 ",
        "localhost:65536",
        "localhost:99999",
        "localhost:4294967376",
        "localhost:18446744073709551696",
        "localhost:80:80",
        "localhost::80",
        "localhost:0x50",
        "localhost:8.0",
        "localhost:80/",
        "localhost:\xd9\xa1",
        /* IPv6 */
        "::1",
        "2001:db8::1",
        "[::1",
        "::1]",
        "[]",
        "[:]",
        "[:::]",
        "[::1]x",
        "[::1]80",
        "[::1]:x",
        "[::1]:65536",
        "x[::1]",
        "[::g]",
        "[1::2::3]",
        "[::1::]",
        "[1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:8:9]",
        "[1:2:3:4:5:6:7:8::]",
        "[::1:2:3:4:5:6:7:8]",
        "[12345::]",
        "[00001::]",
        "[1:2:3:4:5:6:7:]",
        "[:1:2:3:4:5:6:7]",
        "[1:]",
        "[:1]",
        "[1]",
        "[::1]]",
        "[[::1]]",
        "[::1 ]",
        "[ ::1]",
        "[localhost]",
        /* zones: RFC 9110 has none */
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[fe80::1%25]",
        /* IPv4 in IPv6 */
        "[127.0.0.1]",
        "[::ffff:192.0.2.256]",
        "[::ffff:192.0.2]",
        "[::ffff:192.0.2.1.1]",
        "[::ffff:192.0.2.]",
        "[::ffff:.0.2.1]",
        "[::ffff:192..2.1]",
        "[::ffff:01.0.2.1]",
        "[::ffff:192.0.2.1:1]",
        "[::ffff:1922.0.2.1]",
        "[::ffff:a.0.2.1]",
        "[::192.0.2.1::]",
        "[1:2:3:4:5:6:7:192.0.2.1]",
        "[1:2:3:4:5:192.0.2.1]",
        "[1::2:3:4:5:6:192.0.2.1]",
        "[::.1]",
        /* IPvFuture */
        "[v]",
        "[v1]",
        "[v1.]",
        "[v.a]",
        "[vg.a]",
        "[v1.a/]",
        "[v1.a%41]",
        "[v1.[]",
        "[x1.a]",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span host = { rows[i], 99 };

        if (http_authority_parse(span_str(rows[i]), &host))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(host.len, 99); /* untouched */
    }
    struct span host;
    assert_false(http_authority_parse(span_make("a\0b", 3), &host));
    assert_false(http_authority_parse(span_make("\0", 1), &host));
}

/* Each octet, in a name, in a port and in brackets. */
static void test_every_octet(void **state)
{
    (void)state;
    static const char name_octets[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-._~!$&'()*+,;=";

    for (int octet = 0; octet < 256; octet++) {
        char c = (char)octet;
        bool is_name = octet != 0 && strchr(name_octets, octet) != NULL;
        bool is_digit = octet >= '0' && octet <= '9';
        bool is_hex = is_digit || (octet != 0 && strchr("abcdefABCDEF", octet) != NULL);
        struct span host;

        /* "a:b" has a bad port, so ':' is no part of a name; "a.b" has two labels. */
        assert_int_equal(http_authority_parse(span_make((char[]){ 'a', c, 'b' }, 3), &host),
                         is_name);
        assert_int_equal(http_authority_parse(span_make((char[]){ 'a', ':', c }, 3), &host),
                         is_digit);
        assert_int_equal(
            http_authority_parse(span_make((char[]){ '[', ':', ':', c, ']' }, 5), &host), is_hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_every_octet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

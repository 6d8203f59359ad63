/* test_peer.c: addresses as text, held against inet_ntop(3). */
#include "core/peer.c"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_known(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "192.0.2.1", "192.0.2.1" },
        { "0.0.0.0", "0.0.0.0" },
        { "255.255.255.255", "255.255.255.255" },
        { "10.20.100.9", "10.20.100.9" },
        { "::", "::" },
        { "::1", "::1" },
        { "1::", "1::" },
        { "2001:db8::1", "2001:db8::1" },
        { "2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },   /* the first of two equal runs */
        { "2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1" },      /* the longest run */
        { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, /* one zero group is not shortened */
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
        { "0:1:2:3:4:5:6:0", "0:1:2:3:4:5:6:0" },
        { "fe80::a00:0:0", "fe80::a00:0:0" },
        { "::ffff:192.0.2.77", "192.0.2.77" },
        { "::fffe:c000:24d", "::fffe:c000:24d" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer peer = { .family = PEER_IPV4, .port = 80 };
        char text[PEER_TEXT_MAX];

        if (strchr(rows[i].in, ':') != NULL)
            peer.family = PEER_IPV6;
        assert_int_equal(
            inet_pton(peer.family == PEER_IPV6 ? AF_INET6 : AF_INET, rows[i].in, peer.addr), 1);
        assert_int_equal(peer_format(&peer, text), strlen(rows[i].out));
        assert_string_equal(text, rows[i].out);
    }
}

static void test_unix(void **state)
{
    (void)state;
    struct peer peer = { .family = PEER_UNIX };
    char text[PEER_TEXT_MAX];

    assert_int_equal(peer_format(&peer, text), 5);
    assert_string_equal(text, "unix:");
}

static void test_against_libc(void **state)
{
    (void)state;
    srandom(2);
    for (int i = 0; i < 200000; i++) {
        struct peer peer = { .family = i % 2 ? PEER_IPV6 : PEER_IPV4 };
        char ours[PEER_TEXT_MAX], libc[INET6_ADDRSTRLEN];

        /* Many zero groups, so that runs of every place and length come up. */
        for (int j = 0; j < 16; j += 2) {
            long r = random();
            if (r % 3 != 0) {
                peer.addr[j] = (uint8_t)(r >> 8);
                peer.addr[j + 1] = (uint8_t)(r >> 16);
            }
        }
        peer.addr[0] |= 1; /* not the forms that inet_ntop(3) writes with a dotted end */
        assert_non_null(inet_ntop(i % 2 ? AF_INET6 : AF_INET, peer.addr, libc, sizeof libc));
        assert_int_equal(peer_format(&peer, ours), strlen(libc));
        assert_string_equal(ours, libc);
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",         " ",          "1",        "1.2.3",         "1.2.3.4.5",
        "01.2.3.4", "256.2.3.4",  "1.2.3.4 ", " 1.2.3.4",      "1.2.3.4:80",
        "[::1]",    "::1%lo",     ":",        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "::g",      "12345::",    "unix:",    "localhost",     "0x7f.0.0.1",
        "1::2::3",  "2130706433", "::1.2.3",  "1.2.3.4/8",
    };
    struct peer peer = { .family = PEER_UNIX, .port = 7 };

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        if (peer_parse(span_str(none[i]), &peer))
            fail_msg("\"%s\" is taken for an address", none[i]);
        assert_true(peer.family == PEER_UNIX && peer.port == 7);
    }
    assert_false(peer_parse(span_make("1.2.3.4\0", 8), &peer));
    assert_false(
        peer_parse(span_make("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255 and more", 54), &peer));
    assert_true(peer_parse(span_make("1.2.3.45", 7), &peer)); /* not beyond the span */
    assert_true(peer.family == PEER_IPV4 && peer.port == 0 && peer.addr[3] == 4);
}

/* Each address that can be written is read as it was. */
static void test_back(void **state)
{
    (void)state;
    srand(2);
    for (int i = 0; i < 10000; i++) {
        struct peer peer = { .family = i % 2 ? PEER_IPV6 : PEER_IPV4 }, back;
        char text[PEER_TEXT_MAX];
        size_t len = peer.family == PEER_IPV6 ? 16 : 4;
        for (size_t j = 0; j < len; j++)
            peer.addr[j] = rand() % 3 == 0 ? (uint8_t)rand() : 0;
        size_t text_len = peer_format(&peer, text);
        assert_true(peer_parse(span_make(text, text_len), &back));
        assert_memory_equal(&back, &peer, sizeof(peer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_against_libc), cmocka_unit_test(test_parse),
        cmocka_unit_test(test_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

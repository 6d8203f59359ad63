/* test_octet_block.c: sixteen octets at once, and one by one: the same. */
#include "http/octet_block.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_agree(const char *at)
{
#if defined(OCTET_BLOCK)
    assert_int_equal(octet_block_line(at), octet_block_stops(at, OCTET_RUN_LINE));
    assert_int_equal(octet_block_value(at), octet_block_stops(at, OCTET_RUN_VALUE));
    assert_int_equal(octet_block_name(at), octet_block_stops(at, OCTET_RUN_NAME));
    assert_int_equal(octet_block_plain(at), octet_block_stops(at, OCTET_RUN_PLAIN));
#else
    (void)at;
#endif
}

/* The table's way, by the grammar. */
static void test_one_by_one(void **state)
{
    (void)state;
    static const char names[] = "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int octet = 0; octet < 256; octet++) {
        char block[16];
        memset(block, 'a', sizeof(block));
        block[5] = (char)octet;
        bool line = octet >= 0x20 && octet != 0x7f;
        bool name = octet != 0 && strchr(names, octet) != NULL;
        bool plain = octet > 0x20 && octet < 0x7f && octet != '#';
        assert_int_equal(octet_block_stops(block, OCTET_RUN_LINE), line ? 0 : 1 << 5);
        assert_int_equal(octet_block_stops(block, OCTET_RUN_VALUE),
                         line || octet == '\t' ? 0 : 1 << 5);
        assert_int_equal(octet_block_stops(block, OCTET_RUN_NAME), name ? 0 : 1 << 5);
        assert_int_equal(octet_block_stops(block, OCTET_RUN_PLAIN), plain ? 0 : 1 << 5);
    }
}

/* Every octet at every place, among each kind of others. */
static void test_every_octet(void **state)
{
    (void)state;
    static const char others[] = { 'a', '\r', '\t', ' ', '#', 0, '\x7f', '\xff' };
    for (size_t other = 0; other < sizeof(others); other++) {
        for (int octet = 0; octet < 256; octet++) {
            for (size_t at = 0; at < 16; at++) {
                char block[16];
                memset(block, others[other], sizeof(block));
                block[at] = (char)octet;
                assert_agree(block);
            }
        }
    }
}

static void test_any_octets(void **state)
{
    (void)state;
    char block[17];
    srand(7);
    for (unsigned i = 0; i < 200000; i++) {
        for (size_t at = 0; at < sizeof(block); at++)
            block[at] = (char)(rand() >> 5);
        assert_agree(block);
        assert_agree(block + 1); /* nothing need be aligned */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_any_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

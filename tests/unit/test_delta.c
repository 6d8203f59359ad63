/* test_delta.c: heads and names of deltas. */
#include "core/delta.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const uint8_t hash[DELTA_HASH_SIZE] = { 0x01, 0xab, [31] = 0xff };

static void test_heads(void **state)
{
    static const char zstd[] = "\x5e\x2a\x4d\x18\x20\0\0\0\x01\xab";
    uint8_t head[DELTA_HEAD_MAX + 1];

    (void)state;
    assert_int_equal(delta_head_size(DELTA_DCB), 36); /* RFC 9842 section 4 */
    assert_int_equal(delta_head_size(DELTA_DCZ), 40); /* section 5 */
    assert_int_equal(delta_head_put(DELTA_DCB, hash, head), 36);
    assert_memory_equal(head, "\xff\x44\x43\x42\x01\xab", 6);
    assert_int_equal(head[35], 0xff);
    assert_true(delta_head_is(DELTA_DCB, hash, head, 36, 37));
    assert_false(delta_head_is(DELTA_DCB, hash, head, 35, 37));
    assert_false(delta_head_is(DELTA_DCB, hash, head, 36, 36)); /* and nothing behind it */
    assert_false(delta_head_is(DELTA_DCZ, hash, head, 36, 100));
    assert_int_equal(delta_head_put(DELTA_DCZ, hash, head), 40);
    assert_memory_equal(head, zstd, 10);
    assert_int_equal(head[39], 0xff);
    assert_true(delta_head_is(DELTA_DCZ, hash, head, 40, 41));
    for (size_t i = 0; i < 40; i++) {
        head[i] ^= 1;
        assert_false(delta_head_is(DELTA_DCZ, hash, head, 40, 41));
        head[i] ^= 1;
    }
    assert_false(delta_head_is(DELTA_DCB, hash, NULL, 0, 0));
}

static void test_names(void **state)
{
    static const char zeros[] = "00000000000000000000000000000000000000000000000000000000";
    char name[200] = "a.js", want[200];

    (void)state;
    delta_suffix_put(DELTA_DCZ, hash, name + 4);
    snprintf(want, sizeof(want), "a.js.01ab%sff.dcz", zeros);
    memcpy(want + 4 + 5 + strlen(zeros), "00ff.dcz", 9);
    assert_string_equal(name, want);
    assert_true(delta_name_is(span_str(name)));
    assert_false(delta_name_is(span_make(name + 4, DELTA_SUFFIX_LEN))); /* of no file */
    assert_true(delta_name_is(span_make(name + 3, DELTA_SUFFIX_LEN + 1)));
    memcpy(name + strlen(name) - 3, "dcb", 3);
    assert_true(delta_name_is(span_str(name)));
    memcpy(name + strlen(name) - 3, "dcx", 3);
    assert_false(delta_name_is(span_str(name)));
    memcpy(name + strlen(name) - 3, "dcz", 3);
    name[6] = 'A'; /* sha256sum(1) prints small letters */
    assert_false(delta_name_is(span_str(name)));
    assert_false(delta_name_is(SPAN_LIT("")));
    assert_false(delta_name_is(SPAN_LIT("a.js.dcz")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

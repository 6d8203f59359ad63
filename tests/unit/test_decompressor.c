/* test_decompressor.c: what the compressors make is read back; what is cut, damaged or followed by
 * something else is not. */
#include "http/decompressor.c"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 300000, ROOM = SIZE + 1000 };

struct octets {
    size_t len;
    char at[ROOM];
};

static struct octets original, packed, again;

/* Runs all of `in` through, `step` octets at a time, into pieces of `piece` octets. The last
 * result. */
static int run_all(const struct compressor_ops *ops, const struct octets *in, size_t step,
                   size_t piece, struct octets *out)
{
    struct compressor_io io = { .in = in->at };
    void *state = NULL;
    int res = 1;

    assert_int_equal(ops->open(in->len, &state), 0);
    out->len = 0;
    for (size_t taken = 0; taken < in->len && res == 1; taken += step) {
        size_t len = in->len - taken < step ? in->len - taken : step;

        io = (struct compressor_io){ .in = in->at + taken, .in_len = len };
        do {
            size_t left = ROOM - out->len;

            io.out = out->at + out->len;
            io.out_len = left < piece ? left : piece;
            if (io.out_len == 0) {
                res = -EFBIG;
                break;
            }
            res = ops->run(state, &io, taken + len == in->len);
            out->len = (size_t)(io.out - out->at);
        } while (res == 0);
    }
    ops->close(state);
    return res;
}

static void make_original(size_t len)
{
    original.len = len;
    for (size_t i = 0; i < len; i++)
        original.at[i] = (char)('a' + i * i / 7 % 13);
}

static void pack(enum coding coding, size_t len)
{
    make_original(len);
    assert_int_equal(run_all(compressor_find(coding), &original, 65536, ROOM, &packed), 1);
}

static int unpack(enum coding coding, size_t step, size_t piece)
{
    return run_all(decompressor_find(coding), &packed, step, piece, &again);
}

static void each_coding(void (*check)(enum coding coding))
{
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        if (decompressor_find(coding) != NULL)
            check(coding);
}

static void check_round_trip(enum coding coding)
{
    static const size_t steps[] = { 1, 7, 4096, ROOM }, sizes[] = { 1, 1000, SIZE };

    for (size_t i = 0; i < 3; i++) {
        pack(coding, sizes[i]);
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(unpack(coding, steps[j], 3 + 1000 * j), 1);
            assert_int_equal(again.len, original.len);
            assert_memory_equal(again.at, original.at, original.len);
        }
    }
}

static void check_cut(enum coding coding)
{
    size_t whole;

    pack(coding, 5000);
    whole = packed.len;
    for (packed.len = 1; packed.len < whole; packed.len++)
        assert_int_equal(unpack(coding, ROOM, ROOM), -EBADMSG);
}

static void check_followed(enum coding coding)
{
    pack(coding, 5000);
    memcpy(packed.at + packed.len, "tail", 4);
    packed.len += 4;
    assert_int_equal(unpack(coding, ROOM, ROOM), -EBADMSG);
}

/* Whatever stands there: no crash, and nothing beyond the room (with a sanitizer). */
static void check_damaged(enum coding coding)
{
    pack(coding, 5000);
    for (size_t i = 0; i < packed.len; i++) {
        packed.at[i] = (char)(packed.at[i] ^ 0x55);
        (void)unpack(coding, ROOM, ROOM);
        packed.at[i] = (char)(packed.at[i] ^ 0x55);
    }
    assert_int_equal(unpack(coding, ROOM, ROOM), 1);
}

static void test_round_trip(void **state)
{
    (void)state;
    each_coding(check_round_trip);
}

static void test_cut(void **state)
{
    (void)state;
    each_coding(check_cut);
}

static void test_followed(void **state)
{
    (void)state;
    each_coding(check_followed);
}

static void test_damaged(void **state)
{
    (void)state;
    each_coding(check_damaged);
}

/* Several members, and zeros behind them. */
static void test_members(void **state)
{
    size_t len;

    (void)state;
    pack(CODING_GZIP, 1000);
    len = packed.len;
    memcpy(packed.at + len, packed.at, len);
    memset(packed.at + 2 * len, 0, 10);
    packed.len = 2 * len + 10;
    for (size_t step = 1; step < 40; step += 13) {
        assert_int_equal(unpack(CODING_GZIP, step, 100), 1);
        assert_int_equal(again.len, 2000);
        assert_memory_equal(again.at + 1000, original.at, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_followed),   cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

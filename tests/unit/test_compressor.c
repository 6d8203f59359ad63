/* test_compressor.c: each coding that is built in: what it makes is read by the library's own
 * decoder, whatever room it is given, and is the same every time. */
#include "http/compressor.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>
#ifdef GS_BROTLI
#include <brotli/decode.h>
#endif
#ifdef GS_ZSTD
#include <zstd.h>
#endif

enum { STEP = 65536, SIZE_MAX_TRIED = 700000, ROOM = SIZE_MAX_TRIED + 4096 };

static char file[SIZE_MAX_TRIED], again[ROOM], one[ROOM], other[ROOM];

/* Text that compresses, and text that does not. */
static void fill(bool noise)
{
    uint64_t state = 1;

    for (size_t i = 0; i < sizeof(file); i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        file[i] = noise ? (char)(state >> 56)
                        : "the quick brown fox "[i % 16 == 0 ? (state >> 60) : i % 20];
    }
}

/* Compresses the first `size` octets in steps, with `room` octets of room at a time. */
static size_t compress_file(const struct compressor_ops *ops, size_t size, size_t room, char *out)
{
    void *state = NULL;
    size_t made = 0;

    assert_int_equal(ops->open(size, &state), 0);
    for (size_t taken = 0; taken < size;) {
        size_t len = size - taken < STEP ? size - taken : STEP;
        struct compressor_io io = { .in = file + taken, .in_len = len };
        int res = 0;

        while (res == 0) {
            io.out = out + made;
            io.out_len = room;
            assert_true(made + room <= ROOM);
            res = ops->run(state, &io, taken + len == size);
            assert_true(res >= 0);
            assert_int_equal(io.out + io.out_len - out, made + room);
            made = (size_t)(io.out - out);
        }
        assert_int_equal(io.in_len, 0);
        taken += len;
    }
    ops->close(state);
    return made;
}

static size_t gunzip(const char *in, size_t len)
{
    z_stream z = { .next_in = (unsigned char *)(uintptr_t)in,
                   .avail_in = (uInt)len,
                   .next_out = (unsigned char *)again,
                   .avail_out = sizeof(again) };

    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
    return z.total_out;
}

#ifdef GS_BROTLI
static size_t unbrotli(const char *in, size_t len)
{
    size_t size = sizeof(again);

    assert_int_equal(BrotliDecoderDecompress(len, (const uint8_t *)in, &size, (uint8_t *)again),
                     BROTLI_DECODER_RESULT_SUCCESS);
    return size;
}
#endif

#ifdef GS_ZSTD
static size_t unzstd(const char *in, size_t len)
{
    size_t size = ZSTD_decompress(again, sizeof(again), in, len);

    assert_false(ZSTD_isError(size));
    return size;
}
#endif

static size_t decode(enum coding coding, const char *in, size_t len)
{
    switch (coding) {
    case CODING_GZIP:
        return gunzip(in, len);
#ifdef GS_BROTLI
    case CODING_BR:
        return unbrotli(in, len);
#endif
#ifdef GS_ZSTD
    case CODING_ZSTD:
        return unzstd(in, len);
#endif
    default:
        fail();
    }
    return 0;
}

static void check(enum coding coding, size_t size, bool noise)
{
    const struct compressor_ops *ops = compressor_find(coding);
    size_t len = compress_file(ops, size, 4096, one);

    assert_int_equal(decode(coding, one, len), size);
    assert_memory_equal(again, file, size);
    if (!noise && size > 1000)
        assert_true(len < size / 2);
    assert_int_equal(compress_file(ops, size, 4096, other), len);
    assert_memory_equal(one, other, len);
}

static void test_codings(void **state)
{
    static const size_t sizes[] = { 1, 100, 1024, STEP - 1, STEP, STEP + 1, SIZE_MAX_TRIED };

    (void)state;
    for (unsigned coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        if (compressor_find((enum coding)coding) == NULL)
            continue;
        for (int noise = 0; noise < 2; noise++) {
            fill(noise);
            for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
                check((enum coding)coding, sizes[i], noise);
        }
    }
}

/* A window that clients need not take (RFC 9659: 8 MiB) is never announced: 2 octets behind the
 * magic number, where the frame is no single segment (RFC 8878 section 3.1.1.1.2). */
static void test_zstd_window(void **state)
{
    (void)state;
#ifdef GS_ZSTD
    const struct compressor_ops *ops = compressor_find(CODING_ZSTD);
    void *c = NULL;
    struct compressor_io io = { .in = file, .in_len = STEP, .out = one, .out_len = 4096 };

    fill(false);
    assert_int_equal(ops->open(UINT64_C(1) << 32, &c), 0);
    while (io.out == one) { /* until a block is full, and the header leaves before it */
        io.in = file;
        io.in_len = STEP;
        assert_true(ops->run(c, &io, false) >= 0);
    }
    assert_memory_equal(one, "\x28\xb5\x2f\xfd", 4);
    assert_int_equal(one[4] & 0x20, 0);
    assert_true((one[5] & 0xff) >> 3 <= 22 - 10);
    ops->close(c);
#endif
}

static void test_table(void **state)
{
    unsigned codings = compressor_codings();

    (void)state;
    assert_true((codings & 1u << CODING_GZIP) != 0 && (codings & 1u << CODING_IDENTITY) == 0);
    assert_null(compressor_find(CODING_IDENTITY));
    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        const struct compressor_ops *ops = compressor_find((enum coding)coding);

        assert_int_equal(ops != NULL, (codings & 1u << coding) != 0);
        if (ops == NULL)
            continue;
        assert_int_equal(ops->coding, coding);
        assert_int_not_equal(compressor_recipe(ops), 0);
        assert_int_equal(compressor_recipe(ops), compressor_recipe(ops));
    }
}

static const char *version_text;

static void say_version(char text[COMPRESSOR_VERSION_MAX])
{
    snprintf(text, COMPRESSOR_VERSION_MAX, "%s", version_text);
}

static void test_recipe_tells_versions_apart(void **state)
{
    struct compressor_ops ops = { .recipe = "gzip 6", .version = say_version };
    uint16_t recipe;

    (void)state;
    version_text = "1.2.13";
    recipe = compressor_recipe(&ops);
    version_text = "1.3.1";
    assert_int_not_equal(compressor_recipe(&ops), recipe);
    version_text = "1.2.13";
    ops.recipe = "gzip 5";
    assert_int_not_equal(compressor_recipe(&ops), recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_zstd_window),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_recipe_tells_versions_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

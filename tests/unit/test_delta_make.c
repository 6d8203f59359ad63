/* test_delta_make.c: what was made of a dictionary becomes the file again with it. That others read
 * it, too: cli/test_dictionary, client/test_chromium_dictionary. */
#include "core/delta_make.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef GS_ZSTD
#include <zstd.h>

/* Octets that nothing is to be gained of. */
static char *make_noise(size_t len, uint32_t seed)
{
    char *noise = malloc(len + 1);

    assert_non_null(noise);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (char)(seed >> 24);
    }
    return noise;
}

/* A delta's length; it has become `content` again, in a window of at most `window_log`. */
static size_t round_trip(struct span dictionary, struct span content, int window_log)
{
    ZSTD_DCtx *c = ZSTD_createDCtx();
    char *octets = NULL, *out = malloc(content.len + 1);
    size_t len = 0;

    assert_int_equal(delta_maker_find(DELTA_DCZ)->make(dictionary, content, &octets, &len), 0);
    assert_false(ZSTD_isError(ZSTD_DCtx_setParameter(c, ZSTD_d_windowLogMax, window_log)));
    assert_false(ZSTD_isError(ZSTD_DCtx_refPrefix(c, dictionary.ptr, dictionary.len)));
    assert_int_equal(ZSTD_decompressDCtx(c, out, content.len + 1, octets, len), content.len);
    assert_memory_equal(out, content.ptr, content.len);
    ZSTD_freeDCtx(c);
    free(octets);
    free(out);
    return len;
}

static void test_zstd(void **state)
{
    char *noise = make_noise(100000, 1), *copy = make_noise(100000, 1); /* not to overlap */

    (void)state;
    assert_in_range(round_trip(span_make(noise, 100000), span_make(copy + 10, 90000), 23), 1, 100);
    assert_in_range(round_trip(span_make("", 0), span_make(noise, 90000), 23), 90000, 91000);
    /* What begins as a dictionary that was trained is content all the same. */
    memcpy(noise, "\x37\xa4\x30\xec", 4);
    memcpy(copy, noise, 4);
    assert_in_range(round_trip(span_make(noise, 100000), span_make(copy, 100000), 23), 1, 100);
    free(copy);
    free(noise);
}

/* A client has a window of 8 MiB, or of 1.25 times the dictionary (RFC 9842 section 5). */
static void test_windows(void **state)
{
    enum { LEN = 9 << 20 };
    char *noise = make_noise(LEN, 2), *copy = make_noise(LEN + 64, 2);

    (void)state;
    assert_in_range(round_trip(span_make(noise, LEN), span_make(copy + 64, LEN), 23), 1 << 20,
                    2 << 20); /* the dictionary is out of reach at the end */
    free(copy);
    free(noise);
}
#endif

static void test_missing(void **state)
{
    (void)state;
    for (unsigned format = 0; format < DELTA_FORMATS; format++) {
        const struct delta_maker *maker = delta_maker_find((enum delta_format)format);
        char version[DELTA_VERSION_MAX];

        if (maker == NULL) {
            assert_non_null(strstr(delta_maker_missing((enum delta_format)format), "lib"));
            continue;
        }
        assert_int_equal(maker->format, format);
        maker->version(version);
        assert_in_range(strlen(version), 3, DELTA_VERSION_MAX - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef GS_ZSTD
        cmocka_unit_test(test_zstd),
        cmocka_unit_test(test_windows),
#endif
        cmocka_unit_test(test_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

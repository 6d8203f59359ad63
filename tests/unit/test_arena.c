/* test_arena.c: alignment, zeroes, large pieces, sizes that overflow. Leaks are ASan's to find. */
#include "core/arena.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_pieces(void **state)
{
    struct arena *arena = arena_create();
    unsigned char *pieces[200];

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t size = i % 7 == 6 ? ARENA_CHUNK_SIZE + i : i;

        pieces[i] = arena_alloc(arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < size; j++)
            assert_int_equal(pieces[i][j], 0);
        if (size > 0)
            memset(pieces[i], (int)i, size);
    }
    for (size_t i = 1; i < ARRAY_LEN(pieces); i++)
        assert_int_equal(pieces[i][i - 1], i);
    arena_destroy(arena);
    arena_destroy(NULL);
}

static void test_texts(void **state)
{
    struct arena *arena = arena_create();

    (void)state;
    assert_string_equal(arena_strdup(arena, "abc"), "abc");
    assert_string_equal(arena_strdup(arena, ""), "");
    assert_string_equal(arena_strndup(arena, "abcdef", 2), "ab");
    assert_string_equal(arena_printf(arena, "%s:%d", "x", 7), "x:7");
    arena_destroy(arena);
}

static void test_overflow(void **state)
{
    struct arena *arena = arena_create();

    (void)state;
    assert_null(arena_array(arena, SIZE_MAX / 4, 8));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_strndup(arena, "", SIZE_MAX));
    assert_non_null(arena_array(arena, 0, 8));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

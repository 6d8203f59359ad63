/* test_text_table.c: many texts, found and not found; and a table for none. */
#include "match/text_table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const uint64_t key[2] = { 1, 2 };

static void test_none(void **state)
{
    struct arena *arena = arena_create();
    struct text_table table;

    (void)state;
    assert_int_equal(text_table_make(arena, NULL, 0, key, &table), 0);
    assert_int_equal(text_table_find(&table, SPAN_LIT("a")), TEXT_TABLE_NONE);
    assert_int_equal(text_table_find(&table, SPAN_LIT("")), TEXT_TABLE_NONE);
    assert_int_equal(text_table_make(arena, NULL, ((size_t)1 << 30) + 1, key, &table), -ENOMEM);
    arena_destroy(arena);
}

static void test_many(void **state)
{
    enum { COUNT = 20000 };
    static char room[COUNT][16];
    static struct span texts[COUNT + 2];
    struct arena *arena = arena_create();
    struct text_table table;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        texts[i] = span_make(room[i], (size_t)snprintf(room[i], sizeof(room[i]), "/%d", 2 * i));
    texts[COUNT] = SPAN_LIT("");
    texts[COUNT + 1] = SPAN_LIT("/0");
    assert_int_equal(text_table_make(arena, texts, COUNT + 2, key, &table), 0);
    for (uint32_t i = 0; i <= COUNT; i++)
        assert_int_equal(text_table_add(&table, i), TEXT_TABLE_NONE);
    assert_int_equal(text_table_add(&table, COUNT + 1), 0);
    for (uint32_t i = 0; i <= COUNT; i++)
        assert_int_equal(text_table_find(&table, texts[i]), i);
    for (int i = 0; i < COUNT; i++) {
        char other[16];
        size_t len = (size_t)snprintf(other, sizeof(other), "/%d", 2 * i + 1);

        assert_int_equal(text_table_find(&table, span_make(other, len)), TEXT_TABLE_NONE);
    }
    assert_int_equal(text_table_find(&table, SPAN_LIT("/123456789")), TEXT_TABLE_NONE);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

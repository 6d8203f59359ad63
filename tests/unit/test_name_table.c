/* test_name_table.c: names are found whatever their number, and others are not. */
#include "config/name_table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct name_slot *find(const struct name_table *table, const char *name)
{
    return name_table_find(table, name_hash(span_str(name)), span_str(name));
}

static void test_many(void **state)
{
    enum { COUNT = 20000 };
    struct arena *arena = arena_create();
    struct name_table table;
    char text[32];

    (void)state;
    assert_int_equal(name_table_make(arena, COUNT, false, &table), 0);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "host%zu.example.org", i);
        assert_null(find(&table, text));
        const char *name = arena_strdup(arena, text);
        assert_non_null(name);
        name_table_add(&table, span_str(name), i);
    }
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "host%zu.example.org", i);
        assert_int_equal(find(&table, text)->index, i);
        snprintf(text, sizeof(text), "host%zu.example.net", i);
        assert_null(find(&table, text));
    }
    assert_int_equal(table.left, 0);
    arena_destroy(arena);
}

static void test_case(void **state)
{
    struct arena *arena = arena_create();
    struct name_table any, exact;

    (void)state;
    assert_int_equal(name_table_make(arena, 2, true, &any), 0);
    assert_int_equal(name_table_make(arena, 2, false, &exact), 0);
    name_table_add(&any, SPAN_LIT("name"), 1);
    name_table_add(&exact, SPAN_LIT("name"), 1);
    name_table_add(&exact, SPAN_LIT("NAME"), 2);
    assert_int_equal(find(&any, "Name")->index, 1);
    assert_int_equal(find(&exact, "name")->index, 1);
    assert_int_equal(find(&exact, "NAME")->index, 2);
    assert_null(find(&exact, "Name"));
    assert_null(find(&any, ""));
    assert_null(find(&any, "nam"));
    assert_null(find(&any, "names"));
    arena_destroy(arena);
}

/* A table for no names, and one that cannot be. */
static void test_sizes(void **state)
{
    struct arena *arena = arena_create();
    struct name_table table;

    (void)state;
    assert_int_equal(name_table_make(arena, 0, false, &table), 0);
    assert_null(find(&table, "name"));
    assert_int_equal(name_table_make(arena, SIZE_MAX, false, &table), -ENOMEM);
    assert_int_equal(name_table_make(arena, SIZE_MAX / 4, false, &table), -ENOMEM);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_case),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_file_table.c: the table that entries of the file cache are found in. */
#include "http/file_node.h"
#include "http/file_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ENTRIES = 20000 };

static struct file_node *entries;
static bool added[ENTRIES];

static bool finds(const struct file_table *table, const struct file_node *wanted)
{
    struct file_node *entry = file_table_chain(table, wanted->name.hash);

    while (entry != NULL && entry != wanted)
        entry = entry->hash_next;
    return entry != NULL;
}

/* Those that are there, and no others. */
static void assert_holds(const struct file_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < ENTRIES; i++) {
        assert_int_equal(finds(table, &entries[i]), added[i]);
        count += added[i];
    }
    assert_int_equal(table->count, count);
}

static void toggle(struct file_table *table, size_t i)
{
    if (added[i])
        file_table_remove(table, &entries[i]);
    else
        file_table_add(table, &entries[i]);
    added[i] = !added[i];
}

static void empty(struct file_table *table)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (added[i])
            toggle(table, i);
    }
    assert_holds(table);
    for (size_t i = 0; i < table->chains_max; i++) /* nothing is left of who has gone */
        assert_int_equal(table->chains[i].marks, 0);
    file_table_free(table);
}

static void test_finds(void **state)
{
    struct file_table table;

    (void)state;
    assert_int_equal(file_table_init(&table, ENTRIES), 0);
    for (size_t i = 0; i < ENTRIES; i++) {
        toggle(&table, i);
        assert_true(table.level + table.split >= 2 * table.count); /* it keeps up */
        if (i < 300 || i % 5000 == 0)
            assert_holds(&table);
    }
    for (unsigned i = 0; i < 200000; i++)
        toggle(&table, (size_t)rand() % ENTRIES);
    assert_holds(&table);
    empty(&table);
}

/* What was never there touches no entry, but by chance: one of 64 marks a chain. */
static void test_misses(void **state)
{
    struct file_table table;
    unsigned touched = 0;

    (void)state;
    assert_int_equal(file_table_init(&table, ENTRIES), 0);
    for (size_t i = 0; i < ENTRIES; i += 2)
        toggle(&table, i);
    for (size_t i = 1; i < ENTRIES; i += 2)
        touched += file_table_chain(&table, entries[i].name.hash) != NULL;
    assert_in_range(touched, 1, ENTRIES / 2 / 20);
    empty(&table);
}

/* All of one hash, or of one chain: slower, and right. */
static void test_one_chain(void **state)
{
    struct file_table table;

    (void)state;
    for (size_t i = 0; i < 500; i++)
        entries[i].name.hash = i < 250 ? 7 : (uint32_t)i << 20;
    assert_int_equal(file_table_init(&table, 1), 0); /* grows no further than that */
    for (size_t i = 0; i < 500; i++)
        toggle(&table, i);
    for (unsigned i = 0; i < 5000; i++)
        toggle(&table, (size_t)rand() % 500);
    assert_holds(&table);
    empty(&table);
}

static int make(void **state)
{
    (void)state;
    srand(7);
    entries = calloc(ENTRIES, sizeof(entries[0]));
    for (size_t i = 0; entries != NULL && i < ENTRIES; i++)
        entries[i].name.hash = (uint32_t)rand() << 16 ^ (uint32_t)rand();
    return entries != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(entries);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_misses),
        cmocka_unit_test(test_one_chain),
    };

    return cmocka_run_group_tests(tests, make, end);
}

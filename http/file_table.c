/* file_table.c: see file_table.h. */
#include "http/file_table.h"

#include "core/check.h"
#include "http/file_cache.h"

#include <errno.h>
#include <stdlib.h>

enum { CHAINS_LEAST = 64, CHAINS_MOST = 1 << 23 };

int file_table_init(struct file_table *table, size_t entries_max)
{
    *table = (struct file_table){ .chains_max = CHAINS_LEAST, .level = CHAINS_LEAST };
    while (table->chains_max < entries_max && table->chains_max < CHAINS_MOST)
        table->chains_max *= 2;
    table->chains = calloc(table->chains_max, sizeof(table->chains[0]));
    return table->chains != NULL ? 0 : -ENOMEM;
}

void file_table_free(struct file_table *table)
{
    CHECK(table->count == 0);
    free(table->chains);
    table->chains = NULL;
}

static size_t index_of(const struct file_table *table, uint32_t hash)
{
    size_t index = hash & (table->level - 1);

    return index < table->split ? hash & (2 * table->level - 1) : index;
}

struct file_entry *file_table_chain(const struct file_table *table, uint32_t hash)
{
    return table->chains[index_of(table, hash)];
}

/* Divides one chain among two. */
static void grow(struct file_table *table)
{
    struct file_entry **stays = &table->chains[table->split];
    struct file_entry **goes = &table->chains[table->split + table->level];
    struct file_entry *entry = *stays;

    *stays = NULL;
    table->split++;
    while (entry != NULL) {
        struct file_entry *next = entry->hash_next;
        struct file_entry **chain = (entry->hash & table->level) != 0 ? goes : stays;

        entry->hash_next = *chain;
        *chain = entry;
        entry = next;
    }
    if (table->split == table->level) {
        table->level *= 2;
        table->split = 0;
    }
}

void file_table_add(struct file_table *table, struct file_entry *entry)
{
    struct file_entry **chain;

    if (++table->count > table->level + table->split && table->level < table->chains_max)
        grow(table);
    chain = &table->chains[index_of(table, entry->hash)];
    entry->hash_next = *chain;
    *chain = entry;
}

void file_table_remove(struct file_table *table, struct file_entry *entry)
{
    struct file_entry **link = &table->chains[index_of(table, entry->hash)];

    while (*link != entry)
        link = &(*link)->hash_next;
    *link = entry->hash_next;
    entry->hash_next = NULL;
    table->count--;
}

/* file_table.c: see file_table.h. */
#include "http/file_table.h"

#include "core/check.h"
#include "http/file_node.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CHAINS_LEAST = 64,
    CHAINS_MOST = 1 << 24,
    CHAINS_PER_ENTRY = 2, /* so that most have one entry, or none */
};

int file_table_init(struct file_table *table, size_t entries_max)
{
    *table = (struct file_table){ .chains_max = CHAINS_LEAST, .level = CHAINS_LEAST };
    while (table->chains_max / CHAINS_PER_ENTRY < entries_max && table->chains_max < CHAINS_MOST)
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

/* The bits that choose the chain are the lowest. */
static uint64_t mark_of(uint32_t hash)
{
    return UINT64_C(1) << (hash >> 26);
}

struct file_node *file_table_chain(const struct file_table *table, uint32_t hash)
{
    const struct file_chain *chain = &table->chains[index_of(table, hash)];

    return (chain->marks & mark_of(hash)) != 0 ? chain->first : NULL;
}

struct file_node *file_table_find(const struct file_table *table, const struct file_name *name)
{
    struct file_node *node = file_table_chain(table, name->hash);

    while (node != NULL && (node->name.hash != name->hash || !file_name_same(&node->name, name)))
        node = node->hash_next;
    return node;
}

static void push(struct file_chain *chain, struct file_node *node)
{
    node->hash_next = chain->first;
    chain->first = node;
    chain->marks |= mark_of(node->name.hash);
}

/* Divides one chain among two. */
static void grow(struct file_table *table)
{
    struct file_chain *stays = &table->chains[table->split];
    struct file_chain *goes = &table->chains[table->split + table->level];
    struct file_node *node = stays->first;

    *stays = (struct file_chain){ .first = NULL };
    table->split++;
    while (node != NULL) {
        struct file_node *next = node->hash_next;

        push((node->name.hash & table->level) != 0 ? goes : stays, node);
        node = next;
    }
    if (table->split == table->level) {
        table->level *= 2;
        table->split = 0;
    }
}

void file_table_add(struct file_table *table, struct file_node *node)
{
    table->count++;
    for (int i = 0; i < CHAINS_PER_ENTRY; i++) {
        if (table->count * CHAINS_PER_ENTRY > table->level + table->split &&
            table->level < table->chains_max)
            grow(table);
    }
    push(&table->chains[index_of(table, node->name.hash)], node);
}

void file_table_remove(struct file_table *table, struct file_node *node)
{
    struct file_chain *chain = &table->chains[index_of(table, node->name.hash)];
    struct file_node **link = &chain->first;
    uint64_t before = 0;

    while (*link != node) {
        before |= mark_of((*link)->name.hash);
        link = &(*link)->hash_next;
    }
    *link = node->hash_next;
    if (node->hash_next == NULL) /* else only who walks on knows whose marks they are */
        chain->marks = before;
    node->hash_next = NULL;
    table->count--;
}

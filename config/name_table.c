/* name_table.c: open addressing with linear probing. */
#include "config/name_table.h"
#include "core/check.h"

#include <errno.h>

int name_table_make(struct arena *arena, size_t count_max, bool any_case,
                    struct name_table *ret_table)
{
    struct name_table table = { .left = count_max, .any_case = any_case };
    size_t count = 2;

    while (count / 2 < count_max)
        if (__builtin_mul_overflow(count, 2, &count))
            return -ENOMEM;
    table.mask = count - 1;
    table.slots = arena_array(arena, count, sizeof(table.slots[0]));
    if (table.slots == NULL)
        return -ENOMEM;
    *ret_table = table;
    return 0;
}

uint32_t name_hash(struct span name)
{
    uint32_t hash = NAME_HASH_START;

    for (size_t i = name.len; i-- > 0;)
        hash = name_hash_add(hash, name.ptr[i]);
    return hash;
}

/* The slot of the name, or the free one where it belongs. */
static struct name_slot *slot_of(const struct name_table *table, uint32_t hash, struct span name)
{
    size_t i = (hash ^ hash >> 15) & table->mask;

    for (;; i = (i + 1) & table->mask) {
        struct name_slot *slot = &table->slots[i];

        if (slot->name.ptr == NULL ||
            (slot->hash == hash &&
             (table->any_case ? span_caseeq(slot->name, name) : span_eq(slot->name, name))))
            return slot;
    }
}

const struct name_slot *name_table_find(const struct name_table *table, uint32_t hash,
                                        struct span name)
{
    const struct name_slot *slot = slot_of(table, hash, name);

    return slot->name.ptr != NULL ? slot : NULL;
}

void name_table_add(struct name_table *table, struct span name, size_t index)
{
    uint32_t hash = name_hash(name);
    struct name_slot *slot = slot_of(table, hash, name);

    CHECK(table->left > 0 && name.ptr != NULL && slot->name.ptr == NULL);
    table->left--;
    *slot = (struct name_slot){ name, hash, index };
}

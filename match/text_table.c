/* text_table.c: see text_table.h. */
#include "match/text_table.h"

#include "core/check.h"
#include "core/siphash.h"

#include <errno.h>

enum { COUNT_MAX = 1 << 30 };

int text_table_make(struct arena *arena, const struct span *texts, size_t count_max,
                    const uint64_t key[2], struct text_table *ret_table)
{
    struct text_table table = { .texts = texts, .key = { key[0], key[1] } };
    size_t count = 2;

    *ret_table = table;
    if (count_max == 0)
        return 0;
    if (count_max > COUNT_MAX)
        return -ENOMEM;
    while (count / 2 < count_max)
        count *= 2;
    table.slots = arena_array(arena, count, sizeof(table.slots[0]));
    if (table.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        table.slots[i].index = TEXT_TABLE_NONE;
    table.mask = (uint32_t)(count - 1);
    table.left = (uint32_t)count_max;
    *ret_table = table;
    return 0;
}

static inline uint32_t hash_of(const struct text_table *table, struct span text)
{
    return (uint32_t)siphash13(table->key, text.ptr, text.len);
}

/* The slot of the text, or the free one where it belongs. */
static struct text_slot *slot_of(const struct text_table *table, uint32_t hash, struct span text)
{
    for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        struct text_slot *slot = &table->slots[i];

        if (slot->index == TEXT_TABLE_NONE ||
            (slot->hash == hash && span_eq(table->texts[slot->index], text)))
            return slot;
    }
}

uint32_t text_table_add(struct text_table *table, uint32_t index)
{
    struct span text = table->texts[index];
    uint32_t hash = hash_of(table, text);
    struct text_slot *slot;

    CHECK(table->left > 0 && index != TEXT_TABLE_NONE);
    slot = slot_of(table, hash, text);
    if (slot->index != TEXT_TABLE_NONE)
        return slot->index;
    table->left--;
    *slot = (struct text_slot){ hash, index };
    table->len_max = text.len > table->len_max ? text.len : table->len_max;
    return TEXT_TABLE_NONE;
}

uint32_t text_table_find(const struct text_table *table, struct span text)
{
    if (table->slots == NULL || text.len > table->len_max)
        return TEXT_TABLE_NONE;
    return slot_of(table, hash_of(table, text), text)->index;
}

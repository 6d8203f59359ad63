/* text_table.h: one of many texts, found by it in one step: a hash table of a size that is known
 * from the start, with a key of its own (siphash.h). For tables that operators take from elsewhere,
 * such as redirects made of what users once named: whoever chose the texts cannot make them
 * collide. Read-only once it is made: threads share it. Pure. */
#ifndef MATCH_TEXT_TABLE_H
#define MATCH_TEXT_TABLE_H

#include "core/arena.h"
#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

#define TEXT_TABLE_NONE UINT32_MAX

struct text_slot {
    uint32_t hash;
    uint32_t index; /* TEXT_TABLE_NONE: the slot is free */
};

struct text_table {
    struct text_slot *slots; /* open addressing, linear probing, at most half full; NULL: it is
                                made for no texts */
    uint32_t mask;           /* slots - 1 */
    uint32_t left;           /* texts that may still be added */
    const struct span *texts;
    uint64_t key[2];
    size_t len_max; /* octets of its longest text */
};

/* Makes a table for at most `count_max` of `texts`, which is borrowed as long as the table lives,
 * in the arena: 16 to 32 octets for each. 0, or -ENOMEM, which is also the answer to more than
 * 2^30. */
int text_table_make(struct arena *arena, const struct span *texts, size_t count_max,
                    const uint64_t key[2], struct text_table *ret_table);

/* Adds texts[index]. TEXT_TABLE_NONE; or the index of one that says the same and was added before,
 * and nothing is added. There has to be room. */
uint32_t text_table_add(struct text_table *table, uint32_t index);

/* The index of the text, or TEXT_TABLE_NONE. */
uint32_t text_table_find(const struct text_table *table, struct span text);

#endif

/* name_table.h: what has a name, found by it in one step: a hash table of a size that is known from
 * the start. For the configuration: names of servers while serving (server_find.c); addresses,
 * roots and logs while it is loaded. All its names are the operator's, so the hash needs no key. */
#ifndef CONFIG_NAME_TABLE_H
#define CONFIG_NAME_TABLE_H

#include "core/arena.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_slot {
    struct span name; /* borrowed; ptr NULL: the slot is free */
    uint32_t hash;
    size_t index; /* whatever the user counts */
};

struct name_table {
    struct name_slot *slots;
    size_t mask;   /* slots - 1; at most half of them are used */
    size_t left;   /* names that may still be added */
    bool any_case; /* names differ by more than the case of ASCII letters */
};

/* Makes a table for at most `count_max` names, which lives in `arena`. 0 or -ENOMEM. */
int name_table_make(struct arena *arena, size_t count_max, bool any_case,
                    struct name_table *ret_table);

/* A name's hash is taken from its end, so that on the way it is that of each of its ends, too:
 * begin with NAME_HASH_START and add the octets, the last one first. */
#define NAME_HASH_START UINT32_C(2166136261)

static inline uint32_t name_hash_add(uint32_t hash, char octet)
{
    char lower = octet >= 'A' && octet <= 'Z' ? (char)(octet | 0x20) : octet;

    return (hash ^ (uint8_t)lower) * UINT32_C(16777619); /* FNV-1a */
}

/* The hash of a whole name. */
uint32_t name_hash(struct span name);

/* The slot of the name, whose hash is given; NULL: it is not in the table. */
const struct name_slot *name_table_find(const struct name_table *table, uint32_t hash,
                                        struct span name);

/* Adds a name that is not in the table yet; checked, and so is that there is room for it. */
void name_table_add(struct name_table *table, struct span name, size_t index);

#endif

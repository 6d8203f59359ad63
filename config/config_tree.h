/* config_tree.h: what was said, as a tree: blocks, the keys in them, the values of these, each with
 * its place, and all still text. config_parse.c builds it, config_source.c adds what comes from
 * elsewhere, and the rest of config/ reads it. It lies in one arena, and ends with that. */
#ifndef CONFIG_CONFIG_TREE_H
#define CONFIG_CONFIG_TREE_H

#include "config/config_build.h"
#include "config/config_keys.h"
#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* One value, quotes and escapes gone. */
struct config_item {
    const char *text;
    struct config_place place;
};

/* What was said of one key in one block. */
struct config_entry {
    bool is_set;
    struct config_item *items; /* exactly one, unless the key is a list */
    size_t count;
    struct config_place place; /* of the key */
};

/* An entry of a map: a key, perhaps with the word of an expression in front, and a value. */
struct config_pair {
    const char *key, *value;
    struct config_place place;
};

struct config_block {
    enum config_block_kind kind;
    const char *word;             /* before the title (pattern.h), or "" */
    const char *title;            /* NULL: it has none, as the top level */
    struct config_place place;    /* where it begins */
    struct config_entry *entries; /* of the keys that may stand in it, and of some between them: */
    size_t entries_first;         /* config_key_index() of the first */
    size_t entries_count;
    struct config_block **blocks; /* those inside, in their order */
    size_t blocks_count;
    const char *result;        /* of a map: its second title; else NULL */
    struct config_pair *pairs; /* of a map: its entries */
    size_t pairs_count;
};

/* An empty block in the arena, or NULL: no memory. `title` is borrowed. */
struct config_block *config_block_make(struct arena *arena, enum config_block_kind kind,
                                       const char *title, struct config_place place);

/* Adds `inner`, which is borrowed, behind the blocks in `outer`. 0 or -ENOMEM. */
int config_block_add(struct arena *arena, struct config_block *outer, struct config_block *inner);

/* Adds a value, whose text is borrowed, behind those of the key. 0 or -ENOMEM. */
int config_entry_add(struct arena *arena, struct config_entry *entry, struct config_item item);

/* Adds an entry, whose texts are borrowed, behind those of a map. 0 or -ENOMEM. */
int config_pair_add(struct arena *arena, struct config_block *map, struct config_pair pair);

/* What was said of the key of that name, which may stand in `block`. */
struct config_entry *config_entry_of(struct config_block *block, const char *key);
const struct config_entry *config_entry_at(const struct config_block *block, const char *key);

/* What was said of the key of that index, which may stand in `block`. */
struct config_entry *config_entry_by(const struct config_block *block, size_t index);

/* The number of blocks of `kind` directly inside. */
size_t config_blocks_of(const struct config_block *block, enum config_block_kind kind);

#endif

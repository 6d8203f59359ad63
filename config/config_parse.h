/* config_parse.h: what was said, still as text, each value with its place. libConfuse builds it;
 * this is the only file that knows libConfuse. */
#ifndef CONFIG_CONFIG_PARSE_H
#define CONFIG_CONFIG_PARSE_H

#include "config/config_build.h"
#include "config/config_keys.h"
#include "core/span.h"

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
    struct config_place place; /* of the first item, or of the block when there is none */
};

struct config_block {
    enum config_block_kind kind;
    const char *title;
    struct config_place place;                      /* where it begins */
    struct config_entry entries[CONFIG_KEYS_COUNT]; /* by config_key_index() */
    struct config_block **blocks; /* those inside, grouped by kind, else in their order */
    size_t blocks_count;
};

/* Reads `text` as the inside of a block of `kind`; `name` and `is_file` as for config_scan(). 0 and
 * a block in build->scratch that borrows `name`, or -errno and a sentence. */
int config_parse(const struct config_build *build, const char *name, bool is_file, struct span text,
                 enum config_block_kind kind, struct config_block **ret_block);

/* What was said of the key of that name. */
struct config_entry *config_entry_of(struct config_block *block, const char *key);
const struct config_entry *config_entry_at(const struct config_block *block, const char *key);

/* The number of blocks of `kind` directly inside. */
size_t config_blocks_of(const struct config_block *block, enum config_block_kind kind);

#endif

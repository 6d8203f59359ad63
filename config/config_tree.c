/* config_tree.c: arrays in an arena that double whenever their length is a power of two. */
#include "config/config_tree.h"
#include "core/check.h"

#include <errno.h>
#include <string.h>

/* `array` of `count` elements of `size` octets, with room for one more; NULL: no memory. */
static void *grow(struct arena *arena, void *array, size_t count, size_t size)
{
    void *grown;

    if ((count & (count - 1)) != 0)
        return array;
    grown = arena_array(arena, count == 0 ? 1 : 2 * count, size);
    if (grown != NULL && count > 0)
        memcpy(grown, array, count * size);
    return grown;
}

/* The keys that may stand in a block: the first, and how many from there to the last. There may be
 * 100,000 redirects: each has room for its own two keys, not for all that there are. */
static void find_keys(struct config_block *block)
{
    size_t end = 0;

    block->entries_first = CONFIG_KEYS_COUNT;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        if (block->kind != CONFIG_TOP && (config_key_at(i)->blocks & 1u << block->kind) == 0)
            continue;
        block->entries_first = i < block->entries_first ? i : block->entries_first;
        end = i + 1;
    }
    block->entries_count = end - block->entries_first;
}

struct config_block *config_block_make(struct arena *arena, enum config_block_kind kind,
                                       const char *title, struct config_place place)
{
    struct config_block *block = arena_alloc(arena, sizeof(*block));

    if (block == NULL)
        return NULL;
    block->kind = kind;
    block->word = "";
    block->title = title;
    block->place = place;
    find_keys(block);
    block->entries = arena_array(arena, block->entries_count, sizeof(block->entries[0]));
    return block->entries != NULL ? block : NULL;
}

int config_block_add(struct arena *arena, struct config_block *outer, struct config_block *inner)
{
    struct config_block **blocks =
        grow(arena, outer->blocks, outer->blocks_count, sizeof(outer->blocks[0]));

    if (blocks == NULL)
        return -ENOMEM;
    outer->blocks = blocks;
    outer->blocks[outer->blocks_count++] = inner;
    return 0;
}

int config_entry_add(struct arena *arena, struct config_entry *entry, struct config_item item)
{
    struct config_item *items = grow(arena, entry->items, entry->count, sizeof(entry->items[0]));

    if (items == NULL)
        return -ENOMEM;
    entry->items = items;
    entry->items[entry->count++] = item;
    return 0;
}

int config_pair_add(struct arena *arena, struct config_block *map, struct config_pair pair)
{
    struct config_pair *pairs = grow(arena, map->pairs, map->pairs_count, sizeof(map->pairs[0]));

    if (pairs == NULL)
        return -ENOMEM;
    map->pairs = pairs;
    map->pairs[map->pairs_count++] = pair;
    return 0;
}

static size_t index_of(const struct config_block *block, const char *name)
{
    const struct config_key *key = config_key_in(block->kind, name);

    CHECK(key != NULL);
    return config_key_index(key);
}

struct config_entry *config_entry_of(struct config_block *block, const char *name)
{
    return config_entry_by(block, index_of(block, name));
}

const struct config_entry *config_entry_at(const struct config_block *block, const char *name)
{
    return config_entry_by(block, index_of(block, name));
}

struct config_entry *config_entry_by(const struct config_block *block, size_t index)
{
    CHECK(index >= block->entries_first && index - block->entries_first < block->entries_count);
    return &block->entries[index - block->entries_first];
}

size_t config_blocks_of(const struct config_block *block, enum config_block_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < block->blocks_count; i++)
        count += block->blocks[i]->kind == kind;
    return count;
}

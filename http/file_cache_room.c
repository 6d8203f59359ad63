/* file_cache_room.c: which entries stay. Three shelves say who goes first: files of which a
 * descriptor is kept, files whose octets are, and names that give neither. These have a quota of
 * their own, so that a flood of invented URLs cannot push the site out of memory. */
#include "core/stats.h"
#include "http/file_cache_internal.h"

int file_cache_room_init(struct file_cache *cache, uint32_t files_max, uint64_t bytes_max)
{
    size_t small_max = file_cache_small_max(bytes_max);
    int res;

    if (small_max < files_max) /* contents are bounded by their octets */
        small_max = files_max;
    cache->files_max = files_max;
    cache->bytes_max = bytes_max;
    res = file_shelf_init(&cache->open, files_max);
    if (res == 0)
        res = file_shelf_init(&cache->small, small_max);
    if (res == 0)
        res = file_shelf_init(&cache->negative, files_max < 4 ? 1 : files_max / 4);
    if (res == 0)
        res = file_table_init(&cache->table, files_max + small_max);
    return res;
}

void file_cache_room_free(struct file_cache *cache)
{
    file_shelf_free(&cache->open);
    file_shelf_free(&cache->small);
    file_shelf_free(&cache->negative);
    file_table_free(&cache->table);
}

static struct file_shelf *shelf_of(struct file_cache *cache, const struct file_entry *entry)
{
    if (entry->fd >= 0)
        return &cache->open;
    return file_entry_is_file(entry) ? &cache->small : &cache->negative;
}

void file_cache_remove(struct file_cache *cache, struct file_entry *entry)
{
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    CHECK(entry->cached && entry->cache == cache);
    file_table_remove(&cache->table, &entry->node);
    file_shelf_remove(shelf_of(cache, entry), &entry->node);
    file_watch_remove(&entry->node);
    cache->bytes -= file_entry_content_size(entry);
    file_content_drop(entry->shared);
    entry->cached = false;
    file_entry_count(entry);
    stats_change(STATS_CACHE_FILES, -1);
    if (cache->forgotten < entry->look.known_at)
        cache->forgotten = entry->look.known_at;
    file_entry_unref(entry);
}

static void evict_from(struct file_cache *cache, struct file_shelf *shelf)
{
    file_cache_remove(cache, file_entry_of(file_shelf_evict(shelf)));
}

/* Makes room for one more that is not a small file. */
static void make_room_for_name(struct file_cache *cache, struct file_shelf *own, uint64_t now_ms)
{
    struct file_shelf *negative = &cache->negative;

    if (own->count == own->count_max)
        evict_from(cache, own);
    if (cache->open.count + negative->count < cache->files_max)
        return;
    /* A negative entry that is no longer believed is worth nothing. Else each shelf feeds on
     * itself, so that neither starves the other. */
    struct file_entry *oldest =
        negative->count > 0 ? file_entry_of(file_shelf_oldest(negative)) : NULL;
    if (oldest != NULL && oldest->look.fresh_until_ms <= now_ms)
        file_cache_remove(cache, oldest);
    else if (own->count > 0)
        evict_from(cache, own);
    else
        evict_from(cache, own == negative ? &cache->open : negative);
}

/* Makes room for `entry`, which is not in the table yet. */
static void make_room(struct file_cache *cache, const struct file_entry *entry, uint64_t now_ms)
{
    struct file_shelf *own = shelf_of(cache, entry);
    uint64_t size = file_entry_content_size(entry);

    if (own != &cache->small) {
        make_room_for_name(cache, own, now_ms);
        return;
    }
    CHECK(size <= cache->bytes_max);
    if (own->count == own->count_max)
        evict_from(cache, own);
    while (cache->bytes > cache->bytes_max - size)
        evict_from(cache, own);
}

void file_cache_insert(struct file_cache *cache, struct file_entry *entry, uint64_t now_ms)
{
    make_room(cache, entry, now_ms);
    file_table_add(&cache->table, &entry->node);
    file_shelf_add(shelf_of(cache, entry), &entry->node);
    file_watch_add(&cache->watch, &entry->node, now_ms);
    cache->bytes += file_entry_content_size(entry);
    file_content_keep(entry->shared);
    entry->cached = true;
    file_entry_count(entry);
    stats_change(STATS_CACHE_FILES, 1);
    file_entry_ref(entry);
}

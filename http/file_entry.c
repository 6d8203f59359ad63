/* file_entry.c: an entry of the file cache: made, counted, freed, and what it tells of itself. See
 * file_cache.h. */
#include "core/file_close.h"
#include "core/stats.h"
#include "http/file_cache_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct file_entry *file_entry_new(struct file_cache *cache, const struct file_name *name)
{
    struct file_entry *entry = calloc(1, sizeof(*entry) + name->path.len);

    if (entry == NULL)
        return NULL;
    entry->magic = FILE_ENTRY_MAGIC;
    entry->refs = 1;
    entry->fd = -1;
    entry->cache = cache;
    entry->serial = ++cache->serial;
    file_node_init(&entry->node, name, entry->path);
    if (name->path.len > 0)
        memcpy(entry->path, name->path.ptr, name->path.len);
    cache->live++;
    return entry;
}

struct file_entry *file_entry_make_content(struct file_cache *cache, const struct file_meta *meta,
                                           char *content)
{
    struct file_entry *entry;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    entry = file_entry_new(cache, &(struct file_name){ .path = SPAN_LIT("") });
    if (entry == NULL)
        return NULL;
    entry->meta = *meta;
    entry->content = content;
    return entry;
}

void file_entry_unref(struct file_entry *entry)
{
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    CHECK(entry->refs > 0);
    if (--entry->refs > 0)
        return;
    CHECK(!entry->cached);
    CHECK_OBJ(entry->cache, FILE_CACHE_MAGIC);
    entry->cache->live--;
    entry->magic = 0;
    if (entry->fd >= 0)
        file_close(entry->fd, entry->meta.remote);
    if (entry->shared != NULL)
        file_content_unref(entry->shared);
    else
        free(entry->content);
    free(entry->fields);
    free(entry->content_hash);
    free(entry);
}

void file_entry_count(struct file_entry *entry)
{
    uint32_t now = entry->cached ? (uint32_t)file_entry_memory(entry) : 0;

    if (now != entry->counted)
        stats_change(STATS_CACHE_MEMORY, (int64_t)now - (int64_t)entry->counted);
    entry->counted = now;
}

void file_entry_set_fields(struct file_entry *entry, struct file_fields *fields)
{
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    free(entry->fields);
    entry->fields = fields;
    file_entry_count(entry);
}

bool file_entry_is(const struct file_entry *entry, uint64_t root_id, enum file_symlinks symlinks,
                   struct span path)
{
    const struct file_name *name = &entry->node.name;

    return name->root_id == root_id && name->symlinks == symlinks && span_eq(name->path, path);
}

bool file_error_is_lasting(int error)
{
    switch (error) {
    case 0:
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENXIO:
    case ENODEV:
        return true;
    default:
        return false;
    }
}

bool file_entry_is_passing(const struct file_entry *entry)
{
    return !file_error_is_lasting(entry->error);
}

size_t file_entry_memory(const struct file_entry *entry)
{
    const struct file_fields *fields = entry->fields;
    bool owns = entry->content != NULL && entry->shared == NULL;
    size_t of_fields = fields != NULL ? sizeof(*fields) + fields->len + fields->asked_len : 0;

    return sizeof(*entry) + entry->node.name.path.len + (owns ? (size_t)entry->meta.size : 0) +
           of_fields;
}

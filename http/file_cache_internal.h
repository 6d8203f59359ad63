/* file_cache_internal.h: the parts of the file cache among themselves: its entries (file_entry.c),
 * which of them stay (file_cache_room.c), and what is asked and answered (file_cache.c). */
#ifndef HTTP_FILE_CACHE_INTERNAL_H
#define HTTP_FILE_CACHE_INTERNAL_H

#include "core/check.h"
#include "http/cache_notice.h"
#include "http/file_cache.h"
#include "http/file_shelf.h"
#include "http/file_table.h"
#include "http/file_watch.h"
#include "http/shared_files.h"

#define FILE_CACHE_MAGIC 0xf17eca5eu
#define FILE_ENTRY_MAGIC 0xf17ee217u

struct file_cache {
    unsigned magic;
    uint32_t valid_ms;
    uint64_t key[2];
    size_t files_max; /* on `open` and `negative` together */
    uint64_t bytes, bytes_max;
    size_t live;         /* entries in existence, kept or not */
    uint64_t generation; /* of the newest job, without `shared` */
    uint64_t serial;     /* of the newest entry */
    uint64_t forgotten;  /* the newest `known_at` among the entries that were taken out: what was
                            asked for before may be older than what one of them told */
    /* Files of which a descriptor is kept, files whose octets are, and names that give neither
     * (missing, forbidden, a FIFO). */
    struct file_shelf open, small, negative;
    struct file_table table;
    struct shared_files *shared;                 /* what other threads know; NULL: there are none */
    struct cache_notice *notice;                 /* NULL: time alone tells */
    const struct file_notice_counters *counters; /* likewise */
    struct file_watch watch;                     /* all entries in the table */
    size_t closing_count;
    int closing[FILE_CACHE_CLOSING_MAX]; /* descriptors that are to be closed */
};

static inline struct file_entry *file_entry_of(struct file_node *node)
{
    return node != NULL ? container_of(node, struct file_entry, node) : NULL;
}

/* An entry with one reference, that tells of nothing yet; NULL: memory is short. */
struct file_entry *file_entry_new(struct file_cache *cache, const struct file_name *name);

/* Counts the memory that the entry takes now; none once it is in no table. */
void file_entry_count(struct file_entry *entry);

/* Octets of contents that `bytes_max` bounds. Pure. */
static inline uint64_t file_entry_content_size(const struct file_entry *entry)
{
    return entry->content != NULL ? entry->meta.size : 0;
}

/* 0 or -ENOMEM. */
int file_cache_room_init(struct file_cache *cache, uint32_t files_max, uint64_t bytes_max);
void file_cache_room_free(struct file_cache *cache);

/* Puts the entry, with a reference of the cache's, where it is found; others go for it. */
void file_cache_insert(struct file_cache *cache, struct file_entry *entry, uint64_t now_ms);

/* Takes the entry out of the table; its users keep it alive. */
void file_cache_remove(struct file_cache *cache, struct file_entry *entry);

#endif

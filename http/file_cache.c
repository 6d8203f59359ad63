/* file_cache.c: a table, and three shelves that say who goes first: files of which a descriptor is
 * kept, files whose octets are, and names that give neither (missing, forbidden, a FIFO). These
 * have a quota of their own, so that a flood of invented URLs cannot push the site out of memory.
 */
#include "http/file_cache.h"
#include "core/check.h"
#include "core/file_close.h"
#include "core/file_open.h"
#include "core/log_repeat.h"
#include "core/random_key.h"
#include "core/siphash.h"
#include "core/stats.h"
#include "http/cache_notice.h"
#include "http/file_shelf.h"
#include "http/file_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_CACHE_MAGIC 0xf17eca5eu
#define FILE_ENTRY_MAGIC 0xf17ee217u

enum {
    SWEEP_CHECK_MS = 10000, /* looked at so often, or when it may be inactive, */
    SWEEP_STEP_MS = 1000, /* at whole multiples of this, so that an idle server sleeps in between */
};

struct file_cache {
    unsigned magic;
    uint32_t valid_ms;
    uint32_t inactive_ms;
    uint32_t check_ms; /* from one look of the sweep at an entry to the next */
    uint64_t key[2];
    size_t files_max; /* on `open` and `negative` together */
    uint64_t bytes, bytes_max;
    size_t live;         /* entries in existence, kept or not */
    uint64_t generation; /* of the newest job */
    uint64_t serial;     /* of the newest entry */
    uint64_t forgotten;  /* the newest `known_at` among the entries that were taken out: what was
                            asked for before may be older than what one of them told */
    struct file_shelf open, small, negative;
    struct file_table table;
    struct cache_notice *notice; /* NULL: time alone tells */
    struct list watch;           /* all entries in the table, the one that is swept next first */
    size_t closing_count;
    int closing[FILE_CACHE_CLOSING_MAX]; /* descriptors that are to be closed */
};

static int init_shelves(struct file_cache *cache, uint32_t files_max, uint64_t bytes_max)
{
    uint64_t small_max = bytes_max / FILE_CACHE_SMALL_LEAST;
    int res;

    if (small_max > FILE_CACHE_SMALL_MOST)
        small_max = FILE_CACHE_SMALL_MOST;
    if (small_max < files_max) /* contents are bounded by their octets */
        small_max = files_max;
    res = file_shelf_init(&cache->open, files_max);
    if (res == 0)
        res = file_shelf_init(&cache->small, (size_t)small_max);
    if (res == 0)
        res = file_shelf_init(&cache->negative, files_max < 4 ? 1 : files_max / 4);
    if (res == 0)
        res = file_table_init(&cache->table, files_max + (size_t)small_max);
    return res;
}

void file_cache_set_notice(struct file_cache *cache, struct cache_notice *notice)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    CHECK(cache->notice == NULL && cache->live == 0);
    cache->notice = notice;
}

static void free_cache(struct file_cache *cache)
{
    cache_notice_destroy(cache->notice);
    file_shelf_free(&cache->open);
    file_shelf_free(&cache->small);
    file_shelf_free(&cache->negative);
    file_table_free(&cache->table);
    cache->magic = 0;
    free(cache);
}

int file_cache_create(uint32_t files_max, uint64_t bytes_max, uint32_t valid_ms,
                      uint32_t inactive_ms, struct file_cache **ret_cache)
{
    struct file_cache *cache = calloc(1, sizeof(*cache));
    int res;

    if (cache == NULL)
        return -ENOMEM;
    cache->magic = FILE_CACHE_MAGIC;
    cache->valid_ms = valid_ms;
    cache->inactive_ms = inactive_ms;
    cache->check_ms = inactive_ms < SWEEP_CHECK_MS ? inactive_ms : SWEEP_CHECK_MS;
    cache->files_max = files_max;
    cache->bytes_max = bytes_max;
    random_key(cache->key);
    list_init(&cache->watch);
    res = init_shelves(cache, files_max, bytes_max);
    if (res < 0) {
        free_cache(cache);
        return res;
    }
    *ret_cache = cache;
    return 0;
}

/* Adding the root keeps a thousand hosts' "index.html" apart. It need not go through SipHash:
 * strangers do not choose it. */
static uint32_t hash_path(const struct file_cache *cache, uint64_t root_id, struct span path)
{
    return (uint32_t)siphash13(cache->key, path.ptr, path.len) + (uint32_t)root_id * 0x9e3779b1u;
}

/* The entry in the table, believed or not; NULL: none. */
static struct file_entry *lookup(const struct file_cache *cache, uint32_t hash, uint64_t root_id,
                                 enum file_symlinks symlinks, struct span path)
{
    struct file_entry *entry = file_table_chain(&cache->table, hash);

    while (entry != NULL && (entry->hash != hash || !file_entry_is(entry, root_id, symlinks, path)))
        entry = entry->hash_next;
    return entry;
}

static struct file_shelf *shelf_of(struct file_cache *cache, const struct file_entry *entry)
{
    if (entry->fd >= 0)
        return &cache->open;
    return file_entry_is_file(entry) ? &cache->small : &cache->negative;
}

static uint64_t content_size(const struct file_entry *entry)
{
    return entry->content != NULL ? entry->meta.size : 0;
}

/* What is counted of an entry is as much as it takes now, or none once it is in no table. */
static void count_memory(struct file_entry *entry)
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
    count_memory(entry);
}

/* Takes the entry out of the table; its users keep it alive. */
static void remove_entry(struct file_cache *cache, struct file_entry *entry)
{
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    CHECK(entry->cached && entry->cache == cache);
    file_table_remove(&cache->table, entry);
    file_shelf_remove(shelf_of(cache, entry), entry);
    list_remove(&entry->watch);
    cache->bytes -= content_size(entry);
    entry->cached = false;
    count_memory(entry);
    stats_change(STATS_CACHE_FILES, -1);
    if (cache->forgotten < entry->known_at)
        cache->forgotten = entry->known_at;
    file_entry_unref(entry);
}

static void evict_from(struct file_cache *cache, struct file_shelf *shelf)
{
    remove_entry(cache, file_shelf_evict(shelf));
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
    if (negative->count > 0 && file_shelf_oldest(negative)->fresh_until_ms <= now_ms)
        remove_entry(cache, file_shelf_oldest(negative));
    else if (own->count > 0)
        evict_from(cache, own);
    else
        evict_from(cache, own == negative ? &cache->open : negative);
}

/* Makes room for `entry`, which is not in the table yet. */
static void make_room(struct file_cache *cache, const struct file_entry *entry, uint64_t now_ms)
{
    struct file_shelf *own = shelf_of(cache, entry);
    uint64_t size = content_size(entry);

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

/* The sweep looks at the entry a while from now. That is the same while for all, so that the list
 * stays in order. */
static void watch_entry(struct file_cache *cache, struct file_entry *entry, uint64_t now_ms)
{
    entry->check_ms = (now_ms / SWEEP_STEP_MS + 1) * SWEEP_STEP_MS + cache->check_ms;
    list_push_back(&cache->watch, &entry->watch);
}

static void insert_entry(struct file_cache *cache, struct file_entry *entry, uint64_t now_ms)
{
    make_room(cache, entry, now_ms);
    file_table_add(&cache->table, entry);
    file_shelf_add(shelf_of(cache, entry), entry);
    watch_entry(cache, entry, now_ms);
    cache->bytes += content_size(entry);
    entry->cached = true;
    count_memory(entry);
    stats_change(STATS_CACHE_FILES, 1);
    file_entry_ref(entry);
}

static inline void use_entry(struct file_entry *entry, uint64_t now_ms)
{
    if (entry->uses < FILE_SHELF_USES_MAX)
        entry->uses++;
    entry->used_ms = now_ms;
}

/* Has a change been told that concerns the entry? */
static inline bool is_told(const struct file_cache *cache, struct file_entry *entry)
{
    return entry->mark.is_set && !cache_notice_holds(cache->notice, &entry->mark);
}

struct file_entry *file_cache_find(struct file_cache *cache, uint64_t root_id,
                                   enum file_symlinks symlinks, struct span path, uint64_t now_ms)
{
    struct file_entry *entry;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    entry = lookup(cache, hash_path(cache, root_id, path), root_id, symlinks, path);
    bool hit = entry != NULL && now_ms < entry->fresh_until_ms && !is_told(cache, entry);
    stats_count(hit ? STATS_CACHE_HIT : STATS_CACHE_MISS);
    if (!hit)
        return NULL;
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    use_entry(entry, now_ms);
    return file_entry_ref(entry);
}

/* Does the finished job tell what `entry` tells already? */
static bool confirms(const struct file_entry *entry, const struct file_job *job)
{
    if (job->res < 0 || entry->error != 0)
        return entry->error == -job->res;
    return file_meta_same(&entry->meta, &job->meta) &&
           (job->unchanged || entry->content != NULL ||
            (job->content == NULL && (entry->fd < 0) == (job->fd < 0)));
}

/* An entry with one reference, that tells of nothing yet; NULL: memory is short. */
static struct file_entry *new_entry(struct file_cache *cache, size_t path_len)
{
    struct file_entry *entry = calloc(1, sizeof(*entry) + path_len);

    if (entry == NULL)
        return NULL;
    entry->magic = FILE_ENTRY_MAGIC;
    entry->refs = 1;
    entry->fd = -1;
    entry->cache = cache;
    entry->serial = ++cache->serial;
    list_init(&entry->lru);
    list_init(&entry->watch);
    cache->live++;
    return entry;
}

struct file_entry *file_entry_make_content(struct file_cache *cache, const struct file_meta *meta,
                                           char *content)
{
    struct file_entry *entry;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    entry = new_entry(cache, 0);
    if (entry == NULL)
        return NULL;
    entry->meta = *meta;
    entry->content = content;
    return entry;
}

/* An entry with one reference, and what the job had; NULL: memory is short. */
static struct file_entry *make_entry(struct file_cache *cache, struct span path,
                                     struct file_job *job)
{
    struct file_entry *entry = new_entry(cache, path.len);

    if (entry == NULL)
        return NULL;
    entry->error = -job->res;
    entry->fd = job->fd;
    job->fd = -1;
    entry->meta = job->meta;
    entry->content = job->content;
    job->content = NULL;
    entry->generation = job->generation;
    entry->root_id = job->root_id;
    entry->symlinks = job->symlinks;
    entry->path_len = (uint32_t)path.len;
    if (path.len > 0)
        memcpy(entry->path, path.ptr, path.len);
    return entry;
}

/* The path of a job as the table has it. */
static struct span job_path(const struct file_job *job)
{
    return strcmp(job->path, ".") == 0 ? SPAN_LIT("") : span_str(job->path);
}

void file_cache_ask(struct file_cache *cache, int root_fd, uint64_t root_id,
                    enum file_symlinks symlinks, const char *path, size_t content_max,
                    uint64_t now_ms, struct file_job *job)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    file_job_init_open(job, root_fd, path, symlinks, content_max);
    job->root_id = root_id;
    job->generation = ++cache->generation;
    job->asked_ms = now_ms;
    struct span name = job_path(job);
    struct file_entry *entry =
        lookup(cache, hash_path(cache, root_id, name), root_id, symlinks, name);
    if (entry != NULL && entry->error == 0)
        file_job_set_known(job, &entry->meta);
    if (cache->notice != NULL)
        cache_notice_mark(cache->notice, job, now_ms);
}

/* Was the job asked for before the entry was known? Then nobody can tell which of the two looks
 * was the later one, whichever was asked for first. */
static bool overlaps(const struct file_entry *entry, const struct file_job *job)
{
    return job->generation <= entry->known_at;
}

/* Is what the job found of no use beside `entry`, which tells something else? An entry that is
 * believed is as new as all that was sent before it was known, so also as what was sent before the
 * job was asked for. */
static bool is_outdone(struct file_entry *entry, const struct file_job *job)
{
    return entry->generation > job->generation ||
           (overlaps(entry, job) && job->asked_ms < entry->fresh_until_ms &&
            !is_told(entry->cache, entry));
}

/* How long the entry is believed, if it is marked or not. */
static uint32_t valid_ms(const struct file_cache *cache, const struct file_entry *entry,
                         const struct file_job *job)
{
    if (entry->mark.is_set)
        return FILE_NOTICE_TRUST_MS;
    return job->mark_soon && cache->valid_ms > FILE_NOTICE_SOON_MS ? (uint32_t)FILE_NOTICE_SOON_MS
                                                                   : cache->valid_ms;
}

/* Believed, or not, as of the look of `job`, which has just ended. */
static void date_entry(struct file_cache *cache, struct file_entry *entry,
                       const struct file_job *job, bool doubtful)
{
    entry->generation = job->generation;
    entry->known_at = cache->generation;
    entry->doubtful = doubtful;
    entry->mark = job->mark;
    entry->mark.is_set = !doubtful && job->mark.is_set && cache_notice_tells(cache->notice, job);
    entry->fresh_until_ms = doubtful ? 0 : job->asked_ms + valid_ms(cache, entry, job);
}

/* The entry is what the job is answered with, whose own results are thrown away. `confirmed`: they
 * are the same. */
static struct file_entry *keep_known(struct file_cache *cache, struct file_entry *entry,
                                     struct file_job *job, bool confirmed, uint64_t now_ms)
{
    file_job_discard(job);
    if (confirmed && entry->generation < job->generation &&
        !(entry->doubtful && overlaps(entry, job)))
        date_entry(cache, entry, job, false);
    use_entry(entry, now_ms);
    return file_entry_ref(entry);
}

void file_cache_close_some(struct file_cache *cache)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    while (cache->closing_count > 0)
        close(cache->closing[--cache->closing_count]);
}

/* The job's file is small and all there: its descriptor is needed no more. */
static void let_go(struct file_cache *cache, struct file_job *job)
{
    if (job->meta.remote) {
        file_close(job->fd, true);
        job->fd = -1;
        return;
    }
    if (cache->closing_count == ARRAY_LEN(cache->closing))
        file_cache_close_some(cache);
    cache->closing[cache->closing_count++] = job->fd;
    job->fd = -1;
}

/* Only what is of use to the cache is kept of a job's results. */
static void settle(struct file_cache *cache, struct file_job *job)
{
    if (job->content != NULL && job->meta.size > cache->bytes_max) {
        free(job->content);
        job->content = NULL;
    }
    bool is_empty = job->content_max > 0 && job->meta.kind == FILE_REGULAR && job->meta.size == 0;
    if (job->fd >= 0 && (job->content != NULL || is_empty))
        let_go(cache, job);
}

bool file_cache_has_lost(const struct file_cache *cache, const struct file_job *job)
{
    struct file_entry *entry;
    struct span path;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    if (!job->unchanged)
        return false;
    path = job_path(job);
    entry = lookup(cache, hash_path(cache, job->root_id, path), job->root_id, job->symlinks, path);
    return entry == NULL || (!confirms(entry, job) && !is_outdone(entry, job));
}

struct file_entry *file_cache_store(struct file_cache *cache, struct file_job *job, uint64_t now_ms)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->kind == FILE_JOB_OPEN && job->res <= 0 && job->res != -EINPROGRESS);
    CHECK(job->content == NULL || job->fd >= 0);
    CHECK(job->generation > 0 && job->generation <= cache->generation);
    settle(cache, job);

    struct span path = job_path(job);
    uint32_t hash = hash_path(cache, job->root_id, path);
    struct file_entry *entry = lookup(cache, hash, job->root_id, job->symlinks, path);
    bool confirmed = entry != NULL && confirms(entry, job);
    if (confirmed)
        stats_count(STATS_CACHE_REVALIDATED);
    if (entry != NULL && (confirmed || is_outdone(entry, job)))
        return keep_known(cache, entry, job, confirmed, now_ms);
    CHECK(!job->unchanged); /* file_cache_has_lost() */
    if (entry != NULL && file_error_is_lasting(-job->res))
        remove_entry(cache, entry);

    entry = make_entry(cache, path, job);
    if (entry == NULL) {
        log_fault("no memory for what is known of a file; the answer is 503", ENOMEM);
        file_job_discard(job);
        return NULL;
    }
    entry->hash = hash;
    entry->used_ms = now_ms;
    /* What is in doubt is kept, too: so that what ends next and was asked for before is in doubt
     * beside it. */
    date_entry(cache, entry, job, job->generation <= cache->forgotten);
    if (cache->files_max > 0 && file_error_is_lasting(entry->error))
        insert_entry(cache, entry, now_ms);
    return entry;
}

uint64_t file_cache_sweep(struct file_cache *cache, size_t count, uint64_t now_ms)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    file_cache_close_some(cache);
    while (!list_empty(&cache->watch)) {
        struct file_entry *entry = container_of(cache->watch.next, struct file_entry, watch);

        CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
        if (now_ms < entry->check_ms || count-- == 0)
            return entry->check_ms;
        if (now_ms >= entry->used_ms + cache->inactive_ms ||
            (entry->fd >= 0 && file_is_unlinked(entry->fd))) {
            remove_entry(cache, entry);
        } else {
            list_remove(&entry->watch);
            watch_entry(cache, entry, now_ms);
        }
    }
    return UINT64_MAX;
}

void file_entry_forget(struct file_entry *entry)
{
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    if (entry->cached)
        remove_entry(entry->cache, entry);
}

size_t file_cache_reclaim(struct file_cache *cache, size_t count)
{
    size_t closed;
    struct file_entry *entry, *next;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    closed = cache->closing_count;
    file_cache_close_some(cache);
    for (entry = file_shelf_next(&cache->open, NULL); closed < count && entry != NULL;
         entry = next) {
        next = file_shelf_next(&cache->open, entry);
        if (entry->refs > 1)
            continue;
        remove_entry(cache, entry);
        closed++;
    }
    return closed;
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
    free(entry->content);
    free(entry->fields);
    free(entry->content_hash);
    free(entry);
}

void file_cache_destroy(struct file_cache *cache)
{
    if (cache == NULL)
        return;
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    file_cache_close_some(cache);
    while (!list_empty(&cache->watch))
        remove_entry(cache, container_of(cache->watch.next, struct file_entry, watch));
    CHECK(cache->live == 0 && cache->bytes == 0);
    free_cache(cache);
}

const _Atomic uint32_t *file_cache_told(const struct file_cache *cache)
{
    static const _Atomic uint32_t never;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    return cache->notice != NULL ? cache_notice_told(cache->notice) : &never;
}

size_t file_cache_files(const struct file_cache *cache)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    return cache->open.count + cache->small.count + cache->negative.count;
}

uint64_t file_cache_bytes(const struct file_cache *cache)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    return cache->bytes;
}

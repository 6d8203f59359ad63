/* file_cache.c: what is asked and answered. What the threads of a process know together
 * (shared_files.h) is asked after what this one knows, and before the kernel. */
#include "http/file_cache_internal.h"

#include "core/file_close.h"
#include "core/file_open.h"
#include "core/log_repeat.h"
#include "core/random_key.h"
#include "core/siphash.h"
#include "core/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void file_cache_set_notice(struct file_cache *cache, struct cache_notice *notice)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    CHECK(cache->notice == NULL && cache->live == 0);
    cache->notice = notice;
    cache->counters = cache_notice_counters(notice);
}

void file_cache_set_shared(struct file_cache *cache, struct shared_files *shared)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    CHECK(cache->shared == NULL && cache->live == 0 && cache->files_max > 0);
    cache->shared = shared;
    memcpy(cache->key, shared_files_key(shared), sizeof(cache->key));
}

static void free_cache(struct file_cache *cache)
{
    cache_notice_destroy(cache->notice);
    file_cache_room_free(cache);
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
    random_key(cache->key);
    file_watch_init(&cache->watch, inactive_ms);
    res = file_cache_room_init(cache, files_max, bytes_max);
    if (res < 0) {
        free_cache(cache);
        return res;
    }
    *ret_cache = cache;
    return 0;
}

/* Adding the root keeps a thousand hosts' "index.html" apart. It need not go through SipHash:
 * strangers do not choose it. */
static struct file_name name_of(const struct file_cache *cache, uint64_t root_id,
                                enum file_symlinks symlinks, struct span path)
{
    return (struct file_name){ .hash = (uint32_t)siphash13(cache->key, path.ptr, path.len) +
                                       (uint32_t)root_id * 0x9e3779b1u,
                               .symlinks = symlinks,
                               .root_id = root_id,
                               .path = path };
}

/* The name of a job. Its path is "." where the cache has "". */
static struct file_name job_name(const struct file_cache *cache, const struct file_job *job)
{
    struct span path = strcmp(job->path, ".") == 0 ? SPAN_LIT("") : span_str(job->path);

    return name_of(cache, job->root_id, job->symlinks, path);
}

/* The entry in the table, believed or not; NULL: none. */
static struct file_entry *lookup(const struct file_cache *cache, const struct file_name *name)
{
    return file_entry_of(file_table_find(&cache->table, name));
}

static inline void use_entry(struct file_entry *entry, uint64_t now_ms)
{
    file_shelf_use(&entry->node);
    entry->node.used_ms = now_ms;
}

/* Entries as large as that are kept. */
static bool fits(const struct file_cache *cache, const struct file_entry *entry)
{
    return cache->files_max > 0 && file_error_is_lasting(entry->error) &&
           file_entry_content_size(entry) <= cache->bytes_max;
}

/* ---- what other threads know ---- */

/* Does the entry tell what was found, of the same octets in memory? */
static bool tells_found(const struct file_entry *entry, const struct shared_file_found *found)
{
    return entry->fd < 0 && entry->error == found->error && entry->shared == found->content &&
           (found->error != 0 || file_meta_equal(&entry->meta, &found->meta));
}

/* The entry of `name` for what all threads are told, whose contents are taken; `entry` is the one
 * that there is, or NULL. NULL: memory is short. */
static struct file_entry *take_found(struct file_cache *cache, struct file_entry *entry,
                                     const struct file_name *name,
                                     const struct shared_file_found *found, uint64_t now_ms)
{
    if (entry != NULL && tells_found(entry, found)) {
        file_content_unref(found->content);
        entry->look = found->look;
        use_entry(entry, now_ms);
        return file_entry_ref(entry);
    }
    if (entry != NULL)
        file_cache_remove(cache, entry);
    entry = file_entry_new(cache, name);
    if (entry == NULL) {
        file_content_unref(found->content);
        return NULL;
    }
    entry->error = found->error;
    entry->meta = found->meta;
    entry->shared = found->content;
    entry->content = found->content != NULL ? found->content->octets : NULL;
    entry->look = found->look;
    entry->node.used_ms = now_ms;
    if (fits(cache, entry))
        file_cache_insert(cache, entry, now_ms);
    return entry;
}

/* Another thread may have looked at the file of late. `entry` is what this one knows, or NULL. */
static struct file_entry *find_shared(struct file_cache *cache, struct file_entry *entry,
                                      const struct file_name *name, uint64_t now_ms)
{
    struct shared_file_found found;

    if (!shared_files_find(cache->shared, name, now_ms, &found))
        return NULL;
    return take_found(cache, entry, name, &found, now_ms);
}

/* ---- questions ---- */

struct file_entry *file_cache_find(struct file_cache *cache, uint64_t root_id,
                                   enum file_symlinks symlinks, struct span path, uint64_t now_ms)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    struct file_name name = name_of(cache, root_id, symlinks, path);
    struct file_entry *entry = lookup(cache, &name);
    if (entry != NULL && now_ms < entry->look.fresh_until_ms &&
        !file_look_is_told(&entry->look, cache->counters)) {
        CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
        stats_count(STATS_CACHE_HIT);
        use_entry(entry, now_ms);
        return file_entry_ref(entry);
    }
    entry = cache->shared != NULL ? find_shared(cache, entry, &name, now_ms) : NULL;
    stats_count(entry != NULL ? STATS_CACHE_SHARED : STATS_CACHE_MISS);
    return entry;
}

/* Does the finished job tell what `entry` tells already? */
static bool confirms(const struct file_entry *entry, const struct file_job *job)
{
    return file_job_confirms(job, entry->error, &entry->meta, entry->content != NULL,
                             entry->fd >= 0);
}

/* An entry with one reference, and what the job had; NULL: memory is short. */
static struct file_entry *make_entry(struct file_cache *cache, const struct file_name *name,
                                     struct file_job *job)
{
    struct file_entry *entry = file_entry_new(cache, name);

    if (entry == NULL)
        return NULL;
    entry->error = -job->res;
    entry->fd = job->fd;
    job->fd = -1;
    entry->meta = job->meta;
    entry->content = job->content;
    job->content = NULL;
    return entry;
}

static uint64_t generation(const struct file_cache *cache)
{
    return cache->shared != NULL ? shared_files_generation(cache->shared) : cache->generation;
}

/* The entry tells of what the job has just found. */
static void date_entry(const struct file_cache *cache, struct file_entry *entry,
                       const struct file_job *job, bool doubtful)
{
    file_look_date(&entry->look, job, generation(cache), cache->valid_ms, doubtful);
}

void file_cache_ask(struct file_cache *cache, int root_fd, uint64_t root_id,
                    enum file_symlinks symlinks, const char *path, size_t content_max,
                    uint64_t now_ms, struct file_job *job)
{
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    file_job_init_open(job, root_fd, path, symlinks, content_max);
    job->root_id = root_id;
    job->generation =
        cache->shared != NULL ? shared_files_next_generation(cache->shared) : ++cache->generation;
    job->asked_ms = now_ms;
    struct file_name name = job_name(cache, job);
    struct file_entry *entry = lookup(cache, &name);
    if (entry != NULL && entry->error == 0)
        file_job_set_known(job, &entry->meta);
    if (cache->notice != NULL)
        cache_notice_mark(cache->notice, job, now_ms);
}

/* Is what the job found of no use beside `entry`, which tells something else? */
static bool is_outdone(struct file_entry *entry, const struct file_job *job)
{
    return file_look_outdoes(&entry->look, job, entry->cache->counters);
}

/* The entry is what the job is answered with, whose own results are thrown away. `confirmed`: they
 * are the same. */
static struct file_entry *keep_known(struct file_cache *cache, struct file_entry *entry,
                                     struct file_job *job, bool confirmed, uint64_t now_ms)
{
    if (confirmed && file_look_is_renewed(&entry->look, job))
        date_entry(cache, entry, job, false);
    file_job_discard(job);
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
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    if (!job->unchanged)
        return false;
    struct file_name name = job_name(cache, job);
    struct file_entry *entry = lookup(cache, &name);
    return entry == NULL || (!confirms(entry, job) && !is_outdone(entry, job));
}

/* Files the results where other threads find them. `entry` is what this one knows, or NULL. True:
 * *ret_entry is what is said there; NULL: memory is short. False: the results are not for all, and
 * stay; *ret_doubtful tells if all may have known something newer. */
static bool store_shared(struct file_cache *cache, struct file_entry *entry,
                         const struct file_name *name, struct file_job *job, bool confirmed,
                         uint64_t now_ms, struct file_entry **ret_entry, bool *ret_doubtful)
{
    struct shared_file_found found;
    struct file_content *content = confirmed ? entry->shared : NULL;

    if (!shared_files_store(cache->shared, name, job, content, now_ms, &found, ret_doubtful))
        return false;
    *ret_entry = take_found(cache, entry, name, &found, now_ms);
    return true;
}

/* The results go into an entry of this thread's own, unless `entry`, or NULL, tells the same
 * (`confirmed`), or something newer. */
static struct file_entry *store_own(struct file_cache *cache, struct file_entry *entry,
                                    const struct file_name *name, struct file_job *job,
                                    bool confirmed, bool doubtful, uint64_t now_ms)
{
    if (entry != NULL && (confirmed || is_outdone(entry, job)))
        return keep_known(cache, entry, job, confirmed, now_ms);
    CHECK(!job->unchanged); /* file_cache_has_lost() */
    if (entry != NULL && file_error_is_lasting(-job->res))
        file_cache_remove(cache, entry);
    entry = make_entry(cache, name, job);
    if (entry == NULL)
        return NULL;
    entry->node.used_ms = now_ms;
    /* What is in doubt is kept, too: so that what ends next and was asked for before is in doubt
     * beside it. */
    date_entry(cache, entry, job, doubtful || job->generation <= cache->forgotten);
    if (fits(cache, entry))
        file_cache_insert(cache, entry, now_ms);
    return entry;
}

struct file_entry *file_cache_store(struct file_cache *cache, struct file_job *job, uint64_t now_ms)
{
    bool doubtful = false;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->kind == FILE_JOB_OPEN && job->res <= 0 && job->res != -EINPROGRESS);
    CHECK(job->content == NULL || job->fd >= 0);
    CHECK(job->generation > 0 && job->generation <= generation(cache));
    job->mark.is_set = job->mark.is_set && cache_notice_tells(cache->notice, job);
    settle(cache, job);

    struct file_name name = job_name(cache, job);
    struct file_entry *entry = lookup(cache, &name);
    bool confirmed = entry != NULL && confirms(entry, job);
    if (confirmed)
        stats_count(STATS_CACHE_REVALIDATED);
    bool is_for_all = cache->shared != NULL && file_error_is_lasting(-job->res) &&
                      (confirmed || entry == NULL || !is_outdone(entry, job));
    struct file_entry *told = NULL;
    if (!is_for_all || !store_shared(cache, entry, &name, job, confirmed, now_ms, &told, &doubtful))
        told = store_own(cache, entry, &name, job, confirmed, doubtful, now_ms);
    if (told == NULL) {
        log_fault("no memory for what is known of a file; the answer is 503", ENOMEM);
        file_job_discard(job);
    }
    return told;
}

uint64_t file_cache_sweep(struct file_cache *cache, size_t count, uint64_t now_ms)
{
    struct file_node *node;
    size_t own = count;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    file_cache_close_some(cache);
    while (own-- > 0 && (node = file_watch_due(&cache->watch, now_ms)) != NULL) {
        struct file_entry *entry = file_entry_of(node);

        CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
        if (file_watch_is_inactive(&cache->watch, node, now_ms) ||
            (entry->fd >= 0 && file_is_unlinked(entry->fd)))
            file_cache_remove(cache, entry);
        else
            file_watch_add(&cache->watch, node, now_ms);
    }
    uint64_t own_ms = file_watch_next_ms(&cache->watch);
    if (cache->shared == NULL)
        return own_ms;
    uint64_t shared_ms = shared_files_sweep(cache->shared, count, now_ms);
    return own_ms < shared_ms ? own_ms : shared_ms;
}

void file_entry_forget(struct file_entry *entry)
{
    CHECK_OBJ(entry, FILE_ENTRY_MAGIC);
    struct file_cache *cache = entry->cache;
    if (cache->shared != NULL)
        shared_files_forget(cache->shared, &entry->node.name, entry->look.generation);
    if (entry->cached)
        file_cache_remove(cache, entry);
}

size_t file_cache_reclaim(struct file_cache *cache, size_t count)
{
    size_t closed;
    struct file_node *node, *next;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    closed = cache->closing_count;
    file_cache_close_some(cache);
    for (node = file_shelf_next(&cache->open, NULL); closed < count && node != NULL; node = next) {
        struct file_entry *entry = file_entry_of(node);

        next = file_shelf_next(&cache->open, node);
        if (entry->refs > 1)
            continue;
        file_cache_remove(cache, entry);
        closed++;
    }
    return closed;
}

void file_cache_destroy(struct file_cache *cache)
{
    struct file_node *node;

    if (cache == NULL)
        return;
    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    file_cache_close_some(cache);
    while ((node = file_watch_any(&cache->watch)) != NULL)
        file_cache_remove(cache, file_entry_of(node));
    CHECK(cache->live == 0 && cache->bytes == 0);
    free_cache(cache);
}

const _Atomic uint32_t *file_cache_told(const struct file_cache *cache)
{
    static const _Atomic uint32_t never;

    CHECK_OBJ(cache, FILE_CACHE_MAGIC);
    return cache->counters != NULL ? &cache->counters->generation : &never;
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

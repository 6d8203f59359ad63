/* compress_cache.c: see compress_cache.h. A hash table with chains, and a list in order of use.
 * What is being made is in neither: there are COMPRESS_JOBS_MAX of those at most. */
#include "http/compress_cache.h"

#include "core/check.h"
#include "core/list.h"
#include "core/log_repeat.h"

#include <errno.h>
#include <stdlib.h>

#define COMPRESS_CACHE_MAGIC 0xc0435eccu

enum {
    LOOKS_MAX = 64,         /* entries in use that are passed over in search of one that is not */
    BUCKETS_MIN = 64,       /* a power of two, and */
    BUCKETS_MAX = 1 << 16,  /* another one */
    BUCKET_BYTES = 4 * 1024 /* octets of the bound for which there is a bucket */
};

/* What was made of a file. */
struct item {
    struct item *hash_next;
    struct list lru;
    struct file_meta file;
    uint64_t serial; /* of the file's entry, when it was racy; else 0 */
    enum coding coding;
    struct file_entry *made; /* a reference; NULL: nothing is gained */
};

struct job {
    struct compression *compression; /* NULL: free. Borrowed from its users */
    uint64_t room;                   /* octets set aside */
};

struct compress_cache {
    unsigned magic;
    struct file_cache *files;
    uint64_t bytes, bytes_max;
    size_t count;
    struct list lru; /* what was used last is in front */
    struct job jobs[COMPRESS_JOBS_MAX];
    size_t buckets_mask;
    struct item *buckets[];
};

int compress_cache_create(uint64_t bytes_max, struct file_cache *files,
                          struct compress_cache **ret_cache)
{
    size_t buckets = BUCKETS_MIN;
    struct compress_cache *cache;

    while (buckets < BUCKETS_MAX && buckets < bytes_max / BUCKET_BYTES)
        buckets *= 2;
    cache = calloc(1, sizeof(*cache) + buckets * sizeof(cache->buckets[0]));
    if (cache == NULL)
        return -ENOMEM;
    cache->magic = COMPRESS_CACHE_MAGIC;
    cache->files = files;
    cache->bytes_max = bytes_max;
    cache->buckets_mask = buckets - 1;
    list_init(&cache->lru);
    *ret_cache = cache;
    return 0;
}

static uint64_t serial_of(const struct file_entry *file)
{
    return file->meta.racy ? file->serial : 0;
}

/* What strangers cannot choose: the multiplications of splitmix64 are enough. */
static size_t hash_of(const struct file_meta *file, enum coding coding)
{
    uint64_t z = file->ino ^ file->dev << 32 ^ (uint64_t)file->ctime_s << 20 ^
                 (uint64_t)file->ctime_ns ^ (uint64_t)coding << 61;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (size_t)(z ^ z >> 31);
}

static struct item **bucket_of(struct compress_cache *cache, const struct file_meta *file,
                               enum coding coding)
{
    return &cache->buckets[hash_of(file, coding) & cache->buckets_mask];
}

static struct item *lookup(struct compress_cache *cache, const struct file_entry *file,
                           enum coding coding)
{
    struct item *item = *bucket_of(cache, &file->meta, coding);

    while (item != NULL && (item->coding != coding || item->serial != serial_of(file) ||
                            !file_meta_equal(&item->file, &file->meta)))
        item = item->hash_next;
    return item;
}

/* Octets that it takes; an item without content takes some, too. */
static uint64_t item_size(const struct item *item)
{
    return sizeof(*item) + (item->made != NULL ? sizeof(*item->made) + item->made->meta.size : 0);
}

static void remove_item(struct compress_cache *cache, struct item *item)
{
    struct item **link = bucket_of(cache, &item->file, item->coding);

    while (*link != item)
        link = &(*link)->hash_next;
    *link = item->hash_next;
    list_remove(&item->lru);
    cache->count--;
    cache->bytes -= item_size(item);
    if (item->made != NULL)
        file_entry_unref(item->made);
    free(item);
}

static bool is_used(const struct item *item)
{
    return item->made != NULL && item->made->refs > 1;
}

/* Lets go of what was not used for longest, until there is room for `size` octets. False: there is
 * none. */
static bool make_room(struct compress_cache *cache, uint64_t size)
{
    struct list *at = cache->lru.prev;
    int looks = 0;

    if (size > cache->bytes_max)
        return false;
    while (cache->bytes > cache->bytes_max - size && at != &cache->lru && looks < LOOKS_MAX) {
        struct item *item = container_of(at, struct item, lru);

        at = at->prev;
        if (is_used(item))
            looks++;
        else
            remove_item(cache, item);
    }
    return cache->bytes <= cache->bytes_max - size;
}

/* Files an item, for which there is room. */
static void insert_item(struct compress_cache *cache, struct item *item)
{
    struct item **bucket = bucket_of(cache, &item->file, item->coding);

    item->hash_next = *bucket;
    *bucket = item;
    list_push_front(&cache->lru, &item->lru);
    cache->count++;
    cache->bytes += item_size(item);
}

/* The job that compresses the file; NULL: none. */
static struct job *job_of(struct compress_cache *cache, const struct file_entry *file,
                          enum coding coding)
{
    for (size_t i = 0; i < COMPRESS_JOBS_MAX; i++) {
        const struct compression *c = cache->jobs[i].compression;
        const struct file_entry *at = c != NULL ? compression_file(c) : NULL;

        if (at != NULL && compression_coding(c) == coding && serial_of(at) == serial_of(file) &&
            file_meta_equal(&at->meta, &file->meta))
            return &cache->jobs[i];
    }
    return NULL;
}

/* The job of that compression; with NULL a free one. NULL: there is none. */
static struct job *job_with(struct compress_cache *cache, const struct compression *c)
{
    struct job *job = cache->jobs;

    while (job < cache->jobs + COMPRESS_JOBS_MAX && job->compression != c)
        job++;
    return job < cache->jobs + COMPRESS_JOBS_MAX ? job : NULL;
}

static void end_job(struct compress_cache *cache, struct job *job)
{
    cache->bytes -= job->room;
    *job = (struct job){ .compression = NULL };
}

/* Begins with the file, of which at most `room` octets are made; NULL: not at this moment. */
static struct compression *begin(struct compress_cache *cache, struct file_entry *file,
                                 const struct compressor_ops *ops, size_t room)
{
    struct job *job = job_with(cache, NULL);
    uint64_t size = room + sizeof(struct item) + sizeof(struct file_entry);
    int res;

    if (job == NULL || !make_room(cache, size))
        return NULL;
    res = compression_create(ops, file, room, &job->compression);
    if (res < 0) {
        log_fault("no memory to compress a file, or to decompress it", -res);
        return NULL;
    }
    job->room = size;
    cache->bytes += size;
    return job->compression;
}

enum compress_found compress_cache_find_content(struct compress_cache *cache,
                                                struct file_entry *file,
                                                const struct compressor_ops *ops, size_t room,
                                                bool make, struct file_entry **ret_entry,
                                                struct compression **ret_compression)
{
    struct item *item;
    struct job *job;
    struct compression *c;

    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    CHECK(file_entry_is_file(file) && file->meta.size > 0);
    item = lookup(cache, file, ops->coding);
    if (item != NULL && cache->lru.next != &item->lru) {
        list_remove(&item->lru);
        list_push_front(&cache->lru, &item->lru);
    }
    if (item != NULL && item->made == NULL)
        return COMPRESS_PLAIN;
    if (item != NULL) {
        *ret_entry = file_entry_ref(item->made);
        return COMPRESS_READY;
    }
    if (!make)
        return COMPRESS_MISSING;
    job = job_of(cache, file, ops->coding);
    if (job != NULL && compression_users(job->compression) >= COMPRESS_USERS_MAX)
        return COMPRESS_BUSY;
    if (job != NULL)
        compression_ref(job->compression);
    c = job != NULL ? job->compression : begin(cache, file, ops, room);
    if (c == NULL)
        return COMPRESS_BUSY;
    *ret_compression = c;
    return COMPRESS_MAKING;
}

/* What would save less than a sixteenth is not worth the client's time. */
enum compress_found compress_cache_find(struct compress_cache *cache, struct file_entry *file,
                                        enum coding coding, bool make,
                                        struct file_entry **ret_entry,
                                        struct compression **ret_compression)
{
    size_t room = (size_t)(file->meta.size - file->meta.size / 16);
    enum compress_found found = compress_cache_find_content(cache, file, compressor_find(coding),
                                                            room, make, ret_entry, ret_compression);

    return found == COMPRESS_BUSY ? COMPRESS_PLAIN : found;
}

/* The entry for what was made; NULL: memory is short. */
static struct file_entry *make_entry(struct compress_cache *cache, struct compression *c)
{
    const struct file_entry *file = compression_file(c);
    struct file_meta meta = file->meta;
    struct file_entry *entry;
    size_t len = 0;
    char *content = compression_take(c, &len);

    meta.size = len;
    entry = file_entry_make_content(cache->files, &meta, content);
    if (entry == NULL) {
        free(content);
        return NULL;
    }
    entry->file_size = file->meta.size;
    entry->recipe = compressor_recipe(compression_ops(c));
    return entry;
}

/* Files what has come of the job, or that nothing has: the job's own room is enough for it. NULL:
 * nothing is kept. */
static struct item *keep(struct compress_cache *cache, struct compression *c, bool made)
{
    const struct file_entry *file = compression_file(c);
    struct item *item = calloc(1, sizeof(*item));

    if (item == NULL)
        return NULL;
    if (made)
        item->made = make_entry(cache, c);
    if (made && item->made == NULL) {
        free(item);
        return NULL;
    }
    item->file = file->meta;
    item->serial = serial_of(file);
    item->coding = compression_coding(c);
    insert_item(cache, item);
    return item;
}

/* The job has ended, and the first of its users tells so. */
static struct item *file_result(struct compress_cache *cache, struct job *job)
{
    struct compression *c = job->compression;
    int error = 0;
    enum compression_end end = compression_end(c, &error);
    struct item *item = NULL;

    end_job(cache, job);
    if (end == COMPRESSION_FAILED && compression_coding(c) != CODING_IDENTITY)
        log_fault("a file cannot be compressed; it is sent as it is", error);
    if (end == COMPRESSION_MADE || end == COMPRESSION_USELESS)
        item = keep(cache, c, end == COMPRESSION_MADE);
    return item;
}

struct file_entry *compress_cache_store(struct compress_cache *cache, struct compression *c)
{
    struct job *job;
    struct item *item;
    struct file_entry *entry = NULL;

    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    job = job_with(cache, c);
    item = job != NULL ? file_result(cache, job)
                       : lookup(cache, compression_file(c), compression_coding(c));
    if (item != NULL && item->made != NULL)
        entry = file_entry_ref(item->made);
    compression_unref(c);
    return entry;
}

void compress_cache_leave(struct compress_cache *cache, struct compression *c)
{
    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    if (compression_users(c) == 1) {
        struct job *job = job_with(cache, c);

        if (job != NULL)
            end_job(cache, job);
    }
    compression_unref(c);
}

void compress_cache_destroy(struct compress_cache *cache)
{
    if (cache == NULL)
        return;
    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    while (!list_empty(&cache->lru)) {
        struct item *item = container_of(cache->lru.next, struct item, lru);

        CHECK(!is_used(item));
        remove_item(cache, item);
    }
    CHECK(cache->bytes == 0 && cache->count == 0);
    cache->magic = 0;
    free(cache);
}

size_t compress_cache_entries(const struct compress_cache *cache)
{
    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    return cache->count;
}

uint64_t compress_cache_bytes(const struct compress_cache *cache)
{
    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    return cache->bytes;
}

unsigned compress_cache_jobs(const struct compress_cache *cache)
{
    unsigned count = 0;

    CHECK_OBJ(cache, COMPRESS_CACHE_MAGIC);
    for (size_t i = 0; i < COMPRESS_JOBS_MAX; i++)
        count += cache->jobs[i].compression != NULL;
    return count;
}

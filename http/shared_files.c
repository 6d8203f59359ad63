/* shared_files.c: see shared_files.h. */
#include "http/shared_files.h"

#include "core/check.h"
#include "core/random_key.h"
#include "core/stats.h"
#include "http/file_cache.h"
#include "http/file_shelf.h"
#include "http/file_table.h"
#include "http/file_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARED_FILES_MAGIC 0x54a4edf1u

enum {
    SHARDS_PER_THREAD = 4, /* at least, so that two rarely meet */
    SHARDS_MOST = 64,
    SHARD_FILES_LEAST = 16, /* of the largest size, in a shard */
    SHARD_BIT = 20,         /* of the hash: lower bits choose the chain, the highest mark it */
};

struct shared_file {
    struct file_node node;
    struct file_look look;
    int error;
    uint32_t counted; /* octets of memory, in STATS_CACHE_MEMORY */
    struct file_meta meta;
    struct file_content *content; /* NULL: the file is empty, or there is none */
    char path[];
};

struct shard {
    _Alignas(64) pthread_mutex_t mutex;
    struct file_table table;
    struct file_shelf files, names; /* that have contents, or are empty; that give no file */
    struct file_watch watch;
    uint64_t forgotten; /* the newest `known_at` of what is here no more: what was asked for before
                           may be older than it */
    uint64_t bytes_max;
    _Atomic uint64_t bytes; /* of contents that are kept here, or by a thread */
};

/* A configured root: which directory it led to last, and its number. */
struct shared_root {
    struct file_root_id which;
    uint64_t id; /* 0: nobody has asked */
};

struct shared_files {
    unsigned magic;
    uint32_t valid_ms;
    uint64_t key[2];
    uint64_t content_max;
    const struct file_notice_counters *counters;
    pthread_mutex_t roots_mutex;
    uint64_t root_ids; /* given out so far */
    size_t roots_count;
    struct shared_root *roots;
    _Alignas(64) _Atomic uint64_t generation; /* of the newest question */
    size_t shards_count;                      /* a power of two */
    struct shard shards[];
};

static struct shared_file *file_of(struct file_node *node)
{
    return node != NULL ? container_of(node, struct shared_file, node) : NULL;
}

static void lock(struct shard *shard)
{
    MUST(pthread_mutex_lock(&shard->mutex) == 0);
}

static void unlock(struct shard *shard)
{
    MUST(pthread_mutex_unlock(&shard->mutex) == 0);
}

/* ---- create and destroy ---- */

static size_t shards_for(const struct shared_files_options *options)
{
    size_t count = 1;

    while (count < SHARDS_MOST && count < (size_t)options->threads * SHARDS_PER_THREAD)
        count *= 2;
    while (count > 1 && options->bytes_max / count < options->content_max * SHARD_FILES_LEAST)
        count /= 2;
    return count;
}

static int init_shard(struct shard *shard, const struct shared_files_options *options,
                      size_t shards_count)
{
    size_t files_max = file_cache_small_max(options->bytes_max) / shards_count + 1;
    size_t names_max = options->names_max / shards_count + 1;

    shard->bytes_max = options->bytes_max / shards_count;
    file_watch_init(&shard->watch, options->inactive_ms);
    MUST(pthread_mutex_init(&shard->mutex, NULL) == 0);
    int res = file_shelf_init(&shard->files, files_max);
    if (res == 0)
        res = file_shelf_init(&shard->names, names_max);
    return res == 0 ? file_table_init(&shard->table, files_max + names_max) : res;
}

int shared_files_create(const struct shared_files_options *options, struct shared_files **ret_files)
{
    size_t count = shards_for(options);
    struct shared_files *files =
        aligned_alloc(64, sizeof(*files) + count * sizeof(files->shards[0]));
    int res = 0;

    if (files == NULL)
        return -ENOMEM;
    memset(files, 0, sizeof(*files) + count * sizeof(files->shards[0]));
    files->magic = SHARED_FILES_MAGIC;
    files->valid_ms = options->valid_ms;
    files->counters = options->counters;
    random_key(files->key);
    files->shards_count = count;
    files->content_max = options->bytes_max / count < options->content_max
                             ? options->bytes_max / count
                             : options->content_max;
    MUST(pthread_mutex_init(&files->roots_mutex, NULL) == 0);
    files->roots_count = options->roots_count;
    files->roots = calloc(options->roots_count + 1, sizeof(files->roots[0]));
    if (files->roots == NULL)
        res = -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int made = init_shard(&files->shards[i], options, count);
        res = res == 0 ? made : res;
    }
    if (res < 0) {
        shared_files_destroy(files);
        return res;
    }
    *ret_files = files;
    return 0;
}

const uint64_t *shared_files_key(const struct shared_files *files)
{
    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    return files->key;
}

uint64_t shared_files_next_generation(struct shared_files *files)
{
    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    return atomic_fetch_add(&files->generation, 1) + 1;
}

uint64_t shared_files_generation(const struct shared_files *files)
{
    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    return atomic_load(&files->generation);
}

uint64_t shared_files_root_id(struct shared_files *files, size_t index,
                              const struct file_root_id *which)
{
    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    CHECK(index < files->roots_count);
    struct shared_root *root = &files->roots[index];
    bool has_birth = which->born_s != 0 || which->born_ns != 0;
    MUST(pthread_mutex_lock(&files->roots_mutex) == 0);
    /* Without its birth a directory cannot be told from a later one that has its inode's number. */
    if (root->id == 0 || !has_birth || !file_root_same(&root->which, which))
        *root = (struct shared_root){ .which = *which, .id = ++files->root_ids };
    uint64_t id = root->id;
    MUST(pthread_mutex_unlock(&files->roots_mutex) == 0);
    return id;
}

/* ---- a shard, locked ---- */

static struct shard *shard_of(struct shared_files *files, const struct file_name *name)
{
    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    return &files->shards[(name->hash >> SHARD_BIT) & (files->shards_count - 1)];
}

static bool gives_file(const struct shared_file *file)
{
    return file->error == 0 && file->meta.kind == FILE_REGULAR;
}

static struct file_shelf *shelf_of(struct shard *shard, const struct shared_file *file)
{
    return gives_file(file) ? &shard->files : &shard->names;
}

/* What was asked for up to `generation` is in doubt. */
static void forget_until(struct shard *shard, uint64_t generation)
{
    if (shard->forgotten < generation)
        shard->forgotten = generation;
}

static void drop(struct shard *shard, struct shared_file *file)
{
    file_table_remove(&shard->table, &file->node);
    file_shelf_remove(shelf_of(shard, file), &file->node);
    file_watch_remove(&file->node);
    forget_until(shard, file->look.known_at);
    file_content_drop(file->content);
    file_content_unref(file->content);
    stats_change(STATS_CACHE_MEMORY, -(int64_t)file->counted);
    free(file);
}

static void make_room(struct shard *shard, const struct shared_file *file)
{
    struct file_shelf *own = shelf_of(shard, file);
    uint64_t size = file->content != NULL ? file->content->size : 0;

    if (own->count == own->count_max)
        drop(shard, file_of(file_shelf_evict(own)));
    while (size > 0 && own->count > 0 &&
           atomic_load_explicit(&shard->bytes, memory_order_relaxed) + size > shard->bytes_max)
        drop(shard, file_of(file_shelf_evict(own)));
}

static void insert(struct shard *shard, struct shared_file *file, uint64_t now_ms)
{
    make_room(shard, file);
    file_table_add(&shard->table, &file->node);
    file_shelf_add(shelf_of(shard, file), &file->node);
    file_watch_add(&shard->watch, &file->node, now_ms);
    file->node.used_ms = now_ms;
    file_content_keep(file->content);
    file->counted = (uint32_t)(sizeof(*file) + file->node.name.path.len);
    stats_change(STATS_CACHE_MEMORY, file->counted);
}

/* What the job found, not kept yet; NULL: memory is short, and the job is as it was. */
static struct shared_file *make(struct shard *shard, const struct file_name *name,
                                struct file_job *job, struct file_content *content)
{
    struct shared_file *file = calloc(1, sizeof(*file) + name->path.len);

    if (file == NULL)
        return NULL;
    if (content != NULL) {
        file->content = file_content_ref(content);
    } else if (job->content != NULL) {
        file->content = file_content_make(job->content, job->meta.size, &shard->bytes);
        if (file->content == NULL) {
            free(file);
            return NULL;
        }
        job->content = NULL;
    }
    file_node_init(&file->node, name, file->path);
    if (name->path.len > 0)
        memcpy(file->path, name->path.ptr, name->path.len);
    file->error = -job->res;
    file->meta = job->meta;
    return file;
}

static void tell(struct shared_file *file, uint64_t now_ms, struct shared_file_found *ret_found)
{
    file_shelf_use(&file->node);
    if (file->node.used_ms < now_ms)
        file->node.used_ms = now_ms;
    *ret_found = (struct shared_file_found){
        .error = file->error, .meta = file->meta, .content = file->content, .look = file->look
    };
    if (file->content != NULL)
        file_content_ref(file->content);
}

/* Can what the job found, which is no error of the moment, be kept without a descriptor? Pure. */
static bool is_for_all(const struct shared_files *files, const struct file_job *job,
                       const struct file_content *content)
{
    if (job->res < 0)
        return true;
    if (job->meta.size > files->content_max)
        return false;
    if (job->unchanged && job->meta.size > 0)
        return content != NULL;
    return job->fd < 0 && job->meta.kind != FILE_DIRECTORY;
}

/* ---- what threads ask ---- */

bool shared_files_find(struct shared_files *files, const struct file_name *name, uint64_t now_ms,
                       struct shared_file_found *ret_found)
{
    struct shard *shard = shard_of(files, name);

    lock(shard);
    struct shared_file *file = file_of(file_table_find(&shard->table, name));
    bool hit = file != NULL && now_ms < file->look.fresh_until_ms &&
               !file_look_is_told(&file->look, files->counters);
    if (hit)
        tell(file, now_ms, ret_found);
    unlock(shard);
    return hit;
}

/* The file that is to be answered with; NULL: what the job found is not for all. */
static struct shared_file *judge(struct shared_files *files, struct shard *shard,
                                 const struct file_name *name, struct file_job *job,
                                 struct file_content *content, uint64_t now_ms)
{
    struct shared_file *file = file_of(file_table_find(&shard->table, name));
    uint64_t newest = shared_files_generation(files);

    if (file != NULL &&
        file_job_confirms(job, file->error, &file->meta, file->content != NULL, false)) {
        if (file_look_is_renewed(&file->look, job))
            file_look_date(&file->look, job, newest, files->valid_ms, false);
        return file;
    }
    if (file != NULL && file_look_outdoes(&file->look, job, files->counters))
        return file;
    if (file != NULL)
        drop(shard, file);
    file = is_for_all(files, job, content) ? make(shard, name, job, content) : NULL;
    if (file == NULL)
        return NULL;
    file_look_date(&file->look, job, newest, files->valid_ms, job->generation <= shard->forgotten);
    insert(shard, file, now_ms);
    return file;
}

bool shared_files_store(struct shared_files *files, const struct file_name *name,
                        struct file_job *job, struct file_content *content, uint64_t now_ms,
                        struct shared_file_found *ret_found, bool *ret_doubtful)
{
    struct shard *shard = shard_of(files, name);

    CHECK(file_error_is_lasting(-job->res));
    lock(shard);
    struct shared_file *file = judge(files, shard, name, job, content, now_ms);
    if (file != NULL) {
        tell(file, now_ms, ret_found);
    } else {
        /* Who asks next finds nothing here, and what another thread has under way may be older. */
        *ret_doubtful = job->generation <= shard->forgotten;
        forget_until(shard, shared_files_generation(files));
    }
    unlock(shard);
    if (file != NULL)
        file_job_discard(job);
    return file != NULL;
}

void shared_files_forget(struct shared_files *files, const struct file_name *name,
                         uint64_t generation)
{
    struct shard *shard = shard_of(files, name);

    lock(shard);
    struct shared_file *file = file_of(file_table_find(&shard->table, name));
    if (file != NULL && file->look.generation <= generation)
        drop(shard, file);
    forget_until(shard, shared_files_generation(files));
    unlock(shard);
}

/* Of one shard; a reference to how many more may go. */
static uint64_t sweep_shard(struct shard *shard, size_t *count, uint64_t now_ms)
{
    struct file_node *node;

    lock(shard);
    while (*count > 0 && (node = file_watch_due(&shard->watch, now_ms)) != NULL) {
        --*count;
        if (file_watch_is_inactive(&shard->watch, node, now_ms))
            drop(shard, file_of(node));
        else
            file_watch_add(&shard->watch, node, now_ms);
    }
    uint64_t next_ms = file_watch_next_ms(&shard->watch);
    unlock(shard);
    return next_ms;
}

uint64_t shared_files_sweep(struct shared_files *files, size_t count, uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;

    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    for (size_t i = 0; i < files->shards_count; i++) {
        uint64_t shard_ms = sweep_shard(&files->shards[i], &count, now_ms);
        next_ms = shard_ms < next_ms ? shard_ms : next_ms;
    }
    return next_ms;
}

static void free_shard(struct shard *shard)
{
    struct file_node *node;

    while ((node = file_watch_any(&shard->watch)) != NULL)
        drop(shard, file_of(node));
    CHECK(shard->bytes == 0);
    file_shelf_free(&shard->files);
    file_shelf_free(&shard->names);
    file_table_free(&shard->table);
    MUST(pthread_mutex_destroy(&shard->mutex) == 0);
}

void shared_files_destroy(struct shared_files *files)
{
    if (files == NULL)
        return;
    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    for (size_t i = 0; i < files->shards_count; i++)
        free_shard(&files->shards[i]);
    MUST(pthread_mutex_destroy(&files->roots_mutex) == 0);
    free(files->roots);
    files->magic = 0;
    free(files);
}

size_t shared_files_count(struct shared_files *files)
{
    size_t count = 0;

    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    for (size_t i = 0; i < files->shards_count; i++) {
        lock(&files->shards[i]);
        count += files->shards[i].table.count;
        unlock(&files->shards[i]);
    }
    return count;
}

uint64_t shared_files_bytes(struct shared_files *files)
{
    uint64_t bytes = 0;

    CHECK_OBJ(files, SHARED_FILES_MAGIC);
    for (size_t i = 0; i < files->shards_count; i++)
        bytes += atomic_load(&files->shards[i].bytes);
    return bytes;
}

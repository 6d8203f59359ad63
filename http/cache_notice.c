/* cache_notice.c: see cache_notice.h. */
#include "http/cache_notice.h"

#include "core/check.h"
#include "core/random_key.h"
#include "core/siphash.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_NOTICE_MAGIC 0xcac4e071u

enum {
    FOLDERS = 256,
    FOLDERS_MISSING_MAX = 16, /* above a path that is missing: else time alone tells */
};

/* What is known of a folder: found by a hash of 64 bits with a secret key, which no two share. */
struct known_folder {
    uint64_t hash;
    uint64_t until_ms; /* 0: nothing is known */
    int error;         /* 0: it is watched; else -errno of file_notice_folder() */
    struct file_notice_folder folder;
};

struct cache_notice {
    unsigned magic;
    struct file_notice *notice;
    const struct file_notice_counters *counters;
    uint32_t again_ms;
    uint64_t key[2];
    struct known_folder folders[FOLDERS];
};

int cache_notice_create(struct file_notice *notice, uint32_t again_ms,
                        struct cache_notice **ret_notice)
{
    struct cache_notice *made = calloc(1, sizeof(*made));

    if (made == NULL)
        return -ENOMEM;
    made->magic = CACHE_NOTICE_MAGIC;
    made->notice = notice;
    made->counters = file_notice_counters(notice);
    made->again_ms = again_ms;
    random_key(made->key);
    *ret_notice = made;
    return 0;
}

void cache_notice_destroy(struct cache_notice *notice)
{
    if (notice == NULL)
        return;
    CHECK_OBJ(notice, CACHE_NOTICE_MAGIC);
    notice->magic = 0;
    free(notice);
}

/* The folder that a path stands in, and its name there. The root is a folder without a name. */
static void divide(const char *path, char folder[PATH_MAX], const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) : 0;

    *ret_name = slash != NULL ? slash + 1 : strcmp(path, ".") == 0 ? "" : path;
    if (len == 0) {
        memcpy(folder, ".", 2);
        return;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
}

static struct known_folder *find_folder(struct cache_notice *notice, uint64_t root_id,
                                        const char *folder, uint64_t *ret_hash)
{
    *ret_hash = siphash13(notice->key, folder, strlen(folder)) ^ root_id * 0x9e3779b97f4a7c15u;
    return &notice->folders[*ret_hash % FOLDERS];
}

/* Likewise; asked about if it is not known. 0, or -errno: it cannot be watched. */
static int watch_folder(struct cache_notice *notice, const struct file_job *job, const char *folder,
                        uint64_t now_ms, const struct file_notice_folder **ret_folder)
{
    uint64_t hash;
    struct known_folder *known = find_folder(notice, job->root_id, folder, &hash);

    *ret_folder = &known->folder;
    if (known->until_ms > now_ms && known->hash == hash &&
        (known->error != 0 || file_notice_folder_holds(notice->counters, &known->folder)))
        return known->error;
    known->error = file_notice_folder(notice->notice, job->root_fd, folder, &known->folder);
    known->hash = hash;
    known->until_ms = now_ms + (known->error == 0         ? (uint32_t)FILE_NOTICE_TRUST_MS
                                : known->error == -EAGAIN ? 0
                                                          : notice->again_ms);
    return known->error;
}

/* The folder is not there: what tells that it has come is the name of the first that is missing, in
 * the folder above. That it is still missing is asked once more when what was counted of the name
 * is known, so that its coming is not overlooked. */
static void mark_missing(struct cache_notice *notice, struct file_job *job, char *missing,
                         uint64_t now_ms)
{
    char above[PATH_MAX];
    const struct file_notice_folder *watched;
    struct file_notice_folder found;
    const char *name;
    int res = -ENOENT;

    for (int i = 0; i < FOLDERS_MISSING_MAX && strcmp(missing, ".") != 0; i++) {
        divide(missing, above, &name);
        res = watch_folder(notice, job, above, now_ms, &watched);
        if (res != -ENOENT)
            break;
        memcpy(missing, above, sizeof(above));
    }
    job->mark_soon = res == -EAGAIN;
    if (res != 0)
        return;
    job->mark = file_notice_mark(notice->counters, watched, name);
    job->mark_mount = 0;
    res = file_notice_folder(notice->notice, job->root_fd, missing, &found);
    job->mark.is_set = res == -ENOENT;
    job->mark_soon = res != -ENOENT;
}

void cache_notice_mark(struct cache_notice *notice, struct file_job *job, uint64_t now_ms)
{
    char folder[PATH_MAX];
    const struct file_notice_folder *watched;
    const char *name;

    CHECK_OBJ(notice, CACHE_NOTICE_MAGIC);
    job->mark = (struct file_notice_mark){ 0 };
    if (strlen(job->path) >= sizeof(folder))
        return;
    divide(job->path, folder, &name);
    int res = watch_folder(notice, job, folder, now_ms, &watched);
    job->mark_soon = res == -EAGAIN;
    if (res == -ENOENT)
        mark_missing(notice, job, folder, now_ms);
    if (res != 0)
        return;
    job->mark = file_notice_mark(notice->counters, watched, name);
    job->mark_mount = watched->mount;
}

bool cache_notice_tells(struct cache_notice *notice, const struct file_job *job)
{
    CHECK_OBJ(notice, CACHE_NOTICE_MAGIC);
    return job->mark.is_set &&
           file_notice_tells(job->root_fd, job->path, -job->res, &job->meta, job->mark_mount);
}

const struct file_notice_counters *cache_notice_counters(const struct cache_notice *notice)
{
    return notice->counters;
}

/* file_root.h: a document root, looked up by its path. Called by file_job.c for FILE_JOB_ROOT, and
 * by config_roots.c, which asks whether the user who serves can do it at all. */
#ifndef CORE_FILE_ROOT_H
#define CORE_FILE_ROOT_H

#include <stdbool.h>
#include <stdint.h>

/* Which directory it is: device, inode and mount (0 before Linux 5.8); and, since an inode's number
 * is used again once its directory is gone, when it was made (0 where the file system does not
 * tell). */
struct file_root_id {
    uint64_t dev, ino, mount;
    int64_t born_s;
    uint32_t born_ns;
    bool remote; /* it lies where another machine, or a process, answers (file_system.h) */
};

/* Opens the directory `path` (absolute) O_PATH. `guarded`: by the rules by which root opens it at
 * the start (safe_open.h, SAFE_FOLDER), whoever asks: a link of somebody's, put there since, leads
 * no further now than it would have then. 0, a descriptor that the caller owns, and which directory
 * it is; or -errno, and then `*ret_what` is a sentence's end (static), or NULL where strerror(3)
 * says it. */
int file_root_open(const char *path, bool guarded, int *ret_fd, struct file_root_id *ret_id,
                   const char **ret_what);

/* Likewise without `guarded`, as far as the kernel has all of it in memory: -EAGAIN where it would
 * have to ask the disk, or cannot tell, as of a file system that was not met before. Never blocks. */
int file_root_open_cached(const char *path, int *ret_fd, struct file_root_id *ret_id);

/* Is it the same directory? */
bool file_root_same(const struct file_root_id *a, const struct file_root_id *b);

#endif

/* file_open.h: opens a path beneath a root directory, whatever links and renames do meanwhile.
 *
 * openat2(2) does it, with RESOLVE_BENEATH: a link may lead anywhere below the root (or nowhere,
 * under FILE_SYMLINKS_DENY), but never above it. An absolute link counts as leaving, even when its
 * target is below the root. Where openat2 is refused (ENOSYS: Linux before 5.6; EPERM: a seccomp
 * filter), file_walk() does the same, segment by segment. Used by file_job.c and dir_list.c. */
#ifndef CORE_FILE_OPEN_H
#define CORE_FILE_OPEN_H

#include "core/file_job.h"

#include <sys/stat.h>

/* Opens `path` (relative to the root, NUL-terminated, "." is the root itself) for reading:
 * O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOCTTY. 0, or -errno: -EXDEV for what leaves the root, -ELOOP for
 * more than 40 links, or for any link under FILE_SYMLINKS_DENY, and open(2)'s errors. The caller
 * owns *ret_fd. A FIFO, a socket or a device is not opened: *ret_fd is -1 and the kind FILE_OTHER.
 */
int file_open(int root_fd, const char *path, enum file_symlinks symlinks, int *ret_fd,
              struct file_meta *ret_meta);

/* Likewise, a directory, for reading its names. Returns the descriptor, which the caller owns, or
 * -errno: -ENOTDIR for anything but a directory. */
int file_open_directory(int root_fd, const char *path, enum file_symlinks symlinks);

/* What `st` tells. `racy` is judged by the time of this call. */
void file_meta_set(struct file_meta *meta, const struct stat *st);

#endif

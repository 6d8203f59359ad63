/* file_open.h: opens a path beneath a root directory, whatever links and renames do meanwhile.
 *
 * openat2(2) does it, with RESOLVE_BENEATH: a path leads anywhere below the root, but never above
 * it. What it cannot decide, file_walk() does, segment by segment: a link which is absolute, or
 * which leaves the root and comes back; whose a link's target is; and everything where openat2 is
 * refused (ENOSYS: Linux before 5.6; EPERM: a seccomp filter). Under FILE_SYMLINKS_OWNER and
 * FILE_SYMLINKS_ANY links may lead out of the root, a path without links never. Used by file_job.c
 * and dir_list.c. */
#ifndef CORE_FILE_OPEN_H
#define CORE_FILE_OPEN_H

#include "core/file_job.h"

#include <sys/stat.h>

struct open_how; /* <linux/openat2.h> */
struct statx;    /* <sys/stat.h>, or <linux/stat.h> */

/* Opens `path` (relative to the root, NUL-terminated, "." is the root itself) for reading:
 * O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOCTTY. 0, or -errno: -EXDEV for what leaves the root, -ELOOP for
 * more than 40 links, or for one that `symlinks` forbids, and open(2)'s errors. The caller
 * owns *ret_fd. A FIFO, a socket or a device is not opened: *ret_fd is -1 and the kind FILE_OTHER;
 * so is a file that the kernel makes up (file_system.h). 1: it is what `known` (NULL: nothing)
 * tells, and was not opened: *ret_fd is -1. */
int file_open(int root_fd, const char *path, enum file_symlinks symlinks,
              const struct file_meta *known, int *ret_fd, struct file_meta *ret_meta);

/* Likewise, as far as the kernel has all of it in memory (RESOLVE_CACHED): -EAGAIN where it would
 * have to ask the disk, or cannot tell (Linux before 5.12); -EREMOTE where the path leads to
 * another mount, on a file system that is not known to be local. The root itself has to be. Never
 * blocks. */
int file_open_cached(int root_fd, const char *path, enum file_symlinks symlinks,
                     const struct file_meta *known, int *ret_fd, struct file_meta *ret_meta);

/* Is it named as nobody names a FIFO or a device: with an extension of up to eight letters and
 * digits? Then it may be opened before it is looked at (docs/decisions/0005). Pure. */
bool file_open_is_plain(const char *path);

/* Opens such a path for reading, whatever it is. A descriptor, which the caller owns, or -errno as
 * of file_open(), or with `cached` as of file_open_cached(). */
int file_open_at_once(int root_fd, const char *path, enum file_symlinks symlinks, bool cached);

/* What that descriptor is open on: 0 or -errno, likewise. */
int file_meta_of_opened(int fd, bool cached, struct file_meta *ret_meta);

/* Was it last changed so long before `moment_s` (CLOCK_REALTIME) that no later change could have
 * left the same ctime? */
bool file_meta_older(const struct file_meta *meta, int64_t moment_s);

/* Likewise, a directory, for reading its names. Returns the descriptor, which the caller owns, or
 * -errno: -ENOTDIR for anything but a directory. */
int file_open_directory(int root_fd, const char *path, enum file_symlinks symlinks);

/* Has the open file no name any more? As far as this machine knows: no file server is asked. */
bool file_is_unlinked(int fd);

/* What `st` tells. `racy` is judged by the time of this call. */
void file_meta_set(struct file_meta *meta, const struct stat *st);

/* Looks at an open file, at what is in memory: a server of files is not asked (AT_STATX_DONT_SYNC),
 * so this may be done where nothing may block. 0, or -errno and `*ret_meta` stays. */
int file_meta_look(int fd, struct file_meta *ret_meta);

/* Looks at an open file again, likewise. True: it is still what `meta` tells, its ctime among it,
 * so what was read since is what `meta` is about. False: it was written to meanwhile, and `meta`
 * tells of it as it is now; or it cannot be asked, and `meta` stays. */
bool file_meta_holds(int fd, struct file_meta *meta);

/* For an engine that performs the steps of file_open() by operations of its own: openat2(2) to look
 * at what `path` is, statx(2), and, for a regular file or a directory alone, openat2(2) to read it,
 * and statx(2). */
enum file_open_step { FILE_OPEN_LOOK, FILE_OPEN_READ };

/* The arguments of that openat2(2). -EAGAIN is to be repeated a few times; file_job_run() goes on
 * where that does not help. */
void file_open_how(enum file_open_step step, enum file_symlinks symlinks, struct open_how *ret_how);

/* openat2(2) with those arguments; it may block. A descriptor, which the caller owns, or -errno:
 * -ENOSYS also where a filter refuses the call as such. */
int file_open_as(int root_fd, const char *path, const struct open_how *how);

/* Is this answer (-errno) of openat2(2) with those arguments no answer yet? file_job_run() finds
 * it, segment by segment. Pure. */
bool file_open_is_undecided(enum file_symlinks symlinks, int error);

/* As file_meta_set(), from a statx(2) with STATX_BASIC_STATS. */
void file_meta_set_statx(struct file_meta *meta, const struct statx *stx);

/* A regular file that `fd` (O_PATH will do) is open on becomes FILE_OTHER if the kernel makes it
 * up; a file or a directory `remote` if it is. */
void file_meta_judge(struct file_meta *meta, int fd);

#endif

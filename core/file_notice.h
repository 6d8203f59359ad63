/* file_notice.h: the kernel's word that files have changed (inotify(7)), for the caches of all
 * threads of a process.
 *
 * Folders are watched, not files: a change of a file is told with its name. A thread reads the
 * events and counts them, each in one of a fixed number of counters that is chosen by folder and
 * name; nothing else is kept of a file. Whoever has looked at a file keeps what its counters were
 * *before* the look (file_notice_mark), and believes what was found while they stay: two loads
 * where nothing has changed anywhere, five else. That two names share a counter costs a look in
 * vain.
 *
 * Not told are: writes through mmap(2) until the file is closed, other names of the file in folders
 * that are not watched, and what another machine does (such file systems are not watched at all).
 * So nothing is believed for longer than FILE_NOTICE_TRUST_MS. That a file system has been mounted
 * or unmounted is told by proc(5)'s mountinfo; then all is looked at once. */
#ifndef CORE_FILE_NOTICE_H
#define CORE_FILE_NOTICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_meta;
struct file_notice;

enum {
    FILE_NOTICE_COUNTERS = 1 << 14,
    FILE_NOTICE_LINKS_MAX = 8,    /* links on the way to a root */
    FILE_NOTICE_TRUST_MS = 60000, /* without a look */
    FILE_NOTICE_SOON_MS = 50,     /* what the kernel had to ask the disk for is watched then */
    FILE_NOTICE_UNUSED_S = 300,   /* a folder that nobody has named for so long is let go */
};

/* What the counters of one name were. All zero: nothing is known, and nothing tells of it. */
struct file_notice_mark {
    uint32_t generation; /* when they were last compared */
    uint32_t sum;
    uint16_t name, folder; /* counters */
    bool is_set;
};

/* A folder that is watched. */
struct file_notice_folder {
    int watch;
    uint16_t counter;   /* of the folder itself */
    uint32_t all, seen; /* what the common counter, and its own, were before it was looked up */
    uint64_t mount;     /* in which it is (statx(2), STATX_MNT_ID) */
};

/* The way to a document root: what the counters of its links were. */
struct file_notice_way {
    uint32_t generation;
    uint32_t sum;
    uint16_t links[FILE_NOTICE_LINKS_MAX];
    uint8_t count;
    bool is_set;
};

/* Read by all threads at any moment. */
struct file_notice_counters {
    _Atomic uint32_t generation; /* counts up behind every change of the others */
    _Atomic uint32_t all;        /* a folder was moved, something mounted, or events were lost:
                                    anything may differ */
    _Atomic uint32_t each[FILE_NOTICE_COUNTERS];
};

/* Watches at most `watches_max` folders; `again_ms` is told where a folder cannot be watched: how
 * often it is looked at then. 0, or -errno of inotify_init1(2). The caller owns *ret_notice. */
int file_notice_create(uint32_t watches_max, uint32_t again_ms, struct file_notice **ret_notice);

/* Finds out what is mounted, for which it may wait, and starts the thread that reads; until then
 * nothing is watched. 0 or -errno. */
int file_notice_start(struct file_notice *notice);

/* Ends the thread. NULL is allowed. */
void file_notice_destroy(struct file_notice *notice);

const struct file_notice_counters *file_notice_counters(const struct file_notice *notice);

/* Watches the folder `path` beneath `root_fd` ("." for that itself), and those on the way to it.
 * Links are not followed, and nothing is waited for. 0, or -errno: -EAGAIN (later), -ENOENT,
 * -ELOOP ... from looking it up; -EOPNOTSUPP: its file system does not tell all changes; -ENOSPC:
 * no further folder can be watched; -EACCES. The last three are told in the error log, once each.
 * Thread-safe. */
int file_notice_folder(struct file_notice *notice, int root_fd, const char *path,
                       struct file_notice_folder *ret_folder);

/* Is all that was known of the folder still so? Pure. */
bool file_notice_folder_holds(const struct file_notice_counters *counters,
                              const struct file_notice_folder *folder);

/* The mark of `name` in the folder (empty: of the folder itself), for a look that begins now.
 * Pure. */
struct file_notice_mark file_notice_mark(const struct file_notice_counters *counters,
                                         const struct file_notice_folder *folder, const char *name);

/* Would every change of what was found at `path` (`error` 0: a file or a folder, of which `meta`
 * tells; EACCES: one that may not be read; ENOENT) be told with its name in its folder, which is in
 * `mount`? Not if it is a link, has other names, or is mounted there. */
bool file_notice_tells(int root_fd, const char *path, int error, const struct file_meta *meta,
                       uint64_t mount);

/* Watches all folders on the way to `path` (absolute), through the links on it, before they are
 * followed. What cannot be watched leaves is_set false. No disk is waited for. Thread-safe. */
void file_notice_way(struct file_notice *notice, const char *path, struct file_notice_way *ret_way);

/* Has nothing been told that concerns the mark? It is to be set. */
static inline bool file_notice_holds(const struct file_notice_counters *counters,
                                     struct file_notice_mark *mark)
{
    uint32_t generation = atomic_load_explicit(&counters->generation, memory_order_acquire);

    if (__builtin_expect(generation == mark->generation, 1))
        return true;
    uint32_t sum = atomic_load_explicit(&counters->all, memory_order_relaxed) +
                   atomic_load_explicit(&counters->each[mark->name], memory_order_relaxed) +
                   atomic_load_explicit(&counters->each[mark->folder], memory_order_relaxed);
    if (sum != mark->sum)
        return false;
    mark->generation = generation;
    return true;
}

/* Likewise, of the way to a root. */
bool file_notice_way_holds(const struct file_notice_counters *counters,
                           struct file_notice_way *way);

#endif

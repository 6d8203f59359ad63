/* mounts.h: what is mounted where this process sees it, by proc(5)'s mountinfo: which file systems
 * another machine or a process answers for (core/file_system.h), and which tell inotify(7) of all
 * changes: those of this machine's own disks and memory do; not those where another machine, a
 * program or a lower layer makes changes. It asks none of them; but it may wait for whoever is
 * mounting or unmounting. */
#ifndef CORE_MOUNTS_H
#define CORE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mount {
    uint64_t number; /* statx(2), STATX_MNT_ID */
    char *point;     /* of a remote one: a path without links, owned; else NULL */
    char type[22];   /* as mount(8) has it; cut off where it is longer */
    bool remote;
    bool tells;
    bool told; /* the owner's: it has been said that it does not */
};

struct mounts {
    struct mount *all; /* owned */
    size_t count;
    size_t remote_count;
};

/* Opens mountinfo. Its descriptor has POLLPRI once any mount has come, gone or changed. NULL, and
 * errno, where there is no /proc. The caller closes it (fclose(3)). */
FILE *mounts_open(void);

/* Reads it, from the beginning. 0, -ENOMEM or -EIO; *ret_mounts is set in any case, with what could
 * be read. */
int mounts_read(FILE *mountinfo, struct mounts *ret_mounts);

/* Opens, reads and closes it; none where that cannot be done. */
void mounts_read_once(struct mounts *ret_mounts);

/* The mount of that number; NULL: it is not there. Pure. */
struct mount *mounts_find(const struct mounts *mounts, uint64_t number);

/* Is a remote one mounted below the directory `path` (absolute, without links)? Pure. */
bool mounts_remote_below(const struct mounts *mounts, const char *path);

void mounts_free(struct mounts *mounts);

#endif

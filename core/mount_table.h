/* mount_table.h: which mounts this process sees, of which type their file systems are, and whether
 * these tell inotify(7) of all changes: those of this machine's own disks and memory do; not those
 * where another machine, a program or a lower layer makes changes. From proc(5)'s mountinfo, which
 * asks no file server; but it may wait for whoever is mounting or unmounting. */
#ifndef CORE_MOUNT_TABLE_H
#define CORE_MOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct mount_kind {
    uint64_t mount; /* its number (statx(2), STATX_MNT_ID) */
    bool tells;
    bool told;     /* the owner's: it has been said that it does not */
    char type[22]; /* cut off where it is longer */
};

struct mount_table {
    struct mount_kind *mounts; /* owned */
    size_t count;
};

/* Opens mountinfo. Its descriptor has POLLPRI once any mount has come, gone or changed. NULL, and
 * errno, where there is no /proc. The caller closes it (fclose(3)). */
FILE *mount_table_open(void);

/* Reads it, from the beginning. 0, -ENOMEM or -EIO; *ret_table is set in any case, with what could
 * be read. */
int mount_table_read(FILE *mountinfo, struct mount_table *ret_table);

/* The mount of that number; NULL: it is not there. Pure. */
struct mount_kind *mount_table_find(const struct mount_table *table, uint64_t mount);

void mount_table_free(struct mount_table *table);

/* Does a file system of that type tell? Pure. */
bool mount_type_tells(const char *type);

#endif

/* file_system.h: what kind of file system a file lies on, as far as that matters to who serves it.
 *
 * Files of proc, sysfs and their like are made up when they are read: their size is 0 or untrue, so
 * there is no length to announce, and reading some of them does something. To file_open.c and
 * dir_list.c they are no regular files. And where another machine or a process answers for a file
 * (NFS, SMB, 9p, FUSE), each call may wait for as long as that one likes, whatever is in memory:
 * for the attributes in a read, for a word in an open or a close. Who may not wait does none of
 * them there. */
#ifndef CORE_FILE_SYSTEM_H
#define CORE_FILE_SYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

enum file_system {
    FILE_SYSTEM_LOCAL, /* this kernel's own, on a disk or in memory */
    FILE_SYSTEM_REMOTE,
    FILE_SYSTEM_MADE_UP
};

/* Of which kind is the file system `dev` (st_dev)? `fd` is a descriptor of a file on it; O_PATH
 * will do. Asks fstatfs(2), but for what lies on a block device, and for the file systems that were
 * asked about of late. Thread-safe. An error counts as FILE_SYSTEM_LOCAL. */
enum file_system file_system_of(int fd, dev_t dev);

/* Can file_system_of() tell without asking? fstatfs(2) may wait for another machine. Then
 * `*ret_kind` is what it tells. */
bool file_system_is_known(dev_t dev, enum file_system *ret_kind);

/* Is the open file on a file system that has no disk (tmpfs, ramfs)? Asks fstatfs(2): not of a file
 * that is another machine's. */
bool file_system_in_memory(int fd);

#endif

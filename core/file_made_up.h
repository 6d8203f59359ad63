/* file_made_up.h: tells the files of proc, sysfs and their like, which the kernel makes up when they
 * are read: their size is 0 or untrue, so there is no length to announce, and reading some of them
 * does something. To file_open.c and dir_list.c they are no regular files. */
#ifndef CORE_FILE_MADE_UP_H
#define CORE_FILE_MADE_UP_H

#include <stdbool.h>
#include <sys/types.h>

/* Is a file on the file system `dev` (st_dev) made up? `fd` is one of its descriptors; O_PATH will
 * do. Asks fstatfs(2), but for what lies on a block device, and for the file systems that were asked
 * about of late. Thread-safe. An error counts as no. */
bool file_made_up(int fd, dev_t dev);

/* Can file_made_up() tell without asking? fstatfs(2) may wait for another machine. */
bool file_made_up_is_known(dev_t dev);

#endif

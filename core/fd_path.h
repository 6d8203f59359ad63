/* fd_path.h: what an open descriptor is called, for the error log. */
#ifndef CORE_FD_PATH_H
#define CORE_FD_PATH_H

#include <stdint.h>

enum { FD_PATH_MAX = 1024 };

/* Writes the path of the file that `fd` is open on, as the kernel knows it now (proc_pid_fd(5): a
 * file that was removed ends in " (deleted)"), cut where it does not fit; where there is no /proc,
 * its device and inode. Keeps errno. Returns `text`. */
const char *fd_path(int fd, char text[FD_PATH_MAX]);

/* The file system that `fd` is open on (st_dev of fstat(2)). 0 or -errno. */
int fd_device(int fd, uint64_t *ret_device);

#endif

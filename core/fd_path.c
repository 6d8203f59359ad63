/* fd_path.c: see fd_path.h. */
#include "core/fd_path.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int fd_device(int fd, uint64_t *ret_device)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *ret_device = st.st_dev;
    return 0;
}

const char *fd_path(int fd, char text[FD_PATH_MAX])
{
    int saved_errno = errno;
    char link[32];
    struct stat st;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, text, FD_PATH_MAX - 1);
    if (len >= 0)
        text[len] = '\0';
    else if (fstat(fd, &st) == 0)
        snprintf(text, FD_PATH_MAX, "inode %llu of device %u:%u", (unsigned long long)st.st_ino,
                 major(st.st_dev), minor(st.st_dev));
    else
        snprintf(text, FD_PATH_MAX, "descriptor %d", fd);
    errno = saved_errno;
    return text;
}

/* pid_file.c: written as root, removed as the user that root became. */
#include "core/pid_file.h"

#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int explain(const char *path, int error, char *why, size_t why_size)
{
    snprintf(why, why_size, "pid_file %s: %s", path,
             error == ELOOP ? "it is a symbolic link" : strerror(error));
    return -error;
}

int pid_file_create(const char *path, char *why, size_t why_size)
{
    char text[16];

    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0644);
    if (fd < 0)
        return explain(path, errno, why, why_size);
    int len = snprintf(text, sizeof text, "%d\n", getpid());
    ssize_t written = pwrite(fd, text, (size_t)len, 0);
    int error = written < 0 ? errno : written < len ? ENOSPC : 0;
    if (error == 0 && ftruncate(fd, len) != 0)
        error = errno;
    if (error == 0)
        return fd;
    close(fd);
    return explain(path, error, why, why_size);
}

int pid_file_check(const char *path, char *why, size_t why_size)
{
    struct stat info;

    if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return explain(path,
                       S_ISLNK(info.st_mode)   ? ELOOP
                       : S_ISDIR(info.st_mode) ? EISDIR
                                               : EINVAL,
                       why, why_size);
    /* Creating a file needs the same of a folder, whatever the file is for. */
    int error = log_file_check(path);
    return error < 0 ? explain(path, -error, why, why_size) : 0;
}

void pid_file_remove(const char *path, int fd)
{
    if (unlink(path) != 0 && ftruncate(fd, 0) != 0)
        log_warn("pid_file %s: %s", path, strerror(errno));
    close(fd);
}

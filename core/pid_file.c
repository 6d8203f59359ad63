/* pid_file.c: written as root, removed as the user that root became. */
#include "core/pid_file.h"

#include "core/log.h"
#include "core/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int explain(const char *path, int error, const char *what, char *why, size_t why_size)
{
    snprintf(why, why_size, "pid_file %s: %s", path, safe_open_text(error, what));
    return error;
}

/* Writes this process's number over what the file holds. 0 or -errno. */
static int write_number(int fd)
{
    char text[16];

    int len = snprintf(text, sizeof text, "%d\n", getpid());
    ssize_t written = pwrite(fd, text, (size_t)len, 0);
    if (written < 0)
        return -errno;
    if (written < len)
        return -ENOSPC;
    return ftruncate(fd, len) == 0 ? 0 : -errno;
}

int pid_file_create(const char *path, uid_t owner, char *why, size_t why_size,
                    struct pid_file *ret_file)
{
    struct place place;
    struct safe_file file;
    const char *what = NULL;

    int error = place_open(path, 0, &place, &what);
    if (error < 0)
        return explain(path, error, what, why, why_size);
    error = safe_open_at(SAFE_PID, &place, owner, &file, &what);
    if (error == 0) {
        error = write_number(file.fd);
        if (error < 0)
            close(file.fd);
    }
    if (error < 0) {
        place_close(&place);
        return explain(path, error, what, why, why_size);
    }
    *ret_file = (struct pid_file){ .fd = file.fd, .place = place };
    return 0;
}

int pid_file_check(const char *path, uid_t owner, char *why, size_t why_size)
{
    struct safe_file file;
    const char *what = NULL;

    int error = safe_open_check(SAFE_PID, path, owner, &file, &what);
    if (error < 0)
        return explain(path, error, what, why, why_size);
    if (file.fd >= 0)
        close(file.fd);
    return 0;
}

/* Is the name still that of the file? */
static bool is_ours(const struct pid_file *file)
{
    struct stat opened, named;

    return fstat(file->fd, &opened) == 0 &&
           fstatat(file->place.dir_fd, file->place.name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

void pid_file_remove(struct pid_file *file)
{
    if (file->fd < 0)
        return;
    bool removed = is_ours(file) && unlinkat(file->place.dir_fd, file->place.name, 0) == 0;
    if (!removed && ftruncate(file->fd, 0) != 0)
        log_warn("pid_file %s: %s", file->place.name, strerror(errno));
    close(file->fd);
    place_close(&file->place);
    file->fd = -1;
}

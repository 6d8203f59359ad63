/* pid_file.c: written as root, removed as the user that root became.
 *
 * A lock of the open file description tells who has it (fcntl(2), F_OFD_SETLK): it ends with the
 * process, and an open and close of the same file elsewhere in the process does not end it. */
#include "process/pid_file.h"

#include "core/log.h"
#include "core/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NUMBER_SIZE = 16, /* digits, a newline, and the end of the string */
    TRIES_MAX = 50,   /* so often the lock is asked for: a predecessor may be just ending */
    PAUSE_NS = 20 * 1000 * 1000
};

static const char locked_by_reader[] =
    "a process that only reads it has locked it, and it cannot be removed: end that one (lslocks "
    "shows it)";

static int explain(const char *path, int error, const char *what, char *why, size_t why_size)
{
    snprintf(why, why_size, "pid_file %s: %s", path, safe_open_text(error, what));
    return error;
}

/* Writes this process's number over what the file holds. 0 or -errno. */
static int write_number(int fd)
{
    char text[NUMBER_SIZE];

    int len = snprintf(text, sizeof text, "%d\n", getpid());
    ssize_t written = pwrite(fd, text, (size_t)len, 0);
    if (written < 0)
        return -errno;
    if (written < len)
        return -ENOSPC;
    return ftruncate(fd, len) == 0 ? 0 : -errno;
}

/* The number that the file holds; 0: none. */
static long read_number(int fd)
{
    char text[NUMBER_SIZE];

    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    return strtol(text, NULL, 10);
}

/* Sets (F_OFD_SETLK) or asks for (F_OFD_GETLK) a lock of the whole file. 0, or -errno: -EAGAIN
 * where somebody else has one, whose type `*type` is then. */
static int lock_call(int fd, int command, short *type)
{
    struct flock lock = { .l_type = *type, .l_whence = SEEK_SET };

    if (fcntl(fd, command, &lock) != 0)
        return errno == EACCES ? -EAGAIN : -errno;
    *type = lock.l_type;
    return 0;
}

/* Locks the file for this process. 0; -EBUSY where another server has it; -EAGAIN where it is only
 * locked by somebody who reads it; or -errno of a file system without locks. */
static int lock(int fd)
{
    short type = F_WRLCK;

    int error = lock_call(fd, F_OFD_SETLK, &type);
    if (error != -EAGAIN)
        return error;
    type = F_WRLCK;
    if (lock_call(fd, F_OFD_GETLK, &type) < 0)
        return -EBUSY;
    return type == F_WRLCK ? -EBUSY : -EAGAIN;
}

/* Is the name still that of the file? */
static bool is_ours(const struct pid_file *file)
{
    struct stat opened, named;

    return fstat(file->fd, &opened) == 0 &&
           fstatat(file->place.dir_fd, file->place.name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Opens and locks what stands in file->place, or makes it. 0 and file->fd; -EAGAIN when it is to be
 * tried again; -EBUSY and `*ret_holder`; or -errno and `*ret_what` (safe_open.h). */
static int take(struct pid_file *file, uid_t owner, long *ret_holder, const char **ret_what)
{
    struct safe_file opened;

    int error = safe_open_at(SAFE_PID, &file->place, owner, &opened, ret_what);
    if (error < 0)
        return error;
    file->fd = opened.fd;
    error = lock(file->fd);
    /* Whoever may read a file may lock it against writers: a new one has no such lock. */
    if (error == -EAGAIN && is_ours(file) &&
        unlinkat(file->place.dir_fd, file->place.name, 0) != 0) {
        error = -EPERM;
        *ret_what = locked_by_reader;
    }
    if (error == -EBUSY)
        *ret_holder = read_number(file->fd);
    if (error == -ENOLCK || error == -EOPNOTSUPP || error == -ENOSYS || error == -EINVAL) {
        log_warn("pid_file %s: its file system has no locks (%s): a second instance is not noticed",
                 file->place.name, strerror(-error));
        error = 0;
    }
    if (error == 0 && !is_ours(file)) /* removed by its last owner meanwhile */
        error = -EAGAIN;
    if (error < 0) {
        close(file->fd);
        file->fd = -1;
    }
    return error;
}

static int explain_holder(const char *path, long holder, char *why, size_t why_size)
{
    char name[32] = "another process";

    if (holder > 0)
        snprintf(name, sizeof name, "process %ld", holder);
    snprintf(why, why_size,
             "pid_file %s: %s has locked it, a server that runs with the same file: stop that one, "
             "or name another file",
             path, name);
    return -EBUSY;
}

int pid_file_create(const char *path, uid_t owner, char *why, size_t why_size,
                    struct pid_file *ret_file)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    struct pid_file file = { .fd = -1 };
    const char *what = NULL;
    long holder = 0;

    int error = place_open(path, 0, &file.place, &what);
    if (error < 0)
        return explain(path, error, what, why, why_size);
    for (int i = 0; i < TRIES_MAX; i++) {
        error = take(&file, owner, &holder, &what);
        if (error != -EAGAIN && error != -EBUSY)
            break;
        if (error == -EBUSY)
            nanosleep(&pause, NULL);
    }
    if (error == 0) {
        error = write_number(file.fd);
        if (error < 0)
            close(file.fd);
    }
    if (error < 0) {
        place_close(&file.place);
        return error == -EBUSY ? explain_holder(path, holder, why, why_size)
                               : explain(path, error, what, why, why_size);
    }
    *ret_file = file;
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

void pid_file_hand_over(struct pid_file *file)
{
    short type = F_UNLCK;

    if (file->fd < 0)
        return;
    /* Nothing is lost when it fails: a successor is refused, and says why. */
    (void)lock_call(file->fd, F_OFD_SETLK, &type);
    file->handed_over = 1;
}

void pid_file_remove(struct pid_file *file)
{
    if (file->fd < 0)
        return;
    bool successor_has_it = file->handed_over != 0 && lock(file->fd) == -EBUSY;
    if (!successor_has_it && read_number(file->fd) == (long)getpid()) {
        bool removed = is_ours(file) && unlinkat(file->place.dir_fd, file->place.name, 0) == 0;
        if (!removed && ftruncate(file->fd, 0) != 0)
            log_warn("pid_file %s: %s", file->place.name, strerror(errno));
    }
    close(file->fd);
    place_close(&file->place);
    file->fd = -1;
}

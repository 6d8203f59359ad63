/* log_stream.c: see log_stream.h. */
#include "core/log_stream.h"

#include "core/check.h"
#include "core/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *const names[][4] = {
    { "stdout", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1" },
    { "stderr", "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2" },
};

int log_stream_number(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t j = 0; j < ARRAY_LEN(names[i]); j++) {
            if (strcmp(path, names[i][j]) == 0)
                return STDOUT_FILENO + (int)i;
        }
    }
    return -1;
}

const char *log_stream_name(int number)
{
    CHECK(number == STDOUT_FILENO || number == STDERR_FILENO);
    return names[number - STDOUT_FILENO][0];
}

/* A pipe or terminal as an open file of its own, which does not wait. The descriptor, or -1. */
static int open_anew(int number)
{
    const char *path = number == STDOUT_FILENO ? "/proc/self/fd/1" : "/proc/self/fd/2";
    const char *what = NULL;
    struct safe_file file;

    return safe_open(SAFE_STREAM, path, geteuid(), &file, &what) == 0 ? file.fd : -1;
}

int log_stream_open(int number, struct log_stream *ret_stream, const char **ret_what)
{
    int flags = fcntl(number, F_GETFL);
    struct stat info;
    int fd = -1;

    *ret_what = NULL;
    if (flags < 0 || fstat(number, &info) != 0)
        return -errno;
    if ((flags & O_ACCMODE) == O_RDONLY) {
        *ret_what = "it is open for reading only";
        return -EBADF;
    }
    if (S_ISFIFO(info.st_mode) || isatty(number))
        fd = open_anew(number);
    if (fd < 0)
        fd = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        return -errno;
    *ret_stream = log_stream_of(fd);
    return 0;
}

struct log_stream log_stream_of(int fd)
{
    struct log_stream stream = { .fd = fd, .kind = LOG_STREAM_FILE };
    struct stat info;
    int flags = fcntl(fd, F_GETFL);

    if (fstat(fd, &info) != 0 || S_ISREG(info.st_mode))
        return stream;
    stream.kind = S_ISSOCK(info.st_mode)                    ? LOG_STREAM_SOCKET
                  : flags >= 0 && (flags & O_NONBLOCK) != 0 ? LOG_STREAM_READY
                                                            : LOG_STREAM_SHARED;
    return stream;
}

/* A kernel that knows it (pipes: since 6.4) does not wait, whoever else writes at this moment; else
 * a look comes first, after which a pipe has room for PIPE_BUF octets (pipe(7)), and a terminal is
 * not stopped. */
static ssize_t write_shared(int fd, const void *data, size_t len)
{
    struct iovec part = { (void *)(uintptr_t)data, len < PIPE_BUF ? len : PIPE_BUF };
    struct pollfd ready = { .fd = fd, .events = POLLOUT };

    ssize_t n = pwritev2(fd, &part, 1, -1, RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS && errno != ESPIPE))
        return n;
    int count = poll(&ready, 1, 0);
    if (count > 0)
        return write(fd, data, part.iov_len);
    if (count == 0)
        errno = EAGAIN;
    return -1;
}

ssize_t log_stream_write(const struct log_stream *stream, const void *data, size_t len)
{
    switch (stream->kind) {
    case LOG_STREAM_SOCKET:
        return send(stream->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    case LOG_STREAM_SHARED:
        return write_shared(stream->fd, data, len);
    case LOG_STREAM_FILE:
    case LOG_STREAM_READY:
        return write(stream->fd, data, len);
    }
    UNREACHABLE();
}

/* log_stream.c: see log_stream.h. */
#include "core/log_stream.h"

#include "core/check.h"
#include "core/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* A pipe as an open file of its own, which does not wait. The descriptor, or -1. */
static int open_pipe(int number)
{
    const char *path = number == STDOUT_FILENO ? "/proc/self/fd/1" : "/proc/self/fd/2";
    const char *what = NULL;
    struct safe_file file;

    return safe_open(SAFE_LOG, path, geteuid(), &file, &what) == 0 ? file.fd : -1;
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
    if (S_ISFIFO(info.st_mode))
        fd = open_pipe(number);
    if (fd < 0)
        fd = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        return -errno;
    *ret_stream = (struct log_stream){ .fd = fd, .is_socket = S_ISSOCK(info.st_mode) };
    return 0;
}

ssize_t log_stream_write(const struct log_stream *stream, const void *data, size_t len)
{
    return stream->is_socket ? send(stream->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                             : write(stream->fd, data, len);
}

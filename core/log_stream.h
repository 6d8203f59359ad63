/* log_stream.h: `stdout` and `stderr` as the destination of a log: the descriptor that this process
 * was started with. /dev/stdout means the same, and is not opened: the kernel refuses that where it
 * is a socket (systemd's journal) or a file that only root may open. */
#ifndef CORE_LOG_STREAM_H
#define CORE_LOG_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct log_stream {
    int fd;         /* owned */
    bool is_socket; /* written to by send(2), which alone need not wait for room */
};

/* STDOUT_FILENO for "stdout", /dev/stdout, /dev/fd/1 and /proc/self/fd/1, STDERR_FILENO likewise, or
 * -1: `path` is the path of a file. */
int log_stream_number(const char *path);

/* "stdout" or "stderr". */
const char *log_stream_name(int number);

/* Opens a stream for a log, close-on-exec. A pipe is opened anew where the kernel permits it, so
 * that one that nobody reads costs lines and does not stop the server, and no other process that
 * has it sees a change; anything else is duplicated. 0; or -errno, and `*ret_what` as safe_open().
 */
int log_stream_open(int number, struct log_stream *ret_stream, const char **ret_what);

/* As write(2); does not wait for room in a socket. */
ssize_t log_stream_write(const struct log_stream *stream, const void *data, size_t len);

#endif

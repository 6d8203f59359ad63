/* log_stream.h: `stdout` and `stderr` as the destination of a log: the descriptor that this process
 * was started with. /dev/stdout means the same, and is not opened: the kernel refuses that where it
 * is a socket (systemd's journal) or a file that only root may open. */
#ifndef CORE_LOG_STREAM_H
#define CORE_LOG_STREAM_H

#include <stddef.h>
#include <sys/types.h>

enum log_stream_kind {
    LOG_STREAM_FILE,   /* takes what it is given, as long as its disk may need */
    LOG_STREAM_SOCKET, /* written to by send(2), which need not wait for room */
    LOG_STREAM_READY,  /* never waits: it was opened so */
    LOG_STREAM_SHARED  /* a pipe or terminal that would wait, and that is not ours alone to change:
                          asked first whether it has room */
};

struct log_stream {
    int fd; /* owned */
    enum log_stream_kind kind;
};

/* STDOUT_FILENO for "stdout", /dev/stdout, /dev/fd/1 and /proc/self/fd/1, STDERR_FILENO likewise,
 * or -1: `path` is the path of a file. */
int log_stream_number(const char *path);

/* "stdout" or "stderr". */
const char *log_stream_name(int number);

/* Opens a stream for a log, close-on-exec. A pipe or terminal is opened anew where the kernel
 * permits it, so that one that nobody reads costs lines and does not stop the server, and no other
 * process that has it sees a change; anything else is duplicated. 0; or -errno, and `*ret_what` as
 * safe_open().
 */
int log_stream_open(int number, struct log_stream *ret_stream, const char **ret_what);

/* The stream of this descriptor, as its kind is found out. Async-signal-safe. */
struct log_stream log_stream_of(int fd);

/* As write(2), but waits for room in nothing but files; may write less. Async-signal-safe. */
ssize_t log_stream_write(const struct log_stream *stream, const void *data, size_t len);

#endif

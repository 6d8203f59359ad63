/* log.h: the error log: one sink for the process. Access logs: access_log.h.
 *
 * It is the process's one global: everybody may call log_write(). Lines look like
 *   2026-11-22T12:00:00.123Z error worker: message
 * Control characters in a message, and octets that are not UTF-8, are escaped (\xHH), so that
 * neither a client nor a name on a disk can forge lines. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LOG_REPEAT_MS = 60000 }; /* the same complaint at most so often */

struct fd_slot;
struct log_syslog;

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Opens a log of either kind: for append, created with 0640, close-on-exec, never a controlling
 * terminal, and not blocking, so that a FIFO that nobody reads costs lines and not the server. As
 * root, what `owner`, the user who will serve, or anybody else could have put there is refused
 * before anything is written (safe_open.h). The descriptor, which the caller owns, or -errno and
 * `*ret_what` for safe_open_text(). Async-signal-safe. */
int log_file_open(const char *path, uid_t owner, const char **ret_what);

/* Directs the error log to `fd`, which it takes and which `path` was opened as (log_file_open());
 * NULL: standard output or error. Lines above `level` are dropped. `path` is borrowed for the life
 * of the process; it is opened again for `owner`. */
void log_take(int fd, const char *path, uid_t owner, enum log_level level);

/* The file is opened by another process, which leaves it in `slot` (borrowed, until the next
 * log_take()): log_reopen() takes it from there. After log_take(). */
void log_take_slot(const struct fd_slot *slot);

/* Directs the error log to a syslog daemon (borrowed for the life of the process), each line a
 * datagram with the severity of its level. 0, or -errno and the log stays as it was. */
int log_take_syslog(const struct log_syslog *syslog, enum log_level level);

/* Opens `path` ("stdout", "stderr": that stream) for who we are, and directs the error log there.
 * 0, or -errno and the log stays as it was. */
int log_open(const char *path, enum log_level level);

/* Opens the same path again (after log rotation); log_fd() keeps its number. 0 or -errno; on
 * failure the old file stays. Async-signal-safe, and safe beside log_write() in other threads. */
int log_reopen(void);

/* Descriptor of the error log. */
int log_fd(void);

/* Writes one line. Thread-safe: one write(2) a line. Lines longer than 4 KiB are cut. One that
 * cannot be written is counted; the next that can be comes after one that tells the number. A pipe,
 * socket or terminal without room is not waited for. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one line that is ready: no format. Async-signal-safe as well. */
void log_line(enum log_level level, const char *message);

/* May a complaint be logged whose last time is in `*stamp_ms` (0: never)? Once in LOG_REPEAT_MS. */
bool log_is_due(uint64_t *stamp_ms, uint64_t now_ms);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif

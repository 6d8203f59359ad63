/* log.h: the error log (one sink for the process, log.c) and access logs (buffered, one buffer a
 * thread and file, access_log.c).
 *
 * The error log is the process's one global: everybody may call log_write(). Lines look like
 *   2026-11-22T12:00:00.123Z error worker: message
 * Control characters in a message, and octets that are not UTF-8, are escaped (\xHH), so that
 * neither a client nor a name on a disk can forge lines. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LOG_REPEAT_MS = 60000 }; /* the same complaint at most so often */

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

/* Opens `path` ("stdout", "stderr": that stream) for who we are, and directs the error log there.
 * 0, or -errno and the log stays as it was. */
int log_open(const char *path, enum log_level level);

/* Opens the same path again (after log rotation); log_fd() keeps its number. 0 or -errno; on
 * failure the old file stays. Async-signal-safe, and safe beside log_write() in other threads. */
int log_reopen(void);

/* Descriptor of the error log. */
int log_fd(void);

/* Writes one line. Thread-safe: one write(2) a line. Lines longer than 4 KiB are cut. One that
 * cannot be written is counted; the next that can be comes after one that tells the number. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one line that is ready: no format. Async-signal-safe as well. */
void log_line(enum log_level level, const char *message);

/* May a complaint be logged whose last time is in `*stamp_ms` (0: never)? Once in LOG_REPEAT_MS. */
bool log_is_due(uint64_t *stamp_ms, uint64_t now_ms);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* What one answered request leaves in the access log. All spans are borrowed for the call and may
 * hold any octet. */
struct access_record {
    struct span peer;         /* address text; empty: "-" */
    struct span host;         /* of the request, JSON only */
    struct span request_line; /* as received, without CRLF; empty: "-" */
    struct span referer, user_agent;
    const char *log_date; /* struct clock's */
    int64_t wall_s;
    int32_t wall_ms;
    uint32_t duration_ms; /* first octet of the request to the last of the answer; JSON only */
    uint16_t status;      /* 0: closed before an answer, logged as 499, as nginx does */
    uint64_t body_bytes;  /* of the body handed to the kernel */
};

enum access_format { ACCESS_COMBINED, ACCESS_JSON };

struct access_log;

/* Opens `path` for `owner` (log_file_open()), or the standard stream of that name
 * (log_stream.h), with a buffer that is written out when `buffer_size`
 * octets are in it; 0: after every line. 0, or -errno and `*ret_what` as log_file_open(). The
 * caller owns the log; access_log_close() ends it. `path` is copied. */
int access_log_open(const char *path, uid_t owner, enum access_format format, size_t buffer_size,
                    struct access_log **ret_log, const char **ret_what);

/* Appends one line of printable ASCII, so that one request is one line whatever it held. Escaped as
 * \xHH: every other octet, '"' and '\'. JSON (RFC 8259): every other character of UTF-8, '"' and
 * '\' as \uHHHH, those beyond U+FFFF as two of them; an octet that is not UTF-8 as \\xHH, which
 * reads as the text \xHH. A span is cut after 8192 octets, between characters. Writes the buffer to
 * the file when it is full: whole lines, in one write(2). A failing write drops the buffered lines,
 * is reported once a minute in the error log, with the number of lines, and never stops serving. */
void access_log_append(struct access_log *log, const struct access_record *record);

/* Writes out what is buffered. Called once a second by the loop, and before it sleeps for long. */
void access_log_flush(struct access_log *log);

/* Flushes, then opens the path again; a standard stream stays. 0, or as log_file_open(); on failure
 * the old file stays. */
int access_log_reopen(struct access_log *log, const char **ret_what);

/* Is something buffered? */
bool access_log_pending(const struct access_log *log);

/* Were lines lost whose number is not told yet? Then access_log_flush() is to be called once a
 * second, buffered or not: it tells when a minute is over. */
bool access_log_owes(const struct access_log *log);

/* Its descriptor. */
int access_log_fd(const struct access_log *log);

/* Flushes, tells how many lines were lost, and closes. NULL is allowed. */
void access_log_close(struct access_log *log);

#endif

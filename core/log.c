/* log.c: the error log. One line, one write(2): threads need no lock, since O_APPEND keeps lines
 * whole (write(2)), and a line is in the file when log_write() returns, whatever happens next. */
#include "core/log.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/decimal.h"
#include "core/fd_slot.h"
#include "core/hex.h"
#include "core/log_stream.h"
#include "core/log_syslog.h"
#include "core/safe_open.h"
#include "core/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 4096 };

static struct {
    struct log_stream out;
    int stream;                      /* STDOUT_FILENO or STDERR_FILENO, of which `out` is our own
                                        descriptor where there could be one; -1: it is neither */
    const char *path;                /* NULL: a standard stream, or syslog */
    const struct fd_slot *slot;      /* where `path` is left when it was opened; NULL: nowhere */
    const struct log_syslog *syslog; /* NULL: it is none */
    atomic_int offset_s;             /* of local time from UTC; syslog only */
    uid_t owner;                     /* who serves in the end */
    enum log_level level;
    atomic_uint lost; /* lines that could not be written since the last one that could */
    atomic_bool torn; /* one of them is there in part */
} sink = { .out = { .fd = STDERR_FILENO, .kind = LOG_STREAM_FILE },
           .stream = STDERR_FILENO,
           .level = LOG_INFO };

int log_file_open(const char *path, uid_t owner, const char **ret_what)
{
    struct safe_file file;

    int error = safe_open(SAFE_LOG, path, owner, &file, ret_what);
    return error < 0 ? error : file.fd;
}

void log_take(int fd, const char *path, uid_t owner, enum log_level level)
{
    bool is_stream = path == NULL && (fd == STDOUT_FILENO || fd == STDERR_FILENO);
    const char *what = NULL;

    if (sink.out.fd != sink.stream)
        close(sink.out.fd);
    sink.stream = is_stream ? fd : -1;
    if (!is_stream || log_stream_open(fd, &sink.out, &what) < 0)
        sink.out = log_stream_of(fd);
    sink.path = path;
    sink.slot = NULL;
    sink.syslog = NULL;
    sink.owner = owner;
    sink.level = level;
}

void log_take_slot(const struct fd_slot *slot)
{
    sink.slot = slot;
}

int log_take_syslog(const struct log_syslog *syslog, enum log_level level)
{
    int fd = log_syslog_open(syslog);

    if (fd < 0)
        return fd;
    log_take(fd, NULL, geteuid(), level);
    sink.syslog = syslog;
    return 0;
}

int log_open(const char *path, enum log_level level)
{
    const char *what = NULL;
    int stream = log_stream_number(path);
    int fd = stream >= 0 ? stream : log_file_open(path, geteuid(), &what);

    if (fd < 0)
        return fd;
    log_take(fd, stream >= 0 ? NULL : path, geteuid(), level);
    return 0;
}

int log_reopen(void)
{
    const char *what = NULL;
    int error = 0;

    if (sink.path == NULL)
        return 0;
    int fd = sink.slot != NULL ? fd_slot_get(sink.slot)
                               : log_file_open(sink.path, sink.owner, &what);
    if (fd < 0)
        return fd;
    /* Onto the old number, so that a thread that is about to write finds a log there. */
    if (dup3(fd, sink.out.fd, O_CLOEXEC) < 0)
        error = -errno;
    else
        sink.out = log_stream_of(sink.out.fd);
    close(fd);
    return error;
}

int log_fd(void)
{
    return sink.stream >= 0 ? sink.stream : sink.out.fd;
}

/* How many octets at `at` may stand in a line as they are: a character of UTF-8 that controls
 * nothing, neither a terminal nor where a line ends. 0: the first one has to be escaped. */
static size_t plain_len(struct span at)
{
    size_t len = utf8_char_len(at);
    uint32_t number = len > 0 ? utf8_char(at.ptr, len) : 0;
    bool control = number < 0x20 || (number >= 0x7f && number < 0xa0) || number == 0x2028 ||
                   number == 0x2029; /* C0, DEL, C1; the separators of lines and of paragraphs */

    return control ? 0 : len;
}

/* Copies the message, which may hold names from disks, with "\xHH" for each octet that is of no
 * plain character, as far as `out` reaches; returns its end. */
static char *escape(const char *message, char *out, const char *out_end)
{
    struct span left = span_str(message);

    while (left.len > 0) {
        size_t plain = plain_len(left);
        size_t used = plain > 0 ? plain : 1;
        if ((size_t)(out_end - out) < (plain > 0 ? plain : 4))
            break;
        if (plain > 0) {
            memcpy(out, left.ptr, plain);
            out += plain;
        } else {
            *out++ = '\\';
            *out++ = 'x';
            out = hex_put(out, (unsigned char)*left.ptr);
        }
        left = span_make(left.ptr + used, left.len - used);
    }
    return out;
}

/* Writes octets of a line; returns how many, or -1. */
static ssize_t put_out(const char *line, size_t len)
{
    size_t done = 0;

    if (sink.syslog == NULL)
        return log_stream_write(&sink.out, line, len);
    return log_syslog_send(sink.syslog, sink.out.fd, line, len, &done) == 0 ? (ssize_t)done : -1;
}

/* What stands in front of a line: of a datagram, its severity. Returns its length. */
static size_t put_prefix(enum log_level level, int64_t wall_s, char *out)
{
    static const uint8_t severities[] = { 3, 4, 6, 7 }; /* RFC 3164 section 4.1.1 */

    if (sink.syslog == NULL)
        return 0;
    return log_syslog_prefix(sink.syslog, severities[level], wall_s, atomic_load(&sink.offset_s),
                             out);
}

/* Writes one line with date and level. False: it is not in the log, or not all of it. */
static bool put_line(enum log_level level, const char *message)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    char line[LOG_LINE_MAX];
    struct timespec now;

    CHECK((size_t)level < ARRAY_LEN(names));
    MUST(clock_gettime(CLOCK_REALTIME, &now) == 0);
    char *out = line + put_prefix(level, now.tv_sec, line);
    clock_format_utc(now.tv_sec, out);
    out += CLOCK_UTC_LEN;
    unsigned ms = (unsigned)(now.tv_nsec / 1000000);
    *out++ = '.';
    *out++ = (char)('0' + ms / 100);
    *out++ = (char)('0' + ms / 10 % 10);
    *out++ = (char)('0' + ms % 10);
    *out++ = 'Z';
    *out++ = ' ';
    size_t name_len = strlen(names[level]);
    memcpy(out, names[level], name_len);
    out += name_len;
    *out++ = ' ';
    out = escape(message, out, line + sizeof line - 1);
    *out++ = '\n';
    ssize_t written = put_out(line, (size_t)(out - line));
    if (written > 0 && written < out - line)
        atomic_store(&sink.torn, true);
    return written == out - line;
}

/* Tells that lines are missing, now that it can be told. False: it still cannot. */
static bool tell_lost(unsigned lost)
{
    static const char text[] = " lines of this log are missing before this one: they could not be "
                               "written (is the disk full, or the file at its limit?)";
    struct decimal room;
    struct span number = decimal_text(lost, &room);
    char message[sizeof room.digits + sizeof text];

    if (atomic_load(&sink.torn) && put_out("\n", 1) != 1)
        return false;
    atomic_store(&sink.torn, false);
    memcpy(message, number.ptr, number.len);
    memcpy(message + number.len, text, sizeof text);
    return put_line(LOG_WARN, message);
}

void log_line(enum log_level level, const char *message)
{
    if (level > sink.level)
        return;
    int saved_errno = errno;
    unsigned lost = atomic_exchange(&sink.lost, 0);
    if (lost > 0 && !tell_lost(lost))
        atomic_fetch_add(&sink.lost, lost);
    if (!put_line(level, message))
        atomic_fetch_add(&sink.lost, 1);
    errno = saved_errno;
}

void log_write(enum log_level level, const char *format, ...)
{
    char message[LOG_LINE_MAX];
    va_list args;

    if (level > sink.level)
        return;
    int saved_errno = errno; /* for %m */
    va_start(args, format);
    if (vsnprintf(message, sizeof message, format, args) < 0)
        message[0] = '\0';
    va_end(args);
    if (sink.syslog != NULL)
        atomic_store(&sink.offset_s, log_syslog_offset((int64_t)time(NULL)));
    log_line(level, message);
    errno = saved_errno;
}

bool log_is_due(uint64_t *stamp_ms, uint64_t now_ms)
{
    if (*stamp_ms != 0 && now_ms - *stamp_ms < LOG_REPEAT_MS)
        return false;
    *stamp_ms = now_ms;
    return true;
}

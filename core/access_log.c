/* access_log.c: access logs. See access_log.h. A line is written straight into the buffer; the
 * buffer leaves in one write(2).
 *
 * Not thread-safe: each thread has its own log over the same path. O_APPEND and writing whole lines
 * only keep the lines of several threads apart. A log has two buffers where a writer writes it: one
 * that lines gather in, and one that is the writer's as long as its job is busy. */
#include "core/access_log.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/fd_slot.h"
#include "core/log.h"
#include "core/log_stream.h"
#include "core/log_syslog.h"
#include "core/stats.h"
#include "core/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCESS_LOG_MAGIC = 0xacce55,
    RETRY_MS = 10,        /* what had no room is tried again after so long */
    CLOSE_WAIT_MS = 3000, /* a writer is waited for so long at the end */
    HOLD_BUFFERS = 4,     /* so many buffers of lines wait for room, */
    HOLD_LEAST = 1 << 20  /* and so many octets in any case */
};
static const uint64_t REPORT_INTERVAL_MS = 60 * 1000;

/* A write, by whoever does it, and what became of it. */
struct attempt {
    char *data;
    size_t len;
    size_t done; /* octets that are written */
    int error;   /* 0 or -errno */
    bool torn; /* before: an earlier write ended within a line; after: this one did, or the earlier
                  line is still torn */
};

struct access_log {
    unsigned magic;
    struct log_stream out;
    const struct fd_slot *slot;      /* NULL: the file is opened here */
    const struct log_syslog *syslog; /* NULL: none */
    struct log_writer *writer;       /* NULL: whoever appends writes */
    struct log_writer_job job;
    struct attempt written; /* the writer's while the job is busy */
    bool handed_over;       /* to the writer, and what came of it is not known yet */
    bool torn;              /* a failed write ended within a line */
    bool stuck;             /* what is in the buffer found no room, at stuck_ms */
    bool reopen_due;
    bool reported;        /* a failed write was reported, at reported_ms */
    uint64_t stuck_ms;    /* clock_monotonic_ms() */
    uint64_t reported_ms; /* likewise */
    uint64_t lost;        /* lines dropped since then, the last ones by `lost_error` */
    int lost_error;       /* an errno */
    struct access_stamp stamp;
    int64_t prefix_s; /* the second that `prefix` tells; syslog only */
    size_t prefix_len;
    char prefix[LOG_SYSLOG_PREFIX_MAX];
    char *path;
    uid_t owner;     /* who serves in the end */
    size_t flush_at; /* octets in the buffer from which it is written out */
    size_t used;     /* octets in the buffer */
    size_t hold_max; /* octets that wait when it cannot be; further lines are dropped */
    size_t size;     /* hold_max and a line: the next line always fits behind hold_max octets */
    char *data;
};

/* 0, or -errno and `*ret_what` as log_file_open(). */
static int open_out(struct access_log *log, struct log_stream *ret_out, const char **ret_what)
{
    int number = log_stream_number(log->path);
    int fd;

    if (number >= 0)
        return log_stream_open(number, ret_out, ret_what);
    if (log->syslog != NULL)
        fd = log_syslog_open(log->syslog);
    else if (log->slot != NULL)
        fd = fd_slot_get(log->slot);
    else
        fd = log_file_open(log->path, log->owner, ret_what);
    if (fd < 0)
        return fd;
    *ret_out = log_stream_of(fd);
    return 0;
}

static void run_attempt(struct log_writer_job *job);

int access_log_open(const struct access_log_options *options, struct access_log **ret_log,
                    const char **ret_what)
{
    int error = -ENOMEM;

    *ret_what = NULL;
    if (options->buffer_size > SIZE_MAX / (2 * HOLD_BUFFERS))
        return -ENOMEM;
    struct access_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return -ENOMEM;
    log->magic = ACCESS_LOG_MAGIC;
    log->job.run = run_attempt;
    log->slot = options->slot;
    log->syslog = options->syslog;
    log->writer = options->writer;
    log->flush_at = options->buffer_size;
    log->hold_max = HOLD_BUFFERS * options->buffer_size;
    if (log->hold_max < HOLD_LEAST)
        log->hold_max = HOLD_LEAST;
    log->size = log->hold_max + LOG_SYSLOG_PREFIX_MAX + options->line_max;
    log->owner = options->owner;
    log->prefix_s = INT64_MIN;
    log->path = strdup(options->path);
    log->data = malloc(log->size);
    if (log->path == NULL || log->data == NULL)
        goto fail;
    error = open_out(log, &log->out, ret_what);
    if (error < 0)
        goto fail;
    *ret_log = log;
    return 0;

fail:
    free(log->data);
    free(log->path);
    free(log);
    return error;
}

static uint64_t count_lines(const char *data, size_t len)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    return lines;
}

static const char *lost_text(int error)
{
    return error == EAGAIN ? "it does not take lines as fast as they come" : strerror(error);
}

/* Tells how many lines were lost since the last report: at once, then once a REPORT_INTERVAL_MS,
 * also when no more are lost. `last`: there will be no other report. */
static void report_lost(struct access_log *log, bool last)
{
    if (log->lost == 0 && !log->reported)
        return;
    uint64_t now_ms = clock_monotonic_ms();
    if (log->reported && !last && now_ms - log->reported_ms < REPORT_INTERVAL_MS)
        return;
    log->reported = log->lost > 0;
    if (log->lost == 0)
        return;
    log_error("access log %s: %s; lines lost: %llu", log->path, lost_text(log->lost_error),
              (unsigned long long)log->lost);
    log->reported_ms = now_ms;
    log->lost = 0;
}

/* Writes `len` octets; *done tells how many of them are in the file, after a failure too. */
static int write_all(const struct access_log *log, const char *data, size_t len, size_t *done)
{
    if (log->syslog != NULL)
        return log_syslog_send(log->syslog, log->out.fd, data, len, done);
    for (*done = 0; *done < len;) {
        ssize_t n = log_stream_write(&log->out, data + *done, len - *done);
        if (n >= 0)
            *done += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static void make_attempt(const struct access_log *log, struct attempt *a)
{
    size_t done = 0;

    a->done = 0;
    a->error = 0;
    if (a->torn) {
        a->error = write_all(log, "\n", 1, &done);
        if (a->error < 0)
            return;
        a->torn = false;
    }
    a->error = write_all(log, a->data, a->len, &a->done);
    a->torn = a->error < 0 && a->done > 0 && a->data[a->done - 1] != '\n';
}

/* In the writer's thread. */
static void run_attempt(struct log_writer_job *job)
{
    struct access_log *log = container_of(job, struct access_log, job);

    make_attempt(log, &log->written);
}

static void lose(struct access_log *log, uint64_t lines, int error)
{
    log->lost += lines;
    stats_add(STATS_LOG_DROPPED, lines);
    log->lost_error = error;
}

/* What the last attempt has left of the buffer: whole lines that found no room stay for the next
 * one. */
static void keep_rest(struct access_log *log, const struct attempt *a)
{
    const char *rest = a->data + a->done;
    size_t len = a->len - a->done;

    log->used = 0;
    log->torn = a->torn;
    log->stuck = a->error == -EAGAIN;
    if (a->error == 0)
        return;
    if (!log->stuck) {
        lose(log, count_lines(rest, len), -a->error);
        return;
    }
    log->stuck_ms = clock_monotonic_ms();
    if (a->torn && a->done > 0) { /* the rest of a line whose front is written */
        const char *lf = memchr(rest, '\n', len);
        CHECK(lf != NULL);
        lose(log, 1, EAGAIN);
        len -= (size_t)(lf + 1 - rest);
        rest = lf + 1;
    }
    memmove(log->data, rest, len);
    log->used = len;
}

/* Learns what the writer has done. False: it is still at it. */
static bool collect(struct access_log *log)
{
    if (!log->handed_over)
        return true;
    if (log_writer_is_busy(log->writer, &log->job))
        return false;
    log->handed_over = false;
    log->torn = log->written.torn;
    if (log->written.error < 0)
        lose(log,
             count_lines(log->written.data + log->written.done,
                         log->written.len - log->written.done),
             -log->written.error);
    return true;
}

/* Hands the buffer to the writer, and takes the other one. False: it has to be written here. */
static bool hand_over(struct access_log *log)
{
    struct attempt *a = &log->written;

    if (log->writer == NULL || log->out.kind != LOG_STREAM_FILE)
        return false;
    char *other = a->data != NULL ? a->data : malloc(log->size);
    if (other == NULL)
        return false;
    *a = (struct attempt){ .data = log->data, .len = log->used, .torn = log->torn };
    if (!log_writer_begin(log->writer, &log->job)) {
        a->data = other;
        return false;
    }
    log->handed_over = true;
    log->data = other;
    log->used = 0;
    return true;
}

/* Writes out what is there, or has it written. `now`: though it had no room a moment ago. */
static void flush(struct access_log *log, bool now)
{
    bool idle = collect(log);

    if (log->used == 0 || !idle)
        return;
    if (log->stuck && !now && clock_monotonic_ms() - log->stuck_ms < RETRY_MS)
        return;
    if (hand_over(log))
        return;
    struct attempt a = { .data = log->data, .len = log->used, .torn = log->torn };
    make_attempt(log, &a);
    keep_rest(log, &a);
}

void access_log_flush(struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    flush(log, true);
    report_lost(log, false);
}

/* What stands in front of a line for syslog. */
static char *put_prefix(char *out, struct access_log *log, int64_t wall_s)
{
    if (log->prefix_s != wall_s) {
        log->prefix_s = wall_s;
        log->prefix_len = log_syslog_prefix(log->syslog, log->syslog->severity, wall_s,
                                            log_syslog_offset(wall_s), log->prefix);
    }
    memcpy(out, log->prefix, log->prefix_len);
    return out + log->prefix_len;
}

/* The buffer is full: what can be written is. */
static void write_out(struct access_log *log)
{
    flush(log, false);
    report_lost(log, false);
}

/* There is no room for a line. */
static void drop(struct access_log *log)
{
    lose(log, 1, EAGAIN);
    report_lost(log, false);
}

void access_log_append(struct access_log *log, const struct access_format *format,
                       const struct access_record *record)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    if (log->used > log->hold_max) { /* a line that is longer than that found no room */
        write_out(log);
        if (log->used > log->hold_max) {
            drop(log);
            return;
        }
    }
    CHECK(log->used + LOG_SYSLOG_PREFIX_MAX + format->line_max <= log->size);
    char *line = log->data + log->used;
    char *end = log->syslog != NULL ? put_prefix(line, log, record->wall_s) : line;

    end = access_line_put(end, format, record, &log->stamp);
    /* The old lines leave first, so that a write is no larger than the buffer was asked to be. */
    size_t len = (size_t)(end - line);
    if (log->used > 0 && log->used + len > log->flush_at) {
        write_out(log);
        if (log->used > 0 && log->used + len > log->hold_max) {
            drop(log);
            return;
        }
        memmove(log->data + log->used, line, len);
    }
    log->used += len;
    if (log->used >= log->flush_at) {
        write_out(log);
    }
}

int access_log_reopen(struct access_log *log, const char **ret_what)
{
    struct log_stream out;

    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    *ret_what = NULL;
    log->reopen_due = false;
    if (log_stream_number(log->path) >= 0 || log->syslog != NULL) {
        access_log_flush(log);
        return 0;
    }
    /* Twice: for what the writer has, and for what has come since; a moment is enough, mostly. */
    for (int i = 0; i < 2; i++) {
        access_log_flush(log);
        if (log->handed_over)
            (void)log_writer_wait(log->writer, &log->job, RETRY_MS);
    }
    if (!collect(log)) {
        log->reopen_due = true;
        return -EBUSY;
    }
    int error = open_out(log, &out, ret_what);
    if (error < 0)
        return error;
    close(log->out.fd);
    log->out = out;
    log->torn = false;
    return 0;
}

bool access_log_reopen_due(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->reopen_due;
}

bool access_log_pending(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->used > 0;
}

bool access_log_owes(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->lost > 0 || log->used > 0 || log->handed_over || log->reopen_due;
}

int access_log_fd(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->out.fd;
}

/* Twice, as access_log_reopen(). False: the writer hangs. */
static bool finish(struct access_log *log)
{
    for (int i = 0; i < 2; i++) {
        flush(log, true);
        if (log->handed_over && !log_writer_wait(log->writer, &log->job, CLOSE_WAIT_MS))
            return false;
    }
    return collect(log);
}

void access_log_close(struct access_log *log)
{
    if (log == NULL)
        return;
    bool finished = finish(log);
    if (log->used > 0)
        lose(log, count_lines(log->data, log->used), EAGAIN);
    if (!finished)
        lose(log, count_lines(log->written.data, log->written.len), EAGAIN);
    report_lost(log, true);
    if (!finished)
        return; /* a thread that hangs still has it */
    close(log->out.fd);
    log->magic = 0;
    free(log->written.data);
    free(log->data);
    free(log->path);
    free(log);
}

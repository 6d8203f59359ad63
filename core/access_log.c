/* access_log.c: access logs. A line is formatted straight into the buffer, without snprintf(3),
 * since it is part of every request; the buffer leaves in one write(2).
 *
 * Not thread-safe: each thread has its own log over the same path. O_APPEND and writing whole lines
 * only keep the lines of several threads apart. */
#include "core/log.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/decimal.h"
#include "core/hex.h"
#include "core/json_text.h"
#include "core/log_stream.h"
#include "core/utf8.h"
#include "core/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCESS_LOG_MAGIC = 0xacce55,
    SPAN_MAX = 8192,       /* octets of one span that are logged */
    SPANS = 5,             /* spans in a record */
    ESCAPE_MAX = 6,        /* octets that one octet becomes: \u00HH; the rest is shorter */
    FIXED_MAX = 512,       /* everything else on a line */
    STATUS_NO_ANSWER = 499 /* nginx's number for a client that closed first */
};
enum { LINE_MAX_LEN = SPANS * SPAN_MAX * ESCAPE_MAX + FIXED_MAX };
static const uint64_t REPORT_INTERVAL_MS = 60 * 1000;

struct access_log {
    unsigned magic;
    enum access_format format;
    struct log_stream out;
    bool torn;            /* a failed write ended within a line */
    bool reported;        /* a failed write was reported, at reported_ms */
    uint64_t reported_ms; /* clock_monotonic_ms() */
    uint64_t lost;        /* lines dropped since then, the last ones by `lost_error` */
    int lost_error;       /* an errno */
    int64_t utc_s;        /* the second that `utc` tells; JSON only */
    char utc[CLOCK_UTC_LEN + 1];
    char *path;
    uid_t owner;     /* who serves in the end */
    size_t flush_at; /* octets in the buffer from which it is written out */
    size_t used;     /* octets in the buffer */
    char *data;      /* flush_at + LINE_MAX_LEN octets: the next line always fits */
};

/* 0, or -errno and `*ret_what` as log_file_open(). */
static int open_out(const char *path, uid_t owner, struct log_stream *ret_out,
                    const char **ret_what)
{
    int number = log_stream_number(path);

    if (number >= 0)
        return log_stream_open(number, ret_out, ret_what);
    int fd = log_file_open(path, owner, ret_what);
    if (fd < 0)
        return fd;
    *ret_out = (struct log_stream){ .fd = fd };
    return 0;
}

int access_log_open(const char *path, uid_t owner, enum access_format format, size_t buffer_size,
                    struct access_log **ret_log, const char **ret_what)
{
    int error = -ENOMEM;

    *ret_what = NULL;
    if (buffer_size > SIZE_MAX / 2)
        return -ENOMEM;
    struct access_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return -ENOMEM;
    log->magic = ACCESS_LOG_MAGIC;
    log->format = format;
    log->flush_at = buffer_size;
    log->path = strdup(path);
    log->data = malloc(buffer_size + LINE_MAX_LEN);
    if (log->path == NULL || log->data == NULL)
        goto fail;
    clock_format_utc(log->utc_s, log->utc);
    log->owner = owner;
    error = open_out(path, owner, &log->out, ret_what);
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

static bool is_clean(unsigned char octet)
{
    return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

static char *put(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

#define PUT_LIT(out, literal) put((out), (literal), sizeof(literal) - 1)

/* "\xHH", as Apache and nginx write it. */
static char *put_octet(char *out, unsigned char octet)
{
    return hex_put(PUT_LIT(out, "\\x"), octet);
}

/* Writes from the front of *text until `len` octets of it are used, or a few more: what a character
 * takes is not torn. */
static char *put_escaped(char *out, struct span *text, size_t len, enum access_format format)
{
    for (size_t used = 0; used < len;) {
        unsigned char octet = (unsigned char)*text->ptr;
        size_t step = 1;
        if (is_clean(octet))
            *out++ = (char)octet;
        else if (format == ACCESS_JSON)
            out = json_put_char(out, *text, &step);
        else
            out = put_octet(out, octet);
        used += step;
        *text = span_make(text->ptr + step, text->len - step);
    }
    return out;
}

/* At most SPAN_MAX octets of `text`, without a character that would be cut there. */
static struct span cut(struct span text)
{
    if (text.len <= SPAN_MAX)
        return text;
    size_t len = SPAN_MAX;
    for (size_t back = 1; back < 4; back++) {
        struct span last = span_make(text.ptr + SPAN_MAX - back, text.len - SPAN_MAX + back);
        if (utf8_char_len(last) > back)
            len = SPAN_MAX - back;
    }
    return span_make(text.ptr, len);
}

/* Sixteen octets at a time are copied and looked at together; nearly all text is clean. Vector
 * extensions of gcc and clang, which become plain instructions where there are no vectors. */
typedef unsigned char octets_16 __attribute__((vector_size(16)));
typedef uint64_t words_2 __attribute__((vector_size(16)));

static char *put_span(char *out, struct span text, enum access_format format)
{
    struct span left = cut(text);

    while (left.len >= sizeof(octets_16)) {
        octets_16 octets;
        memcpy(&octets, left.ptr, sizeof octets);
        words_2 dirty =
            (words_2)((octets < 0x20) | (octets > 0x7e) | (octets == '"') | (octets == '\\'));
        if (__builtin_expect((dirty[0] | dirty[1]) != 0, 0)) {
            out = put_escaped(out, &left, sizeof octets, format);
            continue;
        }
        out = put(out, left.ptr, sizeof octets);
        left = span_make(left.ptr + sizeof octets, left.len - sizeof octets);
    }
    return put_escaped(out, &left, left.len, format);
}

static char *put_span_or_dash(char *out, struct span text, enum access_format format)
{
    if (text.len > 0)
        return put_span(out, text, format);
    *out++ = '-';
    return out;
}

static char *put_number(char *out, uint64_t value)
{
    struct decimal room;
    struct span digits = decimal_text(value, &room);
    return put(out, digits.ptr, digits.len);
}

static unsigned status_of(const struct access_record *record)
{
    return record->status != 0 ? record->status : STATUS_NO_ANSWER;
}

/* PEER - - [DATE] "REQUEST LINE" STATUS OCTETS "REFERER" "USER AGENT" */
static char *put_combined(char *out, const struct access_record *record)
{
    out = put_span_or_dash(out, record->peer, ACCESS_COMBINED);
    out = PUT_LIT(out, " - - [");
    out = put(out, record->log_date, strlen(record->log_date));
    out = PUT_LIT(out, "] \"");
    out = put_span_or_dash(out, record->request_line, ACCESS_COMBINED);
    out = PUT_LIT(out, "\" ");
    out = put_number(out, status_of(record));
    *out++ = ' ';
    out = put_number(out, record->body_bytes);
    out = PUT_LIT(out, " \"");
    out = put_span_or_dash(out, record->referer, ACCESS_COMBINED);
    out = PUT_LIT(out, "\" \"");
    out = put_span_or_dash(out, record->user_agent, ACCESS_COMBINED);
    return PUT_LIT(out, "\"\n");
}

static char *put_json(char *out, struct access_log *log, const struct access_record *record)
{
    unsigned ms = (unsigned)record->wall_ms % 1000;

    if (log->utc_s != record->wall_s) {
        log->utc_s = record->wall_s;
        clock_format_utc(log->utc_s, log->utc);
    }
    out = PUT_LIT(out, "{\"time\":\"");
    out = put(out, log->utc, CLOCK_UTC_LEN);
    *out++ = '.';
    *out++ = (char)('0' + ms / 100);
    *out++ = (char)('0' + ms / 10 % 10);
    *out++ = (char)('0' + ms % 10);
    out = PUT_LIT(out, "Z\",\"peer\":\"");
    out = put_span(out, record->peer, ACCESS_JSON);
    out = PUT_LIT(out, "\",\"host\":\"");
    out = put_span(out, record->host, ACCESS_JSON);
    out = PUT_LIT(out, "\",\"request\":\"");
    out = put_span(out, record->request_line, ACCESS_JSON);
    out = PUT_LIT(out, "\",\"status\":");
    out = put_number(out, status_of(record));
    out = PUT_LIT(out, ",\"body_bytes\":");
    out = put_number(out, record->body_bytes);
    out = PUT_LIT(out, ",\"duration_ms\":");
    out = put_number(out, record->duration_ms);
    out = PUT_LIT(out, ",\"referer\":\"");
    out = put_span(out, record->referer, ACCESS_JSON);
    out = PUT_LIT(out, "\",\"user_agent\":\"");
    out = put_span(out, record->user_agent, ACCESS_JSON);
    return PUT_LIT(out, "\"}\n");
}

void access_log_append(struct access_log *log, const struct access_record *record)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    char *line = log->data + log->used;
    char *end =
        log->format == ACCESS_JSON ? put_json(line, log, record) : put_combined(line, record);

    CHECK(end - line <= LINE_MAX_LEN);
    /* The old lines leave first, so that a write is no larger than the buffer was asked to be. */
    size_t len = (size_t)(end - line);
    if (log->used > 0 && log->used + len > log->flush_at) {
        access_log_flush(log);
        memmove(log->data, line, len);
    }
    log->used += len;
    if (log->used >= log->flush_at)
        access_log_flush(log);
}

static uint64_t count_lines(const char *data, size_t len)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    return lines;
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
    log_error("access log %s: %s; lines lost: %llu", log->path, strerror(log->lost_error),
              (unsigned long long)log->lost);
    log->reported_ms = now_ms;
    log->lost = 0;
}

/* Writes `len` octets; *done tells how many of them are in the file, after a failure too. */
static int write_all(const struct log_stream *out, const char *data, size_t len, size_t *done)
{
    for (*done = 0; *done < len;) {
        ssize_t n = log_stream_write(out, data + *done, len - *done);
        if (n >= 0)
            *done += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

void access_log_flush(struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    size_t done = 0;
    int error = 0;

    if (log->used == 0) {
        report_lost(log, false);
        return;
    }
    if (log->torn) {
        error = write_all(&log->out, "\n", 1, &done);
        log->torn = error < 0;
        done = 0;
    }
    if (error == 0) {
        error = write_all(&log->out, log->data, log->used, &done);
        log->torn = error < 0 && done > 0 && log->data[done - 1] != '\n';
    }
    if (error < 0) {
        uint64_t lost = count_lines(log->data + done, log->used - done);
        log->lost += lost;
        stats_add(STATS_LOG_DROPPED, lost);
        log->lost_error = -error;
    }
    report_lost(log, false);
    log->used = 0;
}

int access_log_reopen(struct access_log *log, const char **ret_what)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    access_log_flush(log);
    if (log_stream_number(log->path) >= 0)
        return 0;
    struct log_stream out;
    int error = open_out(log->path, log->owner, &out, ret_what);
    if (error < 0)
        return error;
    close(log->out.fd);
    log->out = out;
    log->torn = false;
    return 0;
}

bool access_log_pending(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->used > 0;
}

bool access_log_owes(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->lost > 0;
}

int access_log_fd(const struct access_log *log)
{
    CHECK_OBJ(log, ACCESS_LOG_MAGIC);
    return log->out.fd;
}

void access_log_close(struct access_log *log)
{
    if (log == NULL)
        return;
    access_log_flush(log);
    report_lost(log, true);
    close(log->out.fd);
    log->magic = 0;
    free(log->data);
    free(log->path);
    free(log);
}

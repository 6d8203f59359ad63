/* guard.c: see guard.h. Runs of harmless octets are skipped 16 at a time; everything else is
 * decided octet by octet. Called by the connection for every piece of a head that arrives. */
#include "http/guard.h"

#include "core/check.h"
#include "http/octet.h"
#include "http/octet_block.h"

#include <string.h>

enum guard_state {
    GUARD_EMPTY, /* at the start of a line in front of the request line */
    GUARD_LINE,  /* in the request line */
    GUARD_NAME,  /* at the start of a field line, or in its name */
    GUARD_VALUE, /* behind the colon of a field line */
};

enum {
    VERSION_LEN = sizeof("HTTP/1.1") - 1,
    METHOD_MAX = 32 /* octets; the longest in IANA's registry has 17 (UPDATEREDIRECTREF) */
};

/* The first octet from `at` on that is not `what`, or `end`. */
static const char *skip_octets(const char *at, const char *end, enum http_octet what)
{
    while (at < end && http_octet_is(*at, what))
        at++;
    return at;
}

#if defined(OCTET_BLOCK)

/* The first octet from `at` on that `stops` reports, or `end`. What is left behind the last whole
 * block is read as part of the 16 octets before `end`, where there are so many behind `data`; else
 * octet by octet. */
static inline __attribute__((always_inline)) const char *skip(const char *at, const char *data,
                                                              const char *end, enum http_octet what,
                                                              unsigned (*stops)(const char *))
{
    for (; end - at >= OCTET_BLOCK; at += OCTET_BLOCK) {
        unsigned mask = stops(at);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
    if (at == end || end - data < OCTET_BLOCK)
        return skip_octets(at, end, what);
    unsigned mask = stops(end - OCTET_BLOCK) >> (OCTET_BLOCK - (end - at));
    return mask == 0 ? end : at + __builtin_ctz(mask);
}

/* The end of a field line, its CRLF included, when all of the line is there and its name is short
 * and of letters, digits and hyphens: the common case. Else NULL, which says nothing yet. That the
 * next line can begin before this one's name is judged is what makes it fast. */
static inline const char *plain_field_line(const char *line, const char *data, const char *end)
{
    if (end - line < OCTET_BLOCK)
        return NULL;
    unsigned name = octet_block_name(line);
    const char *at = skip(line, data, end, HTTP_OCTET_VALUE, octet_block_value);
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n')
        return NULL;
    if (name == 0 || (name & 1) != 0 || line[__builtin_ctz(name)] != ':')
        return NULL;
    return at + 2;
}

#else

#define skip(at, data, end, what, stops)  skip_octets(at, end, what)
#define plain_field_line(line, data, end) NULL

#endif

void http_guard_init(struct http_guard *guard)
{
    *guard = (struct http_guard){ .state = GUARD_EMPTY };
}

static enum http_guard_result refuse(int status, int *ret_status)
{
    *ret_status = status;
    return HTTP_GUARD_REFUSED;
}

/* Stops at `at`, to go on from there when there are more octets. */
static enum http_guard_result pause_at(struct http_guard *guard, const char *data, const char *at,
                                       enum guard_state state)
{
    guard->scanned = (uint32_t)(at - data);
    guard->state = (uint8_t)state;
    return HTTP_GUARD_MORE;
}

/* Is a CRLF at `at`? DONE: yes; MORE: its LF is missing yet; REFUSED: it is something else. */
static inline enum http_guard_result line_end(const char *at, const char *end)
{
    if (*at != '\r')
        return HTTP_GUARD_REFUSED;
    if (end - at < 2)
        return HTTP_GUARD_MORE;
    return at[1] == '\n' ? HTTP_GUARD_DONE : HTTP_GUARD_REFUSED;
}

/* Judges the request line [line, end), which holds no CTL (RFC 9112 section 3). What else may not
 * be in a target is target.c's to say. Returns 0, 400 or 505. */
static int judge_request_line(struct http_guard *guard, const char *line, const char *end)
{
    if (end - line < (ptrdiff_t)sizeof("M t HTTP/1.1") - 1)
        return 400;
    const char *version = end - VERSION_LEN;
    if (memcmp(version, "HTTP/", 5) != 0 || version[6] != '.' || version[-1] != ' ')
        return 400;
    unsigned major = (unsigned)version[5] - '0', minor = (unsigned)version[7] - '0';
    if (major > 9 || minor > 9)
        return 400;
    const char *method_end = skip_octets(line, end, HTTP_OCTET_TOKEN);
    if (method_end == line || *method_end != ' ')
        return 400;
    const char *target = method_end + 1, *target_end = version - 1;
    if (target >= target_end || memchr(target, ' ', (size_t)(target_end - target)) != NULL)
        return 400;
    guard->version_major = (uint8_t)major;
    guard->version_minor = (uint8_t)minor;
    return major == 1 ? 0 : 505;
}

/* What a request line that begins at `line`, and has crossed its limit, is refused with: 501 when
 * that is its method's fault, 414 when it is its target's, and 400 when it has no method (RFC 9112
 * section 3). Looks only at octets up to the limit and one more, so that it does not matter how
 * many have come. */
static int judge_long_line(const char *line, const struct http_limits *limits)
{
    const char *end = line + limits->request_line_max + 1;
    const char *method_end = skip_octets(line, end, HTTP_OCTET_TOKEN);
    if (method_end < end && *method_end != ' ')
        return 400;
    return method_end - line > METHOD_MAX ? 501 : method_end > line ? 414 : 400;
}

/* DONE: the request line is passed, and the guard stands where the first field line begins. */
static enum http_guard_result scan_request_line(struct http_guard *guard, const char *data,
                                                const char *end, const struct http_limits *limits,
                                                int *ret_status)
{
    const char *at = data + guard->scanned;
    while (guard->state == GUARD_EMPTY) {
        if (at == end)
            return pause_at(guard, data, at, GUARD_EMPTY);
        if (*at != '\r') {
            guard->state = GUARD_LINE;
            break;
        }
        enum http_guard_result empty = line_end(at, end);
        if (empty == HTTP_GUARD_MORE)
            return pause_at(guard, data, at, GUARD_EMPTY);
        if (empty == HTTP_GUARD_REFUSED || guard->skipped == 2 * HTTP_GUARD_EMPTY_LINES_MAX)
            return refuse(400, ret_status);
        at += 2;
        guard->skipped += 2;
        guard->line_start = guard->skipped;
    }

    const char *line = data + guard->line_start;
    at = skip(at, data, end, HTTP_OCTET_LINE, octet_block_line);
    if ((size_t)(at - line) > limits->request_line_max)
        return refuse(judge_long_line(line, limits), ret_status);
    enum http_guard_result result = at == end ? HTTP_GUARD_MORE : line_end(at, end);
    if (result == HTTP_GUARD_MORE)
        return pause_at(guard, data, at, GUARD_LINE);
    int status = result == HTTP_GUARD_REFUSED ? 400 : judge_request_line(guard, line, at);
    if (status != 0)
        return refuse(status, ret_status);
    guard->scanned = guard->line_start = guard->fields_start = (uint32_t)(at + 2 - data);
    guard->state = GUARD_NAME;
    return HTTP_GUARD_DONE;
}

/* Has a field line that begins at `line`, scanned up to `at`, crossed a limit? */
static inline bool too_large(const struct http_guard *guard, const char *data, const char *line,
                             const char *at, const struct http_limits *limits)
{
    return (size_t)(at - line) > limits->field_max ||
           (size_t)(at - data) - guard->fields_start > limits->head_max;
}

/* Field lines and the empty line. The state is kept in locals and stored when octets run out. */
static enum http_guard_result scan_fields(struct http_guard *guard, const char *data,
                                          const char *end, const struct http_limits *limits,
                                          size_t *ret_len, int *ret_status)
{
    const char *at = data + guard->scanned, *line = data + guard->line_start;
    enum guard_state state = guard->state;
    enum http_guard_result result;

    for (;;) {
        if (state == GUARD_NAME) {
            if (at == line) {
                if (at == end)
                    break;
                result = line_end(at, end);
                if (result == HTTP_GUARD_DONE) {
                    *ret_len = (size_t)(at + 2 - data);
                    return HTTP_GUARD_DONE;
                }
                if (result == HTTP_GUARD_MORE)
                    break;
                if (guard->fields == limits->fields_max)
                    return refuse(*at == '\r' ? 400 : 431, ret_status);
                guard->fields++;
                const char *next = plain_field_line(line, data, end);
                if (next != NULL && !too_large(guard, data, line, next - 2, limits)) {
                    line = at = next;
                    continue;
                }
            }
            at = skip(at, data, end, HTTP_OCTET_TOKEN, octet_block_name);
            if (at < end && *at != ':')
                at = skip_octets(at, end, HTTP_OCTET_TOKEN);
            if (at > line && too_large(guard, data, line, at, limits))
                return refuse(431, ret_status);
            if (at == end)
                break;
            if (*at != ':' || at == line)
                return refuse(400, ret_status);
            at++;
            state = GUARD_VALUE;
        }
        at = skip(at, data, end, HTTP_OCTET_VALUE, octet_block_value);
        if (too_large(guard, data, line, at, limits))
            return refuse(431, ret_status);
        result = at == end ? HTTP_GUARD_MORE : line_end(at, end);
        if (result == HTTP_GUARD_MORE)
            break;
        if (result == HTTP_GUARD_REFUSED)
            return refuse(400, ret_status);
        line = at += 2;
        state = GUARD_NAME;
    }
    guard->line_start = (uint32_t)(line - data);
    return pause_at(guard, data, at, state);
}

enum http_guard_result http_guard_scan(struct http_guard *guard, const char *data, size_t len,
                                       const struct http_limits *limits, size_t *ret_len,
                                       int *ret_status)
{
    CHECK(len >= guard->scanned && len <= UINT32_MAX);
    const char *end = data + len;
    if (guard->state <= GUARD_LINE) {
        enum http_guard_result result = scan_request_line(guard, data, end, limits, ret_status);
        if (result != HTTP_GUARD_DONE)
            return result;
    }
    return scan_fields(guard, data, end, limits, ret_len, ret_status);
}

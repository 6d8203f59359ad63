/* target.c: one pass over a request-target with a table of octet classes; a second one, which
 * copies, only over a path that has escapes, dot segments or repeated slashes.
 *
 * Called for every request. Nothing here looks at files: what a path names is decided by the kernel
 * (core/file_job.h), beneath the root. */
#include "http/target.h"

#include "core/check.h"
#include "core/uri_octet.h"

#include <errno.h>
#include <stdint.h>

/* How many octets the escape at `at` takes up; 0: there is none, it is truncated or bad, or it is
 * that of NUL, which no name holds. */
static size_t escape_len(const char *at, const char *end)
{
    return uri_escape_octet(at, end) > 0 ? 3 : 0;
}

/* Is there, behind a '/', an empty segment or a dot segment, spelled without escapes? */
static bool segment_vanishes(const char *at, const char *end)
{
    if (at == end)
        return false;
    if (*at == '/')
        return true;
    if (*at != '.')
        return false;
    at++;
    if (at < end && *at == '.')
        at++;
    return at == end || *at == '/' || *at == '?';
}

/* Judges a path up to its '?' or the end: 0 or 400. *ret_changes: will it be another one once it is
 * decoded? */
static int path_scan(const char *at, const char *end, const char **ret_path_end, bool *ret_changes)
{
    bool changes = false;

    while (at < end && *at != '?') {
        if (uri_octet_is(*at, URI_PATH)) {
            at++;
        } else if (*at == '/') {
            at++;
            changes |= segment_vanishes(at, end);
        } else {
            size_t len = escape_len(at, end);

            if (len == 0)
                return 400;
            changes |= memcmp(at, "%2F", len) != 0;
            at += len;
        }
    }
    *ret_path_end = at;
    *ret_changes = changes;
    return 0;
}

/* Judges a query, its '?' included, which is never decoded here: true when its characters and
 * escapes are what they must be. */
static bool query_scan(const char *at, const char *end)
{
    while (at < end) {
        size_t len = uri_octet_is(*at, URI_QUERY) ? 1 : escape_len(at, end);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

/* Decodes a path that path_scan() has passed, and removes dot segments and empty ones (RFC 3986
 * section 5.2.4, after decoding). Returns 0, 400 when the path leaves the root, or 404 when it is,
 * or becomes on the way, too long. What is written always ends with '/' between two segments. */
static int path_normalize(struct span raw, char *decoded, size_t *ret_len)
{
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    size_t len = 0;

    decoded[len++] = '/';
    while (at < end) {
        size_t start = len;

        if (*at == '/') {
            at++;
            continue;
        }
        while (at < end && *at != '/') {
            int octet = uri_escape_octet(at, end);
            struct span put = octet == '/' ? SPAN_LIT("%2F") : span_make(at, 1);

            if (put.len > HTTP_PATH_MAX - 1 - len)
                return 404;
            memcpy(decoded + len, put.ptr, put.len);
            if (octet >= 0 && octet != '/')
                decoded[len] = (char)octet;
            len += put.len;
            at += octet < 0 ? 1 : 3;
        }
        struct span segment = span_make(decoded + start, len - start);
        if (span_eq(segment, SPAN_LIT("."))) {
            len = start;
        } else if (span_eq(segment, SPAN_LIT(".."))) {
            if (start == 1)
                return 400;
            for (len = start - 1; decoded[len - 1] != '/'; len--)
                continue;
        } else if (at < end) {
            if (len == HTTP_PATH_MAX - 1)
                return 404;
            decoded[len++] = '/';
        }
    }
    *ret_len = len;
    return 0;
}

/* Path and query of the origin form, or of the absolute form behind its authority. */
static int path_and_query_parse(struct span rest, char *decoded, struct http_target *target)
{
    const char *end = rest.ptr + rest.len, *path_end;
    bool changes;
    int status = path_scan(rest.ptr, end, &path_end, &changes);

    if (status != 0)
        return status;
    if (!query_scan(path_end, end))
        return 400;
    target->raw_path = span_make(rest.ptr, (size_t)(path_end - rest.ptr));
    target->query = span_make(path_end, (size_t)(end - path_end));
    target->path = target->raw_path;
    if (changes || target->raw_path.len == 0) {
        target->path.ptr = decoded;
        status = path_normalize(target->raw_path, decoded, &target->path.len);
    } else if (target->path.len >= HTTP_PATH_MAX) {
        status = 404;
    }
    if (status == 0)
        target->trailing_slash = target->path.ptr[target->path.len - 1] == '/';
    return status;
}

/* uri-host ":" port (RFC 9112 section 3.2.3): both are needed. */
static bool is_authority_form(struct span target)
{
    struct span host;

    return http_authority_parse(target, &host) && host.len + 1 < target.len;
}

int http_target_parse(struct span target, bool is_connect, char *decoded,
                      struct http_target *ret_target)
{
    struct http_target parsed = { .form = HTTP_TARGET_ORIGIN };
    struct span host;
    int status = 0;

    CHECK(decoded != NULL && ret_target != NULL);
    if (is_connect) {
        parsed.form = HTTP_TARGET_AUTHORITY;
        status = is_authority_form(target) ? 0 : 400;
    } else if (target.len > 0 && target.ptr[0] == '/') {
        status = path_and_query_parse(target, decoded, &parsed);
    } else if (span_eq(target, SPAN_LIT("*"))) {
        parsed.form = HTTP_TARGET_ASTERISK;
    } else {
        parsed.form = HTTP_TARGET_ABSOLUTE;
        status = 400;
        if (http_absolute_form_split(&target, &parsed.authority, &host))
            status = path_and_query_parse(target, decoded, &parsed);
    }
    if (status == 0)
        *ret_target = parsed;
    return status;
}

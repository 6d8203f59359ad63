/* target.h: request-target -> authority, safe relative path and query (RFC 9112 section 3.2, RFC
 * 3986). Pure. */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "core/span.h"
#include "http/authority.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum http_target_form {
    HTTP_TARGET_ORIGIN,
    HTTP_TARGET_ABSOLUTE,
    HTTP_TARGET_AUTHORITY,
    HTTP_TARGET_ASTERISK
};

struct http_target {
    enum http_target_form form;
    struct span raw_path;  /* as sent, still encoded, without query; into the target */
    struct span query;     /* with its '?', or empty; into the target, as sent: uri_query_encode()
                              makes it fit for a field */
    struct span authority; /* of the absolute form, else empty; into the target */
    struct span
        path; /* decoded, so any octet but NUL; dot segments removed, repeated slashes merged,
                 always begins with '/'; into the target when nothing had to change, else
                 into `decoded`. "%2F" stays as the three octets %2F: data, never a separator */
    bool trailing_slash; /* path ends with '/' (so does what ended in "/." or "/..") */
};

enum { HTTP_PATH_MAX = 4096 };

/* Splits and decodes a request-target. `is_connect` demands the authority form. `decoded` holds
 * HTTP_PATH_MAX octets and is written only when decoding changes something. Asterisk and authority
 * forms have neither path nor query, and whether the method allows an asterisk is the caller's to
 * judge. Returns 0, or the status to refuse with:
 * 400: a CTL, SP or '#', a truncated or bad escape, %00 (all this in a query as well, which is
 * never decoded); a path that leaves the root; an absolute form with another scheme than http or
 * https, or a bad or empty authority. 404: a path that is, or becomes while it is decoded, longer
 * than HTTP_PATH_MAX - 1. */
int http_target_parse(struct span target, bool is_connect, char *decoded,
                      struct http_target *ret_target);

/* The query without its '?'. */
static inline struct span http_target_args(const struct http_target *target)
{
    struct span query = target->query;

    return query.len > 0 ? span_make(query.ptr + 1, query.len - 1) : span_make("", 0);
}

/* Below it certificate authorities ask who has a host (RFC 8555 section 8.3). */
#define HTTP_CHALLENGES "/.well-known/acme-challenge/"

/* Is the path one of theirs? */
static inline bool http_target_is_challenge(const struct http_target *target)
{
    static const struct span challenges = SPAN_LIT(HTTP_CHALLENGES);
    struct span path = target->path;

    return path.len > challenges.len && memcmp(path.ptr, challenges.ptr, challenges.len) == 0;
}

#endif

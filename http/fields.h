/* fields.h: the field lines that describe a file's representation, made once and kept with its
 * cache entry. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H

#include "config/config.h"
#include "http/env.h"
#include "http/file_cache.h"

#include <strings.h>

/* The ready-made fields of `entry` as `location` sends them in `coding`; `vary`: the resource has
 * several codings. `name` is the path beneath the root without a coding's suffix: it decides the
 * media type and the cache rules. First come Content-Type, Content-Encoding, Content-Length and,
 * unless ranges_max is 0, Accept-Ranges (representation_len octets), then Last-Modified, ETag,
 * Vary, Cache-Control, Expires and the configured fields. Made anew when the entry holds none for
 * this use; also sets the entry's etag and has_last_modified. The cache keeps the ownership.
 * `asked`: the path asked for, on which some fields may hang (mix.h). 0, or the status that is to
 * be answered instead: 503 when memory is short, 500 when it cannot be told what they are. */
int http_fields_get(struct http_env *env, struct file_entry *entry, const struct location *location,
                    enum coding coding, bool vary, struct span name, struct span asked,
                    const struct file_fields **ret_fields);

/* The path that would lead to the file `name` of the location; in `text`, of HTTP_URL_MAX octets.
 */
struct span http_fields_path(const struct location *location, struct span name, char *text);

enum { HTTP_URL_MAX = 2 * 4096 };

/* What an answer depends on besides the path: bits. Where the location has `cors` for some origins,
 * it depends on Origin as well. */
enum http_varies {
    HTTP_VARIES_ACCEPT = 1 << 0,
    HTTP_VARIES_CODING = 1 << 1,
    HTTP_VARIES_DICTIONARY = 1 << 2
};

enum { HTTP_VARY_MAX = 64 };

/* The Vary line for that, with CRLF and a NUL, in `ret_text` of HTTP_VARY_MAX octets; empty where
 * it depends on nothing. `location` may be NULL. */
struct span http_fields_vary(const struct location *location, unsigned varies, char *ret_text);

/* "; charset=utf-8" for a type that takes one at `location`, else empty. The text is written to
 * `ret_text`, 64 octets. */
struct span http_fields_charset(const struct location *location, struct span type, char *ret_text);

/* Is it a field that a cache block sets? */
static inline bool http_fields_is_caching(const char *name)
{
    return strcasecmp(name, "Cache-Control") == 0 || strcasecmp(name, "Expires") == 0;
}

/* Does a cache block say how long the file that is sent may be kept? `name` as above. */
bool http_fields_have_cache_rule(struct http_env *env, const struct location *location,
                                 struct span name);

#endif

/* values.h: what the variables of templates (match/template.h) stand for in a request, and what is
 * put together of them for its answer. Pure. */
#ifndef HTTP_VALUES_H
#define HTTP_VALUES_H

#include "http/exchange.h"
#include "match/template_put.h"

/* The values of the present request, borrowed from `x`, which must not go on meanwhile. What is not
 * known of it (its target, when that was refused) is empty. */
struct template_source http_values_of(struct http_exchange *x);

/* Writes the fields of the location whose values vary, with CRLF: HTTP_VARYING_MAX octets at most.
 * A field whose value comes to nothing, or is longer than a field may be, is left out. Returns the
 * length. */
size_t http_values_put_fields(struct http_exchange *x, const struct location *location,
                              bool but_caching, char *ret_text);

/* The paths that the expressions of headers blocks have matched, one of them; [true]: as those of
 * _headers see them. */
struct http_values_paths {
    struct span asked[2], file[2]; /* `file` empty: there is none */
};

/* Likewise, of `count` fields. `but_caching`: without Cache-Control and Expires, which something
 * else says. `paths`: NULL where no rule has captures of its own. */
size_t http_values_put_rules(struct http_exchange *x, const struct header_rule *rules, size_t count,
                             bool but_caching, const struct http_values_paths *paths,
                             char *ret_text);

/* A path put together of `template` into `ret_text`, of HTTP_PATH_MAX octets. False: it is too
 * long, or is no path as those of targets are. */
bool http_values_path(struct http_exchange *x, const struct template *template, char *ret_text,
                      struct span *ret_path);

#endif

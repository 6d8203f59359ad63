/* template_url.h: a template as a URL: where a redirect leads. Pure.
 *
 * Nothing that a client says gets in but by percent-encoding for the part that it stands in,
 * nothing of it becomes a part of the host but labels that the text itself surrounds, and what
 * begins as a path stays one: no "//" or "/\" at its front, which browsers take for a host. So
 * there is no line to break, and no way to another host than the operator's text, maps and $host
 * name. */
#ifndef MATCH_TEMPLATE_URL_H
#define MATCH_TEMPLATE_URL_H

#include "match/template_put.h"

/* Is the template fit for a URL: NULL, or what is wrong, to stand behind the text? It is a path
 * that begins with one '/', a URL that begins with http://, https:// or $scheme://, or begins with
 * a variable that a path or a whole URL stands in. */
const char *template_url_check(const struct template *template);

/* The part of a URL that comes next. */
enum template_url_part {
    TEMPLATE_URL_START,
    TEMPLATE_URL_SCHEME,    /* no '/' yet */
    TEMPLATE_URL_AUTHORITY, /* behind "://" */
    TEMPLATE_URL_PATH,
    TEMPLATE_URL_QUERY /* behind '?' or '#' */
};

/* A URL while it is put together. */
struct template_url {
    char *text; /* borrowed */
    size_t len, cap;
    enum template_url_part part;
    bool too_long; /* `text` is not all of it */
    char held;     /* a '?' or '&' which stays only if something follows; '\0': none */
};

/* Begins an empty one. */
static inline struct template_url template_url_begin(char *text, size_t cap)
{
    return (struct template_url){ .text = text, .cap = cap };
}

/* Appends the template. A query variable gets the '?' that the text lacks; where there is no query,
 * a '?' or '&' in front of the variable goes, unless more of the URL follows. */
void template_url_put(struct template_url *url, const struct template *template,
                      const struct template_source *source);

/* Appends a path, decoded, percent-encoded; where the URL is still at its host, it begins one. */
void template_url_put_path(struct template_url *url, struct span path);

/* Appends a query as sent, which begins with '?' (empty: nothing). */
void template_url_put_query(struct template_url *url, struct span query);

#endif

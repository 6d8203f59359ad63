/* template_put.h: a template and a request become a text: in a header field, in a page, as a path
 * of a file. Into a URL: template_url.h. Pure.
 *
 * What a client can say is escaped for the place: no value can end a header field, a quoted string
 * or an element in it, or begin an element of HTML. */
#ifndef MATCH_TEMPLATE_PUT_H
#define MATCH_TEMPLATE_PUT_H

#include "match/captures.h"
#include "match/template.h"

/* Octets of what a map looks up, at most. */
enum { TEMPLATE_KEY_MAX = 4096 };

/* What a map says: a text, or another template, in which the captures of the entry's key hold. */
struct template_mapped {
    const struct template *template; /* NULL: `text` is all of it */
    struct span text;
    struct captures captures;
    bool raw; /* captures are as sent, escapes and all: of $request_uri or $args */
};

/* Who knows the request. */
struct template_source {
    /* The value of the piece's variable, any octets but NUL; it may be written to `scratch`, which
     * has `cap` octets. ptr NULL: it is too long. Borrowed until the next call. */
    struct span (*value)(void *context, const struct template_piece *piece, char *scratch,
                         size_t cap);
    void *context;
    /* What the map of the piece, a TEMPLATE_MAP, says; `key` has TEMPLATE_KEY_MAX octets for what
     * is looked up, which the captures may borrow. NULL: value() knows it. */
    void (*map)(void *context, const struct template_piece *piece, char *key,
                struct template_mapped *ret_mapped);
    /* Not NULL: the template is a map's value, and captures are these. */
    const struct captures *captures;
    bool captures_raw; /* struct template_mapped.raw */
};

/* The value of a piece's variable, which is no map that source->map knows: as value() says, or of
 * the captures of a map. */
struct span template_value(const struct template_source *source, const struct template_piece *piece,
                           char *scratch, size_t cap);

enum template_place {
    TEMPLATE_FIELD, /* a field's value: '"', '\', ',', ';', '<', '>', CTL and what is not ASCII
                       become %XX; a path is percent-encoded */
    TEMPLATE_TEXT,  /* as it is: text/plain */
    TEMPLATE_HTML,  /* & < > " ' become references */
    TEMPLATE_JSON,  /* inside of a string: '"', '\' and CTL become \u00XX */
    TEMPLATE_PATH /* as it is; the caller judges the path that comes out (template_path_is_clean())
                   */
};

/* Puts the template together in `ret_text`. Returns the length, or -ENOSPC: `cap` octets do not
 * suffice, or a value is too long. */
long template_put(const struct template *template, const struct template_source *source,
                  enum template_place place, char *ret_text, size_t cap);

/* Is it a path as http_target_parse() makes them: begins with '/', no NUL, no segment that is empty
 * (but for the last), "." or ".."? */
bool template_path_is_clean(struct span path);

/* Can a client choose what the variable says? Not of a host, which is checked, a map, which is the
 * operator's, and the like. */
bool template_is_clients(enum template_variable variable);

#endif

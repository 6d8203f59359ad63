/* listing_html.h: writes a listing as its page says, step by step. For listing.c alone. Pure. */
#ifndef HTTP_LISTING_HTML_H
#define HTTP_LISTING_HTML_H

#include "http/listing.h"
#include "http/listing_text.h"

/* What is written, and how. All borrowed. */
struct http_listing_view {
    const struct dir_listing *listing;
    struct span path;
    const struct http_listing_form *form;
};

/* How far it has come. All zero: nothing is written yet. */
struct http_listing_cursor {
    size_t step; /* of the page */
    size_t item; /* of the section that begins there: an entry, or a breadcrumb */
    size_t off;  /* octets of the text, or of the README, that stands there */
};

enum {
    HTTP_CRUMBS_MAX = 32,     /* breadcrumbs; of a deeper path, the first and the last */
    HTTP_LISTING_CHUNK = 8192 /* octets of a text that are written in one go; of a README half */
};

/* Writes a bounded piece: a step, an entry, a breadcrumb, a chunk of text. False: all is written.
 */
bool http_listing_put_html(struct listing_text *t, const struct http_listing_view *view,
                           struct http_listing_cursor *cursor);

#endif

/* listing.h: a directory's listing as HTML or JSON. Pure: a struct dir_listing in, text out, at
 * once or in pieces. */
#ifndef HTTP_LISTING_H
#define HTTP_LISTING_H

#include "config/listing_page.h"
#include "core/archive.h"
#include "core/file_job.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

enum http_listing_format { HTTP_LISTING_HTML, HTTP_LISTING_JSON };

/* How it is to be written. */
struct http_listing_form {
    enum http_listing_format format;
    const struct listing_page *page; /* HTML; borrowed */
    enum dir_key key;                /* by which it is sorted */
    bool descending;
    bool preview;        /* HTML: images are shown */
    bool zip, tar;       /* HTML: the directory can be had as such */
    bool as_zip, as_tar; /* ... and is asked for as such */
    bool remote;         /* its files are (core/file_system.h) */
};

/* Writes the page for `path` (decoded, begins and ends with '/'). HTML: what form->page says, with
 * links that are percent-encoded octet by octet, text escaped for HTML (octets that are not UTF-8
 * shown as U+FFFD, control characters as their pictures, the link stays exact). JSON: an array of
 * {"name","type":"file"|"directory","mtime" (RFC 1123 as nginx), "size" for files}, octets that are
 * not UTF-8 as U+FFFD. 0 and malloc(3)ed text that the caller owns, or -ENOMEM. */
int http_listing_render(const struct dir_listing *listing, struct span path,
                        const struct http_listing_form *form, char **ret_text, size_t *ret_len);

/* ---- a long one ----
 *
 * It is counted first, and then made, a piece at a time and while it is sent: by jobs of the source
 * (file_job_init_make()), since either takes long. */

enum { HTTP_LISTING_PIECE_MIN = 60 * 1024 }; /* octets that a piece must have room for */

struct http_listing;

/* One of a directory that is still to be read. `path` and `form` are copied. `total` (borrowed):
 * the octets that all such listings hold. The caller owns it. NULL: memory is short. */
struct http_listing *http_listing_create(struct span path, const struct http_listing_form *form,
                                         size_t *total);

/* It holds `size` octets now: adds them to the total, in place of what it held before. */
void http_listing_charge(struct http_listing *listing, size_t size);

/* Octets that it holds itself. */
size_t http_listing_size(const struct http_listing *listing);

/* The directory has been read: takes what was found. */
void http_listing_fill(struct http_listing *listing, struct dir_listing *found);

/* It is an archive of the directory, which is taken, instead of a text: what follows is about that.
 */
void http_listing_set_archive(struct http_listing *listing, struct archive *archive);

/* NULL: it is a text. */
struct archive *http_listing_archive(const struct http_listing *listing);

const struct http_listing_form *http_listing_form(const struct http_listing *listing);

/* Counts when it is read without memory, then makes the octets. Each piece ends with a step. */
struct file_source *http_listing_source(struct http_listing *listing);

/* Octets of the text, once they are counted. */
uint64_t http_listing_len(const struct http_listing *listing);

/* NULL is allowed. */
void http_listing_free(struct http_listing *listing);

#endif

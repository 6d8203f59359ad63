/* listing.h: a directory's listing as HTML or JSON. Pure: a struct dir_listing in, text out. */
#ifndef HTTP_LISTING_H
#define HTTP_LISTING_H

#include "core/file_job.h"
#include "core/span.h"

#include <stddef.h>

enum http_listing_format { HTTP_LISTING_HTML, HTTP_LISTING_JSON };

/* Writes the page for `path` (decoded, begins and ends with '/'). HTML: doctype, charset, a title,
 * "../" unless path is "/", one row a name with size and date (UTC), links that begin with "./" and
 * are percent-encoded octet by octet, text escaped for HTML (octets that are not UTF-8 shown as
 * U+FFFD, control characters as their pictures, the link stays exact); readable on a phone and in
 * dark mode, no script. JSON: an array of
 * {"name","type":"file"|"directory","mtime" (RFC 1123 as nginx), "size" for files}, octets that are
 * not UTF-8 as U+FFFD. 0 and malloc(3)ed text that the caller owns, or -ENOMEM. */
int http_listing_render(const struct dir_listing *listing, struct span path,
                        enum http_listing_format format, char **ret_text, size_t *ret_len);

#endif

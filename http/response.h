/* response.h: composes answers into an exchange's output queue. Pure. Each returns false (or
 * -ENOBUFS), with
 * nothing changed, when the queue has too little room now: send what is there and call again. With
 * an empty queue every answer fits.
 *
 * Sets the exchange's status and body_len. Connection fields follow from x->keep_alive; the body is
 * left out when x->body_omitted. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http/exchange.h"

#include <stdbool.h>

/* The file of `entry` in `coding`: 200, 206 (single or the start of a multipart answer) or 304, as
 * conditions and Range of the request say. 0; -ENOBUFS: too little room now; or the error status
 * (412, 416, 503) that is to be answered instead. */
int http_response_file(struct http_exchange *x, const struct location *location,
                       struct file_entry *entry, enum coding coding, bool vary, struct span name);

/* An error with the file of `entry` as its page. */
bool http_response_error_file(struct http_exchange *x, const struct location *location, int status,
                              struct file_entry *entry, struct span name);

/* An error with the built-in page. `location` may be NULL. x->extra is sent, too. */
bool http_response_error(struct http_exchange *x, const struct location *location, int status);

/* A redirect to `to`, which is fit for a Location field. */
bool http_response_redirect(struct http_exchange *x, const struct location *location, int status,
                            struct span to);

/* `status` with `text`, of HTTP_COPY_MAX octets at most, as its body, of the location's
 * return_type. */
bool http_response_return(struct http_exchange *x, const struct location *location, int status,
                          struct span text);

/* 204 with Allow. */
bool http_response_options(struct http_exchange *x, const struct location *location);

/* 200 with a generated text, which is taken (freed if left out). `fields`: the line of its
 * Content-Type and others, each with CRLF. Needs an empty queue (checked). It varies with Accept,
 * and where x->search.varies with Accept-Encoding. */
void http_response_text(struct http_exchange *x, const struct location *location,
                        struct span fields, char *text, size_t len);

/* `status` with a text about the server itself, which is taken likewise, and which nobody is to
 * keep. Needs an empty queue (checked). */
void http_response_report(struct http_exchange *x, int status, struct span type, char *text,
                          size_t len);

/* Likewise, with a listing of `len` octets that is made while it is sent, which is taken likewise.
 */
void http_response_listing(struct http_exchange *x, const struct location *location,
                           struct span fields, struct http_listing *listing, uint64_t len);

/* Likewise, with what is not a text: `status` (200, 206, 304), and no Vary. */
void http_response_made(struct http_exchange *x, const struct location *location, int status,
                        struct span fields, struct http_listing *made, uint64_t len);

/* Moves parts of a multipart answer into the queue as long as there is room. */
void http_response_more_parts(struct http_exchange *x);

#endif

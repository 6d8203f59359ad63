/* multipart.h: the body of a multipart/byteranges answer (RFC 9110 section 14.6), part by part.
 * Pure. */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include "http/exchange.h"

/* Starts with `count` ranges (> 1), which came from `pool` and are taken: they go back to it at the
 * end. Takes a reference to `entry`; `pool`, `type` and `charset` ("" : none) are borrowed until
 * the end. The boundary is drawn from `seed` and the file's identity. */
void http_multipart_begin(struct http_multipart *m, struct pool *pool, struct http_range *ranges,
                          size_t count, struct file_entry *entry, struct span type,
                          const char *charset, uint64_t seed);

/* The boundary, in the 16 octets of `ret_text`. */
struct span http_multipart_boundary(const struct http_multipart *m, char *ret_text);

/* Octets of the whole body: what Content-Length says. */
uint64_t http_multipart_length(const struct http_multipart *m);

/* Puts the next part, or the closing delimiter and then ends. Two segments must be free (checked).
 * False: too little room now. */
bool http_multipart_put_next(struct http_multipart *m, struct http_out *out);

/* Gives back the entry and the ranges. Idempotent. */
void http_multipart_end(struct http_multipart *m);

#endif

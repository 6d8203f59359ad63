/* body.h: reads and discards a request's body (RFC 9112 sections 6 and 7). Pure; resumable at any
 * octet. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/request.h"

#include <stddef.h>
#include <stdint.h>

struct http_body {
    uint64_t left;     /* octets of the body, or of this chunk's data, still to come */
    uint64_t total;    /* data octets announced by the chunks so far */
    uint32_t overhead; /* octets of chunk framing and trailers so far */
    uint8_t state;     /* private to body.c */
};

enum http_body_result { HTTP_BODY_MORE, HTTP_BODY_DONE, HTTP_BODY_REFUSED };

/* For the body that `request` announces. HTTP_FRAMING_NONE is DONE at once. */
void http_body_init(struct http_body *body, const struct http_request *request);

/* Takes octets in; *ret_used of them belonged to the body (all of them with MORE; never one octet
 * beyond the body with DONE). A body that is complete before the first octet (none announced,
 * Content-Length: 0) is DONE when fed nothing. REFUSED: *ret_status is 400 (chunk grammar: size is
 * hex digits without sign, prefix, overflow, or blank before it or before the line's end;
 * extensions by the grammar of RFC 9112 section 7.1.1, quoted strings and bad whitespace included;
 * data end with CRLF; trailer lines as field lines) or 413 (limits->body_max,
 * limits->chunk_overhead_max; the size of a chunk is judged at the end of its line). The first
 * fault in the order of the octets decides. After REFUSED only http_body_init() may follow. */
enum http_body_result http_body_feed(struct http_body *body, const char *data, size_t len,
                                     const struct http_limits *limits, size_t *ret_used,
                                     int *ret_status);

#endif

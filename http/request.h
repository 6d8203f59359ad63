/* request.h: one request head, parsed by llhttp in strict mode from octets that the guard has
 * passed, and judged. Pure.
 *
 * Holds offsets into the head, not pointers, so that the head may be moved. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "config/config.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OPTIONS,
    HTTP_CONNECT,
    HTTP_METHOD_KNOWN /* 405 */,
    HTTP_METHOD_UNKNOWN /* 501 */
};

/* The fields that mean something here; every other one is only checked. */
enum http_field {
    HTTP_FIELD_HOST,
    HTTP_FIELD_CONNECTION,
    HTTP_FIELD_CONTENT_LENGTH,
    HTTP_FIELD_TRANSFER_ENCODING,
    HTTP_FIELD_EXPECT,
    HTTP_FIELD_RANGE,
    HTTP_FIELD_IF_RANGE,
    HTTP_FIELD_IF_MATCH,
    HTTP_FIELD_IF_NONE_MATCH,
    HTTP_FIELD_IF_MODIFIED_SINCE,
    HTTP_FIELD_IF_UNMODIFIED_SINCE,
    HTTP_FIELD_ACCEPT,
    HTTP_FIELD_ACCEPT_ENCODING,
    HTTP_FIELD_REFERER,
    HTTP_FIELD_USER_AGENT,
    HTTP_FIELD_FORWARDED,
    HTTP_FIELD_X_FORWARDED_FOR,
    HTTP_FIELD_X_REAL_IP,
    HTTP_FIELD_ORIGIN,
    HTTP_FIELD_AVAILABLE_DICTIONARY,
    HTTP_FIELD_COUNT
};

struct http_slice {
    uint32_t off, len; /* octets, into the head */
};

enum http_framing { HTTP_FRAMING_NONE, HTTP_FRAMING_LENGTH, HTTP_FRAMING_CHUNKED };

struct http_request {
    const char *head; /* where the head lies now; borrowed; whoever moves it sets this */
    uint32_t head_len;
    struct http_slice request_line; /* without CRLF */
    struct http_slice target;
    struct http_slice authority; /* valid host without port: of the absolute form, else of Host;
                                    empty when there is none */
    struct http_slice fields[HTTP_FIELD_COUNT]; /* trimmed value of the first line of that name */
    uint32_t present;                           /* bit 1 << field: there is a line of that name */
    uint32_t repeated;                          /* bit 1 << field: there are several */
    enum http_method method;
    uint8_t version_minor; /* 0, or 1 for 1.1 to 1.9 */
    bool keep_alive;       /* what version and Connection say (RFC 9112 section 9.3) */
    bool expect_continue;
    enum http_framing framing;
    uint64_t content_length;
};

/* Parses a complete head (http_guard_scan() said DONE; leading empty lines already taken off).
 * Returns 0 and fills `ret_request`, or the status to refuse with, `ret_request` then holding what
 * is known for the log (head, request_line). Judged in this order (HTTP.md numbers 4 to 8):
 * version (505), syntax (llhttp), Host and authority, framing (400 all of them); an unknown method
 * is no failure here (see `method`); Expect other than 100-continue: 417; Content-Length over
 * limits->body_max: 413.
 *
 * Of the target only the form is judged: absolute (http, https), authority (CONNECT only), "*"
 * (OPTIONS and unknown methods only), else it begins with '/'. The rest is http_target_parse()'s.
 */
int http_request_parse(const char *head, size_t len, const struct http_limits *limits,
                       struct http_request *ret_request);

static inline struct span http_request_slice(const struct http_request *request,
                                             struct http_slice slice)
{
    return span_make(request->head + slice.off, slice.len);
}

static inline bool http_request_has(const struct http_request *request, enum http_field field)
{
    return request->present >> field & 1;
}

/* The trimmed value of the first line of that name; empty when there is none. */
static inline struct span http_request_field(const struct http_request *request,
                                             enum http_field field)
{
    return http_request_slice(request, request->fields[field]);
}

/* Walks all lines of a name, in order: `*cursor` starts at 0; false when there is none left. For
 * list fields that may come in several lines. */
bool http_request_field_next(const struct http_request *request, enum http_field field,
                             uint32_t *cursor, struct span *ret_value);

/* The trimmed value of the first line of this name, given in lower case and with '_' for '-' (as
 * variables have it); empty when there is none, or the head was not parsed. Any field. */
struct span http_request_named(const struct http_request *request, struct span name);

/* "llhttp 8.1.0", as linked. */
const char *http_parser_version(void);

#endif

/* status.h: status codes, their reason phrases and the built-in error pages (RFC 9110 section 15).
 * Pure. */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

#include "core/span.h"

/* Reason phrase of a status this server answers ("Not Found"); "Unknown" for others. A literal. */
struct span http_status_reason(int status);

/* "HTTP/1.1 404 Not Found\r\n". A literal for every status this server answers; a status it never
 * answers is a bug (checked). */
struct span http_status_line(int status);

/* The small HTML page for an error status or a redirect; empty for those whose answer has no such
 * body (1xx, 2xx, 304). A literal; the same octets for every request, nothing of which is echoed. A
 * status that is never answered is a bug (checked). */
struct span http_status_page(int status);

#endif

/* guard.h: the strictness that llhttp lacks, on the raw octets of a request head, before it. Pure;
 * one pass; resumable at any octet.
 *
 * Finds where a head ends and refuses what must not be there (HTTP.md "Reading a request" number
 * 2): every line ends CRLF; no bare CR, bare LF or NUL; no obs-fold (CVE-2024-27982); field lines
 * are token ':' value; values without CTL but HTAB; the request line is METHOD SP target SP
 * HTTP/d.d with single spaces. Counts octets against the limits, so a head that is too large is
 * refused when the limit is crossed, not at its end. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "config/config.h"

#include <stddef.h>
#include <stdint.h>

struct http_guard {
    uint32_t scanned;                     /* octets of the data judged already */
    uint32_t line_start;                  /* where the line being scanned begins */
    uint32_t fields_start;                /* where the first field line begins; 0 before it */
    uint32_t skipped;                     /* octets of empty lines in front of the request line */
    uint32_t fields;                      /* field lines so far */
    uint8_t state;                        /* private to guard.c */
    uint8_t version_major, version_minor; /* valid once the request line is judged */
};

/* Empty lines that may stand in front of a request line (RFC 9112 section 2.2). */
enum { HTTP_GUARD_EMPTY_LINES_MAX = 4 };

enum http_guard_result {
    HTTP_GUARD_MORE,    /* no fault so far, the head is not complete */
    HTTP_GUARD_DONE,    /* the head is complete: data from guard->skipped up to *ret_len */
    HTTP_GUARD_REFUSED, /* *ret_status tells: 400, 414, 431, 501, 505 */
};

/* For a new head; also after DONE or REFUSED, before the next one. */
void http_guard_init(struct http_guard *guard);

/* Judges `data`, which begins where the head begins (in every call the same octets, more of them;
 * they may lie elsewhere), from where the last call stopped. Empty CRLF lines in front are skipped:
 * guard->skipped leading octets belong to no request (*ret_len counts them, as it counts the empty
 * line at the head's end). A lone CR at the end of data is no fault yet.
 *
 * The first fault in the order of the octets decides, so the result does not depend on how the
 * octets were split. Limits count a line without its CRLF; head_max counts from the first field
 * line to the end of the last one, without the last CRLF. A head is therefore complete within
 * 2 * HTTP_GUARD_EMPTY_LINES_MAX + request_line_max + head_max + 6 octets. */
enum http_guard_result http_guard_scan(struct http_guard *guard, const char *data, size_t len,
                                       const struct http_limits *limits, size_t *ret_len,
                                       int *ret_status);

#endif

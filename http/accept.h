/* accept.h: proactive negotiation: Accept-Encoding and Accept (RFC 9110 section 12.5). Pure. */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "config/config.h"
#include "core/span.h"

#include <stdbool.h>

/* Weights of the codings this server knows, in thousandths; 0: not acceptable. */
struct http_codings {
    unsigned short weight[CODING_COUNT];
    /* private to accept.c: what has been said so far, for a field of several lines */
    unsigned named; /* bit 1 << coding: by its name */
    short any;      /* weight of `*`, -1: it was not given */
};

/* Nothing asked: identity only. */
void http_codings_init(struct http_codings *codings);

/* Takes in one field line's value (several lines: call again for each). Malformed elements are
 * skipped, of a name given twice the first counts. `*` covers codings not named; "x-gzip" is gzip;
 * identity is acceptable unless `identity;q=0`, or `*;q=0` without identity named, and of the least
 * weight unless named or covered by `*`. */
void http_codings_parse(struct http_codings *codings, struct span value);

/* Fills `ret_order` with the acceptable codings among `available` (bits 1 << coding; identity
 * always counts as available), best first: by weight, then dcz, dcb, zstd, br, gzip, identity; identity of
 * equal weight last. Returns their number. 0 cannot happen: identity closes the list even at q=0
 * (answering 200 is better than 406, RFC 9110 section 12.5.3). */
size_t http_codings_order(const struct http_codings *codings, unsigned available,
                          enum coding ret_order[CODING_COUNT]);

/* The name in Content-Encoding ("gzip") and the file suffix (".gz"); empty for identity. Literals.
 */
struct span http_coding_name(enum coding coding);
struct span http_coding_suffix(enum coding coding);

/* Does an Accept value prefer application/json to text/html: with a greater weight, or with the
 * same, and named while html is not? Each has the weight of the most specific range that matches;
 * parameters other than q are ignored. */
bool http_accept_prefers_json(struct span value);

#endif

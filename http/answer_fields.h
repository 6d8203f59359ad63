/* answer_fields.h: fields of an answer that hang on the request, and so cannot lie ready with the
 * file that it is answered with: Strict-Transport-Security, which is for TLS alone, and what CORS
 * (cors.h) says to a script of that origin. All that can be is made ready at the start, by
 * location. */
#ifndef HTTP_ANSWER_FIELDS_H
#define HTTP_ANSWER_FIELDS_H

#include "http/exchange.h"

enum { HTTP_ANSWER_FIELDS_MAX = 3072 }; /* octets of those of one answer */

/* Of one location: field lines with CRLF, empty where there are none; owned. */
struct http_answer_fields {
    struct span own_page;     /* the location's fields as a page of the server's own has them; where
                                 it has another policy than the site (security_headers.h) */
    struct span secure;       /* over TLS */
    struct span cors;         /* on every answer */
    struct span cors_allowed; /* for an allowed origin, behind the line that names it */
    struct span cors_preflight; /* for a preflight of one */
    struct span timing;         /* Server-Timing */
    struct span hints;          /* a 103 (early_hints.h) */
    struct span links;          /* the lines of it; in `hints` */
};

/* Makes those of all locations ready, if one of them has any, and notes in env->needs that there
 * are some. 0 or -ENOMEM. */
int http_answer_fields_create(struct http_env *env);

/* Idempotent. */
void http_answer_fields_destroy(struct http_env *env);

/* Writes the field lines of the present answer. `varies`: it has a Vary line already
 * (http_fields_vary()). Returns their octets, at most HTTP_ANSWER_FIELDS_MAX; `size` is no less
 * (checked). */
size_t http_answer_fields_put(const struct http_exchange *x, bool varies, char *text, size_t size);

/* The location's fields for a page of the server's own; where location->policy_is_preset. */
struct span http_answer_fields_of_own_page(const struct http_env *env,
                                           const struct location *location);

/* The location whose fields these are: that of the path asked for; where the request was refused
 * before it was known, that of "/". NULL: there is none. */
const struct location *http_answer_fields_location(const struct http_exchange *x);

#endif

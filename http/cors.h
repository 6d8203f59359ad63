/* cors.h: what a script of another origin may read (the Fetch standard, section 3.3: the CORS
 * protocol). Pure.
 *
 * An origin is compared with those that are configured, octet by octet, and never sent back for
 * another reason than that it is one of them. */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/answer_fields.h"

/* Makes the texts of the location ready. 0 or -ENOMEM. */
int http_cors_prepare(const struct location *location, struct http_answer_fields *fields);

/* Puts the field lines of an answer to `x` at `out`, where there is room for HTTP_ANSWER_FIELDS_MAX
 * octets of these and others; returns their end. `varies`: the answer has a Vary line already. */
char *http_cors_put(const struct http_exchange *x, const struct location *location,
                    const struct http_answer_fields *fields, bool varies, char *out);

/* Does `origin` match one of the location's? */
bool http_cors_allows(const struct location *location, struct span origin);

/* Is it a preflight to a location with `cors`: OPTIONS with Origin and
 * Access-Control-Request-Method? Such a request comes without credentials, and whoever asks follows
 * no redirect. */
bool http_cors_is_preflight(const struct http_exchange *x);

#endif

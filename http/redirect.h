/* redirect.h: the answer of a configured redirect. Pure. */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include "http/exchange.h"

#include <stdbool.h>

/* Answers x->target with the redirect, as `location` would (its header fields). False: too little
 * room now, as for the functions of response.h. */
bool http_redirect_respond(struct http_exchange *x, const struct location *location,
                           const struct redirect *redirect);

#endif

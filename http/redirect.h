/* redirect.h: the answer of a configured redirect. Pure. */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include "http/exchange.h"

#include <stdbool.h>

/* The redirect of the request, whose server is chosen: whatever its method and its body, it is
 * answered with that. Fills in x->target. NULL: there is none, or the target is none that could
 * have one. Borrowed from the configuration. */
const struct redirect *http_redirect_of_head(struct http_exchange *x);

/* Answers x->target with the redirect, as `location` would (its header fields). $host in `to` is
 * the host that the request names, checked and without its port, in lower case and without a dot at
 * its end; else a name of x->server. $uri is the path, and $query the query, both percent-encoded
 * anew. False: too little room now, as for the functions of response.h. */
bool http_redirect_respond(struct http_exchange *x, const struct location *location,
                           const struct redirect *redirect);

#endif

/* redirect.h: configured redirects: which one a request meets, and its answer. Pure. */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include "http/static.h"

/* The redirect that answers `path` with the query `args` (without its '?'), NULL: none, and what
 * its expression has captured, which borrows the path. `location` is that of the path (NULL: none);
 * `room`: regex_match(). 0; or -E2BIG: an expression has hit its bounds. */
int http_redirect_of(const struct server *server, struct regex_room *room,
                     const struct location *location, struct span path, struct span args,
                     struct captures *ret_captures, const struct redirect **ret_redirect);

/* Would a redirect answer `path` with the query of x->target? `location` is that of the path (NULL:
 * none). Also where an expression has hit its bounds: that is answered with 500. */
bool http_redirect_covers(const struct http_exchange *x, const struct location *location,
                          struct span path);

/* The step HTTP_SEARCH_REDIRECT: the answer of the redirect, if there is one; else NEXT, and the
 * next step is `return` or files. */
enum http_static_result http_redirect_step(struct http_exchange *x);

#endif

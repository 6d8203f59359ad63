/* vhost.h: which location and redirect of its server a request belongs to. Pure look-ups in the
 * configuration. The server itself: config/server_find.h. */
#ifndef HTTP_VHOST_H
#define HTTP_VHOST_H

#include "config/config.h"
#include "core/span.h"

/* The location of `path` (decoded, begins with '/'): the longest prefix that matches whole
 * segments. NULL only when the server has no "/" location. */
const struct location *http_location_find(const struct server *server, struct span path);

/* The redirect of `path`, or NULL: the longest whose `from` matches it, unless `location`, that of
 * the path (NULL: none), says more of it: where it is for a longer prefix, what it covers is not
 * redirected. A redirect of this very path wins in any case. */
const struct redirect *http_redirect_find(const struct server *server,
                                          const struct location *location, struct span path);

#endif

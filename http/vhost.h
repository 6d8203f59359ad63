/* vhost.h: which location and redirect of its server a request belongs to. Pure look-ups in the
 * configuration. The server itself: config/server_find.h. */
#ifndef HTTP_VHOST_H
#define HTTP_VHOST_H

#include "config/config.h"
#include "core/span.h"

/* The location of `path` (decoded, begins with '/'), by the rule of match/pattern_set.h: 0 and
 * *ret_location, NULL only when the server has no "/" location; or -E2BIG: a regular expression has
 * hit its bounds. `room` and `ret_captures`: pattern_set_find(). */
int http_location_find(const struct server *server, struct regex_room *room, struct span path,
                       struct captures *ret_captures, const struct location **ret_location);

/* The location of what is said of no path: the server's "/". */
const struct location *http_location_slash(const struct server *server);

/* The redirect of `path`, or NULL: the longest whose `from` matches it, unless `location`, that of
 * the path (NULL: none), says more of it: where it is for a longer prefix, what it covers is not
 * redirected. A redirect of this very path wins in any case. */
const struct redirect *http_redirect_find(const struct server *server,
                                          const struct location *location, struct span path);

#endif

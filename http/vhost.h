/* vhost.h: which server, location and redirect a request belongs to. Pure look-ups in the
 * configuration. */
#ifndef HTTP_VHOST_H
#define HTTP_VHOST_H

#include "core/config.h"
#include "core/span.h"

/* The server of `listen` that answers to `host` (without port; case-insensitive, a trailing dot
 * ignored): an exact name first, then the longest wildcard, then the listener's first. */
const struct server *http_vhost_find(const struct listen_config *listen, struct span host);

/* The location of `path` (decoded, begins with '/'): the longest prefix that matches whole
 * segments. NULL only when the server has no "/" location. */
const struct location *http_location_find(const struct server *server, struct span path);

/* The first redirect whose `from` matches `path`, or NULL. */
const struct redirect *http_redirect_find(const struct server *server, struct span path);

#endif

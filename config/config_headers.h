/* config_headers.h: the file _headers in a root, where `headers_file` is on. */
#ifndef CONFIG_CONFIG_HEADERS_H
#define CONFIG_CONFIG_HEADERS_H

#include "config/config.h"
#include "config/config_build.h"

#define CONFIG_HEADERS_FILE "_headers"

/* Reads the file of the location's root, which is known, once for all locations that have that
 * root (once for each server, where lines of it are for hosts), and notes in config->warnings what
 * is wrong with it: it may come from who makes the site, and so is no reason not to start.
 * `server`: whose location it is, with its hosts. 0 or -ENOMEM. */
int config_headers_file_make(const struct config_build *build, struct config *config,
                             const struct server *server, struct location *location);

#endif

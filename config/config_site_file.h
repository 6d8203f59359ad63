/* config_site_file.h: files in a root that say something to the server, and are no pages: _headers
 * and _redirects. */
#ifndef CONFIG_CONFIG_SITE_FILE_H
#define CONFIG_CONFIG_SITE_FILE_H

#include "config/config.h"
#include "config/config_build.h"

/* Takes the file of that name, a literal, out of the location's listings, and so of its archives.
 * 0 or -ENOMEM. */
int config_site_file_hide(const struct config_build *build, struct location *location,
                          const char *name);

#endif

/* config_links.h: `signed` and `referers`: links that somebody has signed, and pages that may lead
 * to a location. */
#ifndef CONFIG_CONFIG_LINKS_H
#define CONFIG_CONFIG_LINKS_H

#include "config/config.h"
#include "config/config_location.h"

/* "none", "blocked", "server_names", or a host name, perhaps behind "*.". NULL, or what is wrong,
 * as the end of a sentence that begins with the text. */
const char *config_text_referer(const char *text);

/* The rules of the innermost layer that says something; NULL in *ret_rules: none hold. 0, or -errno
 * and a sentence. */
int config_signed_make(const struct config_build *build, const struct config_layers *layers,
                       const struct signed_rules **ret_rules);
int config_referers_make(const struct config_build *build, const struct config_layers *layers,
                         const struct referer_rules **ret_rules);

#endif

/* config_site_redirects.h: `redirects_file`: the rules that a site brings along. */
#ifndef CONFIG_CONFIG_SITE_REDIRECTS_H
#define CONFIG_CONFIG_SITE_REDIRECTS_H

#include "config/config.h"
#include "config/config_build.h"
#include "config/config_tree.h"

/* Reads the file that the server's `block` names, if it names one, into server->site_redirects; its
 * locations are made. What is wrong with a line is a warning, and the line is left out. 0, -ENOMEM,
 * or -EINVAL and a sentence. */
int config_site_redirects_make(const struct config_build *build, const struct config_block *block,
                               struct config *config, struct server *server);

#endif

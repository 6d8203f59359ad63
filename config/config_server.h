/* config_server.h: server blocks as struct server, inheritance resolved. */
#ifndef CONFIG_CONFIG_SERVER_H
#define CONFIG_CONFIG_SERVER_H

#include "config/config.h"
#include "config/config_tree.h"

/* Makes config->servers, listens, roots and access_logs of the server blocks in `top`; the keys of
 * the top level are stored already. `defaults` and `redirect_defaults` are those of a server's and
 * a redirect's keys. 0, or -errno and a sentence. */
int config_servers_make(const struct config_build *build, const struct config_block *top,
                        const struct config_block *defaults,
                        const struct config_block *redirect_defaults, struct config *config);

#endif

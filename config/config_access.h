/* config_access.h: the logs: where a server's answers are logged, which of them, and in what form;
 * and where a log goes that goes to syslog. */
#ifndef CONFIG_CONFIG_ACCESS_H
#define CONFIG_CONFIG_ACCESS_H

#include "config/config.h"
#include "config/config_tree.h"

/* Fills in config->error_syslog. 0, or -errno and a sentence. */
int config_error_log_make(const struct config_build *build, const struct config_block *top,
                          struct config *config);

/* The log of the server, and its rules: its own, or those of the top level. Servers share what has
 * one path, and the rules where they say nothing. build->shared is set. Likewise. */
int config_access_make(const struct config_build *build, const struct config_block *top,
                       const struct config_block *block, struct config *config,
                       struct server *server);

#endif

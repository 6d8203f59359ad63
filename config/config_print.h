/* config_print.h: -T: the configuration in force, as text that could be loaded again. */
#ifndef CONFIG_CONFIG_PRINT_H
#define CONFIG_CONFIG_PRINT_H

#include "config/config.h"

#include <stdio.h>

/* Writes every key with its value in server.conf's syntax: defaults, inheritance and paths
 * resolved. Loading the text gives the same configuration. 0, or -EIO when `out` has failed. */
int config_print(const struct config *config, FILE *out);

#endif

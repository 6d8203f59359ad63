/* node.h: the name of this server among several that serve the same: `node`. */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "config/config.h"

enum { CONFIG_NODE_MAX = 64 }; /* octets of it */

/* Writes the configured name, or that of the machine as far as it fits: printable ASCII without
 * quotes and backslashes, and a NUL. */
void config_node(const struct config *config, char ret_name[CONFIG_NODE_MAX + 1]);

/* What is wrong with a value of `node`: the end of a sentence; NULL: nothing. */
const char *config_node_check(const char *text);

#endif

/* config_check.h: what has to hold between settings that are right by themselves. */
#ifndef CONFIG_CONFIG_CHECK_H
#define CONFIG_CONFIG_CHECK_H

#include "config/config.h"
#include "config/config_tree.h"

/* No two blocks of one kind directly inside `block` have the same title. Servers may: it is their
 * names at one address that count. 0, or -EINVAL and a sentence. */
int config_check_titles(const struct config_build *build, const struct config_block *block);

/* No two servers of one address answer to the same name. `top` holds the blocks that the servers
 * were made of, in their order. 0, -ENOMEM, or -EINVAL and a sentence. */
int config_check_names(const struct config_build *build, const struct config_block *top,
                       const struct config *config);

/* Where a PROXY header is expected, somebody may send it: an empty `trusted` would close every
 * connection. 0, or -EINVAL and a sentence. */
int config_check_proxies(const struct config_build *build, const struct config *config);

#endif

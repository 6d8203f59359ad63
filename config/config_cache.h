/* config_cache.h: what is chosen by patterns of the paths of files: cache blocks, and `download`.
 */
#ifndef CONFIG_CONFIG_CACHE_H
#define CONFIG_CONFIG_CACHE_H

#include "config/config.h"
#include "config/config_tree.h"

/* The cache blocks directly in `block`, a server or a location; NULL in *ret_rules: there are none.
 * 0, or -errno and a sentence. */
int config_cache_make(const struct config_build *build, const struct config_block *block,
                      struct config *config, const struct cache_rules **ret_rules);

/* Compiles location->download, which `entry` has said. 0, or -errno and a sentence. */
int config_download_make(const struct config_build *build, const struct config_entry *entry,
                         struct config *config, struct location *location);

#endif

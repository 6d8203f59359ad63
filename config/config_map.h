/* config_map.h: maps, from their blocks and files to what config.h has of them. */
#ifndef CONFIG_CONFIG_MAP_H
#define CONFIG_CONFIG_MAP_H

#include "config/config.h"
#include "config/config_build.h"
#include "config/config_tree.h"

/* Makes config->maps of the blocks of the top level, in their order, and takes these blocks out of
 * it; `defaults` tells what stands for a key that is not set. A map may look at those before it. 0,
 * -ENOMEM, or -EINVAL and a sentence. */
int config_maps_make(const struct config_build *build, struct config_block *top,
                     const struct config_block *defaults, struct config *config);

#endif

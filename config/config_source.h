/* config_source.h: everything that was said, from all sources, as one block of the top level: the
 * command line over the environment over the file. Values are still text; defaults are apart. */
#ifndef CONFIG_CONFIG_SOURCE_H
#define CONFIG_CONFIG_SOURCE_H

#include "config/config.h"
#include "config/config_tree.h"

/* Reads `source`. 0 and a block in build->scratch, or -errno and a sentence. */
int config_source_read(const struct config_build *build, const struct config_source *source,
                       struct config_block **ret_top);

/* The table's defaults of the keys of `kind`, as if they had been said in a block. Likewise. */
int config_defaults_make(const struct config_build *build, enum config_block_kind kind,
                         struct config_block **ret_defaults);

#endif

/* config_load.h: config_load() in a world of one's own, for tests and fuzz targets. */
#ifndef CONFIG_CONFIG_LOAD_H
#define CONFIG_CONFIG_LOAD_H

#include "config/config.h"
#include "config/config_build.h"

/* As config_load(); whatever is read or looked at comes from `files`. */
int config_load_from(const struct config_source *source, const struct config_files *files,
                     char *why, size_t why_size, struct config **ret_config);

#endif

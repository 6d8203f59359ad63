/* config_location.h: a location, made of what its block says, over what its server says, over the
 * defaults. */
#ifndef CONFIG_CONFIG_LOCATION_H
#define CONFIG_CONFIG_LOCATION_H

#include "config/config.h"
#include "config/config_tree.h"

/* Where the keys of one location are looked for, the innermost last; `location` may be NULL. */
struct config_layers {
    const struct config_block *defaults, *server, *location;
    const struct cache_rules *cache;    /* the server's; NULL: none */
    const struct header_blocks *fields; /* likewise */
    const struct server *of;            /* whose location it is; its hosts are known */
};

/* Fills `location`, whose prefix and pattern are known, but for id. config->roots has room for one
 * more. 0, or -errno and a sentence. */
int config_location_make(const struct config_build *build, const struct config_layers *layers,
                         struct config *config, struct location *location);

#endif

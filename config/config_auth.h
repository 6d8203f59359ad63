/* config_auth.h: the auth block: which names and passwords a location asks for. */
#ifndef CONFIG_CONFIG_AUTH_H
#define CONFIG_CONFIG_AUTH_H

#include "config/config.h"
#include "config/config_location.h"

/* The rules of the innermost layer that has an auth block, or says `auth = off`; NULL in
 * *ret_rules: none hold. 0, or -errno and a sentence. */
int config_auth_make(const struct config_build *build, const struct config_layers *layers,
                     const struct auth_rules **ret_rules);

#endif

/* config_environment.h: keys of server.conf as variables of the environment, GEARSHIFT_THREADS=2.
 */
#ifndef CONFIG_CONFIG_ENVIRONMENT_H
#define CONFIG_CONFIG_ENVIRONMENT_H

#include "config/config.h"
#include "config/config_build.h"
#include "config/config_tree.h"

/* Takes one setting from outside the file; `place` names it. 0, or -errno and a sentence. */
typedef int config_setting_take(const struct config_build *build, const struct config_key *key,
                                const char *place, const char *text, struct config_block *top,
                                struct config_block *server);

/* Has `take` take every variable that is a key. `server`: the only server, or NULL. Variables of
 * other names are let be: config_environment_warn(). 0, or -errno and a sentence. */
int config_environment_read(const struct config_build *build, config_setting_take *take,
                            struct config_block *top, struct config_block *server);

/* Warns of variables that begin as ours and are no key, with the key that is spelled most like it.
 * Silent about those that Kubernetes sets for a service called gearshift. */
void config_environment_warn(const struct config_build *build, struct config *config);

#endif

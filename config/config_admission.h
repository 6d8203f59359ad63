/* config_admission.h: who may have what lies at a location, made of what its block says, or else
 * its server. */
#ifndef CONFIG_CONFIG_ADMISSION_H
#define CONFIG_CONFIG_ADMISSION_H

#include "config/config.h"
#include "config/config_location.h"

/* "all", "file:PATH", or an address, a network or unix: (address_set.h). NULL, or what is wrong, as
 * the end of a sentence that begins with the text. */
const char *config_text_client(const char *text);

/* Fills location->admission. 0, or -errno and a sentence. */
int config_admission_make(const struct config_build *build, const struct config_layers *layers,
                          struct location *location);

/* Would an archive of a location hold what another location below it, or one for a pattern, keeps
 * from somebody? Refuses that. `place` is the server's. 0, or -EINVAL and a sentence. */
int config_check_archives(const struct config_build *build, struct config_place place,
                          const struct server *server);

#endif

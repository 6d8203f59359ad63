/* config_warn.h: what is no reason not to start, but somebody should know. */
#ifndef CONFIG_CONFIG_WARN_H
#define CONFIG_CONFIG_WARN_H

#include "config/config.h"
#include "config/config_build.h"

/* Adds a sentence to config->warnings; octets that are no text are replaced. Where there is no
 * memory for it, it is left out. */
void config_warn(const struct config_build *build, struct config *config, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Likewise, a sentence as it is, which is copied. */
void config_warn_text(const struct config_build *build, struct config *config, const char *text);

#endif

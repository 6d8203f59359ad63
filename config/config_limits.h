/* config_limits.h: the notation of limits by client: "10/s burst=20 delay=8". */
#ifndef CONFIG_CONFIG_LIMITS_H
#define CONFIG_CONFIG_LIMITS_H

#include "config/config.h"
#include "config/config_build.h"
#include "core/rate_table.h"

/* NULL, or what is wrong with `text` as the end of a sentence that begins with it. Pure. */
const char *config_text_rate(const char *text);

/* The limit that `text` tells, which config_text_rate() has passed, but for its zone. Pure. */
void config_rate_parse(const char *text, struct rate_limit *ret_limit);

/* Makes the location's limits of what was written. Places of one server that say the same, in the
 * same key, are one zone: they share their counts, also with those of an earlier configuration. 0
 * or -ENOMEM. */
int config_limits_make(const struct config_build *build, const char *server,
                       struct location *location);

#endif

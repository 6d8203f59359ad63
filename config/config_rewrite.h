/* config_rewrite.h: keys of a location that lead its requests elsewhere in the server: `rewrite`,
 * `maintenance`. */
#ifndef CONFIG_CONFIG_REWRITE_H
#define CONFIG_CONFIG_REWRITE_H

#include "config/config_tree.h"
#include "config/config_values.h"

/* A check of `maintenance`: NULL, or what is wrong. */
const char *config_text_maintenance(const char *text);

/* Makes location->rewrite of `item`, the value of `rewrite`. 0, -ENOMEM, or -EINVAL and a sentence.
 */
int config_rewrite_parse(const struct config_scope *scope, const struct config_item *item,
                         struct location *location);

#endif

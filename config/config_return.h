/* config_return.h: `return = "301 https://$host$request_uri"`. */
#ifndef CONFIG_CONFIG_RETURN_H
#define CONFIG_CONFIG_RETURN_H

#include "config/config_tree.h"
#include "config/config_values.h"

/* Makes an answer of `item`, the value of `return`; NULL in *ret_answer when it is empty. 0,
 * -ENOMEM, or -EINVAL and a sentence. */
int config_return_parse(const struct config_scope *scope, const struct config_item *item,
                        const struct config_return **ret_answer);

#endif

/* config_clean_urls.h: `clean_urls = on`: pages without ".html" in their addresses. */
#ifndef CONFIG_CONFIG_CLEAN_URLS_H
#define CONFIG_CONFIG_CLEAN_URLS_H

#include "config/config.h"
#include "config/config_build.h"
#include "config/config_tree.h"

/* Gives a location with clean_urls, whose try_uris are known, those that it needs if it has none.
 * `tries`: where its `try` is said, or NULL. 0, -ENOMEM, or -EINVAL and a sentence: what it leads
 * to would not be found. */
int config_clean_urls_make(const struct config_build *build, const struct config_entry *tries,
                           struct location *location);

#endif

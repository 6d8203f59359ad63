/* config_fields.h: `headers "*.html" { ... }`: what is done to the fields of answers by path. */
#ifndef CONFIG_CONFIG_FIELDS_H
#define CONFIG_CONFIG_FIELDS_H

#include "config/config.h"
#include "config/config_tree.h"

/* The headers blocks directly in `block`, a server or a location; NULL in *ret_blocks: there are
 * none. config->engine is known. 0, or -errno and a sentence. */
int config_fields_make(const struct config_build *build, const struct config_block *block,
                       struct config *config, const struct header_blocks **ret_blocks);

/* Do blocks of the location say what its `hsts` or `cors` is for? -EINVAL and a sentence. `blocks`:
 * they are those of `outer`, a server or a location. */
int config_fields_check(const struct config_build *build, const struct config_block *outer,
                        const struct header_blocks *blocks, const struct location *location);

/* Is the field what the location's `hsts` or `cors` is for? They have the last word. */
bool config_field_is_others(const struct location *location, const char *name);

/* What is wrong with doing that to the field of that name, as the end of a sentence; NULL: nothing.
 */
const char *config_field_refused(enum field_deed deed, struct span name);

/* Is it a field that says how long an answer may be kept: Cache-Control, Expires, and what only
 * some shared caches read? Such a one is for no error, unless it is said so. */
bool config_field_is_caching(const char *name);

#endif

/* config_browser.h: what a location tells browsers: `security_headers`, `hsts`, `cors`. */
#ifndef CONFIG_CONFIG_BROWSER_H
#define CONFIG_CONFIG_BROWSER_H

#include "config/config.h"
#include "config/config_store.h"

/* Appends the fields of location->security_headers, which is known, to location->headers, where
 * there is room for SECURITY_FIELDS_MAX more; one that is there already is replaced. 0 or -ENOMEM.
 */
int config_security_headers_add(const struct config_build *build, struct location *location);

/* Once all keys of the location are in: what `hsts` is where nobody sets it, whose the policy is.
 * `hsts`: what sets it; NULL: nobody does. 0, or -errno and a sentence. */
int config_security_headers_finish(const struct config_build *build,
                                   const struct config_entry *hsts, struct location *location);

/* Do the location's early_hints fit together? `hints`: what sets them. 0, or -errno and a sentence.
 */
int config_early_hints_check(const struct config_build *build, const struct config_entry *hints,
                             const struct location *location);

/* Compiles the patterns of the location's use_as_dictionary. Does each element tell which requests
 * the dictionary is for? With alias, one without a match does not: what the location inherits of
 * such is taken away. `entry`: what sets them, `own`: the location itself. 0, or -errno and a
 * sentence. */
int config_dictionaries_finish(const struct config_build *build, const struct config_entry *entry,
                               bool own, struct location *location);

/* Do the keys of `cors` go together? `cors`: what sets it. 0, or -errno and a sentence. */
int config_cors_check(const struct config_build *build, const struct config_entry *cors,
                      const struct location *location);

#endif

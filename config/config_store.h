/* config_store.h: one value, from text into the member of a struct that its key names. */
#ifndef CONFIG_CONFIG_STORE_H
#define CONFIG_CONFIG_STORE_H

#include "config/config_build.h"
#include "config/config_keys.h"
#include "config/config_tree.h"

/* Writes the sentence: place, key, what is wrong, "; allowed: ...". Returns -EINVAL. */
int config_fail_item(const struct config_build *build, const struct config_item *item,
                     const struct config_key *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Each parses `item` as `key` says. 0, or -errno and a sentence. */
int config_number(const struct config_build *build, const struct config_key *key,
                  const struct config_item *item, uint64_t *ret_number); /* COUNT to DURATION,
                                                                            EXPIRES */
int config_text(const struct config_build *build, const struct config_key *key,
                const struct config_item *item, char **ret_text); /* TEXT, PATH, an element of
                                                                     TEXTS or PATHS; in
                                                                     build->arena */

/* Parses `entry`, which is set, and stores it at the key's offset in `base`: all types that have
 * one. 0, or -errno and a sentence. */
int config_store(const struct config_build *build, const struct config_key *key,
                 const struct config_entry *entry, void *base);

#endif

/* config_rules.h: the elements of lists that have a notation of their own, and the redirect block.
 *
 * Each function parses `item`, one element of the list `key`, into memory of build->arena: 0, or
 * -errno and a sentence. */
#ifndef CONFIG_CONFIG_RULES_H
#define CONFIG_CONFIG_RULES_H

#include "config/config.h"
#include "config/config_store.h"

/* "Name: value"; the value's $engine is replaced by `engine`. "Name:" gives an empty value. */
int config_header_parse(const struct config_build *build, const struct config_key *key,
                        const struct config_item *item, const char *engine,
                        struct header_rule *ret_rule);

/* "extension=type/subtype", the extension in lower case and without a dot before it; "*" for all
 * others, where `key` is not that of the top level. */
int config_type_parse(const struct config_build *build, const struct config_key *key,
                      const struct config_item *item, struct header_rule *ret_type);

/* "404=/404.html" */
int config_error_page_parse(const struct config_build *build, const struct config_key *key,
                            const struct config_item *item, struct error_page *ret_page);

/* "gzip": one bit, 1 << CODING_GZIP. */
int config_coding_parse(const struct config_build *build, const struct config_key *key,
                        const struct config_item *item, unsigned *ret_bit);

/* "zstd" for CODING_ZSTD; NULL for what cannot be configured. */
const char *config_coding_name(enum coding coding);

/* A host name in lower case. `place` and `subject` are what a sentence begins with. */
int config_host_parse(const struct config_build *build, struct config_place place,
                      const char *subject, const char *text, char **ret_host);

/* `redirect "/old/" { to = ... }`; `defaults` tells what stands for a key that is not set. */
int config_redirect_parse(const struct config_build *build, const struct config_block *defaults,
                          const struct config_block *block, struct redirect *ret_redirect);

#endif

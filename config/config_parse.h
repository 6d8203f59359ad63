/* config_parse.h: server.conf's text as a tree (config_tree.h). Whatever is wrong with the text is
 * refused with one sentence: a brace that is missing, a key that stands twice, a name that nobody
 * knows. What the values mean is judged later. Keeps nothing: several texts may be parsed at a
 * time. */
#ifndef CONFIG_CONFIG_PARSE_H
#define CONFIG_CONFIG_PARSE_H

#include "config/config_build.h"
#include "config/config_tree.h"
#include "core/span.h"

/* Words and marks in one configuration, at most. Includes multiply: stop before memory does. */
#define CONFIG_TOKENS_MAX 10000000

/* Parses `text`, the contents of the file `name`, and the files that it includes. 0 and the top
 * level, in build->scratch, which borrows `name`; or -errno and a sentence. */
int config_parse(const struct config_build *build, const char *name, struct span text,
                 struct config_block **ret_top);

/* Parses `text`, which begins with '{', as the value of the list `key`; it did not stand in a file,
 * and `name` tells where ("-o index"). 0, and *ret_entry, which borrows `name`, is what was said;
 * or -errno and a sentence. */
int config_parse_list(const struct config_build *build, const char *name,
                      const struct config_key *key, struct span text,
                      struct config_entry *ret_entry);

#endif

/* config_pattern.h: the title of a block that is a pattern of paths (match/pattern.h). */
#ifndef CONFIG_CONFIG_PATTERN_H
#define CONFIG_CONFIG_PATTERN_H

#include "config/config.h"
#include "config/config_build.h"
#include "config/config_tree.h"
#include "match/pattern.h"

/* Compiles a word and a pattern, which were said at `place` of `subject` (a key or block), into
 * build->arena: 0, or -errno and a sentence. Whatever is valid but hardly meant is refused, too: an
 * exact path with a query, a path that no request has. */
int config_pattern_parse(const struct config_build *build, struct config_place place,
                         const char *subject, const char *word, const char *text,
                         struct pattern *ret_pattern);

/* Likewise, of a location, for which a title without an end that tells is refused: "/x" might be
 * meant as "/x/", or as that path alone. `block` NULL: the server's "/". */
int config_location_pattern(const struct config_build *build, const struct config_block *block,
                            struct pattern *ret_pattern);

/* Likewise, of anything else that goes by paths, where a glob without a '/' may be a plain name,
 * which is for the files of that name in all folders. Notes in `config` that there are expressions.
 */
int config_path_pattern(const struct config_build *build, struct config *config,
                        struct config_place place, const char *subject, const char *word,
                        const char *text, struct pattern *ret_pattern);

/* Likewise, an element of a list, in which the word stands before the pattern with a blank between
 * them: "= /robots.txt", "~ ^/a". */
int config_item_pattern(const struct config_build *build, struct config *config,
                        const struct config_item *item, const char *subject,
                        struct pattern *ret_pattern);

#endif

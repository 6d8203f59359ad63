/* config_redirect.h: redirect blocks. */
#ifndef CONFIG_CONFIG_REDIRECT_H
#define CONFIG_CONFIG_REDIRECT_H

#include "config/config_tree.h"
#include "config/config_values.h"

/* How a redirect is found (config.h): by its path or a prefix; as a path that is said to be one
 * (`= "/x?p=1"`); as a pattern. */
enum redirect_group {
    REDIRECT_PLAIN,
    REDIRECT_EXACT,
    REDIRECT_PATTERN,
};

/* The group of a redirect or rewrite, by its title and the word before it. */
enum redirect_group config_redirect_group(const struct config_block *block);

/* The title: `from`, and all that says when the block is meant. 0, -ENOMEM, or -EINVAL and a
 * sentence. *ret_pattern is made for one of REDIRECT_PATTERN, in the arena. */
int config_redirect_title(const struct config_build *build, const struct config_block *block,
                          struct redirect *redirect);

/* Does the title match `path`, so that what leads from it to that comes back? */
bool config_redirect_covers(const struct redirect *redirect, struct span path);

/* `redirect "/old/" { to = ... }`; `defaults` tells what stands for a key that is not set. Strings
 * come from build->arena. 0, or -errno and a sentence. */
int config_redirect_parse(const struct config_scope *scope, const struct config_block *defaults,
                          const struct config_block *block, struct redirect *ret_redirect);

/* Those of the server's `block`, into `server`. Likewise. */
int config_redirects_make(const struct config_scope *scope, const struct config_block *defaults,
                          const struct config_block *block, struct server *server);

#endif

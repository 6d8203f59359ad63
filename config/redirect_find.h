/* redirect_find.h: the redirect of a path, where its title is more than a path or a prefix. Pure
 * look-ups in the configuration; plain ones: http/vhost.h. */
#ifndef CONFIG_REDIRECT_FIND_H
#define CONFIG_REDIRECT_FIND_H

#include "config/config.h"
#include "match/pattern_set.h"

/* Puts server->redirects_exact in the order in which redirect_exact_find() looks for them. */
void redirects_exact_sort(struct server *server);

/* The redirect of just this path: that for this query (without its '?'), else that for any. NULL:
 * there is none. */
const struct redirect *redirect_exact_find(const struct server *server, struct span path,
                                           struct span query);

#endif

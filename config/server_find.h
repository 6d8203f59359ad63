/* server_find.h: which server of an address answers to a name. HTTP asks by Host, TLS by SNI (RFC
 * 6066 section 3); both must come to the same server. A pure look-up in the configuration. */
#ifndef CONFIG_SERVER_FIND_H
#define CONFIG_SERVER_FIND_H

#include "config/config.h"
#include "core/span.h"

struct arena;

/* Makes listen->names, which server_find() looks in, once `listen` has all of its servers. It lives
 * in `arena`, and borrows their names, of which no two are the same (checked). 0 or -ENOMEM. */
int server_names_make(struct arena *arena, struct listen_config *listen);

/* The server of `listen` that answers to `host` (without port; case-insensitive, a trailing dot
 * ignored): an exact name first, then the longest wildcard, then the listener's first. Never
 * NULL; borrowed from the configuration. Takes as long with ten thousand servers as with two: a
 * step for each octet of `host`, and one look into a table for each of its labels. */
const struct server *server_find(const struct listen_config *listen, struct span host);

#endif

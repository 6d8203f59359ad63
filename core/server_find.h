/* server_find.h: which server of an address answers to a name. HTTP asks by Host, TLS by SNI (RFC
 * 6066 section 3); both must come to the same server. A pure look-up in the configuration. */
#ifndef CORE_SERVER_FIND_H
#define CORE_SERVER_FIND_H

#include "core/config.h"
#include "core/span.h"

/* The server of `listen` that answers to `host` (without port; case-insensitive, a trailing dot
 * ignored): an exact name first, then the longest wildcard, then the listener's first. Never
 * NULL; borrowed from the configuration. */
const struct server *server_find(const struct listen_config *listen, struct span host);

#endif

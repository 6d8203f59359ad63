/* server_find.c: the server of an address by the name that a client asks for. See server_find.h. */
#include "core/server_find.h"

#include <stdbool.h>

/* Does "*.example.org" cover `host`? One or more labels stand for the asterisk. */
static bool wildcard_matches(struct span pattern, struct span host)
{
    struct span suffix = { pattern.ptr + 1, pattern.len - 1 };
    if (host.len <= suffix.len)
        return false;
    return span_caseeq(span_make(host.ptr + host.len - suffix.len, suffix.len), suffix);
}

const struct server *server_find(const struct listen_config *listen, struct span host)
{
    if (listen->servers_count == 1 || host.len == 0)
        return listen->servers[0];
    if (host.ptr[host.len - 1] == '.')
        host.len--;
    const struct server *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < listen->servers_count; i++) {
        const struct server *server = listen->servers[i];
        for (size_t j = 0; j < server->hosts_count; j++) {
            struct span name = span_str(server->hosts[j]);
            if (name.len > 2 && name.ptr[0] == '*' && name.ptr[1] == '.') {
                if (name.len > best_len && wildcard_matches(name, host)) {
                    best = server;
                    best_len = name.len;
                }
            } else if (span_caseeq(name, host)) {
                return server;
            }
        }
    }
    return best != NULL ? best : listen->servers[0];
}

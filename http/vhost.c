/* vhost.c: servers by Host, locations and redirects by path. See vhost.h. */
#include "http/vhost.h"

#include <stdbool.h>

/* Does "*.example.org" cover `host`? One or more labels stand for the asterisk. */
static bool wildcard_matches(struct span pattern, struct span host)
{
    struct span suffix = { pattern.ptr + 1, pattern.len - 1 };
    if (host.len <= suffix.len)
        return false;
    return span_caseeq(span_make(host.ptr + host.len - suffix.len, suffix.len), suffix);
}

const struct server *http_vhost_find(const struct listen_config *listen, struct span host)
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

/* `prefix` ends with '/': matches what begins with it, and itself without the '/'. */
static bool prefix_matches(struct span prefix, struct span path)
{
    if (path.len >= prefix.len)
        return memcmp(path.ptr, prefix.ptr, prefix.len) == 0;
    return path.len == prefix.len - 1 && path.len > 0 &&
           memcmp(path.ptr, prefix.ptr, path.len) == 0;
}

const struct location *http_location_find(const struct server *server, struct span path)
{
    for (size_t i = 0; i < server->locations_count; i++)
        if (prefix_matches(server->locations[i].prefix, path))
            return &server->locations[i];
    return NULL;
}

const struct redirect *http_redirect_find(const struct server *server, struct span path)
{
    for (size_t i = 0; i < server->redirects_count; i++) {
        struct span from = server->redirects[i].from;
        bool is_prefix = from.len > 0 && from.ptr[from.len - 1] == '/';
        if (is_prefix ? path.len >= from.len && memcmp(path.ptr, from.ptr, from.len) == 0
                      : span_eq(from, path))
            return &server->redirects[i];
    }
    return NULL;
}

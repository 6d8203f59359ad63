/* vhost.c: locations and redirects by path. See vhost.h. */
#include "http/vhost.h"

#include <stdbool.h>

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

const struct redirect *http_redirect_find(const struct server *server,
                                          const struct location *location, struct span path)
{
    for (size_t i = 0; i < server->redirects_count; i++) {
        struct span from = server->redirects[i].from;
        bool is_prefix = from.len > 0 && from.ptr[from.len - 1] == '/';
        if (!is_prefix && span_eq(from, path))
            return &server->redirects[i];
        if (is_prefix && path.len >= from.len && memcmp(path.ptr, from.ptr, from.len) == 0)
            return location != NULL && location->prefix.len > from.len ? NULL
                                                                       : &server->redirects[i];
    }
    return NULL;
}

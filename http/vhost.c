/* vhost.c: locations and redirects by path. See vhost.h. */
#include "http/vhost.h"

#include "match/pattern.h"

#include <errno.h>
#include <stdbool.h>

int http_location_find(const struct server *server, struct regex_room *room, struct span path,
                       struct captures *ret_captures, const struct location **ret_location)
{
    const struct location *found = NULL;
    if (server->locations_set != NULL) {
        int index = pattern_set_find(server->locations_set, room, path, ret_captures);
        if (index == -E2BIG)
            return -E2BIG;
        if (index >= 0)
            found = &server->locations[index];
    }
    /* Else prefixes alone. */
    for (size_t i = 0; server->locations_set == NULL && i < server->locations_count; i++) {
        if (!pattern_prefix_matches(server->locations[i].prefix, path))
            continue;
        found = &server->locations[i];
        break;
    }
    *ret_location = found;
    return 0;
}

const struct location *http_location_slash(const struct server *server)
{
    return server->locations_count > 0 ? &server->locations[server->locations_count - 1] : NULL;
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

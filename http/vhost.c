/* vhost.c: locations and redirects by path. See vhost.h. */
#include "http/vhost.h"

#include "config/redirect_table.h"
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

/* The longest whose `from` matches; NULL: there is none. */
static const struct redirect *redirect_longest(const struct server *server, struct span path)
{
    if (server->redirects_table != NULL) {
        uint32_t index = redirect_table_find(server->redirects_table, path);
        return index != TEXT_TABLE_NONE ? &server->redirects[index] : NULL;
    }
    for (size_t i = 0; i < server->redirects_count; i++) {
        struct span from = server->redirects[i].from;
        if (redirect_is_prefix(&server->redirects[i])
                ? path.len >= from.len && memcmp(path.ptr, from.ptr, from.len) == 0
                : span_eq(from, path))
            return &server->redirects[i];
    }
    return NULL;
}

const struct redirect *http_redirect_find(const struct server *server,
                                          const struct location *location, struct span path)
{
    const struct redirect *redirect = redirect_longest(server, path);
    if (redirect == NULL || !redirect_is_prefix(redirect))
        return redirect;
    return location != NULL && location->prefix.len > redirect->from.len ? NULL : redirect;
}

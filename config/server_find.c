/* server_find.c: the server of an address by the name that a client asks for. See server_find.h.
 *
 * One table holds both kinds of names: "www.example.org" as it is, and "*.example.org" as
 * ".example.org", which no name begins with. */
#include "config/server_find.h"
#include "core/check.h"
#include "config/name_table.h"

#include <errno.h>

struct server_names {
    struct name_table table; /* index: into listen->servers */
    bool has_wildcards;
};

int server_names_make(struct arena *arena, struct listen_config *listen)
{
    struct server_names *names = arena_alloc(arena, sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; i < listen->servers_count; i++)
        count += listen->servers[i]->hosts_count;
    if (names == NULL || name_table_make(arena, count, true, &names->table) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < listen->servers_count; i++) {
        for (size_t j = 0; j < listen->servers[i]->hosts_count; j++) {
            struct span name = span_str(listen->servers[i]->hosts[j]);

            if (name.len > 2 && name.ptr[0] == '*' && name.ptr[1] == '.') {
                name = span_make(name.ptr + 1, name.len - 1);
                names->has_wildcards = true;
            }
            name_table_add(&names->table, name, i);
        }
    }
    listen->names = names;
    return 0;
}

const struct server *server_find(const struct listen_config *listen, struct span host)
{
    const struct server_names *names = listen->names;
    const struct name_slot *found = NULL;
    uint32_t hash = NAME_HASH_START;

    if (listen->servers_count == 1 || host.len == 0)
        return listen->servers[0];
    CHECK(names != NULL);
    if (host.ptr[host.len - 1] == '.')
        host.len--;
    /* From its end: each wildcard found is longer than those before it, and the name itself is the
     * longest. */
    for (size_t i = host.len; i-- > 0;) {
        const struct name_slot *slot = NULL;

        hash = name_hash_add(hash, host.ptr[i]);
        if (i == 0 ? host.ptr[i] != '.' : host.ptr[i] == '.' && names->has_wildcards)
            slot = name_table_find(&names->table, hash, span_make(host.ptr + i, host.len - i));
        if (slot != NULL)
            found = slot;
    }
    return listen->servers[found != NULL ? found->index : 0];
}

/* config_server.c: names, addresses, locations and redirects of each server. */
#include "config/config_admission.h"
#include "config/config_server.h"
#include "core/check.h"
#include "config/config_access.h"
#include "config/config_cache.h"
#include "config/config_check.h"
#include "config/config_fields.h"
#include "config/config_listen.h"
#include "config/config_location.h"
#include "config/config_notes.h"
#include "config/config_pattern.h"
#include "config/config_redirect.h"
#include "config/config_rules.h"
#include "config/config_site_redirects.h"
#include "config/config_store.h"
#include "config/config_text.h"
#include "config/config_tls.h"
#include "config/server_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the making of each server needs. */
struct servers {
    const struct config_build *build;
    const struct config_block *top;
    const struct config_block *defaults;          /* of a server's keys */
    const struct config_block *redirect_defaults; /* of a redirect's */
    struct config *config;
};

static const struct config_entry *
entry_or_default(const struct servers *servers, const struct config_block *block, const char *key)
{
    const struct config_entry *entry = config_entry_at(block, key);

    return entry->is_set ? entry : config_entry_at(servers->defaults, key);
}

static int hosts_make(const struct servers *servers, const struct config_block *block,
                      struct server *server)
{
    const struct config_entry *aliases = entry_or_default(servers, block, "alias_hosts");
    int res;

    server->hosts = arena_array(servers->build->arena, aliases->count + 1, sizeof(char *));
    if (server->hosts == NULL)
        return -ENOMEM;
    server->hosts_count = aliases->count + 1;
    res =
        config_host_parse(servers->build, block->place, "server", block->title, &server->hosts[0]);
    for (size_t i = 0; res == 0 && i < aliases->count; i++)
        res = config_host_parse(servers->build, aliases->items[i].place, "alias_hosts",
                                aliases->items[i].text, &server->hosts[i + 1]);
    server->name = server->hosts[0];
    config_note(servers->build, server->name, block->place);
    for (size_t i = 0; res == 0 && i < server->hosts_count; i++)
        server->is_default |= strcmp(server->hosts[i], CONFIG_HOST_DEFAULT) == 0;
    return res;
}

/* Locations of a server up to which their prefixes are looked at in turn: no hash is as quick. */
enum { LOCATIONS_FEW = 4 };

/* Longest first; the order among equals only has to be the same every time. */
static int compare_paths(struct span a, struct span b)
{
    if (a.len != b.len)
        return a.len > b.len ? -1 : 1;
    return memcmp(a.ptr, b.ptr, a.len);
}

static int compare_locations(const void *a, const void *b)
{
    const struct location *x = a, *y = b;
    bool is_prefix = pattern_is_prefix(x->pattern.kind);

    if (is_prefix != pattern_is_prefix(y->pattern.kind))
        return is_prefix ? 1 : -1;
    return is_prefix ? compare_paths(x->prefix, y->prefix) : x->id < y->id ? -1 : x->id > y->id;
}

/* `block`: the server's; `inner`: the location's, or NULL for a "/" that has no block. */
static int location_make(const struct servers *servers, const struct config_block *block,
                         const struct config_block *inner, const struct server *server,
                         struct location *location)
{
    const struct config_layers layers = { servers->defaults, block,          inner,
                                          server->cache,     server->fields, server };
    const struct config_build *build = servers->build;
    struct pattern *pattern = &location->pattern;
    int res = config_location_pattern(build, inner, pattern);

    if (res < 0)
        return res;
    if (inner != NULL)
        config_note(build, pattern->text.ptr, inner->place);
    location->prefix = SPAN_LIT("/");
    if (pattern->kind == PATTERN_EXACT || pattern_is_prefix(pattern->kind))
        location->prefix = pattern->text;
    servers->config->has_regex |= pattern_is_regex(pattern->kind);
    if (inner != NULL) {
        res = config_check_titles(build, inner);
        if (res < 0)
            return res;
    }
    res = config_location_make(build, &layers, servers->config, location);
    if (res == 0 && location->root == NULL && location->answer == NULL &&
        location->rewrite == NULL &&
        !(pattern_is_prefix(pattern->kind) && location->prefix.len == 1))
        return config_fail_advise(build, inner->place, "location",
                                  "add root, alias, return or rewrite to it, or root to its server",
                                  "\"%.200s\" has no directory to serve", inner->title);
    return res;
}

/* What finds them, unless they are prefixes alone, and few. */
static int locations_set_make(const struct servers *servers, struct server *server)
{
    size_t count = server->locations_count;
    const struct pattern **patterns =
        arena_array(servers->build->scratch, count, sizeof(*patterns));
    bool few = count <= LOCATIONS_FEW;

    if (patterns == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        patterns[i] = &server->locations[i].pattern;
        few &= patterns[i]->kind == PATTERN_PREFIX;
    }
    return few ? 0
               : pattern_set_make(servers->build->arena, patterns, count, &server->locations_set);
}

static int locations_make(const struct servers *servers, const struct config_block *block,
                          struct server *server)
{
    size_t room = config_blocks_of(block, CONFIG_LOCATION) + 1;
    struct location *location;
    bool has_slash = false;
    int res = config_cache_make(servers->build, block, servers->config, &server->cache);

    if (res == 0)
        res = config_fields_make(servers->build, block, servers->config, &server->fields);
    server->locations = arena_array(servers->build->arena, room, sizeof(server->locations[0]));
    if (server->locations == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < block->blocks_count; i++) {
        if (block->blocks[i]->kind != CONFIG_LOCATION)
            continue;
        location = &server->locations[server->locations_count];
        location->id = (unsigned)server->locations_count++; /* until they are sorted */
        res = location_make(servers, block, block->blocks[i], server, location);
        has_slash |= pattern_is_prefix(location->pattern.kind) && location->prefix.len == 1;
    }
    if (res == 0 && !has_slash)
        res = location_make(servers, block, NULL, server,
                            &server->locations[server->locations_count++]);
    if (res < 0)
        return res;
    qsort(server->locations, server->locations_count, sizeof(server->locations[0]),
          compare_locations);
    for (size_t i = 0; i < server->locations_count; i++) {
        CHECK(servers->config->locations_count < UINT32_MAX);
        server->locations[i].id = (unsigned)servers->config->locations_count++;
    }
    CHECK(server->locations[server->locations_count - 1].prefix.len == 1);
    return locations_set_make(servers, server);
}

static int redirects_make(const struct servers *servers, const struct config_block *block,
                          struct server *server)
{
    const struct config_scope scope = { .build = servers->build, .config = servers->config };

    return config_redirects_make(&scope, servers->redirect_defaults, block, server);
}

/* A path of the server's own; NULL in *ret_path: none. */
static int own_path(const struct servers *servers, const struct config_block *block,
                    const char *name, char **ret_path)
{
    const struct config_entry *entry = config_entry_at(block, name);

    *ret_path = NULL;
    if (!entry->is_set || entry->items->text[0] == '\0')
        return 0;
    return config_text(servers->build, config_key_find(name), entry->items, ret_path);
}

/* What the server tells of itself, and to whom. */
static int reports_make(const struct servers *servers, const struct config_block *block,
                        struct server *server)
{
    const struct config_entry *allow = config_entry_at(block, "status_allow");
    struct arena *arena = servers->build->arena;
    int res = own_path(servers, block, "status_page", &server->status_page);

    if (res == 0)
        res = own_path(servers, block, "health", &server->health);
    if (res < 0 || !allow->is_set)
        return res;
    server->status_allow_texts =
        arena_array(arena, allow->count, sizeof(server->status_allow_texts[0]));
    if (server->status_allow_texts == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < allow->count; i++)
        res = config_text(servers->build, config_key_find("status_allow"), &allow->items[i],
                          &server->status_allow_texts[server->status_allow_count++]);
    return res < 0 ? res
                   : address_set_make(arena, server->status_allow_texts, server->status_allow_count,
                                      &server->status_allow);
}

/* Are there paths that are answered whatever the method is? */
static bool decides(const struct server *server)
{
    for (size_t i = 0; i < server->locations_count; i++) {
        if (server->locations[i].answer != NULL)
            return true;
    }
    return server->redirects_any;
}

/* A server that serves nothing and sends nobody anywhere is a slip. */
static bool has_nothing(const struct server *server)
{
    return server->locations_count == 1 && server->locations[0].root == NULL && !server->decides &&
           !server->is_default && server->site_redirects == NULL;
}

static int server_make(const struct servers *servers, const struct config_block *block,
                       struct server *server)
{
    int res = config_check_titles(servers->build, block);

    if (res == 0)
        res = hosts_make(servers, block, server);
    if (res == 0)
        res = config_listen_add(servers->build, entry_or_default(servers, block, "listen"),
                                servers->config, server);
    if (res == 0)
        res = config_certificates_make(servers->build, block, server);
    if (res == 0)
        res = config_client_auth_make(servers->build, servers->defaults, block, server);
    if (res == 0)
        res = locations_make(servers, block, server);
    if (res == 0)
        res = config_check_archives(servers->build, block->place, server);
    if (res == 0)
        res = redirects_make(servers, block, server);
    if (res == 0)
        server->decides = decides(server);
    if (res == 0)
        res = config_site_redirects_make(servers->build, block, servers->config, server);
    if (res == 0)
        res = reports_make(servers, block, server);
    if (res == 0)
        res = config_access_make(servers->build, servers->top, block, servers->config, server);
    if (res == 0 && has_nothing(server))
        return config_fail_advise(servers->build, block->place, "server",
                                  "add root = \"/path/of/a/directory\" to it",
                                  "\"%.100s\" has no root", block->title);
    return res;
}

/* Notes what the server's locations need of the whole process. */
static void needs_note(const struct server *server, struct config *config)
{
    for (size_t i = 0; i < server->locations_count; i++) {
        const struct location *location = &server->locations[i];
        const struct admission *admission = location->admission;

        config->has_etag_content |= location->etag == ETAG_CONTENT;
        if (admission == NULL)
            continue;
        config->has_auth |= admission->auth != NULL;
        config->has_regex |= admission->referers != NULL && admission->referers->regexes_count > 0;
    }
}

/* Room for everything that is counted over all servers. 0 or -ENOMEM. */
static int servers_reserve(const struct servers *servers, const struct config_block *top)
{
    struct config *config = servers->config;
    struct arena *arena = servers->build->arena, *scratch = servers->build->scratch;
    struct config_shared *shared = servers->build->shared;
    size_t listens = 0, roots = 0, count = config_blocks_of(top, CONFIG_SERVER);

    for (size_t i = 0; i < top->blocks_count; i++) {
        const struct config_block *block = top->blocks[i];

        listens += config_listen_max(entry_or_default(servers, block, "listen"));
        roots += config_blocks_of(block, CONFIG_LOCATION) + 1;
    }
    config->servers_count = count;
    config->servers = arena_array(arena, count, sizeof(config->servers[0]));
    shared->wide = arena_array(scratch, listens, sizeof(shared->wide[0]));
    shared->wide_count = 0;
    shared->access = NULL;
    shared->client_rules = arena_array(scratch, roots, sizeof(shared->client_rules[0]));
    shared->client_rules_count = 0;
    shared->user_files = arena_array(scratch, roots, sizeof(shared->user_files[0]));
    shared->user_files_count = 0;
    config->access_logs = arena_array(arena, count, sizeof(config->access_logs[0]));
    config->listens = arena_array(arena, listens, sizeof(config->listens[0]));
    config->roots = arena_array(arena, roots, sizeof(config->roots[0]));
    if (config->servers == NULL || config->access_logs == NULL || config->listens == NULL ||
        config->roots == NULL || shared->wide == NULL ||
        name_table_make(scratch, listens, false, &shared->listens) < 0 ||
        name_table_make(scratch, roots, false, &shared->roots) < 0 ||
        shared->client_rules == NULL || shared->user_files == NULL ||
        name_table_make(scratch, roots, false, &shared->users) < 0 ||
        name_table_make(scratch, roots, false, &shared->clients) < 0 ||
        name_table_make(scratch, count, false, &shared->access_logs) < 0)
        return -ENOMEM;
    return 0;
}

int config_servers_make(const struct config_build *build, const struct config_block *top,
                        const struct config_block *defaults,
                        const struct config_block *redirect_defaults, struct config *config)
{
    struct config_shared shared;
    struct config_build sharing = *build;
    const struct servers servers = { &sharing, top, defaults, redirect_defaults, config };
    struct server *server;
    int res;

    sharing.shared = &shared;

    if (config_blocks_of(top, CONFIG_SERVER) == 0)
        return config_fail_advise(build, top->place, "",
                                  "add a block server \"www.example.org\" { ... }",
                                  "there is nothing to serve");
    res = servers_reserve(&servers, top);
    if (res < 0)
        return res;
    server = config->servers;
    for (size_t i = 0; res == 0 && i < top->blocks_count; i++) {
        CHECK(top->blocks[i]->kind == CONFIG_SERVER);
        res = server_make(&servers, top->blocks[i], server++);
    }
    for (size_t i = 0; i < config->servers_count; i++)
        needs_note(&config->servers[i], config);
    if (res == 0)
        res = config_check_names(build, top, config);
    for (size_t i = 0; res == 0 && i < config->listens_count; i++)
        res = server_names_make(build->arena, &config->listens[i]);
    if (res == 0)
        res = config_check_proxies(build, config);
    return res < 0 ? res : config_check_tls(build, top, config);
}

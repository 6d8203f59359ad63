/* config_source.c: the file, the server that DIR makes, the environment, the command line. */
#include "config/config_source.h"
#include "config/config_environment.h"
#include "config/config_parse.h"
#include "core/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct config_place named(const char *name)
{
    return (struct config_place){ .file = name };
}

/* Has the key this one value, whatever it had. */
static int entry_set(const struct config_build *build, struct config_entry *entry,
                     const char *place, const char *text)
{
    *entry = (struct config_entry){ .is_set = true, .place = named(place) };
    return config_entry_add(build->scratch, entry, (struct config_item){ text, named(place) });
}

/* `text` as it stands behind the '=' of -o or of a variable; `place` names that. */
static int entry_set_setting(const struct config_build *build, const struct config_key *key,
                             struct config_entry *entry, const char *place, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return config_fail(build, named(place), key->name,
                               "the value holds a control character");
    }
    if (!config_key_is_list(key) || (text[0] != '{' && text[0] != '\0'))
        return entry_set(build, entry, place, text);
    return config_parse_list(build, place, key, span_str(text[0] != '\0' ? text : "{}"), entry);
}

/* The table's default of `key`, which has one. */
static int entry_set_default(const struct config_build *build, const struct config_key *key,
                             struct config_entry *entry)
{
    static const char place[] = "default";
    const char *text = key->fallback;

    if (config_key_is_list(key))
        text = arena_printf(build->scratch, "{%s}", text);
    return text == NULL ? -ENOMEM : entry_set_setting(build, key, entry, place, text);
}

/* Where a setting from outside the file goes: the top level, else the only server; NULL: it cannot
 * be set there. What that server says itself would win over the top level. */
static struct config_entry *entry_of_setting(const struct config_key *key, struct config_block *top,
                                             struct config_block *server)
{
    size_t index = config_key_index(key);
    bool in_server = server != NULL && (key->blocks & 1u << CONFIG_SERVER) != 0;

    if (key->type == CONFIG_INCLUDE)
        return NULL;
    if ((key->blocks & 1u << CONFIG_TOP) != 0)
        return in_server && config_entry_by(server, index)->is_set ? config_entry_by(server, index)
                                                                   : config_entry_by(top, index);
    return in_server ? config_entry_by(server, index) : NULL;
}

/* A config_setting_take: of -o and of the environment. */
static int setting_take(const struct config_build *build, const struct config_key *key,
                        const char *place, const char *text, struct config_block *top,
                        struct config_block *server)
{
    struct config_entry *entry = entry_of_setting(key, top, server);

    if (entry != NULL)
        return entry_set_setting(build, key, entry, place, text);
    if (server == NULL && (key->blocks & 1u << CONFIG_SERVER) != 0 && key->type != CONFIG_INCLUDE)
        return config_fail_advise(build, named(place), "", "set it in a server block of the file",
                                  "it belongs to a server, and can be set here where there is one "
                                  "server alone, not %zu",
                                  config_blocks_of(top, CONFIG_SERVER));
    return config_fail_advise(build, named(place), "", "set it in the file",
                              "it cannot be set here");
}

/* The server of a file that has one alone, else NULL. */
static struct config_block *only_server(const struct config_block *top)
{
    if (config_blocks_of(top, CONFIG_SERVER) != 1)
        return NULL;
    for (size_t i = 0;; i++) {
        if (top->blocks[i]->kind == CONFIG_SERVER)
            return top->blocks[i];
    }
}

/* One -o. */
static int setting_read(const struct config_build *build, const char *setting,
                        struct config_block *top, struct config_block *server)
{
    const char *equals = strchr(setting, '=');
    size_t len = equals != NULL ? (size_t)(equals - setting) : strlen(setting);
    char *place = arena_printf(build->scratch, "-o %.*s", (int)len, setting);
    const struct config_key *key;
    const char *name, *nearest;

    if (place == NULL)
        return -ENOMEM;
    name = place + strlen("-o ");
    if (equals == NULL)
        return config_fail_advise(build, named(place), "", "write -o key=value", "= is missing");
    key = config_key_find(name);
    if (key == NULL) {
        nearest = config_nearest(CONFIG_TOP, name);
        if (nearest == NULL)
            nearest = config_nearest(CONFIG_SERVER, name);
        if (nearest == NULL || config_key_find(nearest) == NULL)
            return config_fail(build, named(place), "",
                               "no key has this name; server.conf(5) "
                               "lists all");
        return config_fail(build, named(place), "", "no key has this name; did you mean \"%s\"?",
                           nearest);
    }
    return setting_take(build, key, place, equals + 1, top, server);
}

static int file_read(const struct config_build *build, const char *file,
                     struct config_block **ret_top)
{
    char *path = config_path(build, named(file), file);
    char *text = NULL;
    size_t len = 0;
    int res;

    if (path == NULL)
        return -ENOMEM;
    res = build->files->read(build->files->context, path, &text, &len);
    if (res < 0) {
        config_fail(build, named(file), "", "the configuration cannot be read: %s", strerror(-res));
        return res;
    }
    res = config_parse(build, file, span_make(text, len), ret_top);
    free(text);
    return res;
}

/* The server of DIR takes the place of the file's. */
static int server_make(const struct config_build *build, const struct config_source *source,
                       struct config_block *top, struct config_block **ret_server)
{
    const struct config_place place = named("the folder to serve");
    struct config_block *server =
        config_block_make(build->scratch, CONFIG_SERVER, "localhost", place);
    int res;

    if (server == NULL)
        return -ENOMEM;
    top->blocks_count = 0;
    res = config_block_add(build->scratch, top, server);
    if (res == 0)
        res = entry_set(build, config_entry_of(server, "root"), place.file, source->root);
    if (res ==
        0) /* who names a folder wants to see what is in it; the environment, -o come later */
        res = entry_set(build, config_entry_of(server, "autoindex"), place.file, "on");
    if (res == 0)
        *ret_server = server;
    return res;
}

/* Adds the address `text` to those that the server has by now, or would have by default. */
static int listen_append(const struct config_build *build, struct config_block *server,
                         const char *place, const char *text)
{
    const struct config_key *key = config_key_find("listen");
    struct config_entry *entry = config_entry_of(server, key->name);
    int res = entry->is_set ? 0 : entry_set_default(build, key, entry);

    if (res < 0)
        return res;
    return config_entry_add(build->scratch, entry, (struct config_item){ text, named(place) });
}

int config_source_read(const struct config_build *build, const struct config_source *source,
                       struct config_block **ret_top)
{
    struct config_block *top = NULL, *server = NULL, *only = NULL;
    int res;

    if (source->file != NULL)
        res = file_read(build, source->file, &top);
    else
        res = (top = config_block_make(build->scratch, CONFIG_TOP, NULL, named("default"))) != NULL
                  ? 0
                  : -ENOMEM;
    if (res == 0 && source->root != NULL)
        res = server_make(build, source, top, &server);
    if (res == 0)
        only = only_server(top);
    if (res == 0 && source->use_environment)
        res = config_environment_read(build, setting_take, top, only);
    if (res == 0 && source->engine != NULL)
        res = entry_set(build, config_entry_of(top, "engine"), "--engine", source->engine);
    if (res == 0 && source->listen != NULL && server != NULL)
        res = entry_set(build, config_entry_of(server, "listen"), "--listen", source->listen);
    for (size_t i = 0; res == 0 && i < source->settings_count; i++)
        res = setting_read(build, source->settings[i], top, only);
    if (res == 0 && source->tls_listen != NULL && server != NULL)
        res = listen_append(build, server, "--tls-port", source->tls_listen);
    if (res == 0)
        *ret_top = top;
    return res;
}

int config_defaults_make(const struct config_build *build, enum config_block_kind kind,
                         struct config_block **ret_defaults)
{
    struct config_block *defaults = config_block_make(build->scratch, kind, NULL, named("default"));
    int res = defaults != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; res == 0 && i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if ((key->blocks & 1u << kind) != 0 && key->fallback != NULL)
            res = entry_set_default(build, key, config_entry_by(defaults, i));
    }
    if (res == 0)
        *ret_defaults = defaults;
    return res;
}

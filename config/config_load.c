/* config_load.c: from what was said to the configuration in force: the keys of the top level here,
 * servers in config_server.c. */
#include "config/config_load.h"
#include "core/check.h"
#include "core/cpus.h"
#include "core/directory_look.h"
#include "core/random_key.h"
#include "core/safe_open.h"
#include "config/config_access.h"
#include "config/config_environment.h"
#include "config/config_glob.h"
#include "config/config_map.h"
#include "config/config_rules.h"
#include "config/config_server.h"
#include "config/config_source.h"
#include "config/config_store.h"
#include "config/config_texts.h"
#include "config/config_tls.h"
#include "config/host_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lets every key of the top level say something. */
static void defaults_fill(struct config_block *top, const struct config_block *defaults)
{
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        if (!top->entries[i].is_set)
            top->entries[i] = defaults->entries[i];
    }
}

/* Octets of a value of the type in struct config; 0: it holds pointers. */
static size_t type_size(enum config_type type)
{
    switch (type) {
    case CONFIG_BOOL:
        return sizeof(bool);
    case CONFIG_COUNT:
    case CONFIG_SIZE32:
    case CONFIG_DURATION:
    case CONFIG_CHOICE:
        return sizeof(uint32_t);
    case CONFIG_SIZE64:
        return sizeof(uint64_t);
    default:
        return 0;
    }
}

/* Compares what is in force with the defaults: values, however they are written; texts as such. */
static int changes_find(const struct config_build *build, const struct config_block *top,
                        const struct config_block *defaults, struct config *config)
{
    struct config *plain = arena_alloc(build->scratch, sizeof(*plain));

    config->keys_changed = arena_array(build->arena, CONFIG_KEYS_COUNT, sizeof(bool));
    if (plain == NULL || config->keys_changed == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        size_t size = type_size(key->type);

        if ((key->blocks & 1u << CONFIG_TOP) == 0 || config_key_is_list(key) ||
            key->type == CONFIG_INCLUDE)
            continue;
        if (size == 0) {
            config->keys_changed[i] =
                strcmp(top->entries[i].items->text, defaults->entries[i].items->text) != 0;
            continue;
        }
        int res = config_store(build, key, &defaults->entries[i], plain);
        if (res < 0)
            return res;
        config->keys_changed[i] = memcmp((const char *)plain + key->offset,
                                         (const char *)config + key->offset, size) != 0;
    }
    return 0;
}

static int types_make(const struct config_build *build, const struct config_block *top,
                      struct config *config)
{
    const struct config_key *key = config_key_find("types");
    const struct config_entry *entry = config_entry_at(top, "types");

    config->types = arena_array(build->arena, entry->count, sizeof(config->types[0]));
    if (config->types == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < entry->count; i++) {
        struct header_rule type;
        int res = config_type_parse(build, key, &entry->items[i], &type);

        if (res < 0)
            return res;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(config->types[j].name, type.name) == 0)
                return config_fail_item(build, &entry->items[i], key,
                                        "\"%.100s\" stands twice in the list", type.name);
        }
        config->types[config->types_count++] = type;
    }
    return 0;
}

static int places_make(const struct config_build *build, const struct config_block *top,
                       struct config *config)
{
    config->key_places =
        arena_array(build->arena, CONFIG_KEYS_COUNT, sizeof(config->key_places[0]));
    if (config->key_places == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        struct config_place place = top->entries[i].place;

        if (!top->entries[i].is_set)
            continue;
        config->key_places[i] = place.line > 0
                                    ? arena_printf(build->arena, "%s:%d", place.file, place.line)
                                    : arena_strdup(build->arena, place.file);
        if (config->key_places[i] == NULL)
            return -ENOMEM;
    }
    return 0;
}

/* Notes which keys of its only server were set from outside the file: those places have no line. */
static int settings_note(const struct config_build *build, const struct config_block *top,
                         struct config *config)
{
    const struct config_block *server = NULL;
    const char *text = "";

    for (size_t i = 0; i < top->blocks_count && server == NULL; i++)
        server = top->blocks[i]->kind == CONFIG_SERVER ? top->blocks[i] : NULL;
    for (size_t i = 0; server != NULL && text != NULL && i < server->entries_count; i++) {
        const struct config_entry *entry = &server->entries[i];

        if (entry->is_set && entry->place.line == 0)
            text = arena_printf(build->arena, "%s%s%s", text, text[0] != '\0' ? ", " : "",
                                entry->place.file);
    }
    config->server_set_by = text;
    return text != NULL ? 0 : -ENOMEM;
}

/* What is asked of each connection, from what was written. */
static int address_sets_make(const struct config_build *build, struct config *config)
{
    struct real_ip *real_ip = &config->real_ip;
    int res = address_set_make(build->arena, config->trusted_texts, config->trusted_count,
                               &config->trusted);

    if (res == 0)
        res = address_set_make(build->arena, config->limit_exempt_texts, config->limit_exempt_count,
                               &config->limit_exempt);
    return res < 0 ? res
                   : address_set_make(build->arena, real_ip->from_texts, real_ip->from_count,
                                      &real_ip->from);
}

static int top_make(const struct config_build *build, const struct config_block *top,
                    struct config *config)
{
    int res = types_make(build, top, config);

    if (res == 0)
        res = config_protocols_make(build, top, config);
    for (size_t i = 0; res == 0 && i < CONFIG_KEYS_COUNT; i++) {
        const struct config_key *key = config_key_at(i);

        if ((key->blocks & 1u << CONFIG_TOP) != 0 && key->offset != CONFIG_NO_OFFSET)
            res = config_store(build, key, &top->entries[i], config);
    }
    if (res == 0)
        res = address_sets_make(build, config);
    if (res == 0)
        res = config_error_log_make(build, top, config);
    if (res < 0)
        return res;
    if (config->user[0] == '\0')
        config->user = NULL;
    if (config->pid_file[0] == '\0')
        config->pid_file = NULL;
    return places_make(build, top, config);
}

/* The event loops where nobody says how many. Several processes are for several CPUs already, and a
 * loop has to have a connection. */
static uint32_t threads_unless_set(const struct config *config)
{
    if (config->processes > 1)
        return 1;
    return config->connections_max < cpus_threads(0) ? config->connections_max : 0;
}

static int config_make(const struct config_build *build, const struct config_source *source,
                       struct config *config)
{
    struct config_block *top = NULL, *defaults = NULL;
    struct config_block *server_defaults = NULL, *redirect_defaults = NULL, *map_defaults = NULL;
    bool in_foreground = false, has_threads = false;
    int res = config_source_read(build, source, &top);

    if (res == 0 && source->use_environment)
        config_environment_warn(build, config);
    if (res == 0)
        res = settings_note(build, top, config);
    config->tls.self_signed = source->tls_self_signed;
    if (res == 0) /* a folder is served for trying out, by the process that was started */
        in_foreground = source->root != NULL && !config_entry_at(top, "processes")->is_set;
    if (res == 0)
        has_threads = config_entry_at(top, "threads")->is_set;
    if (res == 0)
        res = config_defaults_make(build, CONFIG_TOP, &defaults);
    if (res == 0)
        defaults_fill(top, defaults);
    if (res == 0)
        res = config_defaults_make(build, CONFIG_SERVER, &server_defaults);
    if (res == 0)
        res = config_defaults_make(build, CONFIG_REDIRECT, &redirect_defaults);
    if (res == 0)
        res = config_defaults_make(build, CONFIG_MAP, &map_defaults);
    if (res == 0)
        res = top_make(build, top, config);
    if (res == 0)
        res = changes_find(build, top, defaults, config);
    if (in_foreground)
        config->processes = 0;
    if (res == 0 && !has_threads)
        config->threads = threads_unless_set(config);
    if (res == 0)
        res = config_maps_make(build, top, map_defaults, config);
    if (res == 0)
        res = config_servers_make(build, top, server_defaults, redirect_defaults, config);
    return res;
}

int config_load_from(const struct config_source *source, const struct config_files *files,
                     char *why, size_t why_size, struct config **ret_config)
{
    struct config_build build = { .arena = arena_create(),
                                  .scratch = arena_create(),
                                  .files = files,
                                  .why = why,
                                  .why_size = why_size };
    struct config *config = NULL;
    int res = -ENOMEM;

    CHECK(why_size > 0);
    random_key(build.hash_key);
    if (build.arena != NULL && build.scratch != NULL)
        config = arena_alloc(build.arena, sizeof(*config));
    if (config != NULL)
        config->connections_counted =
            arena_alloc(build.arena, sizeof(*config->connections_counted));
    if (config != NULL && config->connections_counted != NULL) {
        config->arena = build.arena;
        build.notes = &config->notes;
        res = config_make(&build, source, config);
    }
    arena_destroy(build.scratch);
    if (res == 0) {
        *ret_config = config;
        return 0;
    }
    if (res == -ENOMEM)
        snprintf(why, why_size, "there is no memory for the configuration");
    arena_destroy(build.arena);
    return res;
}

/* Reads to the end, so that pipes will do: -c /dev/stdin. Takes `fd`; below 0: -errno. */
static int file_read(int fd, char **ret_text, size_t *ret_len)
{
    static const size_t size_max = (size_t)64 << 20;
    size_t len = 0, room = 0;
    char *text = NULL;
    ssize_t count = fd < 0 ? fd : 1;

    while (count > 0) {
        if (len == room) {
            char *grown = room < size_max ? realloc(text, room + 65536) : NULL;

            if (grown == NULL) {
                count = room < size_max ? -ENOMEM : -EFBIG;
                break;
            }
            text = grown;
            room += 65536;
        }
        do
            count = read(fd, text + len, room - len);
        while (count < 0 && errno == EINTR);
        if (count < 0)
            count = -errno;
        else
            len += (size_t)count;
    }
    if (fd >= 0)
        close(fd);
    if (count < 0) {
        free(text);
        return (int)count;
    }
    *ret_text = text;
    *ret_len = len;
    return 0;
}

static int text_open(const char *path, const char **ret_what)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)ret_what;
    return fd < 0 ? -errno : fd;
}

/* A pipe that nobody writes to would be an empty file, and a list that denies nobody. */
static int data_open(const char *path, const char **ret_what)
{
    struct safe_file file;
    struct stat st;
    int res = safe_open(SAFE_READ, path, 0, &file, ret_what);

    if (res < 0)
        return res;
    res = fstat(file.fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
    if (res == 0)
        return file.fd;
    if (res == -EINVAL)
        *ret_what = "it is no regular file";
    close(file.fd);
    return res;
}

/* What was read before is taken as it was then. */
static int kept_or_read(void *context, const char *path,
                        int (*open_path)(const char *path, const char **ret_what), char **ret_text,
                        size_t *ret_len, const char **ret_what)
{
    struct config_texts *texts = context; /* or NULL */
    int res = texts != NULL ? config_texts_find(texts, path, ret_text, ret_len) : -ENOENT;

    if (res != -ENOENT)
        return res;
    res = file_read(open_path(path, ret_what), ret_text, ret_len);
    if (res < 0 || texts == NULL)
        return res;
    res = config_texts_keep(texts, path, *ret_text, *ret_len);
    if (res < 0)
        free(*ret_text);
    return res;
}

static int text_read(void *context, const char *path, char **ret_text, size_t *ret_len)
{
    const char *what;

    return kept_or_read(context, path, text_open, ret_text, ret_len, &what);
}

static int data_read(void *context, const char *path, char **ret_text, size_t *ret_len,
                     const char **ret_what)
{
    return kept_or_read(context, path, data_open, ret_text, ret_len, ret_what);
}

/* What matched before is what matches, so that a second reading says the same. */
static int paths_match(void *context, const char *pattern, char **ret_paths, size_t *ret_len)
{
    struct config_texts *texts = context; /* or NULL; no path of a file begins as a pattern does */
    char *name = NULL;
    int res;

    if (texts == NULL)
        return config_glob(pattern, ret_paths, ret_len);
    if (asprintf(&name, "pattern %s", pattern) < 0)
        return -ENOMEM;
    res = config_texts_find(texts, name, ret_paths, ret_len);
    if (res == -ENOENT) {
        res = config_glob(pattern, ret_paths, ret_len);
        if (res == 0 && config_texts_keep(texts, name, *ret_paths, *ret_len) < 0) {
            free(*ret_paths);
            res = -ENOMEM;
        }
    }
    free(name);
    return res;
}

enum { DIRECTORY_WAIT_MS = 10000 /* for a server of files that may be down */ };

static int directory_check(void *context, const char *path)
{
    (void)context;
    return directory_look(path, DIRECTORY_WAIT_MS);
}

int config_load(const struct config_source *source, char *why, size_t why_size,
                struct config **ret_config)
{
    char *working_directory = get_current_dir_name();
    struct config_files files = { .read = text_read,
                                  .read_data = data_read,
                                  .match = paths_match,
                                  .directory = directory_check,
                                  .context = source->texts,
                                  .working_directory = working_directory,
                                  .resolve = host_name_find };
    int res = -errno;

    if (working_directory == NULL)
        snprintf(why, why_size, "the working directory cannot be told: %s", strerror(-res));
    else
        res = config_load_from(source, &files, why, why_size, ret_config);
    free(working_directory);
    return res;
}

const char *config_place(const struct config *config, const char *name)
{
    const struct config_key *key = config_key_find(name);

    CHECK(key != NULL && config->key_places[config_key_index(key)] != NULL);
    return config->key_places[config_key_index(key)];
}

bool config_place_is_outside(const char *place)
{
    return place != NULL && (place[0] == '-' || strncmp(place, "GEARSHIFT_", 10) == 0);
}

bool config_is_changed(const struct config *config, const char *name)
{
    const struct config_key *key = config_key_find(name);

    CHECK(key != NULL && (key->blocks & 1u << CONFIG_TOP) != 0 && !config_key_is_list(key));
    return config->keys_changed[config_key_index(key)];
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->roots_count; i++) {
        if (config->roots[i].fd >= 0)
            close(config->roots[i].fd);
    }
    arena_destroy(config->arena);
}

/* config_headers.c: see config_headers.h. */
#include "config/config_headers.h"

#include "config/config_fields.h"
#include "config/config_site_file.h"
#include "config/config_warn.h"
#include "config/headers_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARNINGS_MAX = 20 /* of one file that are told */ };

/* Of one file. */
struct telling {
    const struct config_build *build;
    struct config *config;
    const char *path;
    size_t told;
};

static void warn(struct telling *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct telling *t, const char *format, ...)
{
    char text[900], *at;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    at = text + strnlen(text, strlen(t->path)); /* behind the path, which is the operator's */
    for (; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
    config_warn_text(t->build, t->config, text);
}

static void tell_line(void *context, size_t line, const char *what)
{
    struct telling *t = context;

    if (++t->told < WARNINGS_MAX)
        warn(t, "%s:%zu: %s", t->path, line, what);
    else if (t->told == WARNINGS_MAX)
        warn(t, "%s:%zu: and more of that kind", t->path, line);
}

/* For the hosts of `server`; *ret_hosts: lines of it are for some hosts. */
static int read_file(struct telling *t, const struct server *server, bool *ret_hosts,
                     const struct header_blocks **ret_blocks)
{
    const struct headers_file_hosts hosts = { server->hosts, server->hosts_count };
    const struct headers_file_told told = { tell_line, t };
    const struct config *config = t->config;
    struct arena *scratch;
    const char *what = NULL;
    char *text = NULL;
    size_t len = 0;
    int res = config_data_read(t->build, t->path, &text, &len, &what);

    if (res == -ENOMEM || res == -ENOENT)
        return res == -ENOENT ? 0 : res;
    if (res < 0) {
        warn(t, "%s cannot be read: %s; its fields are left out", t->path,
             what != NULL ? what : strerror(-res));
        return 0;
    }
    if (len > config->headers_file_max) {
        warn(t, "%s has more than headers_file_max = %u bytes; its fields are left out", t->path,
             config->headers_file_max);
        free(text);
        return 0;
    }
    scratch = arena_create();
    res = scratch == NULL ? -ENOMEM
                          : headers_file_parse(t->build->arena, scratch, span_make(text, len),
                                               config->headers_rules_max, &hosts, &told, ret_blocks,
                                               ret_hosts, &t->config->has_regex);
    arena_destroy(scratch);
    free(text);
    return res;
}

/* What the location's `hsts` and `cors` are for is not the file's. */
static void tell_others(struct telling *t, const struct header_blocks *blocks,
                        const struct location *location)
{
    for (size_t i = 0; blocks != NULL && i < blocks->count; i++) {
        for (size_t j = 0; j < blocks->blocks[i].count; j++) {
            const char *name = blocks->blocks[i].rules[j].field.name;

            if (!config_field_is_others(location, name))
                continue;
            warn(t, "%s: %.100s is left out at location \"%.200s\", where server.conf has %s",
                 t->path, name, location->pattern.text.ptr,
                 location->hsts[0] != '\0' && name[0] != 'A' && name[0] != 'a' ? "hsts" : "cors");
            return;
        }
    }
}

int config_headers_file_make(const struct config_build *build, struct config *config,
                             const struct server *server, struct location *location)
{
    struct headers_file *file = config->headers_files;
    struct telling t = { build, config, NULL, 0 };
    bool has_hosts = false;
    int res = 0;

    while (file != NULL &&
           (file->root != location->root || (file->server != NULL && file->server != server)))
        file = file->next;
    if (file == NULL) {
        file = arena_alloc(build->arena, sizeof(*file));
        if (file == NULL)
            return -ENOMEM;
        file->root = location->root;
        file->path = arena_printf(build->arena, "%s/%s", location->root->path, CONFIG_HEADERS_FILE);
        file->next = config->headers_files;
        config->headers_files = file;
        if (file->path == NULL)
            return -ENOMEM;
        t.path = file->path;
        res = read_file(&t, server, &has_hosts, &file->blocks);
        file->server = has_hosts ? server : NULL;
    }
    t.path = file->path;
    location->fields_file = file->blocks;
    if (res == 0)
        tell_others(&t, file->blocks, location);
    return res < 0 ? res : config_site_file_hide(build, location, CONFIG_HEADERS_FILE);
}

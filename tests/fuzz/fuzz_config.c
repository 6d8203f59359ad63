/* fuzz_config.c: any text as server.conf, in a world of three files and two folders.
 *
 * What is refused is refused with one printable line, and nothing is left behind (LeakSanitizer).
 * What is accepted keeps the promises of config/config.h, and what -T prints of it is accepted
 * again and prints the same. */
#include "core/check.h"
#include "config/config.h"
#include "config/config_load.h"
#include "config/config_print.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
    const char *ptr;
    size_t len;
};

/* server.conf is `context`; includes lead to these, and nowhere else. */
static int read_text(void *context, const char *path, char **ret_text, size_t *ret_len)
{
    const struct text *text = context;
    const struct text plain = { "threads = 2\n", 12 };
    const struct text ring = { "include(\"ring\")", 15 };
    char *copy;

    if (strcmp(path, "/site/plain") == 0)
        text = &plain;
    else if (strcmp(path, "/site/ring") == 0)
        text = &ring;
    else if (strcmp(path, "/site/server.conf") != 0)
        return -ENOENT;
    copy =
        malloc(text->len > 0 ? text->len : 1); /* no NUL behind it: ASan sees who looks for one */
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, text->ptr, text->len);
    *ret_text = copy;
    *ret_len = text->len;
    return 0;
}

/* A pattern leads to the same files. */
static int match(void *context, const char *pattern, char **ret_paths, size_t *ret_len)
{
    static const char *const paths[] = { "/site/plain", "/site/ring", "/site/server.conf" };
    char *text = malloc(64);

    (void)context;
    if (text == NULL)
        return -ENOMEM;
    *ret_paths = text;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        size_t size = strlen(paths[i]) + 1;

        if (fnmatch(pattern, paths[i], FNM_PATHNAME) != 0)
            continue;
        memcpy(text, paths[i], size);
        text += size;
    }
    *ret_len = (size_t)(text - *ret_paths);
    return 0;
}

static int directory(void *context, const char *path)
{
    (void)context;
    return strcmp(path, "/srv/www") == 0 || strcmp(path, "/site/www") == 0 ? 0 : -ENOENT;
}

static void check_server(const struct config *config, const struct server *server)
{
    CHECK(server->hosts_count > 0 && server->locations_count > 0);
    for (size_t i = 0; i < server->locations_count; i++) {
        const struct location *location = &server->locations[i];
        struct span prefix = location->prefix;

        CHECK(prefix.len > 0 && prefix.ptr[0] == '/' && prefix.ptr[prefix.len - 1] == '/');
        CHECK(i == 0 || prefix.len <= server->locations[i - 1].prefix.len);
        CHECK(location->id < config->locations_count);
        CHECK(location->root != NULL || prefix.len == 1);
        for (size_t j = 0; j < location->headers_count; j++)
            CHECK(location->headers[j].value[0] != '\0');
    }
    CHECK(server->locations[server->locations_count - 1].prefix.len == 1);
    CHECK(server->access_log == CONFIG_NO_LOG || server->access_log < config->access_logs_count);
}

static void check_listen(const struct listen_config *listen)
{
    CHECK(listen->servers_count > 0 && listen->backlog > 0);
    for (size_t i = 0; listen->tls && i < listen->servers_count; i++) {
        const struct server *server = listen->servers[i];

        CHECK(server->certificates_count > 0);
        for (size_t j = 0; j < server->certificates_count; j++)
            CHECK(server->certificates[j].chain_path[0] == '/' &&
                  server->certificates[j].key_path[0] == '/');
    }
}

static void check_config(const struct config *config)
{
    CHECK(config->servers_count > 0 && config->listens_count > 0);
    CHECK(config->worker_queue >= 1 && config->connections_max >= 1);
    CHECK(config->tls.protocols != 0 && config->tls.handshake_ms > 0);
    for (size_t i = 0; i < config->servers_count; i++)
        check_server(config, &config->servers[i]);
    for (size_t i = 0; i < config->listens_count; i++)
        check_listen(&config->listens[i]);
}

static int load(struct text *text, char *why, size_t why_size, struct config **ret_config)
{
    const struct config_source source = { .file = "server.conf" };
    const struct config_files files = { .read = read_text,
                                        .match = match,
                                        .directory = directory,
                                        .context = text,
                                        .working_directory = "/site" };

    return config_load_from(&source, &files, why, why_size, ret_config);
}

static struct text print(const struct config *config)
{
    char *ptr = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&ptr, &len);

    CHECK(out != NULL);
    CHECK(config_print(config, out) == 0);
    CHECK(fclose(out) == 0);
    return (struct text){ ptr, len };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = { (const char *)data, size };
    struct text first, second;
    struct config *config = NULL;
    char why[1024] = "";

    if (load(&text, why, sizeof(why), &config) < 0) {
        CHECK(config == NULL && why[0] != '\0' && strlen(why) < sizeof(why));
        CHECK(strchr(why, ':') != NULL);
        for (const char *at = why; *at != '\0'; at++)
            CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
        return 0;
    }
    check_config(config);
    first = print(config);
    config_free(config);

    if (load(&first, why, sizeof(why), &config) < 0) {
        fprintf(stderr, "what was printed is refused: %s\n%s", why, first.ptr);
        abort();
    }
    check_config(config);
    second = print(config);
    config_free(config);
    CHECK(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
    free((void *)first.ptr);
    free((void *)second.ptr);
    return 0;
}

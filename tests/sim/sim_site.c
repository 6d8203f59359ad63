/* sim_site.c: a few files of all sizes that matter. See sim_site.h. */
#include "sim_site.h"
#include "sim_folder.h"

#include "config/config_roots.h"
#include "core/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    size_t size;
} FILES[] = {
    { "index.html", 700 },    { "empty.txt", 0 },      { "one.txt", 1 },
    { "copied.txt", 4096 },   { "lent.bin", 4097 },    { "small.css", 16384 },
    { "small.css.gz", 3000 }, { "large.bin", 16385 },  { "huge.bin", 700000 },
    { "sub/index.html", 50 }, { "list/a & b.txt", 3 }, { "list/c.txt", 4 },
    { "caf\xe9\n.txt", 9 },
};

static void write_file(const char *root, const char *name, size_t size)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    char *octets = malloc(size + 1);
    CHECK(octets != NULL);
    for (size_t i = 0; i < size; i++)
        octets[i] = (char)('a' + (i * 7 + i / 251 + size) % 26);
    CHECK(write(fd, octets, size) == (ssize_t)size);
    free(octets);
    const struct timespec times[2] = { { 1700000000, 0 }, { 1700000000, 123456789 } };
    CHECK(futimens(fd, times) == 0);
    CHECK(close(fd) == 0);
}

void sim_site_create(struct sim_site *site)
{
    sim_folder_make(site->root, sizeof(site->root));
    char path[256];
    snprintf(path, sizeof(path), "%s/sub", site->root);
    CHECK(mkdir(path, 0755) == 0);
    snprintf(path, sizeof(path), "%s/list", site->root);
    CHECK(mkdir(path, 0755) == 0);
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++)
        write_file(site->root, FILES[i].name, FILES[i].size);

    static const char *const settings[] = {
        "autoindex=on",
        "precompressed=gzip",
        "error_pages=404=/one.txt",
        "connections_max=4",
        "keepalive_requests=0",
        "body_max=5000",
        "trusted=127.0.0.1",
        "compress=gzip",
        "compress_min=1",
        "limit_requests=50/s burst=10000 delay=2",
        "limit_rate=1m",
        "limit_rate_after=1000",
        "limit_rate_client=3m",
    };
    const struct config_source source = {
        .root = site->root,
        .listen = "127.0.0.1:1",
        .settings = settings,
        .settings_count = ARRAY_LEN(settings),
    };
    char why[512];
    int r = config_load(&source, why, sizeof(why), &site->config);
    if (r == 0)
        r = config_roots_open(site->config, why, sizeof(why));
    if (r < 0) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
}

void sim_site_destroy(struct sim_site *site)
{
    char path[256];
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        snprintf(path, sizeof(path), "%s/%s", site->root, FILES[i].name);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/sub", site->root);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/list", site->root);
    rmdir(path);
    rmdir(site->root);
    config_free(site->config);
}

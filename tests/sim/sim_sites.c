/* sim_sites.c: see sim_sites.h. */
#include "sim_sites.h"
#include "sim_engine.h"

#include "core/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some have sidecars, some are small enough to be kept in memory, some are not (16 KiB). */
const struct sim_file sim_files[SIM_FILES] = {
    { "index.html", 700, true, false },        { "page.html", 5000, true, false },
    { "page.html.zst", 900, true, false },     { "page.html.br", 800, false, false },
    { "page.html.gz", 1000, true, false },     { "style.css", 3000, true, false },
    { "style.css.gz", 600, true, false },      { "large.bin", 40000, true, false },
    { "large.bin.gz", 20000, false, false },   { "plain.txt", 60, true, false },
    { "404.html", 300, false, false },         { "sub/index.html", 50, true, false },
    { "sub/a.txt", 16385, true, false },       { "sub/a.txt.br", 400, true, false },
    { "br/b.txt", 2000, true, false },         { "br/b.txt.gz", 500, false, false },
    { "grown.bin", 20000, true, true },
};

static const char *const FOLDERS[] = { "sub", "br" };

/* `cache_files` is far below the number of names, and `cache_valid` passes within a few steps, so
 * that files are opened, looked at again and dropped all the time. */
static const char CONFIG[] =
    "connections_max = 64\n"
    "cache_files = 7\n"
    "cache_valid = 20ms\n"
    "keepalive_requests = 0\n"
    "keepalive_timeout = 1h\nheader_timeout = 1h\nsend_timeout = 1h\n"
    "server \"a\" {\n"
    "    listen = {\"127.0.0.1:1\", \"127.0.0.1:2\"}\n"
    "    root = \"a\"\n"
    "    precompressed = {\"zstd\", \"br\", \"gzip\"}\n"
    "    error_pages = {\"404=/404.html\"}\n"
    "    autoindex = on\n"
    "    location \"/br/\" { precompressed = {\"br\"} }\n"
    "}\n"
    "server \"b\" {\n"
    "    listen = {\"127.0.0.1:1\", \"127.0.0.1:2\"}\n"
    "    root = \"b\"\n"
    "    try = {\"$uri\", \"$uri.html\", \"$uri/\", \"/index.html\"}\n"
    "    location \"/sub/\" { precompressed = {\"gzip\", \"br\"} symlinks = deny }\n"
    "}\n";

/* Each octet depends on all that tells one file of one version from another. */
char sim_sites_octet(unsigned site, unsigned file, unsigned version, size_t at)
{
    uint64_t state = (uint64_t)site << 56 | (uint64_t)file << 48 | (uint64_t)version << 32 | at / 8;
    return (char)('!' + (sim_random(&state) >> at % 8 * 7) % 90);
}

size_t sim_sites_size(unsigned file, unsigned version)
{
    enum { GROWTH = 11 };
    return sim_files[file].size + (sim_files[file].grows ? (size_t)version * GROWTH : 0);
}

bool sim_sites_is(unsigned site, unsigned file, unsigned version, const char *body, size_t len)
{
    if (len != sim_sites_size(file, version))
        return false;
    for (size_t i = 0; i < len; i++)
        if (body[i] != sim_sites_octet(site, file, version, i))
            return false;
    return true;
}

static void path_of(const struct sim_sites *sites, unsigned site, const char *name, char path[256])
{
    int n = snprintf(path, 256, "%s/%c%s%s", sites->folder, 'a' + (int)site,
                     name[0] == '\0' ? "" : "/", name);
    CHECK(n > 0 && n < 256);
}

/* Opens `path` with `flags` and writes this version of the file over its beginning. */
static void write_version(const char *path, int flags, unsigned site, unsigned file,
                          unsigned version)
{
    size_t size = sim_sites_size(file, version);
    char *octets = malloc(size);
    CHECK(octets != NULL);
    for (size_t i = 0; i < size; i++)
        octets[i] = sim_sites_octet(site, file, version, i);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    CHECK(fd >= 0);
    CHECK(write(fd, octets, size) == (ssize_t)size);
    /* Long ago, so that it is not taken for a file that is being written to. */
    const struct timespec times[2] = { { 1700000000, version }, { 1700000000 + version, version } };
    CHECK(futimens(fd, times) == 0);
    CHECK(close(fd) == 0);
    free(octets);
}

void sim_sites_replace(struct sim_sites *sites, unsigned site, unsigned file)
{
    unsigned version = ++sites->versions[site][file];
    char path[256], fresh[256];
    path_of(sites, site, sim_files[file].name, path);
    if (sim_files[file].grows) {
        write_version(path, 0, site, file, version);
        return;
    }
    path_of(sites, site, ".fresh", fresh);
    write_version(fresh, O_EXCL, site, file, version);
    CHECK(rename(fresh, path) == 0);
}

void sim_sites_reset(struct sim_sites *sites)
{
    for (unsigned site = 0; site < SIM_SITES; site++) {
        for (unsigned file = 0; file < SIM_FILES; file++) {
            char path[256];
            if (!sim_files[file].grows)
                continue;
            path_of(sites, site, sim_files[file].name, path);
            sites->versions[site][file] = 1;
            write_version(path, O_TRUNC, site, file, 1);
        }
    }
}

int sim_sites_find(const char *name, size_t len)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (strlen(sim_files[i].name) == len && memcmp(sim_files[i].name, name, len) == 0)
            return i;
    return -1;
}

static void load_config(struct sim_sites *sites)
{
    char path[256], why[512];
    snprintf(path, sizeof(path), "%s/server.conf", sites->folder);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(CONFIG, file) >= 0 && fclose(file) == 0);
    const struct config_source source = { .file = path };
    int r = config_load(&source, why, sizeof(why), &sites->config);
    if (r == 0)
        r = config_roots_open(sites->config, why, sizeof(why));
    if (r < 0) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    CHECK(sites->config->listens_count == 2);
    sites->config->listens[1].tls = true;
    CHECK(unlink(path) == 0);
}

void sim_sites_create(struct sim_sites *sites)
{
    *sites = (struct sim_sites){ .folder = "/tmp/gearshift-sim-XXXXXX" };
    CHECK(mkdtemp(sites->folder) != NULL);
    char path[256];
    for (unsigned site = 0; site < SIM_SITES; site++) {
        path_of(sites, site, "", path);
        CHECK(mkdir(path, 0755) == 0);
        for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
            path_of(sites, site, FOLDERS[i], path);
            CHECK(mkdir(path, 0755) == 0);
        }
        for (unsigned file = 0; file < SIM_FILES; file++)
            sim_sites_replace(sites, site, file);
    }
    load_config(sites);
}

void sim_sites_destroy(struct sim_sites *sites)
{
    char path[256];
    for (unsigned site = 0; site < SIM_SITES; site++) {
        for (unsigned file = 0; file < SIM_FILES; file++) {
            path_of(sites, site, sim_files[file].name, path);
            unlink(path);
        }
        for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
            path_of(sites, site, FOLDERS[i], path);
            rmdir(path);
        }
        path_of(sites, site, "", path);
        rmdir(path);
    }
    rmdir(sites->folder);
    config_free(sites->config);
}

/* sim_sites.c: see sim_sites.h. */
#include "sim_sites.h"
#include "sim_engine.h"
#include "sim_folder.h"

#include "config/config_roots.h"
#include "core/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some have sidecars, some are small enough to be kept in memory, some are not (16 KiB). */
const struct sim_file sim_files[SIM_FILES] = {
    { "index.html", 700, true, false },      { "page.html", 5000, true, false },
    { "page.html.zst", 900, true, false },   { "page.html.br", 800, false, false },
    { "page.html.gz", 1000, true, false },   { "style.css", 3000, true, false },
    { "style.css.gz", 600, true, false },    { "large.bin", 40000, true, false },
    { "large.bin.gz", 20000, false, false }, { "plain.txt", 60, true, false },
    { "404.html", 300, false, false },       { "sub/index.html", 50, true, false },
    { "sub/a.txt", 16385, true, false },     { "sub/a.txt.br", 400, true, false },
    { "br/b.txt", 2000, true, false },       { "br/b.txt.gz", 500, false, false },
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
    "    location \"/either/\" { try = {\"/odd.txt\", \"/even.txt\"} }\n"
    "}\n"
    "server \"b\" {\n"
    "    listen = {\"127.0.0.1:1\", \"127.0.0.1:2\"}\n"
    "    root = \"b\"\n"
    "    try = {\"$uri\", \"$uri.html\", \"$uri/\", \"/index.html\"}\n"
    "    location \"/sub/\" { precompressed = {\"gzip\", \"br\"} symlinks = deny }\n"
    "    location \"/either/\" { try = {\"/even.txt\", \"/odd.txt\"} }\n"
    "    compress_types = {\"*/*\"}\n"
    "    compress = {";

/* Behind it: what comes of `compress` depends on who else is asking, so that it is for those alone
 * who know a file in either form. */
static const char CONFIG_COMPRESSES[] = "\"gzip\"}\n}\ncompress_cache = 64k\ncompress_min = 10\n";
static const char CONFIG_END[] = "}\n}\n";

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

/* `release` 0: through the link to the present one. */
static void path_of(const struct sim_sites *sites, unsigned site, unsigned release,
                    const char *name, char path[256])
{
    char suffix[16] = "";
    if (release > 0)
        snprintf(suffix, sizeof(suffix), "-%u", release);
    int n = snprintf(path, 256, "%s/%c%s%s%s", sites->folder, 'a' + (int)site, suffix,
                     name[0] == '\0' ? "" : "/", name);
    CHECK(n > 0 && n < 256);
}

/* Opens `path` with `flags` and writes over its beginning; as if long ago, so that it is not taken
 * for a file that is being written to. */
static void write_file(const char *path, int flags, const char *octets, size_t size,
                       unsigned version)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    CHECK(fd >= 0);
    CHECK(write(fd, octets, size) == (ssize_t)size);
    const struct timespec times[2] = { { 1700000000, version }, { 1700000000 + version, version } };
    CHECK(futimens(fd, times) == 0);
    CHECK(close(fd) == 0);
}

static void write_version(const char *path, int flags, unsigned site, unsigned file,
                          unsigned version)
{
    size_t size = sim_sites_size(file, version);
    char *octets = malloc(size);
    CHECK(octets != NULL);
    for (size_t i = 0; i < size; i++)
        octets[i] = sim_sites_octet(site, file, version, i);
    write_file(path, flags, octets, size, version);
    free(octets);
}

void sim_sites_replace(struct sim_sites *sites, unsigned site, unsigned file)
{
    unsigned version = ++sites->versions[site][file];
    char path[256], fresh[256];
    path_of(sites, site, 0, sim_files[file].name, path);
    if (sim_files[file].grows) {
        write_version(path, 0, site, file, version);
        return;
    }
    path_of(sites, site, 0, ".fresh", fresh);
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
            path_of(sites, site, 0, sim_files[file].name, path);
            sites->versions[site][file] = 1;
            write_version(path, O_TRUNC, site, file, 1);
        }
    }
}

/* What the file says that only every other release has. */
static size_t either_text(unsigned site, unsigned release, char text[64])
{
    return (size_t)snprintf(text, 64, "site %c, release %u\n", 'a' + (int)site, release);
}

static const char *either_name(unsigned release)
{
    return release % 2 == 1 ? "odd.txt" : "even.txt";
}

unsigned sim_sites_release(const struct sim_sites *sites, unsigned site, const char *body,
                           size_t len)
{
    char text[64];
    for (unsigned release = sites->releases[site]; release > 0; release--)
        if (either_text(site, release, text) == len && memcmp(text, body, len) == 0)
            return release;
    return 0;
}

/* The next version of a file, the first of its release. */
static void write_first(struct sim_sites *sites, unsigned site, unsigned release, unsigned file)
{
    char path[256];
    path_of(sites, site, release, sim_files[file].name, path);
    write_version(path, O_EXCL, site, file, ++sites->versions[site][file]);
}

void sim_sites_switch(struct sim_sites *sites, unsigned site)
{
    unsigned release = ++sites->releases[site];
    char path[256], link[256], target[16], text[64];
    path_of(sites, site, release, "", path);
    CHECK(mkdir(path, 0755) == 0);
    for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
        path_of(sites, site, release, FOLDERS[i], path);
        CHECK(mkdir(path, 0755) == 0);
    }
    for (unsigned file = 0; file < SIM_FILES; file++)
        write_first(sites, site, release, file);
    path_of(sites, site, release, either_name(release), path);
    write_file(path, O_EXCL, text, either_text(site, release, text), release);
    snprintf(target, sizeof(target), "%c-%u", 'a' + (int)site, release);
    path_of(sites, site, 0, "", link);
    snprintf(path, sizeof(path), "%s/next", sites->folder);
    CHECK(symlink(target, path) == 0 && rename(path, link) == 0);
}

static void remove_release(const struct sim_sites *sites, unsigned site, unsigned release)
{
    char path[256];
    for (unsigned file = 0; file < SIM_FILES; file++) {
        path_of(sites, site, release, sim_files[file].name, path);
        unlink(path);
    }
    path_of(sites, site, release, either_name(release), path);
    unlink(path);
    for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
        path_of(sites, site, release, FOLDERS[i], path);
        rmdir(path);
    }
    path_of(sites, site, release, "", path);
    rmdir(path);
}

void sim_sites_tidy(struct sim_sites *sites)
{
    for (unsigned site = 0; site < SIM_SITES; site++)
        while (sites->oldest[site] < sites->releases[site])
            remove_release(sites, site, sites->oldest[site]++);
}

int sim_sites_find(const char *name, size_t len)
{
    for (int i = 0; i < SIM_FILES; i++)
        if (strlen(sim_files[i].name) == len && memcmp(sim_files[i].name, name, len) == 0)
            return i;
    return -1;
}

static void load_config(struct sim_sites *sites, bool compresses)
{
    char path[256], why[512];
    snprintf(path, sizeof(path), "%s/server.conf", sites->folder);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(CONFIG, file) >= 0);
    CHECK(fputs(compresses ? CONFIG_COMPRESSES : CONFIG_END, file) >= 0 && fclose(file) == 0);
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

void sim_sites_create(struct sim_sites *sites, bool compresses)
{
    *sites = (struct sim_sites){ 0 };
    sim_folder_make(sites->folder, sizeof(sites->folder));
    for (unsigned site = 0; site < SIM_SITES; site++) {
        sites->oldest[site] = 1;
        sim_sites_switch(sites, site);
    }
    load_config(sites, compresses);
}

void sim_sites_destroy(struct sim_sites *sites)
{
    char path[256];
    sim_sites_tidy(sites);
    for (unsigned site = 0; site < SIM_SITES; site++) {
        remove_release(sites, site, sites->releases[site]);
        path_of(sites, site, 0, "", path);
        unlink(path);
    }
    rmdir(sites->folder);
    config_free(sites->config);
}

/* cert_folder.c: see cert_folder.h. */
#include "tls/cert_folder.h"

#include "core/log.h"
#include "core/safe_open.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Names in the folder. */
struct listing {
    struct arena *arena;
    char **names;
    size_t count, room;
};

static int names_add(struct listing *listing, const char *name)
{
    if (listing->count == listing->room) {
        size_t room = listing->room > 0 ? 2 * listing->room : 64;
        char **names = realloc(listing->names, room * sizeof(names[0]));
        if (names == NULL)
            return -ENOMEM;
        listing->names = names;
        listing->room = room;
    }
    listing->names[listing->count] = arena_strdup(listing->arena, name);
    return listing->names[listing->count++] != NULL ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has(const struct listing *listing, const char *name)
{
    return listing->count > 0 &&
           bsearch(&name, listing->names, listing->count, sizeof(name), compare_names) != NULL;
}

/* What stands before `ending` in `name`, in `ret_stem`. */
static bool ends_with(const char *name, const char *ending, char *ret_stem, size_t size)
{
    size_t len = strlen(name), ending_len = strlen(ending);

    if (len <= ending_len || strcmp(name + len - ending_len, ending) != 0)
        return false;
    int written = snprintf(ret_stem, size, "%.*s", (int)(len - ending_len), name);
    return written > 0 && (size_t)written < size;
}

static bool is_folder(DIR *dir, const char *name)
{
    struct stat st;

    return fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* The files that `name` leads to: 1, 0: none, or -ENOMEM. */
static int pair_find(DIR *dir, const struct listing *listing, const char *folder, const char *name,
                     struct certificate *ret_pair)
{
    struct arena *arena = listing->arena;
    char stem[NAME_MAX + 1], key[NAME_MAX + 1];

    *ret_pair = (struct certificate){ .ocsp_path = NULL };
    if (ends_with(name, ".pem", stem, sizeof(stem))) {
        ret_pair->chain_path = ret_pair->key_path = arena_printf(arena, "%s/%s", folder, name);
    } else if (ends_with(name, ".crt", stem, sizeof(stem))) {
        snprintf(key, sizeof(key), "%.*s.key", (int)sizeof(key) - 5, stem);
        if (!has(listing, key))
            return 0;
        ret_pair->chain_path = arena_printf(arena, "%s/%s", folder, name);
        ret_pair->key_path = arena_printf(arena, "%s/%s", folder, key);
    } else if (!ends_with(name, ".key", stem, sizeof(stem)) && is_folder(dir, name)) {
        ret_pair->chain_path = arena_printf(arena, "%s/%s/fullchain.pem", folder, name);
        ret_pair->key_path = arena_printf(arena, "%s/%s/privkey.pem", folder, name);
    } else {
        return 0;
    }
    return ret_pair->chain_path != NULL && ret_pair->key_path != NULL ? 1 : -ENOMEM;
}

static int names_read(DIR *dir, struct listing *listing)
{
    const struct dirent *entry;

    while ((errno = 0, entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (listing->count == CERT_FOLDER_MAX)
            return -E2BIG;
        int res = names_add(listing, entry->d_name);
        if (res < 0)
            return res;
    }
    if (listing->count > 0)
        qsort(listing->names, listing->count, sizeof(listing->names[0]), compare_names);
    return -errno;
}

static int pairs_find(DIR *dir, const struct listing *listing, const char *folder,
                      struct certificate **ret_pairs, size_t *ret_count)
{
    struct certificate *pairs = arena_array(listing->arena, listing->count, sizeof(pairs[0]));
    size_t count = 0;

    if (pairs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < listing->count; i++) {
        int res = pair_find(dir, listing, folder, listing->names[i], &pairs[count]);
        if (res < 0)
            return res;
        count += (size_t)res;
    }
    *ret_pairs = pairs;
    *ret_count = count;
    return 0;
}

int cert_folder_list(const char *folder, struct arena *arena, char *why, size_t why_size,
                     struct certificate **ret_pairs, size_t *ret_count)
{
    struct listing listing = { .arena = arena };
    const char *what = NULL;
    DIR *dir = NULL;
    int res = safe_open_listing(folder, &dir, &what);

    if (res == 0)
        res = names_read(dir, &listing);
    if (res == 0)
        res = pairs_find(dir, &listing, folder, ret_pairs, ret_count);
    if (dir != NULL)
        closedir(dir);
    free(listing.names);
    if (res == -E2BIG)
        snprintf(why, why_size,
                 "tls_certificates: %s holds more than %d names; divide it, or name certificates "
                 "in their servers",
                 folder, CERT_FOLDER_MAX);
    else if (res < 0)
        snprintf(why, why_size, "tls_certificates: %s cannot be read: %s", folder,
                 safe_open_text(res, what));
    return res;
}

/* Is there an address with TLS? */
static bool has_tls(const struct config *config, const struct server *server)
{
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];
        for (size_t j = 0; listen->tls && j < listen->servers_count; j++) {
            if (listen->servers[j] == server)
                return true;
        }
    }
    return false;
}

int cert_folder_check(const struct config *config, const struct cert_names *names, size_t count,
                      char *why, size_t why_size)
{
    if (count == 0) {
        snprintf(
            why, why_size,
            "tls_certificates: %s holds no certificate that is of use: as NAME.pem, as NAME.crt "
            "with NAME.key, or as NAME/fullchain.pem with NAME/privkey.pem",
            config->tls.certificates);
        return -EINVAL;
    }
    for (size_t i = 0; i < config->servers_count; i++) {
        const struct server *server = &config->servers[i];
        if (server->certificates_count == 0 && strcmp(server->name, CONFIG_HOST_DEFAULT) != 0 &&
            server->name[0] != '*' && cert_names_find(names, span_str(server->name)) == NULL &&
            has_tls(config, server))
            log_warn("server '%s': no certificate in %s is for this name: its clients are refused, "
                     "unless they ask for another of its names",
                     server->name, config->tls.certificates);
    }
    log_info("tls_certificates: %s: %zu certificates for %zu names", config->tls.certificates,
             count, cert_names_count(names));
    return 0;
}

/* tls_files.c: whether the files have changed that TLS is read from. See tls.h.
 *
 * By what stat(2) says: their octets are not read, and nothing is kept for each. */
#include "tls/tls.h"

#include "core/siphash.h"
#include "tls/cert_folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* What was seen so far. */
struct looks {
    struct siphash state;
};

static void add(struct looks *looks, uint64_t word)
{
    siphash_word(&looks->state, word, 1);
}

static void look(struct looks *looks, const char *path)
{
    struct stat st;

    if (path == NULL || path[0] == '\0')
        return;
    if (stat(path, &st) < 0) {
        add(looks, (uint64_t)errno);
        return;
    }
    add(looks, (uint64_t)st.st_dev);
    add(looks, (uint64_t)st.st_ino);
    add(looks, (uint64_t)st.st_size);
    add(looks, (uint64_t)st.st_mtim.tv_sec);
    add(looks, (uint64_t)st.st_mtim.tv_nsec);
}

static void look_at_server(struct looks *looks, const struct server *server)
{
    for (size_t i = 0; i < server->certificates_count; i++) {
        look(looks, server->certificates[i].chain_path);
        look(looks, server->certificates[i].key_path);
        look(looks, server->certificates[i].ocsp_path);
    }
    if (server->client_auth != NULL) {
        look(looks, server->client_auth->ca);
        look(looks, server->client_auth->crl);
    }
}

static void look_at_folder(struct looks *looks, const char *folder)
{
    struct arena *arena = arena_create();
    struct certificate *pairs = NULL;
    size_t count = 0;
    char why[512];

    if (arena != NULL)
        add(looks, (uint64_t)cert_folder_list(folder, arena, why, sizeof(why), &pairs, &count));
    for (size_t i = 0; i < count; i++) {
        look(looks, pairs[i].chain_path);
        if (strcmp(pairs[i].chain_path, pairs[i].key_path) != 0)
            look(looks, pairs[i].key_path);
    }
    add(looks, count);
    arena_destroy(arena);
}

uint64_t tls_files_look(const struct config *config)
{
    static const uint64_t key[2] = { 0, 0 }; /* nobody gains by two looks that are alike */
    struct looks looks = { { key[0], key[1], 0, 0 } };

    for (size_t i = 0; i < config->servers_count; i++)
        look_at_server(&looks, &config->servers[i]);
    if (tls_is_wanted(config) && config->tls.certificates != NULL &&
        config->tls.certificates[0] != '\0')
        look_at_folder(&looks, config->tls.certificates);
    siphash_rounds(&looks.state, 3);
    uint64_t seen = looks.state.v0 ^ looks.state.v1 ^ looks.state.v2 ^ looks.state.v3;
    return seen != 0 ? seen : 1;
}

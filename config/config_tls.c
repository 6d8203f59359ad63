/* config_tls.c: versions, certificates, and which servers need one. */
#include "config/config_tls.h"
#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *config_protocol_name(enum tls_protocol protocol)
{
    switch (protocol) {
    case TLS_PROTOCOL_1_2:
        return "1.2";
    case TLS_PROTOCOL_1_3:
        return "1.3";
    }
    UNREACHABLE();
}

/* 0: there is none of that name. */
static unsigned protocol_find(const char *name)
{
    static const enum tls_protocol known[] = { TLS_PROTOCOL_1_2, TLS_PROTOCOL_1_3 };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(config_protocol_name(known[i]), name) == 0)
            return known[i];
    }
    return 0;
}

int config_protocols_make(const struct config_build *build, const struct config_block *top,
                          struct config *config)
{
    const struct config_key *key = config_key_find("tls_protocols");
    const struct config_entry *entry = config_entry_at(top, key->name);
    unsigned protocols = 0;

    if (entry->count == 0)
        return config_fail_advise(build, entry->place, key->name,
                                  "name at least one of 1.2 and 1.3",
                                  "the list of TLS versions is empty");
    for (size_t i = 0; i < entry->count; i++) {
        const struct config_item *item = &entry->items[i];
        unsigned bit = protocol_find(item->text);

        if (bit == 0)
            return config_fail_item(build, item, key, "\"%.100s\" is not known", item->text);
        if ((protocols & bit) != 0)
            return config_fail_item(build, item, key, "\"%.100s\" stands twice in the list",
                                    item->text);
        protocols |= bit;
    }
    config->tls.protocols = protocols;
    return 0;
}

int config_certificates_make(const struct config_build *build, const struct config_block *block,
                             struct server *server)
{
    const struct config_key *chain = config_key_find("certificate"), *key = config_key_find("key");
    const struct config_entry *chains = config_entry_at(block, chain->name);
    const struct config_entry *keys = config_entry_at(block, key->name);
    const struct config_key *ocsp = config_key_find("ocsp");
    const struct config_entry *responses = config_entry_at(block, ocsp->name);
    int res = 0;

    if (responses->count > 0 && responses->count != chains->count)
        return config_fail_advise(build, responses->place, ocsp->name,
                                  "name one response for each certificate, in the same order, and "
                                  "\"\" where there is none",
                                  "responses: %zu, certificates: %zu", responses->count,
                                  chains->count);
    if (keys->count > 0 && keys->count != chains->count)
        return config_fail_advise(build, keys->place, key->name,
                                  "name one key for each certificate, in the same order, or no "
                                  "`key` at all, when each certificate's file holds its key",
                                  "keys: %zu, certificates: %zu", keys->count, chains->count);
    server->certificates =
        arena_array(build->arena, chains->count, sizeof(server->certificates[0]));
    if (server->certificates == NULL)
        return -ENOMEM;
    server->certificates_count = chains->count;
    for (size_t i = 0; res == 0 && i < chains->count; i++) {
        struct certificate *certificate = &server->certificates[i];

        res = config_text(build, chain, &chains->items[i], &certificate->chain_path);
        if (res == 0 && keys->count > 0)
            res = config_text(build, key, &keys->items[i], &certificate->key_path);
        else
            certificate->key_path = certificate->chain_path;
        if (res == 0 && responses->count > 0 && responses->items[i].text[0] != '\0')
            res = config_text(build, ocsp, &responses->items[i], &certificate->ocsp_path);
    }
    return res;
}

/* The keys beside tls_client_ca. */
static const char *const client_keys[] = { "tls_verify", "tls_verify_depth", "tls_crl" };

int config_client_auth_make(const struct config_build *build, const struct config_block *defaults,
                            const struct config_block *block, struct server *server)
{
    const struct config_entry *ca = config_entry_at(block, "tls_client_ca");
    struct client_auth *auth = arena_alloc(build->arena, sizeof(*auth));
    int res = auth == NULL ? -ENOMEM : 0;

    for (size_t i = 0; res == 0 && i < ARRAY_LEN(client_keys); i++) {
        const struct config_key *key = config_key_find(client_keys[i]);
        const struct config_entry *entry = config_entry_at(block, key->name);

        if (!ca->is_set && entry->is_set)
            return config_fail_advise(build, entry->place, key->name,
                                      "add tls_client_ca = \"FILE\", a PEM file with their "
                                      "authorities, or leave this out",
                                      "no client of the server is asked for a certificate");
        res = config_store(build, key, entry->is_set ? entry : config_entry_at(defaults, key->name),
                           auth);
    }
    if (res == 0 && ca->is_set)
        res = config_store(build, config_key_find("tls_client_ca"), ca, auth);
    if (res == 0 && ca->is_set && auth->ca[0] != '\0' && auth->verify != TLS_VERIFY_OFF)
        server->client_auth = auth;
    return res;
}

/* `listen`: an address of the server with TLS, or NULL. */
static int server_check(const struct config_build *build, const struct config_block *block,
                        const struct config *config, const struct server *server,
                        const struct listen_config *listen)
{
    const struct config_entry *chains = config_entry_at(block, "certificate");

    if (listen == NULL && server->certificates_count > 0)
        return config_fail_advise(build, chains->place, "certificate",
                                  "add tls to an address, as in listen = {\"0.0.0.0:443 tls\"}",
                                  "no address of the server has TLS");
    if (listen == NULL && server->client_auth != NULL)
        return config_fail_advise(build, config_entry_at(block, "tls_client_ca")->place,
                                  "tls_client_ca",
                                  "add tls to an address, as in listen = {\"0.0.0.0:443 tls\"}",
                                  "no address of the server has TLS");
    if (listen != NULL && server->certificates_count == 0 && !config->tls.self_signed &&
        config->tls.certificates[0] == '\0')
        return config_fail_advise(
            build, block->place, "server",
            "add certificate and key to it, or, for trying out, start with --tls-self-signed",
            "\"%.100s\" has no certificate for %.200s, which has TLS", server->name, listen->text);
    return 0;
}

/* The flag is refused where it does nothing. */
static int self_signed_check(const struct config_build *build, size_t tls_servers, size_t needed)
{
    const struct config_place place = { .file = "--tls-self-signed" };

    if (tls_servers == 0)
        return config_fail_advise(build, place, "",
                                  "add tls to an address, as in listen = {\"127.0.0.1:8443 tls\"}",
                                  "no address has TLS");
    if (needed == 0)
        return config_fail_advise(build, place, "", "leave it out",
                                  "every server with TLS has a certificate");
    return 0;
}

/* Where every client must prove himself, nobody gets in by an address without TLS. `plain`: one of
 * the server, or NULL. */
static int plain_check(const struct config_build *build, const struct config_block *block,
                       const struct server *server, const struct listen_config *plain)
{
    if (plain == NULL || server->client_auth == NULL ||
        server->client_auth->verify != TLS_VERIFY_REQUIRE)
        return 0;
    return config_fail_advise(build, config_entry_at(block, "tls_client_ca")->place,
                              "tls_client_ca",
                              "give that address to a server of its own, or say tls_verify = "
                              "optional",
                              "\"%.100s\" also listens on %.200s, which has no TLS: there it would "
                              "serve clients that have no certificate",
                              server->name, plain->text);
}

int config_check_tls(const struct config_build *build, const struct config_block *top,
                     const struct config *config)
{
    const struct listen_config **listens =
        arena_array(build->scratch, config->servers_count, sizeof(listens[0]));
    const struct listen_config **plain =
        arena_array(build->scratch, config->servers_count, sizeof(plain[0]));
    size_t tls_servers = 0, needed = 0;
    int res = 0;

    if (listens == NULL || plain == NULL)
        return -ENOMEM;
    CHECK(top->blocks_count == config->servers_count);
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];

        for (size_t j = 0; j < listen->servers_count; j++)
            (listen->tls ? listens : plain)[listen->servers[j] - config->servers] = listen;
    }
    for (size_t i = 0; res == 0 && i < config->servers_count; i++) {
        const struct server *server = &config->servers[i];

        tls_servers += listens[i] != NULL;
        needed += listens[i] != NULL && server->certificates_count == 0 &&
                  config->tls.certificates[0] == '\0';
        res = server_check(build, top->blocks[i], config, server, listens[i]);
        if (res == 0)
            res = plain_check(build, top->blocks[i], server, plain[i]);
    }
    if (res == 0 && config->tls.self_signed)
        res = self_signed_check(build, tls_servers, needed);
    return res;
}

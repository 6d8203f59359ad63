/* mbed_ctx.c: what connections share. See mbed_ctx.h. */
#include "tls/mbed_ctx.h"

#include "core/check.h"
#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seven days is the most that TLS 1.3 allows a ticket (RFC 8446 section 4.6.1). */
enum { TICKET_LIFETIME_MAX_S = 7 * 24 * 3600 };

static uint32_t lifetime_s(const struct config *config)
{
    uint32_t s = config->tls.ticket_key_ms / 1000;

    return s < 1 ? 1 : s > TICKET_LIFETIME_MAX_S ? TICKET_LIFETIME_MAX_S : s;
}

static int make_client_auth(const struct server *server, struct mbed_host *host, char *why,
                            size_t why_size)
{
    return server->client_auth != NULL
               ? mbed_client_auth_read(server, why, why_size, &host->client_auth)
               : 0;
}

/* The library does not know the extension by which clients ask for one (RFC 6066 section 8). */
static int refuse_ocsp(const struct server *server, char *why, size_t why_size)
{
    snprintf(
        why, why_size,
        "server '%s': ocsp: mbed TLS cannot send OCSP responses: take tls_backend = openssl, or "
        "leave ocsp out",
        server->name);
    return -EINVAL;
}

static int make_host(const struct config *config, bool has_folder, const struct server *server,
                     struct mbed_host *host, char *why, size_t why_size)
{
    size_t count = server->certificates_count;

    if (count == 0 && has_folder)
        return make_client_auth(server, host, why, why_size);
    if (count == 0 && !config->tls.self_signed) {
        snprintf(why, why_size,
                 "server '%s' listens with TLS and has no certificate: give it `certificate` and "
                 "`key`, or try it out with --tls-self-signed",
                 server->name);
        return -EINVAL;
    }
    host->identities = calloc(count > 0 ? count : 1, sizeof(*host->identities));
    if (host->identities == NULL) {
        snprintf(why, why_size, "server '%s': out of memory for its certificates", server->name);
        return -ENOMEM;
    }
    int res = 0;
    if (count == 0) {
        res = mbed_identity_make(&host->identities[0], server, why, why_size);
        host->identities_count = res == 0 ? 1 : 0;
    }
    for (size_t i = 0; res == 0 && i < count; i++) {
        if (server->certificates[i].ocsp_path != NULL)
            return refuse_ocsp(server, why, why_size);
        res = mbed_identity_read(&host->identities[i], server, &server->certificates[i], why,
                                 why_size);
        if (res == 0)
            host->identities_count++;
    }
    return res == 0 ? make_client_auth(server, host, why, why_size) : res;
}

/* All servers that an address with TLS leads to. */
static int make_hosts(struct tls_ctx *ctx, char *why, size_t why_size)
{
    const struct config *config = ctx->config;

    ctx->hosts = calloc(config->servers_count, sizeof(*ctx->hosts));
    if (ctx->hosts == NULL) {
        snprintf(why, why_size, "out of memory for the servers' certificates");
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];
        for (size_t j = 0; listen->tls && j < listen->servers_count; j++) {
            struct mbed_host *host = mbed_ctx_host(ctx, listen->servers[j]);
            if (host->identities_count > 0 || host->client_auth != NULL)
                continue; /* it has another such address */
            int res =
                make_host(config, ctx->folder != NULL, listen->servers[j], host, why, why_size);
            if (res < 0)
                return res;
        }
    }
    return 0;
}

/* What resumption needs. */
static int make_memories(struct tls_ctx *ctx, char *why, size_t why_size)
{
    const struct tls_settings *settings = &ctx->config->tls;

    if (settings->tickets) {
        int res = ctx->ticket_keys != NULL
                      ? 0
                      : ticket_keys_create(settings->ticket_key_ms, clock_monotonic_ms(),
                                           &ctx->ticket_keys);
        if (res < 0) {
            snprintf(why, why_size, "cannot make a key for session tickets: %s", strerror(-res));
            return res;
        }
    }
    if (settings->session_cache > 0 && (ctx->names.protocols & TLS_PROTOCOL_1_2) != 0) {
        int res = mbed_sessions_create(settings->session_cache, ctx->lifetime_s, &ctx->sessions);
        if (res < 0) {
            snprintf(why, why_size, "out of memory for %u TLS sessions (tls_session_cache)",
                     settings->session_cache);
            return res;
        }
    }
    return 0;
}

int mbed_ctx_create(const struct config *config, struct ticket_keys *ticket_keys, char *why,
                    size_t why_size, struct tls_ctx **ret_ctx)
{
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        snprintf(why, why_size, "out of memory for TLS");
        return -ENOMEM;
    }
    ctx->magic = MBED_CTX_MAGIC;
    ctx->config = config;
    ctx->ticket_keys = ticket_keys_hold(ticket_keys);
    ctx->lifetime_s = lifetime_s(config);
    int res = 0;
    if (mbed_global_init() != 0) {
        snprintf(why, why_size, MBEDTLS_VERSION_STRING_FULL " cannot be initialized (PSA)");
        res = -EINVAL;
    }
    if (res == 0)
        res = mbed_names_read(config, why, why_size, &ctx->names);
    if (res == 0 && config->tls.certificates != NULL && config->tls.certificates[0] != '\0')
        res = mbed_folder_read(config, why, why_size, &ctx->folder);
    if (res == 0)
        res = make_hosts(ctx, why, why_size);
    if (res == 0)
        res = make_memories(ctx, why, why_size);
    if (res < 0) {
        mbed_ctx_destroy(ctx);
        return res;
    }
    *ret_ctx = ctx;
    return 0;
}

void mbed_ctx_destroy(struct tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    CHECK_OBJ(ctx, MBED_CTX_MAGIC);
    for (size_t i = 0; ctx->hosts != NULL && i < ctx->config->servers_count; i++) {
        struct mbed_host *host = &ctx->hosts[i];
        for (size_t j = 0; j < host->identities_count; j++)
            mbed_identity_free(&host->identities[j]);
        free(host->identities);
        mbed_client_auth_free(host->client_auth);
    }
    free(ctx->hosts);
    mbed_folder_free(ctx->folder);
    mbed_names_free(&ctx->names);
    ticket_keys_destroy(ctx->ticket_keys);
    mbed_sessions_destroy(ctx->sessions);
    ctx->magic = 0;
    free(ctx);
}

struct mbed_host *mbed_ctx_host(struct tls_ctx *ctx, const struct server *server)
{
    size_t index = (size_t)(server - ctx->config->servers);
    CHECK(server >= ctx->config->servers && index < ctx->config->servers_count);
    return &ctx->hosts[index];
}

static int offer(mbedtls_ssl_config *conf, mbedtls_ssl_context *ssl, struct mbed_identity *identity)
{
    return ssl != NULL ? mbedtls_ssl_set_hs_own_cert(ssl, &identity->chain, &identity->key)
                       : mbedtls_ssl_conf_own_cert(conf, &identity->chain, &identity->key);
}

int mbed_ctx_offer(struct tls_ctx *ctx, struct mbed_host *host, struct span name,
                   mbedtls_ssl_config *conf, mbedtls_ssl_context *ssl, size_t *ret_count)
{
    const struct server *server = &ctx->config->servers[host - ctx->hosts];
    struct mbed_identity *found[CERT_KINDS];
    size_t count = host->identities_count;
    int code = 0;

    for (size_t i = 0; code == 0 && i < count; i++)
        code = offer(conf, ssl, &host->identities[i]);
    if (count == 0 && ctx->folder != NULL) {
        count = mbed_folder_find(ctx->folder, name, server, found);
        for (size_t i = 0; code == 0 && i < count; i++)
            code = offer(conf, ssl, found[i]);
    }
    *ret_count = count;
    return code;
}

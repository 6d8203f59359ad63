/* mbed_ctx.c: what connections share. See mbed_ctx.h. */
#include "tls/mbed_ctx.h"

#include "core/check.h"
#include "tls/mbed_random.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <stdio.h>
#include <stdlib.h>

/* Seven days is the most that TLS 1.3 allows a ticket (RFC 8446 section 4.6.1). */
enum { TICKET_LIFETIME_MAX_S = 7 * 24 * 3600 };

static uint32_t lifetime_s(const struct config *config)
{
    uint32_t s = config->tls.ticket_key_ms / 1000;
    return s < 1 ? 1 : s > TICKET_LIFETIME_MAX_S ? TICKET_LIFETIME_MAX_S : s;
}

static int read_identities(struct tls_ctx *ctx, const struct server *server, struct mbed_host *host,
                           char *why, size_t why_size)
{
    if (server->certificates_count == 0) {
        if (!ctx->config->tls.self_signed) {
            snprintf(why, why_size,
                     "server '%s' has an address with TLS, but no certificate; set `certificate`",
                     server->name);
            return -EINVAL;
        }
        if (ctx->self_signed.chain.raw.len == 0) {
            int res = mbed_identity_make(&ctx->self_signed, why, why_size);
            if (res < 0)
                return res;
        }
        host->identities = &ctx->self_signed;
        host->identities_count = 1;
        return 0;
    }
    host->identities = calloc(server->certificates_count, sizeof(*host->identities));
    if (host->identities == NULL) {
        snprintf(why, why_size, "server '%s': out of memory for its certificates", server->name);
        return -ENOMEM;
    }
    for (size_t i = 0; i < server->certificates_count; i++) {
        int res = mbed_identity_read(&host->identities[i], &server->certificates[i], why, why_size);
        if (res < 0)
            return res;
        host->identities_count++;
    }
    return 0;
}

static int make_host(struct tls_ctx *ctx, const struct server *server, struct mbed_host *host,
                     char *why, size_t why_size)
{
    int res = read_identities(ctx, server, host, why, why_size);

    if (res < 0 || !ctx->config->tls.tickets)
        return res;
    int code = mbedtls_ssl_ticket_setup(&host->tickets, mbed_random, NULL,
                                        MBEDTLS_CIPHER_AES_256_GCM, lifetime_s(ctx->config));
    if (code != 0) {
        char reason[128];
        mbedtls_strerror(code, reason, sizeof(reason));
        snprintf(why, why_size, "no keys for session tickets could be made: %s", reason);
        return -EINVAL;
    }
    return 0;
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
    for (size_t i = 0; i < config->servers_count; i++)
        mbedtls_ssl_ticket_init(&ctx->hosts[i].tickets);
    for (size_t i = 0; i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];
        for (size_t j = 0; listen->tls && j < listen->servers_count; j++) {
            struct mbed_host *host = mbed_ctx_host(ctx, listen->servers[j]);
            if (host->identities_count > 0)
                continue; /* it has another such address */
            int res = make_host(ctx, listen->servers[j], host, why, why_size);
            if (res < 0)
                return res;
        }
    }
    return 0;
}

int mbed_ctx_create(const struct config *config, char *why, size_t why_size,
                    struct tls_ctx **ret_ctx)
{
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        snprintf(why, why_size, "out of memory for TLS");
        return -ENOMEM;
    }
    ctx->magic = MBED_CTX_MAGIC;
    ctx->config = config;
    mbedtls_x509_crt_init(&ctx->self_signed.chain);
    mbedtls_pk_init(&ctx->self_signed.key);
    int res = 0;
    if (mbed_global_init() != 0) {
        snprintf(why, why_size, MBEDTLS_VERSION_STRING_FULL " cannot be initialized (PSA)");
        res = -EINVAL;
    }
    if (res == 0)
        res = mbed_names_read(config, why, why_size, &ctx->names);
    if (res == 0)
        res = make_hosts(ctx, why, why_size);
    if (res == 0 && config->tls.session_cache > 0 &&
        (ctx->names.protocols & TLS_PROTOCOL_1_2) != 0) {
        res = mbed_sessions_create(config->tls.session_cache, lifetime_s(config), &ctx->sessions);
        if (res < 0)
            snprintf(why, why_size, "%s: tls_session_cache: out of memory for %u sessions",
                     config_place(config, "tls_session_cache"), config->tls.session_cache);
    }
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
        mbedtls_ssl_ticket_free(&host->tickets);
        if (host->identities == &ctx->self_signed)
            continue;
        for (size_t j = 0; j < host->identities_count; j++)
            mbed_identity_free(&host->identities[j]);
        free(host->identities);
    }
    free(ctx->hosts);
    mbed_identity_free(&ctx->self_signed);
    mbed_names_free(&ctx->names);
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

/* mbed_ctx.h: all that connections share with mbed TLS: certificates by virtual host, names of the
 * configuration as the library's numbers, ticket keys, kept sessions. Read-only once made, but for
 * the last two, which lock. Of use to tls_mbedtls.c alone. */
#ifndef TLS_MBED_CTX_H
#define TLS_MBED_CTX_H

#include "config/config.h"
#include "tls/mbed_client.h"
#include "tls/mbed_compat.h"
#include "tls/mbed_folder.h"
#include "tls/mbed_identity.h"
#include "tls/mbed_names.h"
#include "tls/mbed_sessions.h"

#include <stddef.h>

/* What one server of the configuration has, if it has an address with TLS. */
struct mbed_host {
    struct mbed_identity *identities;     /* owned */
    size_t identities_count;              /* 0: no address with TLS */
    struct mbed_client_auth *client_auth; /* owned; NULL: clients have nothing to prove */
};

struct tls_ctx {
    unsigned magic;
    const struct config *config; /* borrowed */
    struct mbed_host *hosts;     /* as many as config->servers, in their order */
    struct mbed_folder *folder;  /* for hosts without identities; NULL: there is none */
    struct mbed_names names;
    struct ticket_keys *ticket_keys; /* NULL: there are no tickets */
    uint32_t lifetime_s;             /* of a ticket, as clients are told, and of a kept session */
    struct mbed_sessions *sessions;  /* NULL: none are kept */
};

#define MBED_CTX_MAGIC 0x6d626374u

/* tls_ops.ctx_create() and ctx_destroy(). */
int mbed_ctx_create(const struct config *config, struct ticket_keys *ticket_keys, char *why,
                    size_t why_size, struct tls_ctx **ret_ctx);
void mbed_ctx_destroy(struct tls_ctx *ctx);

/* What belongs to `server`, which is one of the configuration and has an address with TLS. */
struct mbed_host *mbed_ctx_host(struct tls_ctx *ctx, const struct server *server);

/* Offers what `host` has, or what the folder has for `name`: to `ssl`, or, where that is NULL, by
 * `conf`. The library takes the first that suits the client. 0, or a code of the library;
 * `ret_count`: how many there are. */
int mbed_ctx_offer(struct tls_ctx *ctx, struct mbed_host *host, struct span name,
                   mbedtls_ssl_config *conf, mbedtls_ssl_context *ssl, size_t *ret_count);

#endif

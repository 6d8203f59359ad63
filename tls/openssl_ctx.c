/* openssl_ctx.c: makes the context: one SSL_CTX for what all connections share, one for servers
 * that have a certificate and nothing else, and one for each other server. See openssl.h.
 *
 * An SSL_CTX takes as long to make as a certificate and its key to read, and more memory than they;
 * where there are many servers, that is what counts. Where there are few, a handshake that finds
 * its certificate in one is 1 % cheaper. */
#include "tls/openssl.h"

#include "core/check.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERVERS_FEW = 64 /* each has an SSL_CTX of its own */ };

static void server_free(struct openssl_server *server)
{
    SSL_CTX_free(server->ssl_ctx);
    openssl_identity_free(&server->identity);
    openssl_ocsp_free(server);
}

void openssl_ctx_destroy(struct tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    CHECK_OBJ(ctx, OPENSSL_CTX_MAGIC);
    for (size_t i = 0; ctx->servers != NULL && i < ctx->config->servers_count; i++)
        server_free(&ctx->servers[i]);
    free(ctx->servers);
    openssl_folder_free(ctx->folder);
    SSL_CTX_free(ctx->plain);
    SSL_CTX_free(ctx->base);
    BIO_meth_free(ctx->bio_method);
    EVP_MD_free(ctx->sha256);
    EVP_CIPHER_free(ctx->aes_256_cbc);
    ticket_keys_destroy(ctx->ticket_keys);
    ctx->magic = 0;
    free(ctx);
}

static int no_memory(char *why, size_t why_size)
{
    ERR_clear_error();
    snprintf(why, why_size, "out of memory");
    return -ENOMEM;
}

/* What the base and every server have in common: a connection takes some of it when it is opened,
 * and some when its server is known. */
static int ssl_ctx_create(const struct config *config, char *why, size_t why_size,
                          SSL_CTX **ret_ssl_ctx)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_server_method());

    if (ssl_ctx == NULL)
        return no_memory(why, why_size);
    /* openssl.cnf may have set some of it otherwise. */
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_clear_options(ssl_ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                       SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ENABLE_KTLS);
    /* Releasing them after every record costs a tenth of a small request; see on_trim(). */
    SSL_CTX_clear_mode(ssl_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ssl_ctx, 0);
    SSL_CTX_set_max_early_data(ssl_ctx, 0);
    SSL_CTX_set_alpn_select_cb(ssl_ctx, openssl_alpn, NULL);
    if (config->tls.ktls)
        openssl_ktls_watch(ssl_ctx);
    int res = openssl_names_apply(ssl_ctx, config, why, why_size);
    if (res < 0) {
        SSL_CTX_free(ssl_ctx);
        return res;
    }
    *ret_ssl_ctx = ssl_ctx;
    return 0;
}

/* Reading what is configured, in the order of the configuration. */
struct making {
    struct tls_ctx *ctx;
    struct openssl_pair *pairs; /* of all servers, one behind the other */
    size_t pairs_count;
    size_t taken; /* of them */
    char *why;
    size_t why_size;
};

static struct openssl_pair *pair_next(struct making *making)
{
    CHECK(making->taken < making->pairs_count);
    return &making->pairs[making->taken++];
}

/* Puts the next pair, which is of `server`, into `ssl_ctx`, and into `ret_identity`. */
static int pair_use(struct making *making, const struct server *server, SSL_CTX *ssl_ctx,
                    struct openssl_identity *ret_identity)
{
    struct openssl_pair *pair = pair_next(making);

    int res = openssl_pair_take(pair, making->why, making->why_size, ret_identity);
    if (res < 0)
        return res;
    res = openssl_identity_use(ssl_ctx, server, pair->certificate, ret_identity, false, making->why,
                               making->why_size);
    if (res < 0)
        openssl_identity_free(ret_identity);
    return res;
}

/* Will a connection be given all that `server` has, beside what is the same for all? */
static bool is_plain(const struct tls_ctx *ctx, const struct server *server)
{
    if (server->client_auth != NULL)
        return false;
    if (server->certificates_count == 0)
        return ctx->folder != NULL; /* by the name of each connection */
    return ctx->config->servers_count > SERVERS_FEW && server->certificates_count == 1 &&
           server->certificates[0].ocsp_path == NULL;
}

static int plain_server_create(struct making *making, const struct server *server,
                               struct openssl_server *ret_server)
{
    int res = server->certificates_count == 0
                  ? 0
                  : openssl_pair_take(pair_next(making), making->why, making->why_size,
                                      &ret_server->identity);

    if (res == 0 && SSL_CTX_up_ref(making->ctx->plain) != 1)
        res = no_memory(making->why, making->why_size);
    if (res == 0)
        ret_server->ssl_ctx = making->ctx->plain;
    return res;
}

/* The certificates of `server`, in `ssl_ctx`, its own. */
static int certificates_use(struct making *making, const struct server *server, SSL_CTX *ssl_ctx,
                            struct openssl_server *ret_server)
{
    int res = 0;

    ret_server->ocsp = calloc(server->certificates_count + 1, sizeof(ret_server->ocsp[0]));
    if (ret_server->ocsp == NULL)
        res = no_memory(making->why, making->why_size);
    for (size_t i = 0; res == 0 && i < server->certificates_count; i++) {
        struct openssl_identity identity = { .x509 = NULL };
        const char *ocsp_path = server->certificates[i].ocsp_path;
        res = pair_use(making, server, ssl_ctx, &identity);
        if (res == 0 && ocsp_path != NULL)
            openssl_ocsp_load(ssl_ctx, server, ocsp_path,
                              &ret_server->ocsp[ret_server->ocsp_count++]);
        openssl_identity_free(&identity); /* ssl_ctx holds what it has */
    }
    if (ret_server->ocsp_count > 0)
        openssl_ocsp_offer(ssl_ctx, ret_server);
    return res;
}

static int server_create(struct making *making, const struct server *server,
                         struct openssl_server *ret_server)
{
    const struct tls_ctx *ctx = making->ctx;
    const struct config *config = ctx->config;
    SSL_CTX *ssl_ctx;

    if (is_plain(ctx, server))
        return plain_server_create(making, server, ret_server);
    int res = ssl_ctx_create(config, making->why, making->why_size, &ssl_ctx);
    if (res < 0)
        return res;
    res = certificates_use(making, server, ssl_ctx, ret_server);
    if (res == 0 && server->certificates_count == 0 && ctx->folder == NULL) {
        if (config->tls.self_signed) {
            res = openssl_self_signed(ssl_ctx, server, making->why, making->why_size);
        } else {
            snprintf(making->why, making->why_size,
                     "server '%s' listens with TLS and has no certificate: give it `certificate` "
                     "and `key`, or try it out with --tls-self-signed",
                     server->name);
            res = -EINVAL;
        }
    }
    if (res == 0 && server->client_auth != NULL)
        res = openssl_client_load(ssl_ctx, server, ctx->sha256, ret_server->demands, making->why,
                                  making->why_size);
    if (res < 0) {
        SSL_CTX_free(ssl_ctx);
        return res;
    }
    ret_server->ssl_ctx = ssl_ctx;
    return 0;
}

/* Calls `each` for the servers that have an address with TLS, once each, in the order in which
 * they are made. Ends where it returns other than 0. */
static int for_each_server(struct making *making,
                           int (*each)(struct making *making, const struct server *server,
                                       struct openssl_server *made))
{
    const struct config *config = making->ctx->config;
    bool *seen = calloc(config->servers_count + 1, sizeof(seen[0]));
    int res = seen != NULL ? 0 : no_memory(making->why, making->why_size);

    for (size_t i = 0; res == 0 && i < config->listens_count; i++) {
        const struct listen_config *listen = &config->listens[i];
        for (size_t j = 0; res == 0 && listen->tls && j < listen->servers_count; j++) {
            size_t index = (size_t)(listen->servers[j] - config->servers);
            CHECK(index < config->servers_count);
            if (seen[index])
                continue; /* it has another such address */
            seen[index] = true;
            res = each(making, listen->servers[j], &making->ctx->servers[index]);
        }
    }
    free(seen);
    return res;
}

static int pairs_count(struct making *making, const struct server *server,
                       struct openssl_server *made)
{
    (void)made;
    making->pairs_count += server->certificates_count;
    return 0;
}

static int pairs_list(struct making *making, const struct server *server,
                      struct openssl_server *made)
{
    (void)made;
    for (size_t i = 0; i < server->certificates_count; i++) {
        struct openssl_pair *pair = &making->pairs[making->taken++];
        pair->server = server;
        pair->certificate = &server->certificates[i];
    }
    return 0;
}

static int servers_create(struct tls_ctx *ctx, char *why, size_t why_size)
{
    struct making making = { .ctx = ctx, .why = why, .why_size = why_size };

    int res = for_each_server(&making, pairs_count);
    if (res < 0)
        return res;
    making.pairs = calloc(making.pairs_count + 1, sizeof(making.pairs[0]));
    if (making.pairs == NULL)
        res = no_memory(why, why_size);
    if (res == 0)
        res = for_each_server(&making, pairs_list);
    if (res == 0) {
        openssl_pairs_read(making.pairs, making.pairs_count, false);
        making.taken = 0;
        res = for_each_server(&making, server_create);
    }
    openssl_pairs_free(making.pairs, making.pairs_count);
    return res;
}

static int base_create(struct tls_ctx *ctx, char *why, size_t why_size)
{
    int res = ssl_ctx_create(ctx->config, why, why_size, &ctx->base);

    if (res < 0)
        return res;
    SSL_CTX_set_client_hello_cb(ctx->base, openssl_hello, NULL);
    return openssl_tickets_apply(ctx, why, why_size);
}

int openssl_ctx_create(const struct config *config, struct ticket_keys *ticket_keys, char *why,
                       size_t why_size, struct tls_ctx **ret_ctx)
{
    struct tls_ctx *ctx = calloc(1, sizeof(*ctx));

    /* Later calls would follow the pointers of a library that found no memory for its own state. */
    if (ctx == NULL || !openssl_begin()) {
        free(ctx);
        return no_memory(why, why_size);
    }
    ERR_clear_error();
    ctx->magic = OPENSSL_CTX_MAGIC;
    ctx->config = config;
    ctx->ticket_keys = ticket_keys_hold(ticket_keys);
    ctx->servers = calloc(config->servers_count, sizeof(ctx->servers[0]));
    ctx->bio_method = openssl_bio_method();
    ctx->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    int res = 0;
    if (ctx->servers == NULL || ctx->bio_method == NULL || ctx->sha256 == NULL)
        res = no_memory(why, why_size);
    if (res == 0)
        res = base_create(ctx, why, why_size);
    if (res == 0)
        res = ssl_ctx_create(config, why, why_size, &ctx->plain);
    if (res == 0 && config->tls.certificates != NULL && config->tls.certificates[0] != '\0')
        res = openssl_folder_load(config, why, why_size, &ctx->folder);
    if (res == 0)
        res = servers_create(ctx, why, why_size);
    if (res == 0 && openssl_warm_up(ctx) < 0)
        res = no_memory(why, why_size);
    ERR_clear_error();
    if (res < 0) {
        openssl_ctx_destroy(ctx);
        return res;
    }
    *ret_ctx = ctx;
    return 0;
}

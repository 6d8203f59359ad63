/* openssl_warm_up.c: handshakes in memory, before there are clients. See openssl.h.
 *
 * OpenSSL looks algorithms up and makes its generators of random numbers when they are used first,
 * and one allocation that fails at that moment is remembered: every later handshake of the same
 * kind fails, until the process ends. At the start such a failure can still be told. */
#include "tls/openssl.h"

#include "core/check.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>

enum {
    OCTETS_MAX = 64 * 1024, /* of one flight; chains are far smaller as a rule */
    FLIGHTS_MAX = 8
};

/* What clients may ask for; every one that the server does not offer fails at once. */
static const struct {
    unsigned protocol;
    int version;
    const char *signatures, *groups; /* NULL: OpenSSL's own, with ML-KEM where it is (3.5) */
} kinds[] = {
    { TLS_PROTOCOL_1_3, TLS1_3_VERSION, "ECDSA+SHA256:RSA-PSS+SHA256", NULL },
    { TLS_PROTOCOL_1_3, TLS1_3_VERSION, "ECDSA+SHA256:RSA-PSS+SHA256", "X25519:P-256" },
    { TLS_PROTOCOL_1_3, TLS1_3_VERSION, "RSA-PSS+SHA256", "P-256:P-384" },
    { TLS_PROTOCOL_1_2, TLS1_2_VERSION, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256", "X25519:P-256" },
    { TLS_PROTOCOL_1_2, TLS1_2_VERSION, "RSA+SHA256", "P-256:P-384" },
};

/* One flight of the client to the server, and the answer. False: nothing moves any more. */
static bool exchange(struct tls *t, SSL *client, char *memory)
{
    char plain_memory[256];
    struct buf plain, out;

    int code = SSL_do_handshake(client);
    if (code != 1 && SSL_get_error(client, code) != SSL_ERROR_WANT_READ)
        return false;
    int len = BIO_read(SSL_get_wbio(client), memory, OCTETS_MAX);
    if (len <= 0)
        return false;
    struct span in = span_make(memory, (size_t)len);
    buf_init(&plain, plain_memory, sizeof(plain_memory));
    buf_init(&out, memory + OCTETS_MAX, OCTETS_MAX);
    while (in.len > 0) {
        if (tls_openssl.receive(t, &in, &plain, &out) != TLS_OK)
            break;
    }
    struct span answer = buf_span(&out);
    return answer.len == 0 ||
           BIO_write(SSL_get_rbio(client), answer.ptr, (int)answer.len) == (int)answer.len;
}

/* A client for `kind`, with memory on both sides. NULL: no memory, or OpenSSL does not know it. */
static SSL *client_create(size_t kind)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_client_method());
    SSL *client = NULL;

    if (ssl_ctx != NULL && SSL_CTX_set_min_proto_version(ssl_ctx, kinds[kind].version) &&
        SSL_CTX_set_max_proto_version(ssl_ctx, kinds[kind].version) &&
        SSL_CTX_set1_sigalgs_list(ssl_ctx, kinds[kind].signatures) &&
        (kinds[kind].groups == NULL || SSL_CTX_set1_groups_list(ssl_ctx, kinds[kind].groups)))
        client = SSL_new(ssl_ctx);
    SSL_CTX_free(ssl_ctx); /* the client holds it */
    BIO *in = client != NULL ? BIO_new(BIO_s_mem()) : NULL;
    BIO *out = client != NULL ? BIO_new(BIO_s_mem()) : NULL;
    if (in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(client);
        return NULL;
    }
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(client, in, out);
    SSL_set_connect_state(client);
    return client;
}

static void handshake(struct tls_ctx *ctx, const struct listen_config *listen, size_t kind,
                      char *memory)
{
    SSL *client = client_create(kind);
    struct tls *t = NULL;

    if (client != NULL && tls_openssl.open(ctx, listen, &t) == 0) {
        for (int i = 0; i < FLIGHTS_MAX && exchange(t, client, memory); i++)
            continue;
        tls_openssl.close(t);
    }
    SSL_free(client);
}

int openssl_warm_up(struct tls_ctx *ctx)
{
    const struct config *config = ctx->config;
    char *memory = malloc(2 * (size_t)OCTETS_MAX);
    size_t first = 0;

    if (memory == NULL)
        return -ENOMEM;
    while (!config->listens[first].tls)
        first++;
    errno = 0;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if ((config->tls.protocols & kinds[i].protocol) != 0)
            handshake(ctx, &config->listens[first], i, memory);
    }
    int error = errno == ENOMEM ? -ENOMEM : 0;
    ERR_clear_error();
    free(memory);
    return error;
}

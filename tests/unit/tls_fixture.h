/* tls_fixture.h: a library behind struct tls_ops, and OpenSSL as its client, over memory.
 *
 * A world has three servers: a.test (default; ECDSA and RSA), b.test, and "*.w.test". A link is one
 * connection; link_turn() carries octets both ways, `chop` at a time. Included once a program, for
 * any library. */
#ifndef TESTS_UNIT_TLS_FIXTURE_H
#define TESTS_UNIT_TLS_FIXTURE_H

#include "core/arena.h"
#include "core/check.h"
#include "config/server_find.h"
#include "tls/tls.h"

#include "tls_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { OUT_SIZE = 65536, PLAIN_SIZE = 65536, SERVERS = 3, HOUR_MS = 3600000 };

struct world {
    const struct tls_ops *ops;
    struct tls_ctx *ctx;
    struct config config;
    struct listen_config listen;
    struct server servers[SERVERS];
    struct server *listed[SERVERS];
    struct certificate certificates[SERVERS + 1];
    char *hosts[SERVERS];
    char why[1024];
};

/* A configuration that starts; change it, then world_start(). pki_open() was called. */
static inline void world_init(struct world *w, const struct tls_ops *ops)
{
    static char *const names[SERVERS] = { "a.test", "b.test", "*.w.test" };
    static const char *const files[SERVERS + 1] = { "ec", "b.test", "w.test", "rsa" };

    *w = (struct world){ .ops = ops };
    for (size_t i = 0; i < SERVERS + 1; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s.pem", files[i]);
        if (access(pki_path(name), R_OK) < 0)
            pki_make(files[i], i == SERVERS ? "rsa2048" : "p256", 0, PKI_DAY_S);
    }
    w->certificates[0] = (struct certificate){ pki_path("ec.pem"), pki_path("ec.key"), NULL };
    w->certificates[1] = (struct certificate){ pki_path("rsa.pem"), pki_path("rsa.key"), NULL };
    w->certificates[2] = (struct certificate){ pki_path("b.test.pem"), pki_path("b.test.key"), NULL };
    w->certificates[3] = (struct certificate){ pki_path("w.test.pem"), pki_path("w.test.key"), NULL };
    for (size_t i = 0; i < SERVERS; i++) {
        w->hosts[i] = names[i];
        w->servers[i] = (struct server){
            .name = names[i],
            .hosts = &w->hosts[i],
            .hosts_count = 1,
            .certificates = &w->certificates[i == 0 ? 0 : i + 1],
            .certificates_count = i == 0 ? 2 : 1,
        };
        w->listed[i] = &w->servers[i];
    }
    w->listen =
        (struct listen_config){ .tls = true, .servers = w->listed, .servers_count = SERVERS };
    static struct arena *arena; /* until the end of the program */
    if (arena == NULL)
        arena = arena_create();
    assert_int_equal(server_names_make(arena, &w->listen), 0);
    w->config = (struct config){
        .tls = { .backend = "",
                 .protocols = TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3,
                 .tickets = true,
                 .ticket_key_ms = HOUR_MS,
                 .session_cache = 100,
                 .ktls = true },
        .listens = &w->listen,
        .listens_count = 1,
        .servers = w->servers,
        .servers_count = SERVERS,
    };
}

static inline void world_start(struct world *w)
{
    if (w->ops->ctx_create(&w->config, NULL, w->why, sizeof(w->why), &w->ctx) != 0)
        fail_msg("%s", w->why);
}

static inline void world_stop(struct world *w)
{
    w->ops->ctx_destroy(w->ctx);
    w->ctx = NULL;
}

/* The start is refused with `error`, and the sentence holds all of `words` (NULL at the end). */
static inline void world_refused(struct world *w, int error, const char *const *words)
{
    int res = w->ops->ctx_create(&w->config, NULL, w->why, sizeof(w->why), &w->ctx);

    if (res != error)
        fail_msg("%d instead of %d: %s", res, error, w->why);
    for (; *words != NULL; words++) {
        if (strstr(w->why, *words) == NULL)
            fail_msg("no '%s' in: %s", *words, w->why);
    }
    assert_null(w->ctx);
    assert_int_equal(ERR_peek_error(), 0);
}
#define WORLD_REFUSED(w, error, ...)                                                               \
    world_refused(w, error, (const char *const[]){ __VA_ARGS__, NULL })

struct link {
    struct world *world;
    struct tls *tls;
    SSL *client;
    BIO *to_client, *from_client;
    size_t chop; /* octets at a time to the server; 0: all */
    enum tls_result result;
    struct buf plain, out;
    char plain_data[PLAIN_SIZE], out_data[OUT_SIZE];
};

static inline SSL_CTX *client_ctx_create(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    CHECK(ctx != NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (version != 0) {
        CHECK(SSL_CTX_set_min_proto_version(ctx, version));
        CHECK(SSL_CTX_set_max_proto_version(ctx, version));
    }
    return ctx;
}

/* Opens a connection; `client_ctx` is borrowed, `name` is the SNI or NULL. */
static inline void link_open(struct link *l, struct world *w, SSL_CTX *client_ctx, const char *name)
{
    l->world = w;
    l->chop = 0;
    l->result = TLS_OK;
    buf_init(&l->plain, l->plain_data, sizeof(l->plain_data));
    buf_init(&l->out, l->out_data, sizeof(l->out_data));
    assert_int_equal(w->ops->open(w->ctx, &w->listen, &l->tls), 0);
    l->client = SSL_new(client_ctx);
    l->to_client = BIO_new(BIO_s_mem());
    l->from_client = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(l->to_client, -1);
    BIO_set_mem_eof_return(l->from_client, -1);
    SSL_set_bio(l->client, l->to_client, l->from_client);
    SSL_set_connect_state(l->client);
    if (name != NULL)
        assert_int_equal(SSL_set_tlsext_host_name(l->client, name), 1);
    assert_false(w->ops->established(l->tls));
    assert_false(w->ops->pending(l->tls));
}

/* As a client that keeps sessions: without close_notify they would be thrown away. */
static inline void link_close(struct link *l)
{
    l->world->ops->close(l->tls);
    SSL_set_shutdown(l->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(l->client);
}

/* Feeds the server `len` octets at `data`. */
static inline void link_feed(struct link *l, const void *data, size_t len)
{
    const struct tls_ops *ops = l->world->ops;
    struct span in = span_make(data, len);

    do {
        size_t before = in.len;
        l->result = ops->receive(l->tls, &in, &l->plain, &l->out);
        CHECK(in.len <= before);
        /* The thread's queue of errors is shared with other connections. */
        assert_int_equal(ERR_peek_error(), 0);
        if (l->result == TLS_WANT_INPUT)
            assert_int_equal(in.len, 0);
    } while (l->result == TLS_OK);
}

/* What the server has written reaches the client. */
static inline void link_deliver(struct link *l)
{
    if (buf_empty(&l->out))
        return;
    struct span out = buf_span(&l->out);
    assert_int_equal(BIO_write(l->to_client, out.ptr, (int)out.len), (int)out.len);
    buf_clear(&l->out);
}

/* What the client has written reaches the server, and the other way. */
static inline void link_turn(struct link *l)
{
    char data[OUT_SIZE];
    int len = BIO_read(l->from_client, data, sizeof(data));
    size_t size = len > 0 ? (size_t)len : 0;
    size_t step = l->chop != 0 ? l->chop : size;

    for (size_t at = 0; at < size; at += step)
        link_feed(l, data + at, step < size - at ? step : size - at);
    link_deliver(l);
}

/* The handshake, with what the server sends behind it. The client's success? */
static inline bool link_handshake(struct link *l)
{
    int res = -1;

    for (int i = 0; i < 10; i++) {
        res = SSL_do_handshake(l->client);
        link_turn(l);
        if (res != 1 && SSL_get_error(l->client, res) == SSL_ERROR_SSL)
            break;
    }
    if (res == 1) { /* tickets */
        char data[1];
        assert_int_equal(SSL_read(l->client, data, sizeof(data)), -1);
        res = SSL_get_error(l->client, -1) == SSL_ERROR_WANT_READ;
    }
    return res == 1;
}

/* The client sends `len` octets, and the server reads the same. */
static inline void link_upload(struct link *l, const void *data, size_t len)
{
    buf_clear(&l->plain);
    assert_int_equal(SSL_write(l->client, data, (int)len), (int)len);
    link_turn(l);
    assert_int_equal(buf_len(&l->plain), len);
    assert_memory_equal(l->plain.data, data, len);
    buf_clear(&l->plain);
}

/* The client reads `len` octets, those at `data`, of what was delivered. */
static inline void link_expect(struct link *l, const void *data, size_t len)
{
    char *got = malloc(len);
    size_t at = 0;

    while (at < len) {
        int n = SSL_read(l->client, got + at, (int)(len - at));
        if (n <= 0)
            fail_msg("%zu of %zu octets, then %d", at, len, SSL_get_error(l->client, n));
        at += (size_t)n;
    }
    assert_memory_equal(got, data, len);
    free(got);
}

/* The server sends `len` octets as one record, and the client reads the same. */
static inline void link_download(struct link *l, const void *data, size_t len)
{
    size_t before = buf_len(&l->out);

    assert_int_equal(l->world->ops->send(l->tls, data, len, &l->out), 0);
    const unsigned char *record = (const unsigned char *)l->out.data + l->out.start + before;
    assert_int_equal(buf_len(&l->out) - before, 5 + ((size_t)record[3] << 8 | record[4]));
    link_deliver(l);
    link_expect(l, data, len);
}

/* The common name of the server's certificate. */
static inline const char *link_peer_name(const struct link *l, char *text, size_t size)
{
    X509 *x509 = SSL_get1_peer_certificate(l->client);

    assert_non_null(x509);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, text, (int)size);
    X509_free(x509);
    return text;
}

#endif

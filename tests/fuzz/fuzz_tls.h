/* fuzz_tls.h: octets from the network into a library behind struct tls_ops, with OpenSSL as the
 * client where one is needed. Included once a program, which defines TARGET, the table, and
 * TARGET_PROTOCOLS, what it speaks (enum tls_protocol).
 *
 * Input: one octet that chooses what precedes (the lower two bits) and how the rest is cut (the
 * others), then the rest:
 *   0     the first octets of a connection: a ClientHello, or not
 *   1, 2  what follows a handshake of TLS 1.2, 1.3 (1.2 again where there is no 1.3)
 *   3     pairs of octets that spoil a client's handshake: how far on, and with what by XOR */
#ifndef TESTS_FUZZ_FUZZ_TLS_H
#define TESTS_FUZZ_FUZZ_TLS_H

#include "core/check.h"
#include "tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdlib.h>

enum { MODE_FIRST, MODE_AFTER_1_2, MODE_AFTER_1_3, MODE_SPOIL, ROUNDS_MAX = 8 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *hosts[] = { "localhost", "*.example.org" };
static struct server server = { .name = "localhost", .hosts = hosts, .hosts_count = 2 };
static struct server *servers[] = { &server };
static struct listen_config listen = { .tls = true, .servers = servers, .servers_count = 1 };
static const struct config config = {
    .tls = { .backend = "",
             .protocols = TARGET_PROTOCOLS,
             .tickets = true,
             .ticket_key_ms = 3600000,
             .session_cache = 16,
             .ktls = true,
             .self_signed = true },
    .listens = &listen,
    .listens_count = 1,
    .servers = &server,
    .servers_count = 1,
};

static const struct tls_ops *ops = &TARGET;
static struct tls_ctx *ctx;
static SSL_CTX *clients[4]; /* by mode */

static struct connection {
    struct tls *tls;
    struct buf plain, out;
    enum tls_result result;
    char plain_data[TLS_PLAIN_MAX + 1], out_data[2 * TLS_HANDSHAKE_ROOM];
} server_side;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const int last =
        (TARGET_PROTOCOLS & TLS_PROTOCOL_1_3) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    const int versions[] = { 0, TLS1_2_VERSION, last, 0 };
    char why[256];

    (void)argc;
    (void)argv;
    CHECK(ops->ctx_create(&config, NULL, why, sizeof(why), &ctx) == 0);
    for (size_t i = 1; i < ARRAY_LEN(clients); i++) {
        clients[i] = SSL_CTX_new(TLS_client_method());
        CHECK(clients[i] != NULL);
        SSL_CTX_set_min_proto_version(clients[i], versions[i]);
        SSL_CTX_set_max_proto_version(clients[i], versions[i]);
    }
    return 0;
}

/* What holds whatever the octets were. */
static void check_result(struct connection *c, size_t rest)
{
    bool more_room = buf_room(&c->plain) == 0 || buf_room(&c->out) < TLS_HANDSHAKE_ROOM;

    CHECK(c->result != TLS_WANT_INPUT || rest == 0);
    CHECK(c->result != TLS_WANT_ROOM || more_room);
    CHECK(c->result == TLS_FAILED || ops->established(c->tls) || buf_empty(&c->plain));
    CHECK(ERR_peek_error() == 0);
    CHECK(ops->error(c->tls) != NULL && ops->server_name(c->tls).ptr != NULL);
    (void)ops->pending(c->tls);
}

/* Feeds `size` octets, `chop` at a time; what comes out goes to `to_client`, or nowhere. */
static void feed(struct connection *c, const uint8_t *data, size_t size, size_t chop,
                 BIO *to_client)
{
    for (size_t at = 0; at < size;) {
        size_t len = chop > 0 && chop < size - at ? chop : size - at;
        char *copy = malloc(len); /* so that reading beyond it is seen */
        struct span in = span_make(copy, len);
        CHECK(copy != NULL);
        memcpy(copy, data + at, len);
        do {
            c->result = ops->receive(c->tls, &in, &c->plain, &c->out);
            check_result(c, in.len);
            if (to_client != NULL && !buf_empty(&c->out))
                BIO_write(to_client, buf_span(&c->out).ptr, (int)buf_len(&c->out));
            buf_clear(&c->plain);
            buf_clear(&c->out);
        } while (c->result == TLS_OK || c->result == TLS_WANT_ROOM);
        free(copy);
        at += len;
    }
}

/* XORs the stream of the client with pairs from the input. */
struct spoiler {
    const uint8_t *pairs;
    size_t left;
    size_t skip; /* octets until the next is due */
    bool armed;
};

static void spoil(struct spoiler *s, uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        if (!s->armed && s->left >= 2) {
            s->skip = s->pairs[0];
            s->armed = true;
        }
        if (!s->armed)
            return;
        if (s->skip-- > 0)
            continue;
        data[at] ^= s->pairs[1];
        s->pairs += 2;
        s->left -= 2;
        s->armed = false;
    }
}

/* A client's handshake, and a few octets behind it. */
static void shake_hands(struct connection *c, SSL_CTX *client_ctx, struct spoiler *spoiler,
                        size_t chop)
{
    SSL *client = SSL_new(client_ctx);
    BIO *to_client = BIO_new(BIO_s_mem()), *from_client = BIO_new(BIO_s_mem());
    uint8_t data[8192];
    bool said = false;

    BIO_set_mem_eof_return(to_client, -1);
    BIO_set_mem_eof_return(from_client, -1);
    SSL_set_bio(client, to_client, from_client);
    SSL_set_connect_state(client);
    SSL_set_tlsext_host_name(client, "www.example.org");
    for (int i = 0; i < ROUNDS_MAX; i++) {
        if (SSL_do_handshake(client) == 1 && !said)
            said = SSL_write(client, "hello", 5) == 5;
        int len = BIO_read(from_client, data, sizeof(data));
        ERR_clear_error();
        if (len <= 0)
            break;
        if (spoiler != NULL)
            spoil(spoiler, data, (size_t)len);
        feed(c, data, (size_t)len, chop, to_client);
    }
    SSL_free(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t chops[] = { 0, 1, 3, 5, 64, 1000, 0, 0 };
    struct connection *c = &server_side;
    unsigned char info[64];

    if (size < 1)
        return 0;
    unsigned mode = data[0] & 3;
    size_t chop = chops[data[0] >> 2 & 7];
    data++;
    size--;
    buf_init(&c->plain, c->plain_data, sizeof(c->plain_data));
    buf_init(&c->out, c->out_data, sizeof(c->out_data));
    CHECK(ops->open(ctx, &listen, &c->tls) == 0);
    if (mode == MODE_SPOIL) {
        struct spoiler spoiler = { .pairs = data, .left = size };
        shake_hands(c, clients[mode], &spoiler, chop);
    } else if (mode == MODE_FIRST) {
        feed(c, data, size, chop, NULL);
        CHECK(!ops->established(c->tls));
    } else {
        shake_hands(c, clients[mode], NULL, 0);
        CHECK(ops->established(c->tls));
        feed(c, data, size, chop, NULL);
    }
    if (ops->established(c->tls)) {
        bool lost = ops->send(c->tls, "answer", 6, &c->out) < 0;
        CHECK(!lost || mode == MODE_SPOIL || size > 0);
        CHECK(ops->offload == NULL || ops->offload(c->tls, info, sizeof(info)) <= sizeof(info));
    }
    ops->shutdown(c->tls, &c->out);
    ops->close(c->tls);
    return 0;
}

#endif

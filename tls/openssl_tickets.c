/* openssl_tickets.c: resumption: session tickets and the cache of sessions. See openssl.h.
 *
 * Two tickets after a full handshake of TLS 1.3: a browser opens a second connection as soon as it
 * has read the page, and a ticket is used once (RFC 8446 appendix C.4); more are seldom used, and
 * each costs a record. A resumed connection gets one. */
#include "tls/openssl.h"

#include "core/check.h"
#include "core/clock.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { TICKETS = 2, LIFETIME_MAX_S = 7 * 24 * 60 * 60 /* RFC 8446 section 4.6.1 */ };

static bool mac_init(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int encrypt(struct tls *t, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *mac)
{
    struct ticket_key key;

    if (ticket_keys_newest(t->ctx->ticket_keys, clock_monotonic_ms(), &key) < 0)
        return 0; /* no ticket */
    memcpy(name, key.name, sizeof(key.name));
    bool done = RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->ctx->aes_256_cbc)) == 1 &&
                EVP_EncryptInit_ex2(cipher, t->ctx->aes_256_cbc, key.cipher, iv, NULL) == 1 &&
                mac_init(mac, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    return done ? 1 : -1;
}

static int decrypt(struct tls *t, const unsigned char *name, const unsigned char *iv,
                   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    enum ticket_key_use use =
        ticket_keys_find(t->ctx->ticket_keys, clock_monotonic_ms(), name, &key);

    if (use == TICKET_KEY_NONE)
        return 0; /* a full handshake, and a new ticket */
    bool done = EVP_DecryptInit_ex2(cipher, t->ctx->aes_256_cbc, key.cipher, iv, NULL) == 1 &&
                mac_init(mac, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    if (!done)
        return -1;
    /* 2: resume, and send a new one. */
    return use == TICKET_KEY_OLD || SSL_version(t->ssl) == TLS1_3_VERSION ? 2 : 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_new)
{
    struct tls *t = SSL_get_app_data(ssl);

    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    return is_new ? encrypt(t, name, iv, cipher, mac) : decrypt(t, name, iv, cipher, mac);
}

int openssl_tickets_apply(struct tls_ctx *ctx, char *why, size_t why_size)
{
    const struct tls_settings *settings = &ctx->config->tls;
    long lifetime_s = settings->ticket_key_ms / 1000;

    /* A session need not be remembered for longer than its ticket could be read. */
    lifetime_s = lifetime_s < 1 ? 1 : lifetime_s > LIFETIME_MAX_S ? LIFETIME_MAX_S : lifetime_s;
    SSL_CTX_set_timeout(ctx->base, lifetime_s);
    if (settings->session_cache > 0) {
        SSL_CTX_set_session_cache_mode(ctx->base, SSL_SESS_CACHE_SERVER);
        SSL_CTX_sess_set_cache_size(ctx->base, settings->session_cache);
    } else {
        SSL_CTX_set_session_cache_mode(ctx->base, SSL_SESS_CACHE_OFF);
    }
    if (!settings->tickets) {
        SSL_CTX_set_options(ctx->base, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx->base, 0);
        return 0;
    }
    int res =
        ctx->ticket_keys != NULL
            ? 0
            : ticket_keys_create(settings->ticket_key_ms, clock_monotonic_ms(), &ctx->ticket_keys);
    if (res < 0) {
        snprintf(why, why_size, "cannot make the keys of session tickets: %s", strerror(-res));
        return res;
    }
    ctx->aes_256_cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (ctx->aes_256_cbc == NULL || !SSL_CTX_set_num_tickets(ctx->base, TICKETS) ||
        !SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx->base, on_ticket)) {
        snprintf(why, why_size, "OpenSSL cannot encrypt session tickets: %s", openssl_reason());
        return -EINVAL;
    }
    return 0;
}

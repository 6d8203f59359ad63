/* openssl_ktls.c: the keys that the kernel needs to encrypt in OpenSSL's place. See openssl.h.
 *
 * OpenSSL does not give its keys out; what they are derived from it does, by documented calls. TLS
 * 1.3: the traffic secret, which SSL_CTX_set_keylog_callback(3) reports, then RFC 8446 section 7.3.
 * TLS 1.2: SSL_SESSION_get_master_key(3) and both randoms, then RFC 5246 section 6.3. */
#include "tls/openssl.h"

#include "core/check.h"

#include <linux/tls.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum { NONCE_SIZE = 12, KEY_SIZE_MAX = 32, SALT_1_2_SIZE = 4, RANDOM_SIZE = 32, MASTER_SIZE = 48 };

/* What a record's key and nonce are made from. */
struct write_keys {
    unsigned char key[KEY_SIZE_MAX];
    unsigned char iv[NONCE_SIZE]; /* AES-GCM in TLS 1.2: its first 4 octets, the rest is explicit */
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A line "LABEL CLIENT_RANDOM SECRET", the latter two in hexadecimal. OpenSSL writes it when the
 * secret comes into use: behind our Finished, all of which has been written by then. */
static void on_keylog(const SSL *ssl, const char *line)
{
    static const char label[] = "SERVER_TRAFFIC_SECRET_0 ";
    struct tls *t = SSL_get_app_data(ssl);
    unsigned char len = 0;

    if (strncmp(line, label, sizeof(label) - 1) != 0)
        return;
    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    const char *hex = strchr(line + sizeof(label) - 1, ' ');
    if (hex == NULL)
        return;
    for (hex++; len < sizeof(t->secret) && hex[0] != '\0' && hex[1] != '\0'; hex += 2, len++) {
        int high = hex_digit(hex[0]), low = hex_digit(hex[1]);
        if (high < 0 || low < 0)
            return;
        t->secret[len] = (unsigned char)(high << 4 | low);
    }
    t->secret_len = hex[0] == '\0' ? len : 0;
    t->records_sent = 0;
}

/* SSL_CTX_set_msg_callback(3). */
static void on_message(int is_written, int version, int type, const void *data, size_t len,
                       SSL *ssl, void *arg)
{
    struct tls *t = SSL_get_app_data(ssl);

    (void)version;
    (void)arg;
    if (is_written && type == SSL3_RT_HANDSHAKE && len > 0 &&
        ((const unsigned char *)data)[0] == SSL3_MT_KEY_UPDATE)
        t->key_updated = true;
}

void openssl_ktls_watch(SSL_CTX *ssl_ctx)
{
    SSL_CTX_set_keylog_callback(ssl_ctx, on_keylog);
    SSL_CTX_set_msg_callback(ssl_ctx, on_message);
}

static bool derive(const char *kdf_name, const OSSL_PARAM *params, unsigned char *ret_data,
                   size_t len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, kdf_name, NULL);
    EVP_KDF_CTX *kdf_ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    bool done = kdf_ctx != NULL && EVP_KDF_derive(kdf_ctx, ret_data, len, params) == 1;

    EVP_KDF_CTX_free(kdf_ctx);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    return done;
}

/* HKDF-Expand-Label(secret, label, "", len) (RFC 8446 section 7.1). */
static bool expand_label(struct tls *t, const char *digest, const char *label,
                         unsigned char *ret_data, size_t len)
{
    static const char prefix[] = "tls13 ";
    unsigned char info[32];
    size_t label_len = strlen(label), at = 0;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;

    info[at++] = (unsigned char)(len >> 8);
    info[at++] = (unsigned char)len;
    info[at++] = (unsigned char)(sizeof(prefix) - 1 + label_len);
    memcpy(info + at, prefix, sizeof(prefix) - 1);
    at += sizeof(prefix) - 1;
    memcpy(info + at, label, label_len);
    at += label_len;
    info[at++] = 0; /* no context */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, t->secret, t->secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, at),
        OSSL_PARAM_construct_end(),
    };
    return derive(OSSL_KDF_NAME_HKDF, params, ret_data, len);
}

static bool derive_1_3(struct tls *t, const char *digest, size_t key_size,
                       struct write_keys *ret_keys)
{
    /* The peer may also have asked for new keys, which OpenSSL makes when it sends next. */
    return t->secret_len > 0 && !t->key_updated &&
           SSL_get_key_update_type(t->ssl) == SSL_KEY_UPDATE_NONE &&
           expand_label(t, digest, "key", ret_keys->key, key_size) &&
           expand_label(t, digest, "iv", ret_keys->iv, NONCE_SIZE);
}

/* key_block = PRF(master_secret, "key expansion", server_random + client_random): the client's key,
 * ours, the client's IV, ours. */
static bool derive_1_2(struct tls *t, const char *digest, size_t key_size, size_t iv_size,
                       struct write_keys *ret_keys)
{
    static const char label[] = "key expansion";
    unsigned char seed[sizeof(label) - 1 + 2 * RANDOM_SIZE];
    unsigned char master[MASTER_SIZE];
    unsigned char block[2 * (KEY_SIZE_MAX + NONCE_SIZE)];
    size_t block_size = 2 * (key_size + iv_size);
    size_t master_len = SSL_SESSION_get_master_key(SSL_get_session(t->ssl), master, sizeof(master));

    memcpy(seed, label, sizeof(label) - 1);
    if (SSL_get_server_random(t->ssl, seed + sizeof(label) - 1, RANDOM_SIZE) != RANDOM_SIZE ||
        SSL_get_client_random(t->ssl, seed + sizeof(label) - 1 + RANDOM_SIZE, RANDOM_SIZE) !=
            RANDOM_SIZE)
        return false;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_construct_end(),
    };
    bool done =
        master_len == MASTER_SIZE && derive(OSSL_KDF_NAME_TLS1_PRF, params, block, block_size);
    if (done) {
        memcpy(ret_keys->key, block + key_size, key_size);
        memcpy(ret_keys->iv, block + 2 * key_size + iv_size, iv_size);
    }
    OPENSSL_cleanse(master, sizeof(master));
    OPENSSL_cleanse(block, sizeof(block));
    return done;
}

/* As the kernel counts: most significant octet first. */
static void put_u64(uint64_t number, unsigned char *ret_data)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        ret_data[i] = (unsigned char)number;
}

/* AES-GCM in TLS 1.2: the explicit part of the nonce of the next record. It must never repeat under
 * a key (RFC 5288 section 3); OpenSSL counts up from a random number, and the kernel goes on. */
static void next_nonce(const struct tls *t, unsigned char *ret_nonce)
{
    uint64_t number = 0;

    for (size_t i = 0; i < sizeof(t->last_nonce); i++)
        number = number << 8 | t->last_nonce[i];
    put_u64(number + 1, ret_nonce);
}

/* Copies struct tls12_crypto_info_* `from` to the caller. */
static size_t give(const void *from, size_t from_size, void *info, size_t size)
{
    if (from_size > size)
        return 0;
    memcpy(info, from, from_size);
    return from_size;
}

/* Salt and explicit nonce are those 12 octets that a nonce is made from (RFC 8446 section 5.3,
 * RFC 5288 section 3). */
#define FILL_AES_GCM(bits)                                                                         \
    static size_t fill_aes_gcm_##bits(const struct tls *t, unsigned short version,                 \
                                      const struct write_keys *keys, void *info, size_t size)      \
    {                                                                                              \
        struct tls12_crypto_info_aes_gcm_##bits crypto = {                                         \
            .info = { version, TLS_CIPHER_AES_GCM_##bits },                                        \
        };                                                                                         \
        memcpy(crypto.key, keys->key, sizeof(crypto.key));                                         \
        memcpy(crypto.salt, keys->iv, sizeof(crypto.salt));                                        \
        memcpy(crypto.iv, keys->iv + sizeof(crypto.salt), sizeof(crypto.iv));                      \
        if (version == TLS_1_2_VERSION)                                                            \
            next_nonce(t, crypto.iv);                                                              \
        put_u64(t->records_sent, crypto.rec_seq);                                                  \
        size_t len = give(&crypto, sizeof(crypto), info, size);                                    \
        OPENSSL_cleanse(&crypto, sizeof(crypto));                                                  \
        return len;                                                                                \
    }

FILL_AES_GCM(128)
FILL_AES_GCM(256)

static size_t fill_chacha20_poly1305(const struct tls *t, unsigned short version,
                                     const struct write_keys *keys, void *info, size_t size)
{
    struct tls12_crypto_info_chacha20_poly1305 crypto = {
        .info = { version, TLS_CIPHER_CHACHA20_POLY1305 },
    };

    memcpy(crypto.key, keys->key, sizeof(crypto.key));
    memcpy(crypto.iv, keys->iv, sizeof(crypto.iv));
    put_u64(t->records_sent, crypto.rec_seq);
    size_t len = give(&crypto, sizeof(crypto), info, size);
    OPENSSL_cleanse(&crypto, sizeof(crypto));
    return len;
}

/* What the kernel can do, by OpenSSL's NID of the cipher. */
static const struct kernel_cipher {
    int nid;
    size_t key_size, iv_1_2_size; /* octets; of the IV in TLS 1.2's key block */
    size_t (*fill)(const struct tls *t, unsigned short version, const struct write_keys *keys,
                   void *info, size_t size);
} kernel_ciphers[] = {
    { NID_aes_128_gcm, 16, SALT_1_2_SIZE, fill_aes_gcm_128 },
    { NID_aes_256_gcm, 32, SALT_1_2_SIZE, fill_aes_gcm_256 },
    { NID_chacha20_poly1305, 32, NONCE_SIZE, fill_chacha20_poly1305 },
};

size_t openssl_ktls_offload(struct tls *t, void *info, size_t size)
{
    struct write_keys keys = { { 0 }, { 0 } };
    size_t len = 0;

    CHECK_OBJ(t, OPENSSL_TLS_MAGIC);
    CHECK(t->established);
    if (t->lost || !t->ctx->config->tls.ktls || SSL_in_init(t->ssl))
        return 0;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(cipher);
    const char *digest = md != NULL ? EVP_MD_get0_name(md) : NULL;
    bool is_1_3 = SSL_version(t->ssl) == TLS1_3_VERSION;
    for (size_t i = 0; digest != NULL && i < ARRAY_LEN(kernel_ciphers); i++) {
        const struct kernel_cipher *kernel = &kernel_ciphers[i];
        if (kernel->nid != SSL_CIPHER_get_cipher_nid(cipher))
            continue;
        bool done = is_1_3 ? derive_1_3(t, digest, kernel->key_size, &keys)
                           : derive_1_2(t, digest, kernel->key_size, kernel->iv_1_2_size, &keys);
        if (done)
            len = kernel->fill(t, is_1_3 ? TLS_1_3_VERSION : TLS_1_2_VERSION, &keys, info, size);
    }
    OPENSSL_cleanse(&keys, sizeof(keys));
    OPENSSL_cleanse(t->secret, sizeof(t->secret));
    t->secret_len = 0; /* asked for once: engines try it right after the handshake */
    return len;
}

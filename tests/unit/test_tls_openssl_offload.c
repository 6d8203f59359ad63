/* test_tls_openssl_offload.c: the keys given out for kTLS are those that the client has.
 *
 * First this program encrypts in the kernel's place, as Linux's Documentation/networking/tls.rst
 * and the RFCs have it; then the kernel does, where it has the TLS module, through a socket. */
#include "tls/openssl_ktls.c"

#include "tls_fixture.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef SOL_TLS
#define SOL_TLS 282
#endif

enum { TYPE_ALERT = 21, TYPE_DATA = 23, TAG_SIZE = 16 };

static struct world world;
static struct link one;

static const struct cipher_case {
    int version;
    const char *cipher;
    uint16_t kernel_cipher;
    size_t size;
} cases[] = {
    { TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", TLS_CIPHER_AES_GCM_128,
      sizeof(struct tls12_crypto_info_aes_gcm_128) },
    { TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", TLS_CIPHER_AES_GCM_256,
      sizeof(struct tls12_crypto_info_aes_gcm_256) },
    { TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", TLS_CIPHER_CHACHA20_POLY1305,
      sizeof(struct tls12_crypto_info_chacha20_poly1305) },
    { TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", TLS_CIPHER_AES_GCM_128,
      sizeof(struct tls12_crypto_info_aes_gcm_128) },
    { TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", TLS_CIPHER_AES_GCM_256,
      sizeof(struct tls12_crypto_info_aes_gcm_256) },
    { TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", TLS_CIPHER_CHACHA20_POLY1305,
      sizeof(struct tls12_crypto_info_chacha20_poly1305) },
};

union crypto_info {
    struct tls_crypto_info info;
    struct tls12_crypto_info_aes_gcm_128 aes_128;
    struct tls12_crypto_info_aes_gcm_256 aes_256;
    struct tls12_crypto_info_chacha20_poly1305 chacha;
};

static SSL_CTX *client_create(const struct cipher_case *c)
{
    SSL_CTX *client = client_ctx_create(c->version);

    assert_int_equal(c->version == TLS1_2_VERSION ? SSL_CTX_set_cipher_list(client, c->cipher)
                                                  : SSL_CTX_set_ciphersuites(client, c->cipher),
                     1);
    return client;
}

/* Connects, sends `records` records, and takes the keys. */
static void link_offload(struct link *l, SSL_CTX *client, const struct cipher_case *c, int records,
                         union crypto_info *crypto)
{
    memset(crypto, 0, sizeof(*crypto));
    link_open(l, &world, client, "a.test");
    assert_true(link_handshake(l));
    assert_string_equal(SSL_get_cipher_name(l->client), c->cipher);
    for (int i = 0; i < records; i++)
        link_download(l, "encrypted by OpenSSL", 20);
    assert_int_equal(tls_openssl.offload(l->tls, crypto, sizeof(*crypto)), c->size);
    assert_int_equal(crypto->info.version, c->version);
    assert_int_equal(crypto->info.cipher_type, c->kernel_cipher);
}

/* The parts of whichever struct it is. */
struct parts {
    const EVP_CIPHER *cipher;
    unsigned char *key, *salt, *iv, *rec_seq;
    size_t salt_size;
};

static struct parts parts_of(union crypto_info *crypto)
{
    switch (crypto->info.cipher_type) {
    case TLS_CIPHER_AES_GCM_128:
        return (struct parts){ EVP_aes_128_gcm(),  crypto->aes_128.key,     crypto->aes_128.salt,
                               crypto->aes_128.iv, crypto->aes_128.rec_seq, 4 };
    case TLS_CIPHER_AES_GCM_256:
        return (struct parts){ EVP_aes_256_gcm(),  crypto->aes_256.key,     crypto->aes_256.salt,
                               crypto->aes_256.iv, crypto->aes_256.rec_seq, 4 };
    default:
        return (struct parts){ EVP_chacha20_poly1305(), crypto->chacha.key,     NULL,
                               crypto->chacha.iv,       crypto->chacha.rec_seq, 0 };
    }
}

static void count_up(unsigned char *number)
{
    for (int i = 7; i >= 0 && ++number[i] == 0; i--)
        continue;
}

static size_t seal(const struct parts *p, const unsigned char *nonce, const void *aad,
                   size_t aad_len, const void *text, size_t len, unsigned char *ret_data)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n, last;

    assert_int_equal(EVP_EncryptInit_ex(ctx, p->cipher, NULL, p->key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, ret_data, &n, text, (int)len), 1);
    assert_int_equal(EVP_EncryptFinal_ex(ctx, ret_data + n, &last), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, ret_data + len), 1);
    EVP_CIPHER_CTX_free(ctx);
    return len + TAG_SIZE;
}

/* One record as the kernel makes it; counts up. Returns its octets. */
static size_t kernel_record(union crypto_info *crypto, unsigned char type, const char *text,
                            size_t len, unsigned char *ret_record)
{
    struct parts p = parts_of(crypto);
    unsigned char nonce[12], aad[13], inner[256];
    bool is_1_3 = crypto->info.version == TLS_1_3_VERSION;
    size_t explicit_size = !is_1_3 && p.salt_size > 0 ? 8 : 0, body;

    if (p.salt_size > 0)
        memcpy(nonce, p.salt, p.salt_size);
    memcpy(nonce + p.salt_size, p.iv, sizeof(nonce) - p.salt_size);
    for (size_t i = 0; i < 8 && explicit_size == 0; i++)
        nonce[4 + i] ^= p.rec_seq[i];
    memcpy(inner, text, len);
    if (is_1_3)
        inner[len++] = type;
    body = explicit_size + len + TAG_SIZE;
    memcpy(ret_record,
           (unsigned char[]){ is_1_3 ? TYPE_DATA : type, 3, 3, (unsigned char)(body >> 8),
                              (unsigned char)body },
           5);
    memcpy(ret_record + 5, p.iv, explicit_size);
    memcpy(aad, p.rec_seq, 8);
    memcpy(aad + 8, (unsigned char[]){ type, 3, 3, (unsigned char)(len >> 8), (unsigned char)len },
           5);
    size_t sealed = seal(&p, nonce, is_1_3 ? ret_record : aad, is_1_3 ? 5 : sizeof(aad), inner, len,
                         ret_record + 5 + explicit_size);
    assert_int_equal(explicit_size + sealed, body);
    count_up(p.rec_seq);
    if (explicit_size > 0)
        count_up(p.iv);
    return 5 + body;
}

static void test_keys(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases) * 3; i++) {
        const struct cipher_case *c = &cases[i / 3];
        SSL_CTX *client = client_create(c);
        union crypto_info crypto;
        unsigned char record[512];
        char data[1];
        link_offload(&one, client, c, (int)(i % 3) * 150, &crypto);
        for (int n = 0; n < 3; n++) {
            size_t len = kernel_record(&crypto, TYPE_DATA, "by the kernel", 13, record);
            assert_int_equal(BIO_write(one.to_client, record, (int)len), (int)len);
            link_expect(&one, "by the kernel", 13);
        }
        /* The other direction stays OpenSSL's. */
        link_upload(&one, "hello", 5);
        size_t len = kernel_record(&crypto, TYPE_ALERT, "\x01\x00", 2, record);
        assert_int_equal(BIO_write(one.to_client, record, (int)len), (int)len);
        assert_int_equal(SSL_read(one.client, data, 1), 0);
        assert_int_equal(SSL_get_error(one.client, 0), SSL_ERROR_ZERO_RETURN);
        link_close(&one);
        SSL_CTX_free(client);
    }
}

/* In TLS 1.2 a nonce must not come twice under a key: OpenSSL's stop where the kernel's begin. */
static void test_nonce_goes_on(void **state)
{
    (void)state;
    const struct cipher_case *c = &cases[0];
    SSL_CTX *client = client_create(c);
    union crypto_info crypto;
    unsigned char last[8];

    link_open(&one, &world, client, "a.test");
    assert_true(link_handshake(&one));
    assert_int_equal(tls_openssl.send(one.tls, "x", 1, &one.out), 0);
    memcpy(last, one.out.data + one.out.start + 5, 8);
    link_deliver(&one);
    assert_int_equal(tls_openssl.offload(one.tls, &crypto, sizeof(crypto)), c->size);
    count_up(last);
    assert_memory_equal(crypto.aes_128.iv, last, 8);
    link_close(&one);
    SSL_CTX_free(client);
}

static void test_not_always(void **state)
{
    (void)state;
    union crypto_info crypto;
    SSL_CTX *client = client_ctx_create(TLS1_3_VERSION);

    /* Keys that were replaced. */
    link_open(&one, &world, client, "a.test");
    assert_true(link_handshake(&one));
    assert_int_equal(SSL_key_update(one.client, SSL_KEY_UPDATE_REQUESTED), 1);
    link_upload(&one, "hello", 5);
    assert_int_equal(tls_openssl.send(one.tls, "x", 1, &one.out), 0);
    assert_int_equal(tls_openssl.offload(one.tls, &crypto, sizeof(crypto)), 0);
    link_close(&one);

    /* Keys that are about to be. */
    link_open(&one, &world, client, "a.test");
    assert_true(link_handshake(&one));
    assert_int_equal(SSL_key_update(one.client, SSL_KEY_UPDATE_REQUESTED), 1);
    link_upload(&one, "hello", 5);
    assert_int_equal(tls_openssl.offload(one.tls, &crypto, sizeof(crypto)), 0);
    link_close(&one);

    /* No room for them. */
    link_open(&one, &world, client, "a.test");
    assert_true(link_handshake(&one));
    assert_int_equal(tls_openssl.offload(one.tls, &crypto, 8), 0);
    link_close(&one);
    SSL_CTX_free(client);

    /* Switched off; a cipher that the kernel does not get. */
    static char *ciphers[] = { "TLS_ECDHE_ECDSA_WITH_AES_128_CCM" };
    for (int off = 0; off < 2; off++) {
        struct world other;
        world_init(&other, &tls_openssl);
        other.config.tls.ktls = off == 0;
        if (off == 0) {
            other.config.tls.protocols = TLS_PROTOCOL_1_2;
            other.config.tls.ciphers = ciphers;
            other.config.tls.ciphers_count = 1;
        }
        world_start(&other);
        client = client_ctx_create(off == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
        assert_int_equal(SSL_CTX_set_cipher_list(client, "ECDHE-ECDSA-AES128-CCM"), 1);
        link_open(&one, &other, client, "a.test");
        assert_true(link_handshake(&one));
        assert_int_equal(tls_openssl.offload(one.tls, &crypto, sizeof(crypto)), 0);
        link_close(&one);
        SSL_CTX_free(client);
        world_stop(&other);
    }
}

/* Two ends of a TCP connection; TLS as upper layer protocol on the first, if the kernel can. */
static bool sockets_open(int fds[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&address, len), 0);
    fds[0] = accept(listener, NULL, NULL);
    assert_true(fds[0] >= 0);
    close(listener);
    return setsockopt(fds[0], IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0;
}

static void sockets_close(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

/* What the kernel wrote to the socket reaches the client, which reads `data` of `len` octets. */
static void pump(int fd, const char *data, size_t len)
{
    char chunk[32768], *got = malloc(len);
    size_t at = 0;

    while (at < len) {
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        assert_true(n > 0);
        assert_int_equal(BIO_write(one.to_client, chunk, (int)n), (int)n);
        int m;
        while (at < len && (m = SSL_read(one.client, got + at, (int)(len - at))) > 0)
            at += (size_t)m;
        ERR_clear_error();
    }
    assert_memory_equal(got, data, len);
    free(got);
}

static void test_kernel(void **state)
{
    (void)state;
    static char data[50000];
    int fds[2];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SSL_CTX *client = client_create(&cases[i]);
        union crypto_info crypto;
        if (!sockets_open(fds)) {
            sockets_close(fds);
            SSL_CTX_free(client);
            skip(); /* no TLS module */
        }
        link_offload(&one, client, &cases[i], 3, &crypto);
        if (setsockopt(fds[0], SOL_TLS, TLS_TX, &crypto, (socklen_t)cases[i].size) != 0)
            fail_msg("%s: TLS_TX: %s", cases[i].cipher, strerror(errno));
        assert_int_equal(send(fds[0], data, sizeof(data), 0), sizeof(data));
        pump(fds[1], data, sizeof(data));
        link_upload(&one, "hello", 5);
        assert_int_equal(send(fds[0], "bye", 3, 0), 3);
        pump(fds[1], "bye", 3);
        print_message("the kernel encrypts: %s\n", cases[i].cipher);
        link_close(&one);
        SSL_CTX_free(client);
        sockets_close(fds);
    }
}

static int setup(void **state)
{
    (void)state;
    pki_open();
    world_init(&world, &tls_openssl);
    world_start(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_stop(&world);
    pki_close();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_nonce_goes_on),
        cmocka_unit_test(test_not_always),
        cmocka_unit_test(test_kernel),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

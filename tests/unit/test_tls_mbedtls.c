/* test_tls_mbedtls.c: connections by mbed TLS, with OpenSSL as their client: handshakes, names,
 * records, endings, bad peers. */
#include "tls/tls_mbedtls.c"

#include <openssl/tls1.h>
#include <pthread.h>

#define LIBRARY tls_mbedtls
#if MBED_IS_3
static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#else
static const int versions[] = { TLS1_2_VERSION };
#endif

#include "tls_connection.h"

static struct link two;

static void test_features(void **state)
{
    (void)state;
    char text[128];

    tls_mbedtls.features(text, sizeof(text));
    assert_string_equal(strchr(text, ':'),
                        ARRAY_LEN(versions) == 2
                            ? ": TLS 1.2 and 1.3, no kTLS, no X25519MLKEM768, no ECH"
                            : ": TLS 1.2, no kTLS, no X25519MLKEM768, no ECH");
    assert_memory_equal(text, "mbed TLS ", 9);
    assert_ptr_equal(tls_find("mbedtls"), &tls_mbedtls);
}

/* Each version, octets in pieces of each size; records of one octet up to the largest. */
static void test_octets_pass(void **state)
{
    (void)state;
    static const size_t chops[] = { 0, 1, 2, 5, 7, 1000 };
    static char data[TLS_PLAIN_MAX];

    fill(data, sizeof(data));
    for (size_t i = 0; i < ARRAY_LEN(versions) * ARRAY_LEN(chops); i++) {
        size_t version = i % ARRAY_LEN(versions);
        link_open(&one, &world, clients[version], "a.test");
        one.chop = chops[i / ARRAY_LEN(versions)];
        assert_true(link_handshake(&one));
        assert_int_equal(SSL_version(one.client), versions[version]);
        assert_true(tls_mbedtls.established(one.tls));
        assert_int_equal(one.result, TLS_WANT_INPUT);
        link_upload(&one, "GET / HTTP/1.1\r\n", 16);
        link_download(&one, data, 1);
        link_download(&one, data, 1400);
        link_download(&one, data, sizeof(data) - 1);
        assert_int_equal(tls_mbedtls.send(one.tls, data, sizeof(data), &one.out), 0);
        assert_true(buf_len(&one.out) <= sizeof(data) + TLS_OVERHEAD_MAX);
        link_deliver(&one);
        link_expect(&one, data, sizeof(data));
        link_upload(&one, data, sizeof(data));
        assert_false(tls_mbedtls.pending(one.tls));
        assert_string_equal(tls_mbedtls.error(one.tls), "no error");
        link_close(&one);
    }
}

/* A chain that is longer than the room for a flight goes out in parts. */
static void test_long_chain(void **state)
{
    (void)state;
    static struct world w;

    world_init(&w, &tls_mbedtls);
    pki_make("chain", "p256", 0, PKI_DAY_S);
    EVP_PKEY *key = pki_key("rsa2048");
    FILE *file = fopen(pki_path("chain.pem"), "a");
    for (int i = 0; i < 12; i++) {
        X509 *x509 = pki_x509(key, "a certificate that makes the chain long", 0, PKI_DAY_S);
        assert_int_equal(PEM_write_X509(file, x509), 1);
        X509_free(x509);
    }
    fclose(file);
    EVP_PKEY_free(key);
    w.certificates[0] = (struct certificate){ pki_path("chain.pem"), pki_path("chain.key"), NULL };
    w.servers[0].certificates_count = 1;
    world_start(&w);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        link_open(&one, &w, clients[i], NULL);
        one.out.cap = TLS_HANDSHAKE_ROOM;
        bool waited = false;
        for (int turn = 0; turn < 10 && !tls_mbedtls.established(one.tls); turn++) {
            SSL_do_handshake(one.client);
            link_turn(&one);
            while (one.result == TLS_WANT_ROOM) {
                waited = true;
                link_deliver(&one);
                link_feed(&one, "", 0);
            }
            link_deliver(&one);
        }
        assert_true(waited);
        assert_true(link_handshake(&one));
        assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(one.client)), 13);
        link_close(&one);
    }
    world_stop(&w);
}

/* The client's algorithms decide between the server's two certificates. */
static void test_two_certificates(void **state)
{
    (void)state;
    static const char *const algorithms[] = { "ECDSA+SHA256",
                                              "RSA+SHA256:RSA-PSS+SHA256:RSA-PSS+SHA512" };
    static const char *const want[] = { "ec", "rsa" };
    char name[64];

    for (size_t i = 0; i < ARRAY_LEN(want) * ARRAY_LEN(versions); i++) {
        size_t n = i / ARRAY_LEN(versions);
        SSL_CTX *client = client_ctx_create(versions[i % ARRAY_LEN(versions)]);
        assert_int_equal(SSL_CTX_set1_sigalgs_list(client, algorithms[n]), 1);
        link_open(&one, &world, client, "a.test");
        assert_true(link_handshake(&one));
        assert_string_equal(link_peer_name(&one, name, sizeof(name)), want[n]);
        link_close(&one);
        SSL_CTX_free(client);
    }
}

/* By default: AES-128 first; never without ECDHE. */
static void test_ciphers(void **state)
{
    (void)state;
    static const struct {
        const char *offered, *want;
    } cases[] = {
        { "AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
          "ECDHE-RSA-AES128-GCM-SHA256" },
        { "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305" },
        { "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-CCM:"
          "DHE-RSA-AES128-GCM-SHA256",
          NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SSL_CTX *client = client_ctx_create(TLS1_2_VERSION);
        assert_int_equal(SSL_CTX_set_cipher_list(client, cases[i].offered), 1);
        link_open(&one, &world, client, "a.test");
        assert_int_equal(link_handshake(&one), cases[i].want != NULL);
        if (cases[i].want != NULL) {
            assert_string_equal(SSL_get_cipher_name(one.client), cases[i].want);
        } else {
            assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()),
                             SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
            ERR_clear_error();
            assert_int_equal(one.result, TLS_FAILED);
        }
        link_close(&one);
        SSL_CTX_free(client);
    }
}

/* With TLS 1.2 our order decides; with 1.3 the library takes what needs no second ClientHello. */
static void test_curves(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        int want[2]; /* 0: none */
    } cases[] = {
        { "P-384:P-256:X25519", { NID_X25519, NID_secp384r1 } },
        { "P-384:P-256", { NID_X9_62_prime256v1, NID_secp384r1 } },
        { "P-384", { NID_secp384r1, NID_secp384r1 } },
        { "X448:P-256", { NID_X9_62_prime256v1, NID_X9_62_prime256v1 } }, /* 1.3: asks again */
        { "X448", { 0, 0 } },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(versions); i++) {
        size_t n = i / ARRAY_LEN(versions);
        int want = cases[n].want[i % ARRAY_LEN(versions)];
        SSL_CTX *client = client_ctx_create(versions[i % ARRAY_LEN(versions)]);
        assert_int_equal(SSL_CTX_set1_groups_list(client, cases[n].offered), 1);
        link_open(&one, &world, client, "a.test");
        assert_int_equal(link_handshake(&one), want != 0);
        ERR_clear_error();
        if (want != 0)
            assert_int_equal(SSL_get_negotiated_group(one.client), want);
        else
            assert_int_equal(one.result, TLS_FAILED);
        link_close(&one);
        SSL_CTX_free(client);
    }
}

static void test_old_versions(void **state)
{
    (void)state;
    SSL_CTX *client = client_ctx_create(0);

    SSL_CTX_set_security_level(client, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(client, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(client, TLS1_1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(client, "ALL"), 1);
    link_open(&one, &world, client, "a.test");
    assert_false(link_handshake(&one));
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
    ERR_clear_error();
    assert_int_equal(one.result, TLS_FAILED);
    link_close(&one);
    SSL_CTX_free(client);
}

/* The client wants records of 1024 octets at most (RFC 6066 section 4). */
static void test_small_records(void **state)
{
    (void)state;
    static char data[8000];
    SSL_CTX *client = client_ctx_create(TLS1_2_VERSION);

    fill(data, sizeof(data));
    assert_int_equal(
        SSL_CTX_set_tlsext_max_fragment_length(client, TLSEXT_max_fragment_length_1024), 1);
    link_open(&one, &world, client, "a.test");
    assert_true(link_handshake(&one));
    link_upload(&one, "GET /", 5);
    assert_int_equal(tls_mbedtls.send(one.tls, data, sizeof(data), &one.out), 0);
    link_deliver(&one);
    link_expect(&one, data, sizeof(data));
    link_close(&one);
    SSL_CTX_free(client);
}

/* Fed to a new connection, or (`client`) behind a handshake, `data` ends it; its error and an alert
 * tell. */
static void assert_lost(SSL_CTX *client, const void *data, size_t len, const char *error)
{
    link_open(&one, &world, client != NULL ? client : clients[0], "a.test");
    if (client != NULL)
        assert_true(link_handshake(&one));
    link_feed(&one, data, len);
    assert_int_equal(one.result, TLS_FAILED);
    assert_memory_equal(tls_mbedtls.error(one.tls), error, strlen(error));
    assert_true(buf_len(&one.out) >= 7);
    /* And stays lost. */
    buf_clear(&one.out);
    link_feed(&one, data, len);
    assert_int_equal(one.result, TLS_FAILED);
    tls_mbedtls.shutdown(one.tls, &one.out);
    assert_true(buf_empty(&one.out));
    if (client != NULL)
        assert_true(tls_mbedtls.send(one.tls, "x", 1, &one.out) < 0);
    link_close(&one);
}

static void test_garbage(void **state)
{
    (void)state;
    static char data[5 + 40000];
    char hello[4096]; /* with a post-quantum key share, above 1,400 octets */

    memset(data, 'x', sizeof(data));
    assert_lost(NULL, data, 5, "SSL - ");
    assert_lost(NULL, "GET / HTTP/1.1\r\n\r\n", 18, "SSL - ");
    assert_lost(NULL, "\x17\x03\x03\x00\x10xxxxxxxxxxxxxxxx", 21, "SSL - ");
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        /* A record of more than 2^14 + 256 octets (RFC 8446 section 5.2; 5246 section 6.2.3). */
        memcpy(data, "\x17\x03\x03\x60\x00", 5);
        assert_lost(clients[i], data, sizeof(data), "SSL - ");
        /* One that does not decrypt. */
        memcpy(data, "\x17\x03\x03\x00\x40", 5);
        assert_lost(clients[i], data, 69, "SSL - ");
    }

    /* A zero octet in the name, found where the name stands in a real ClientHello. */
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        link_open(&two, &world, clients[i], "zero.test");
        assert_int_equal(SSL_do_handshake(two.client), -1);
        int len = BIO_read(two.from_client, hello, sizeof(hello));
        link_close(&two);
        char *name = memmem(hello, (size_t)len, "zero.test", 9);
        assert_non_null(name);
        name[4] = '\0';
        assert_lost(NULL, hello, (size_t)len, "malformed server name");
        name[4] = '.';
        name[-1]++; /* its length */
        assert_lost(NULL, hello, (size_t)len, "SSL - ");
    }
}

/* Closed at any point of a handshake, nothing is left behind (ASan). */
static void test_cut_short(void **state)
{
    (void)state;
    char data[4096];

    link_open(&two, &world, clients[0], "a.test");
    assert_int_equal(SSL_do_handshake(two.client), -1);
    int len = BIO_read(two.from_client, data, sizeof(data));
    for (int i = 0; i <= len; i += i % 16 == 0 ? 1 : 15) {
        link_open(&one, &world, clients[0], "a.test");
        link_feed(&one, data, (size_t)i);
        assert_int_equal(one.result, TLS_WANT_INPUT);
        assert_int_equal(tls_mbedtls.pending(one.tls), i > 0 && i < len);
        link_close(&one);
    }
    link_close(&two);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),       cmocka_unit_test(test_octets_pass),
        cmocka_unit_test(test_waits_for_room), cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_two_certificates),
        cmocka_unit_test(test_ciphers),        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_old_versions),   cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_endings),        cmocka_unit_test(test_no_renegotiation),
        cmocka_unit_test(test_small_records),  cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_cut_short),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* test_tls_openssl.c: connections by OpenSSL: handshakes, names, records, endings, bad peers. */
#include "tls/tls_openssl.c"

#include <malloc.h>
#include <openssl/tls1.h>

#define LIBRARY tls_openssl
static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

#include "tls_connection.h"

static struct link two;

static void test_features(void **state)
{
    (void)state;
    char text[128];

    tls_openssl.features(text, sizeof(text));
    assert_string_equal(strchr(text, ':'),
                        OPENSSL_VERSION_NUMBER >= 0x30500000
                            ? ": TLS 1.2 and 1.3, kTLS, X25519MLKEM768, no ECH"
                            : ": TLS 1.2 and 1.3, kTLS, no X25519MLKEM768, no ECH");
    assert_int_equal(strncmp(text, "OpenSSL 3.", 10), 0);
    assert_ptr_equal(tls_find("openssl"), &tls_openssl);
    assert_ptr_equal(tls_find(""), &tls_openssl);
}

/* Each version, octets in pieces of each size; records of one octet up to the largest. */
static void test_octets_pass(void **state)
{
    (void)state;
    static const size_t chops[] = { 0, 1, 2, 5, 7, 1000 };
    static char data[TLS_PLAIN_MAX];

    fill(data, sizeof(data));
    for (size_t i = 0; i < ARRAY_LEN(versions) * ARRAY_LEN(chops); i++) {
        int version = versions[i % ARRAY_LEN(versions)];
        link_open(&one, &world, clients[i % ARRAY_LEN(versions)], "a.test");
        one.chop = chops[i / ARRAY_LEN(versions)];
        assert_true(link_handshake(&one));
        assert_int_equal(SSL_version(one.client), version);
        assert_true(tls_openssl.established(one.tls));
        assert_int_equal(one.result, TLS_WANT_INPUT);
        link_upload(&one, "GET / HTTP/1.1\r\n", 16);
        link_download(&one, data, 1);
        link_download(&one, data, 1400);
        link_download(&one, data, sizeof(data));
        link_upload(&one, data, sizeof(data));
        assert_false(tls_openssl.pending(one.tls));
        assert_string_equal(tls_openssl.error(one.tls), "no error");
        link_close(&one);
    }
}

/* Whenever memory is asked back, in the middle of a record, too: nothing is lost. How much it is:
 * test_idle_memory. */
static void test_trim(void **state)
{
    (void)state;
    char data[4096];

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        link_open(&one, &world, clients[i], "a.test");
        tls_openssl.trim(one.tls);
        assert_true(link_handshake(&one));
        tls_openssl.trim(one.tls);
        tls_openssl.trim(one.tls);

        assert_int_equal(SSL_write(one.client, "0123456789", 10), 10);
        int len = BIO_read(one.from_client, data, sizeof(data));
        link_feed(&one, data, (size_t)len - 3);
        tls_openssl.trim(one.tls);
        link_feed(&one, data + len - 3, 3);
        assert_int_equal(buf_len(&one.plain), 10);
        assert_memory_equal(one.plain.data, "0123456789", 10);
        assert_int_equal(tls_openssl.send(one.tls, "abc", 3, &one.out), 0);
        tls_openssl.trim(one.tls);
        link_deliver(&one);
        assert_int_equal(SSL_read(one.client, data, sizeof(data)), 3);
        link_close(&one);
    }
}

/* A chain that is longer than the room for a flight goes out in parts. */
static void test_long_chain(void **state)
{
    (void)state;
    static struct world w;
    FILE *file;

    world_init(&w, &tls_openssl);
    pki_make("chain", "p256", 0, PKI_DAY_S);
    EVP_PKEY *key = pki_key("rsa2048");
    file = fopen(pki_path("chain.pem"), "a");
    for (int i = 0; i < 20; i++) {
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
        for (int turn = 0; turn < 10 && !tls_openssl.established(one.tls); turn++) {
            SSL_do_handshake(one.client);
            link_turn(&one);
            while (one.result == TLS_WANT_ROOM) {
                waited = true;
                link_feed(&one, "", 0);
                link_deliver(&one);
            }
        }
        assert_true(waited);
        assert_true(link_handshake(&one));
        assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(one.client)), 21);
        link_close(&one);
    }
    world_stop(&w);
}

/* The client guessed a group that we do not take: HelloRetryRequest, and a second ClientHello. */
static void test_hello_retry(void **state)
{
    (void)state;
    SSL_CTX *client = client_ctx_create(TLS1_3_VERSION);
    char name[64];

    assert_int_equal(SSL_CTX_set1_groups_list(client, "X448:P-256"), 1);
    link_open(&one, &world, client, "b.test");
    one.chop = 3;
    assert_true(link_handshake(&one));
    assert_string_equal(link_peer_name(&one, name, sizeof(name)), "b.test");
    assert_true(span_eq(tls_openssl.server_name(one.tls), SPAN_LIT("b.test")));
    link_upload(&one, "hello", 5);
    link_download(&one, "world", 5);
    link_close(&one);
    SSL_CTX_free(client);
}

/* The client's algorithms decide between the server's two certificates. */
static void test_two_certificates(void **state)
{
    (void)state;
    static const char *const algorithms[] = { "ECDSA+SHA256", "RSA-PSS+SHA256" };
    static const char *const want[] = { "ec", "rsa" };
    char name[64];

    for (size_t i = 0; i < 4; i++) {
        SSL_CTX *client = client_ctx_create(versions[i % 2]);
        assert_int_equal(SSL_CTX_set1_sigalgs_list(client, algorithms[i / 2]), 1);
        link_open(&one, &world, client, "a.test");
        assert_true(link_handshake(&one));
        assert_string_equal(link_peer_name(&one, name, sizeof(name)), want[i / 2]);
        link_close(&one);
        SSL_CTX_free(client);
    }
}

/* By default: AES-128 first, but ChaCha20 for those that like it best; never without ECDHE. */
static void test_ciphers(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *offered, *want;
    } cases[] = {
        { TLS1_2_VERSION,
          "AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
          "ECDHE-RSA-AES128-GCM-SHA256",
          "ECDHE-RSA-AES128-GCM-SHA256" },
        { TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256",
          "ECDHE-RSA-CHACHA20-POLY1305" },
        { TLS1_2_VERSION,
          "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:"
          "DHE-RSA-AES128-GCM-SHA256",
          NULL },
        { TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
          "TLS_AES_128_GCM_SHA256" },
        { TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
          "TLS_CHACHA20_POLY1305_SHA256" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SSL_CTX *client = client_ctx_create(cases[i].version);
        assert_int_equal(cases[i].version == TLS1_2_VERSION
                             ? SSL_CTX_set_cipher_list(client, cases[i].offered)
                             : SSL_CTX_set_ciphersuites(client, cases[i].offered),
                         1);
        link_open(&one, &world, client, "a.test");
        assert_int_equal(link_handshake(&one), cases[i].want != NULL);
        if (cases[i].want != NULL) {
            assert_string_equal(SSL_get_cipher_name(one.client), cases[i].want);
        } else {
            assert_int_equal(one.result, TLS_FAILED);
            assert_string_equal(tls_openssl.error(one.tls), "no shared cipher");
        }
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
    assert_int_equal(one.result, TLS_FAILED);
    assert_string_equal(tls_openssl.error(one.tls), "unsupported protocol");
    link_close(&one);
    SSL_CTX_free(client);
}

/* The client's wish for new keys is granted, and nothing is lost. */
static void test_key_update(void **state)
{
    (void)state;
    static char data[TLS_PLAIN_MAX];

    fill(data, sizeof(data));
    link_open(&one, &world, clients[1], "a.test");
    assert_true(link_handshake(&one));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(one.client, SSL_KEY_UPDATE_REQUESTED), 1);
        link_upload(&one, "hello", 5);
        /* OpenSSL puts its own KeyUpdate in front, within the room that is asked for. */
        one.out.cap = sizeof(data) + TLS_OVERHEAD_MAX;
        assert_int_equal(tls_openssl.send(one.tls, data, sizeof(data), &one.out), 0);
        link_deliver(&one);
        link_expect(&one, data, sizeof(data));
    }
    link_close(&one);
}

static bool data_is_tls(const void *data)
{
    return memcmp((const char *)data + 1, "\x03", 1) == 0;
}

/* Fed to a new connection, or behind `client`'s handshake, `data` ends it, with an alert unless it
 * is not TLS at all. */
static void assert_lost(SSL_CTX *client, const void *data, size_t len, const char *error)
{
    link_open(&one, &world, clients[1], "a.test");
    if (client != NULL) {
        link_close(&one);
        link_open(&one, &world, client, "a.test");
        assert_true(link_handshake(&one));
    }
    link_feed(&one, data, len);
    assert_int_equal(one.result, TLS_FAILED);
    assert_string_equal(tls_openssl.error(one.tls), error);
    assert_int_equal(buf_len(&one.out) >= 7, data_is_tls(data));
    /* And stays lost. */
    buf_clear(&one.out);
    link_feed(&one, data, len);
    assert_int_equal(one.result, TLS_FAILED);
    tls_openssl.shutdown(one.tls, &one.out);
    assert_true(buf_empty(&one.out));
    if (client != NULL)
        assert_true(tls_openssl.send(one.tls, "x", 1, &one.out) < 0);
    link_close(&one);
}

static void test_garbage(void **state)
{
    (void)state;
    static char data[5 + 40000];
    static const char sni[] = "malformed server name";
    char hello[4096]; /* with a post-quantum key share, above 1,400 octets */
    const char *too_long =
        OPENSSL_VERSION_PREREQ(3, 2) ? "encrypted length too long" : "packet length too long";

    memset(data, 'x', sizeof(data));
    assert_lost(NULL, data, 5, "wrong version number");
    assert_lost(NULL, "GET / HTTP/1.1\r\n\r\n", 18, "http request");
    assert_lost(NULL, "\x17\x03\x03\x00\x10xxxxxxxxxxxxxxxx", 21, "unexpected message");

    /* A record of more than 2^14 + 256 octets (RFC 8446 section 5.2; 5246 section 6.2.3). */
    memcpy(data, "\x17\x03\x03\x60\x00", 5);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        assert_lost(clients[i], data, sizeof(data), too_long);
    /* One that does not decrypt. */
    memcpy(data, "\x17\x03\x03\x00\x40", 5);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        assert_lost(clients[i], data, 69, "decryption failed or bad record mac");

    /* A zero octet in the name, found where the name stands in a real ClientHello. */
    link_open(&two, &world, clients[1], "zero.test");
    assert_int_equal(SSL_do_handshake(two.client), -1);
    int len = BIO_read(two.from_client, hello, sizeof(hello));
    link_close(&two);
    char *name = memmem(hello, (size_t)len, "zero.test", 9);
    assert_non_null(name);
    name[4] = '\0';
    assert_lost(NULL, hello, (size_t)len, sni);
    name[4] = '.';
    name[-1]++; /* its length */
    assert_lost(NULL, hello, (size_t)len, sni);
}

/* One connection's failure is not another's: OpenSSL's errors are kept by thread. */
static void test_two_at_a_time(void **state)
{
    (void)state;

    link_open(&two, &world, clients[1], "b.test");
    assert_true(link_handshake(&two));
    assert_lost(NULL, "xxxxx", 5, "wrong version number");
    link_upload(&two, "hello", 5);
    link_download(&two, "world", 5);
    link_close(&two);
}

/* Closed at any point of a handshake, nothing is left behind (ASan). */
static void test_cut_short(void **state)
{
    (void)state;
    char data[4096];

    link_open(&two, &world, clients[1], "a.test");
    assert_int_equal(SSL_do_handshake(two.client), -1);
    int len = BIO_read(two.from_client, data, sizeof(data));
    for (int i = 0; i <= len; i += i % 16 == 0 ? 1 : 15) {
        link_open(&one, &world, clients[1], "a.test");
        link_feed(&one, data, (size_t)i);
        assert_int_equal(one.result, TLS_WANT_INPUT);
        assert_int_equal(tls_openssl.pending(one.tls), i > 0 && i < len);
        link_close(&one);
    }
    link_close(&two);
}

/* What an idle connection holds on to: buffers are given back (trim), or it would be above 40 KiB,
 * or 52 since OpenSSL 3.2, which also keeps 7 KiB more of everything else; 3.5 another 7 of a
 * post-quantum key share. */
static void test_idle_memory(void **state)
{
    (void)state;
    enum { COUNT = 100, IDLE_MAX = OPENSSL_VERSION_PREREQ(3, 2) ? 32768 : 16384 };
    static struct tls *idle[COUNT];

    if (mallinfo2().uordblks == 0)
        skip(); /* a sanitizer's malloc() */
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        size_t before = 0;
        for (int n = -10; n < COUNT; n++) { /* the first ones are for caches */
            if (n == 0)
                before = mallinfo2().uordblks;
            link_open(&one, &world, clients[i], "a.test");
            assert_true(link_handshake(&one));
            link_upload(&one, "hello", 5);
            link_download(&one, "world", 5);
            tls_openssl.trim(one.tls);
            SSL_free(one.client);
            if (n < 0)
                tls_openssl.close(one.tls);
            else
                idle[n] = one.tls;
        }
        size_t each = (mallinfo2().uordblks - before) / COUNT;
        print_message("%zu octets each\n", each);
        assert_true(each < IDLE_MAX);
        for (int n = 0; n < COUNT; n++)
            tls_openssl.close(idle[n]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),         cmocka_unit_test(test_octets_pass),
        cmocka_unit_test(test_waits_for_room),   cmocka_unit_test(test_trim),
        cmocka_unit_test(test_long_chain),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_two_certificates), cmocka_unit_test(test_ciphers),
        cmocka_unit_test(test_old_versions),     cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_endings),          cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_no_renegotiation), cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_two_at_a_time),    cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_idle_memory),      cmocka_unit_test(test_hello_retry),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

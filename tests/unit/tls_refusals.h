/* tls_refusals.h: what stops the start, each with a sentence that tells why, and the self-signed
 * certificate, as every library has to do it. The program that includes it has defined LIBRARY (the
 * table) and addresses[] (those that the self-signed certificate is for). */
#ifndef TESTS_UNIT_TLS_REFUSALS_H
#define TESTS_UNIT_TLS_REFUSALS_H

#include "tls_fixture.h"

#include <openssl/core_names.h>

static struct world world;
static struct link one;

static void set_files(const char *chain, const char *key)
{
    world_init(&world, &LIBRARY);
    world.certificates[0] = (struct certificate){ pki_path(chain), pki_path(key), NULL };
}

static void test_unreadable(void **state)
{
    (void)state;

    set_files("missing.pem", "ec.key");
    WORLD_REFUSED(&world, -ENOENT, "server 'a.test': ", "/missing.pem: ", "No such file");
    set_files("ec.pem", "missing.key");
    WORLD_REFUSED(&world, -ENOENT, "server 'a.test': ", "/missing.key: ", "No such file");
    world.certificates[0].chain_path = pki.folder;
    WORLD_REFUSED(&world, -EINVAL, pki.folder, "no regular file");
    if (geteuid() != 0) {
        set_files("ec.pem", "shut.key");
        pki_put("shut.key", "x");
        chmod(pki_path("shut.key"), 0);
        WORLD_REFUSED(&world, -EACCES, "/shut.key: ", "Permission denied");
    }
}

static void test_malformed(void **state)
{
    (void)state;
    char text[65536];

    set_files("not.pem", "ec.key");
    pki_put("not.pem", "");
    WORLD_REFUSED(&world, -EINVAL, "/not.pem: ", "no line BEGIN CERTIFICATE");
    pki_put("not.pem", "\x30\x82\x01\x02");
    WORLD_REFUSED(&world, -EINVAL, "/not.pem: ", "no line BEGIN CERTIFICATE");
    set_files("ec.key", "ec.key");
    WORLD_REFUSED(&world, -EINVAL, "/ec.key: ", "no line BEGIN CERTIFICATE");
    set_files("ec.pem", "ec.pem");
    WORLD_REFUSED(&world, -EINVAL, "/ec.pem: ", "no line BEGIN PRIVATE KEY");

    /* Cut in the middle: the certificate, the second of a chain, the key. */
    FILE *file = fopen(pki_path("ec.pem"), "r");
    size_t len = fread(text, 1, sizeof(text) / 2, file);
    fclose(file);
    memcpy(text + len, text, len);
    text[len / 2] = '\0';
    pki_put("not.pem", text);
    set_files("not.pem", "ec.key");
    WORLD_REFUSED(&world, -EINVAL, "/not.pem: certificate 1 is not well-formed");
    text[len / 2] = text[len + len / 2];
    text[len + len / 2] = '\0';
    pki_put("not.pem", text);
    WORLD_REFUSED(&world, -EINVAL, "/not.pem: certificate 2 is not well-formed");
    pki_put("not.key", "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n");
    set_files("ec.pem", "not.key");
    WORLD_REFUSED(&world, -EINVAL, "/not.key: the private key is not well-formed");

    /* Too large to be one. */
    file = fopen(pki_put("not.pem", ""), "w");
    assert_int_equal(ftruncate(fileno(file), (1 << 20) + 1), 0);
    fclose(file);
    set_files("not.pem", "ec.key");
    WORLD_REFUSED(&world, -EINVAL, "/not.pem: ", "at most 1 MiB");
}

/* No passphrase is asked for: nobody is there. */
static void test_encrypted(void **state)
{
    (void)state;
    static const bool traditional[] = { false, true };

    for (size_t i = 0; i < 2; i++) {
        set_files("ec.pem", "locked.key");
        EVP_PKEY *key = pki_key("p256");
        FILE *file = fopen(pki_path("locked.key"), "w");
        int (*write_key)(FILE *, const EVP_PKEY *, const EVP_CIPHER *, const unsigned char *, int,
                         pem_password_cb *, void *) = PEM_write_PrivateKey;
        BIO *bio = BIO_new_fp(file, BIO_NOCLOSE);
        const unsigned char phrase[] = "secret";
        assert_int_equal(traditional[i]
                             ? PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(),
                                                                    phrase, 6, NULL, NULL)
                             : write_key(file, key, EVP_aes_128_cbc(), phrase, 6, NULL, NULL),
                         1);
        BIO_free(bio);
        fclose(file);
        EVP_PKEY_free(key);
        WORLD_REFUSED(&world, -EINVAL, "/locked.key: ", "encrypted", "openssl pkey");
    }
}

static void test_mismatch(void **state)
{
    (void)state;

    set_files("ec.pem", "b.test.key");
    WORLD_REFUSED(&world, -EINVAL, "/b.test.key: is not the key of ", "/ec.pem");
    set_files("ec.pem", "rsa.key");
    WORLD_REFUSED(&world, -EINVAL, "/rsa.key: is not the key of ", "/ec.pem");
}

/* Writes `key` as `name`.key: as PKCS #8, or as the standard of its kind has it (SEC 1, PKCS #1).
 */
static void put_key(const char *name, EVP_PKEY *key, bool traditional)
{
    BIO *bio = BIO_new_file(pki_path(name), "w");

    assert_int_equal(traditional
                         ? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL)
                         : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
                     1);
    BIO_free(bio);
}

/* The world's only certificate is that of form.pem, with form.key. */
static void set_form(void)
{
    set_files("form.pem", "form.key");
    world.servers[0].certificates_count = 1;
}

/* Every form of a key is taken with its own certificate, and with no other. */
static void test_key_forms(void **state)
{
    (void)state;
    static const char *const kinds[] = { "p256", "p384", "rsa2048" };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        EVP_PKEY *key = pki_key(kinds[i]), *other = pki_key(kinds[i]);
        X509 *x509 = pki_x509(key, "form", 0, PKI_DAY_S);
        BIO *bio = BIO_new_file(pki_path("form.pem"), "w");
        assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
        BIO_free(bio);
        /* The third and the fourth form are without the public half; RSA has none. */
        for (int form = 0; form < (kinds[i][0] == 'p' ? 4 : 2); form++) {
            if (form == 2) {
                EVP_PKEY_set_int_param(key, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0);
                EVP_PKEY_set_int_param(other, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0);
            }
            set_form();
            put_key("form.key", key, form % 2 == 1);
            world_start(&world);
            world_stop(&world);
            put_key("form.key", other, form % 2 == 1);
            WORLD_REFUSED(&world, -EINVAL, "/form.key: is not the key of ", "/form.pem");
        }
        X509_free(x509);
        EVP_PKEY_free(key);
        EVP_PKEY_free(other);
    }
}

static void test_dates(void **state)
{
    (void)state;
    EVP_PKEY *key = pki_key("p256");
    X509 *old = pki_x509(key, "old", -2 * PKI_DAY_S, -PKI_DAY_S);

    pki_make("old", "p256", -2 * PKI_DAY_S, -60);
    set_files("old.pem", "old.key");
    WORLD_REFUSED(&world, -EINVAL, "/old.pem: certificate 1 expired on 20");
    pki_make("new", "p256", 60, PKI_DAY_S);
    set_files("new.pem", "new.key");
    WORLD_REFUSED(&world, -EINVAL, "/new.pem: certificate 1 is not valid before 20");
    /* One further up the chain. */
    pki_make("old", "p256", 0, PKI_DAY_S);
    FILE *file = fopen(pki_path("old.pem"), "a");
    assert_int_equal(PEM_write_X509(file, old), 1);
    fclose(file);
    set_files("old.pem", "old.key");
    WORLD_REFUSED(&world, -EINVAL, "/old.pem: certificate 2 expired on 20");
    X509_free(old);
    EVP_PKEY_free(key);
}

/* The key behind the certificate, in one file. */
static void test_one_file(void **state)
{
    (void)state;
    char text[8192];
    size_t len = 0;

    world_init(&world, &LIBRARY);
    const char *const names[] = { "ec.pem", "ec.key" };
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(pki_path(names[i]), "r");
        len += fread(text + len, 1, sizeof(text) - 1 - len, file);
        fclose(file);
    }
    text[len] = '\0';
    pki_put("both.pem", text);
    set_files("both.pem", "both.pem");
    world_start(&world);
    world_stop(&world);
}

enum { MANY = 200 };

/* A world of so many servers, enough for several threads to read, all with the same pair. */
static void set_many(struct arena *arena, struct server *servers, struct certificate *pairs)
{
    char text[8192];
    FILE *file = fopen(pki_path("ec.pem"), "r");
    size_t len = fread(text, 1, sizeof(text) / 2, file);

    fclose(file);
    file = fopen(pki_path("w.test.pem"), "r");
    len += fread(text + len, 1, sizeof(text) - 1 - len, file);
    fclose(file);
    text[len] = '\0';
    pki_put("chain.pem", text);
    chmod(pki_path("ec.key"), 0600);
    world_init(&world, &LIBRARY);
    struct server **listed = arena_alloc(arena, MANY * sizeof(listed[0]));
    for (int i = 0; i < MANY; i++) {
        char **host = arena_alloc(arena, sizeof(*host));
        *host = arena_alloc(arena, 32);
        snprintf(*host, 32, "s%d.test", i);
        pairs[i] = (struct certificate){ pki_path("chain.pem"), pki_path("ec.key"), NULL };
        servers[i] = (struct server){ .name = *host,
                                      .hosts = host,
                                      .hosts_count = 1,
                                      .certificates = &pairs[i],
                                      .certificates_count = 1 };
        listed[i] = &servers[i];
    }
    world.listen.servers = listed;
    world.listen.servers_count = MANY;
    world.config.servers = servers;
    world.config.servers_count = MANY;
    assert_int_equal(server_names_make(arena, &world.listen), 0);
}

/* Of several that are wrong the first of the configuration is told, whoever reads faster. */
static void test_many(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    static struct server servers[MANY];
    static struct certificate pairs[MANY];

    set_many(arena, servers, pairs);
    world_start(&world);
    SSL_CTX *client = client_ctx_create(0);
    char name[64];
    for (int i = 0; i < 2; i++) {
        link_open(&one, &world, client, i == 0 ? "s7.test" : "s199.test");
        assert_true(link_handshake(&one));
        assert_string_equal(link_peer_name(&one, name, sizeof(name)), "ec");
        assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(one.client)), 2);
        link_close(&one);
    }
    SSL_CTX_free(client);
    world_stop(&world);

    pairs[150].chain_path = pki_path("missing.pem");
    pairs[100].key_path = pki_path("b.test.key");
    pairs[199].key_path = pki_path("missing.key");
    for (int i = 0; i < 5; i++)
        WORLD_REFUSED(&world, -EINVAL, "server 's100.test': ", "/b.test.key: is not the key of ");
    pairs[100].key_path = pki_path("ec.key");
    WORLD_REFUSED(&world, -ENOENT, "server 's150.test': ", "/missing.pem: ");
    pairs[150].chain_path = pki_path("chain.pem");
    WORLD_REFUSED(&world, -ENOENT, "server 's199.test': ", "/missing.key: ");
    arena_destroy(arena);
}

static void test_no_certificate(void **state)
{
    (void)state;

    world_init(&world, &LIBRARY);
    world.servers[1].certificates_count = 0;
    WORLD_REFUSED(&world, -EINVAL, "server 'b.test' ", "no certificate", "--tls-self-signed");
    /* Where nobody speaks TLS, none is needed. */
    world.listen.servers_count = 1;
    world_start(&world);
    world_stop(&world);
}

static void set_names(unsigned protocols, char **ciphers, size_t ciphers_count, char **curves,
                      size_t curves_count)
{
    world_init(&world, &LIBRARY);
    world.config.tls.protocols = protocols;
    world.config.tls.ciphers = ciphers;
    world.config.tls.ciphers_count = ciphers_count;
    world.config.tls.curves = curves;
    world.config.tls.curves_count = curves_count;
}

static bool connects(int version, const char *curves)
{
    SSL_CTX *client = client_ctx_create(version);

    if (curves != NULL)
        assert_int_equal(SSL_CTX_set1_groups_list(client, curves), 1);
    link_open(&one, &world, client, "a.test");
    bool done = link_handshake(&one);
    if (!done)
        assert_int_equal(one.result, TLS_FAILED);
    ERR_clear_error();
    return done;
}

static void disconnect(void)
{
    SSL_CTX *client = SSL_get_SSL_CTX(one.client);

    link_close(&one);
    SSL_CTX_free(client);
}

static void test_self_signed(void **state)
{
    (void)state;
    static char *hosts[] = { "b.test", "*.b.test", "192.0.2.7", "not a name" };
    static const char *const names[] = { "localhost", "b.test", "x.b.test" };

    world_init(&world, &LIBRARY);
    world.config.tls.self_signed = true;
    world.servers[1].certificates_count = 0;
    world.servers[1].hosts = hosts;
    world.servers[1].hosts_count = ARRAY_LEN(hosts);
    world_start(&world);
    SSL_CTX *client = client_ctx_create(0);
    link_open(&one, &world, client, "b.test");
    assert_true(link_handshake(&one));
    X509 *x509 = SSL_get1_peer_certificate(one.client);
    assert_int_equal(X509_check_ip_asc(x509, "127.0.0.2", 0), 0);
    assert_int_equal(X509_check_host(x509, "a.test", 0, 0, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(X509_check_host(x509, names[i], 0, 0, NULL), 1);
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        assert_int_equal(X509_check_ip_asc(x509, addresses[i], 0), 1);
    time_t later = time(NULL) + 29 * PKI_DAY_S, latest = later + 2 * PKI_DAY_S;
    assert_true(X509_cmp_current_time(X509_get0_notBefore(x509)) < 0);
    assert_true(X509_cmp_time(X509_get0_notAfter(x509), &later) > 0);
    assert_true(X509_cmp_time(X509_get0_notAfter(x509), &latest) < 0);
    assert_int_equal(X509_verify(x509, X509_get0_pubkey(x509)), 1);
    assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(x509)), EVP_PKEY_EC);
    link_close(&one);
    /* Another configuration with the same names has the same one; with others it has another. */
    for (size_t count = ARRAY_LEN(hosts); count >= ARRAY_LEN(hosts) - 1; count--) {
        world_stop(&world);
        world_init(&world, &LIBRARY);
        world.config.tls.self_signed = true;
        world.servers[1].certificates_count = 0;
        world.servers[1].hosts = hosts;
        world.servers[1].hosts_count = count;
        world_start(&world);
        link_open(&one, &world, client, "b.test");
        assert_true(link_handshake(&one));
        X509 *again = SSL_get1_peer_certificate(one.client);
        assert_int_equal(X509_cmp(x509, again) == 0, count == ARRAY_LEN(hosts));
        X509_free(again);
        link_close(&one);
    }
    X509_free(x509);
    /* Those that have one keep it. */
    char name[64];
    link_open(&one, &world, client, "a.test");
    assert_true(link_handshake(&one));
    assert_string_equal(link_peer_name(&one, name, sizeof(name)), "ec");
    link_close(&one);
    SSL_CTX_free(client);
    world_stop(&world);
}

static int setup(void **state)
{
    (void)state;
    pki_open();
    world_init(&world, &LIBRARY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_close();
    return 0;
}

#endif

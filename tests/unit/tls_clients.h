/* tls_clients.h: clients that prove themselves, as every library has to ask it of them. The program
 * that includes it has defined LIBRARY (the table), versions[] (those that it speaks) and `resumes`
 * (does it resume sessions of such clients?). */
#ifndef TESTS_UNIT_TLS_CLIENTS_H
#define TESTS_UNIT_TLS_CLIENTS_H

#include "tls_fixture.h"

#include <openssl/x509v3.h>

static struct world world;
static struct link one;

/* Somebody with a certificate. */
struct party {
    EVP_PKEY *key;
    X509 *x509;
};

static struct party ca, below, stranger, alice, bob, carol, dave;

static void extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

/* `issuer`: NULL: himself. */
static struct party issue(X509_NAME *name, const struct party *issuer, bool is_ca, long to_s)
{
    struct party party = { pki_key("p256"), NULL };
    const struct party *by = issuer != NULL ? issuer : &party;

    party.x509 = pki_x509(party.key, "x", -PKI_DAY_S, to_s);
    CHECK(X509_set_subject_name(party.x509, name));
    CHECK(X509_set_issuer_name(party.x509, X509_get_subject_name(by->x509)));
    extend(party.x509, by->x509, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (is_ca)
        extend(party.x509, by->x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    CHECK(X509_sign(party.x509, by->key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    return party;
}

static X509_NAME *named(const char *cn)
{
    X509_NAME *name = X509_NAME_new();

    CHECK(name != NULL && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                     (const unsigned char *)cn, -1, -1, 0));
    return name;
}

static void release(struct party *party)
{
    EVP_PKEY_free(party->key);
    X509_free(party->x509);
}

static char *put_certificate(const char *file_name, X509 *x509)
{
    FILE *file = fopen(pki_path(file_name), "w");

    CHECK(file != NULL && PEM_write_X509(file, x509) && fclose(file) == 0);
    return pki_path(file_name);
}

/* A list by `issuer` of `whom` (NULL: nobody), good until so many seconds from now; behind
 * whatever the file holds. */
static char *put_list(const char *file_name, const struct party *issuer, const X509 *whom,
                      long to_s)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -PKI_DAY_S * 2), *then = X509_gmtime_adj(NULL, to_s);

    CHECK(X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
          X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)) &&
          X509_CRL_set1_lastUpdate(crl, now) && X509_CRL_set1_nextUpdate(crl, then));
    if (whom != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();
        CHECK(
            X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber((X509 *)(uintptr_t)whom)) &&
            X509_REVOKED_set_revocationDate(entry, now) && X509_CRL_add0_revoked(crl, entry));
    }
    CHECK(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
    FILE *file = fopen(pki_path(file_name), "a");
    CHECK(file != NULL && PEM_write_X509_CRL(file, crl) && fclose(file) == 0);
    ASN1_TIME_free(now);
    ASN1_TIME_free(then);
    X509_CRL_free(crl);
    return pki_path(file_name);
}

/* a.test demands `auth`, and the others nothing. */
static void world_begin(struct client_auth *auth)
{
    static char none[] = "";

    world_init(&world, &LIBRARY);
    if (auth->ca == NULL)
        auth->ca = pki_path("ca.pem");
    if (auth->crl == NULL)
        auth->crl = none;
    world.servers[0].client_auth = auth;
}

static SSL_CTX *client_as(int version, const struct party *party, const struct party *above)
{
    SSL_CTX *client = client_ctx_create(version);

    if (party != NULL)
        CHECK(SSL_CTX_use_certificate(client, party->x509) == 1 &&
              SSL_CTX_use_PrivateKey(client, party->key) == 1);
    if (above != NULL)
        CHECK(SSL_CTX_add1_chain_cert(client, above->x509) == 1);
    return client;
}

/* The handshake, to its end or to the alert that ends it, and what the server sends behind it. */
static void shake(struct link *l)
{
    char data[1];

    for (int i = 0; i < 6; i++) {
        if (SSL_do_handshake(l->client) == 1)
            (void)SSL_read(l->client, data, sizeof(data));
        ERR_clear_error();
        link_turn(l);
    }
}

/* Does the handshake with a.test come to its end? Leaves the connection open. */
static bool tried(int version, const struct party *party, const struct party *above)
{
    SSL_CTX *client = client_as(version, party, above);

    link_open(&one, &world, client, "a.test");
    shake(&one);
    SSL_CTX_free(client);
    bool done = world.ops->established(one.tls) && one.result != TLS_FAILED;
    assert_int_equal(world.ops->client_refused(one.tls), !done);
    return done;
}

static bool gets_in(int version, const struct party *party, const struct party *above)
{
    bool done = tried(version, party, above);

    link_close(&one);
    return done;
}

static void test_who_gets_in(void **state)
{
    (void)state;
    struct client_auth auth = { .depth = 1 };

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        auth.verify = TLS_VERIFY_REQUIRE;
        world_begin(&auth);
        world_start(&world);
        assert_true(gets_in(versions[i], &alice, NULL));
        assert_true(gets_in(versions[i], &bob, &below));
        assert_false(gets_in(versions[i], &bob, NULL)); /* who is above him is not known */
        assert_false(gets_in(versions[i], &dave, NULL));
        assert_false(gets_in(versions[i], &stranger, NULL));
        assert_false(tried(versions[i], NULL, NULL));
        assert_string_equal(world.ops->error(one.tls), "it has sent none");
        link_close(&one);
        world_stop(&world);

        auth.verify = TLS_VERIFY_OPTIONAL;
        world_start(&world);
        assert_true(tried(versions[i], NULL, NULL));
        assert_null(world.ops->client(one.tls));
        link_upload(&one, "hello", 5);
        link_close(&one);
        assert_true(gets_in(versions[i], &alice, NULL));
        assert_false(gets_in(versions[i], &dave, NULL));
        assert_false(gets_in(versions[i], &stranger, NULL));
        world_stop(&world);
    }
}

static void test_depth(void **state)
{
    (void)state;
    struct client_auth auth = { .depth = 0 };

    world_begin(&auth);
    world_start(&world);
    assert_true(gets_in(versions[0], &alice, NULL));
    assert_false(gets_in(versions[0], &bob, &below));
    world_stop(&world);
    /* Who stands in the file is believed, though another has signed him. */
    auth.ca = put_certificate("below.pem", below.x509);
    world_start(&world);
    assert_true(gets_in(versions[0], &bob, NULL));
    assert_false(gets_in(versions[0], &alice, NULL));
    world_stop(&world);
}

static void test_revoked(void **state)
{
    (void)state;
    struct client_auth auth = { .depth = 1 };

    auth.crl = put_list("revoked.pem", &ca, carol.x509, PKI_DAY_S);
    world_begin(&auth);
    world_start(&world);
    assert_true(gets_in(versions[0], &alice, NULL));
    assert_false(gets_in(versions[0], &carol, NULL));
    assert_false(gets_in(versions[0], &bob, &below)); /* no list of the authority below */
    world_stop(&world);
    put_list("revoked.pem", &below, NULL, PKI_DAY_S);
    world_start(&world);
    assert_true(gets_in(versions[0], &bob, &below));
    world_stop(&world);
    auth.crl = put_list("late.pem", &ca, NULL, -PKI_DAY_S);
    world_start(&world);
    assert_false(gets_in(versions[0], &alice, NULL));
    world_stop(&world);
    /* Those above who is believed have nothing to say. */
    auth.ca = pki_path("below.pem");
    auth.crl = put_list("below.crl", &below, NULL, PKI_DAY_S);
    world_start(&world);
    assert_true(gets_in(versions[0], &bob, NULL));
    world_stop(&world);
}

static void check_alice(void)
{
    const struct client_certificate *client = world.ops->client(one.tls);
    unsigned char hash[32];
    unsigned len;
    char fingerprint[CLIENT_FINGERPRINT_SIZE];

    assert_non_null(client);
    assert_string_equal(client->subject,
                        "emailAddress=a@b,CN=\\#a\\,b\\+c=d\\\"\xc3\xa9\\\\ \\ ,OU=x\\0Ay+O=\\ o");
    assert_string_equal(client->issuer, "CN=ca");
    assert_true(strlen(client->serial) >= 2 && strlen(client->serial) % 2 == 0);
    CHECK(X509_digest(alice.x509, EVP_sha256(), hash, &len) == 1);
    for (unsigned i = 0; i < len; i++)
        snprintf(fingerprint + 2 * (size_t)i, 3, "%02x", hash[i]);
    assert_string_equal(client->fingerprint, fingerprint);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    SSL_SESSION_free(*kept);
    *kept = session;
    return 1;
}

/* A connection of `client` to `name` with the session kept, if any. Was it resumed? */
static bool resumed(SSL_CTX *client, const char *name, bool *ret_done)
{
    SSL_SESSION **kept = SSL_CTX_get_app_data(client);

    link_open(&one, &world, client, name);
    if (*kept != NULL)
        CHECK(SSL_set_session(one.client, *kept));
    shake(&one);
    *ret_done = world.ops->established(one.tls) && one.result != TLS_FAILED;
    return SSL_session_reused(one.client);
}

/* What was demanded in the first handshake is what counts, and nothing else. */
static void test_resumed(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct client_auth auth = { .depth = 1 };
        struct client_auth other = { .ca = put_certificate("other.pem", stranger.x509),
                                     .depth = 1 };
        struct ticket_keys *keys;
        SSL_SESSION *kept = NULL;
        SSL_CTX *client = client_as(versions[i], &alice, NULL);
        bool done;

        SSL_CTX_set_app_data(client, &kept);
        SSL_CTX_sess_set_new_cb(client, on_session);
        assert_int_equal(ticket_keys_create(HOUR_MS, clock_monotonic_ms(), &keys), 0);
        world_begin(&auth);
        assert_int_equal(
            world.ops->ctx_create(&world.config, keys, world.why, sizeof(world.why), &world.ctx),
            0);
        for (int j = 0; j < 2; j++) {
            assert_int_equal(resumed(client, "a.test", &done), j > 0 && resumes);
            assert_true(done);
            check_alice();
            link_close(&one);
        }
        world_stop(&world);
        /* Another configuration with the same keys, as after a reload: another authority. */
        world_begin(&other);
        assert_int_equal(
            world.ops->ctx_create(&world.config, keys, world.why, sizeof(world.why), &world.ctx),
            0);
        assert_false(resumed(client, "a.test", &done));
        assert_false(done);
        link_close(&one);
        world_stop(&world);
        ticket_keys_destroy(keys);
        SSL_SESSION_free(kept);
        SSL_CTX_free(client);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct client_auth auth = { .ca = pki_path("missing.pem"), .depth = 1 };

    world_begin(&auth);
    WORLD_REFUSED(&world, -ENOENT, "server 'a.test': ", "/missing.pem: ", "No such file");
    auth.ca = pki_put("nothing.pem", "");
    WORLD_REFUSED(&world, -EINVAL, "/nothing.pem: ", "no line BEGIN CERTIFICATE");
    auth.ca = pki_put("half.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    WORLD_REFUSED(&world, -EINVAL, "/half.pem: certificate 1 is not well-formed");
    auth.ca = put_certificate("leaf.pem", alice.x509);
    WORLD_REFUSED(&world, -EINVAL, "/leaf.pem: certificate 1 is not that of an authority");
    auth.ca = pki_path("ca.pem");
    auth.crl = pki_path("missing.crl");
    WORLD_REFUSED(&world, -ENOENT, "/missing.crl: ", "No such file");
    auth.crl = pki_path("ca.pem");
    WORLD_REFUSED(&world, -EINVAL, "/ca.pem: ", "no line BEGIN X509 CRL");
    auth.crl = pki_put("half.crl", "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n");
    WORLD_REFUSED(&world, -EINVAL, "/half.crl: revocation list 1 is not well-formed");
}

static int setup(void **state)
{
    X509_NAME *name = X509_NAME_new();

    (void)state;
    pki_open();
#define ADD(type, text, set)                                                                       \
    CHECK(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)(text), -1, \
                                     -1, set))
    ADD("O", " o", 0);
    ADD("OU", "x\ny", -1);
    ADD("CN", "#a,b+c=d\"\xc3\xa9\\  ", 0);
    ADD("emailAddress", "a@b", 0);
    ca = issue(named("ca"), NULL, true, PKI_DAY_S);
    below = issue(named("below"), &ca, true, PKI_DAY_S);
    stranger = issue(named("ca"), NULL, true, PKI_DAY_S);
    alice = issue(name, &ca, false, PKI_DAY_S);
    bob = issue(named("bob"), &below, false, PKI_DAY_S);
    carol = issue(named("carol"), &ca, false, PKI_DAY_S);
    dave = issue(named("dave"), &ca, false, -1);
    put_certificate("ca.pem", ca.x509);
    return 0;
}

static int teardown(void **state)
{
    struct party *all[] = { &ca, &below, &stranger, &alice, &bob, &carol, &dave };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        release(all[i]);
    pki_close();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_gets_in), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_revoked),     cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

#endif

/* test_config_tls.c: versions, certificates with their keys, and which servers have to have some.
 */
#include "config/config_tls.c"

#include "config_fixture.h"

static void test_defaults(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, "server a { root = /srv/www }");

    (void)state;
    assert_string_equal(config->tls.backend, "");
    assert_int_equal(config->tls.protocols, TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3);
    assert_int_equal(config->tls.ciphers_count, 0);
    assert_int_equal(config->tls.curves_count, 0);
    assert_true(config->tls.tickets);
    assert_int_equal(config->tls.ticket_key_ms, 12 * 3600 * 1000);
    assert_int_equal(config->tls.session_cache, 10000);
    assert_int_equal(config->tls.handshake_ms, 10 * 1000);
    assert_true(config->tls.ktls);
    assert_false(config->tls.self_signed);
    assert_int_equal(config->servers[0].certificates_count, 0);
    config_free(config);
}

static void test_settings(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "tls_backend = mbedtls tls_protocols = {\"1.3\"} tls_session_tickets = off\n"
                  "tls_ciphers = {TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256}\n"
                  "tls_curves = x25519 tls_ticket_key_lifetime = 7d tls_session_cache = 0\n"
                  "tls_handshake_timeout = 500ms ktls = off\n"
                  "server a { root = /srv/www }");

    (void)state;
    assert_string_equal(config->tls.backend, "mbedtls");
    assert_int_equal(config->tls.protocols, TLS_PROTOCOL_1_3);
    assert_int_equal(config->tls.ciphers_count, 2);
    assert_string_equal(config->tls.ciphers[1], "TLS_CHACHA20_POLY1305_SHA256");
    assert_int_equal(config->tls.curves_count, 1);
    assert_string_equal(config->tls.curves[0], "x25519");
    assert_false(config->tls.tickets);
    assert_int_equal(config->tls.ticket_key_ms, 7 * 24 * 3600 * 1000);
    assert_int_equal(config->tls.session_cache, 0);
    assert_int_equal(config->tls.handshake_ms, 500);
    assert_false(config->tls.ktls);
    assert_string_equal(config_place(config, "tls_ciphers"), "server.conf:2");
    config_free(config);
}

/* Paths begin at the folder of the file that names them. */
static void test_certificates(void **state)
{
    struct fixture fixture = {
        .files[1] = { "/site/conf/tls.conf", "certificate = {\"a.pem\", \"/b//b.pem\"}\n"
                                             "key = {\"./a.key\", \"/b/b.key\"}" },
        .files_count = 2,
    };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www listen = {\"1.1.1.1:1 tls\", \"1.1.1.1:2\"}\n"
                  "include(\"conf/tls.conf\") }\n"
                  "server b { root = /srv/www listen = \"1.1.1.1:1 tls\" certificate = both.pem }");
    const struct server *a = &config->servers[0], *b = &config->servers[1];

    (void)state;
    assert_int_equal(a->certificates_count, 2);
    assert_string_equal(a->certificates[0].chain_path, "/site/conf/a.pem");
    assert_string_equal(a->certificates[0].key_path, "/site/conf/a.key");
    assert_string_equal(a->certificates[1].chain_path, "/b/b.pem");
    assert_string_equal(a->certificates[1].key_path, "/b/b.key");
    assert_int_equal(b->certificates_count, 1);
    assert_string_equal(b->certificates[0].chain_path, "/site/both.pem");
    assert_string_equal(b->certificates[0].key_path, "/site/both.pem");
    config_free(config);
}

static void test_refused(void **state)
{
#define TLS "listen = \"1.1.1.1:1 tls\" "
#define PAIR                                                                                       \
    "; name one key for each certificate, in the same order, or no `key` at all, when "            \
    "each certificate's file holds its key"
#define NO_CA "; add tls_client_ca = \"FILE\", a PEM file with their authorities, or leave this out"
    static const struct refusal rows[] = {
        { "tls_protocols = {}\nserver a { root = /srv/www }",
          "server.conf:1: tls_protocols: the list of TLS versions is empty; name at least one of "
          "1.2 and 1.3" },
        { "tls_protocols = {\"1.2\", \"1.1\"}\nserver a { root = /srv/www }",
          "server.conf:1: tls_protocols: \"1.1\" is not known; allowed: 1.2 or 1.3" },
        { "tls_protocols = {\"1.2\",\n\"1.2\"}\nserver a { root = /srv/www }",
          "server.conf:2: tls_protocols: \"1.2\" stands twice in the list; allowed: 1.2 or 1.3" },
        { "tls_ciphers = {\"a b\"}\nserver a { root = /srv/www }",
          "server.conf:1: tls_ciphers: \"a b\" is not one word; allowed: a cipher suite's "
          "IANA name, such as TLS_AES_128_GCM_SHA256" },
        { "tls_ticket_key_lifetime = 8d\nserver a { root = /srv/www }",
          "server.conf:1: tls_ticket_key_lifetime: \"8d\" is too large; allowed: a duration from "
          "1s to 7d, as in 500ms, 10s, 1m, 2h, 1d or 1y" },
        { "server a { root = /srv/www " TLS "certificate = {\"\"} }",
          "server.conf:1: certificate: \"\" is empty; allowed: the path of a PEM file: a "
          "certificate, then the others of its chain" },
        { "server a { root = /srv/www " TLS "certificate = {a, b}\nkey = a }",
          "server.conf:2: key: keys: 1, certificates: 2" PAIR },
        { "server a { root = /srv/www " TLS "certificate = a\nkey = {a, b} }",
          "server.conf:2: key: keys: 2, certificates: 1" PAIR },
        { "server a { root = /srv/www\nkey = a }",
          "server.conf:2: key: keys: 1, certificates: 0" PAIR },
        { "server a { root = /srv/www\ncertificate = a }",
          "server.conf:2: certificate: no address of the server has TLS; add tls to an address, as "
          "in listen = {\"0.0.0.0:443 tls\"}" },
        { "server a { root = /srv/www " TLS "certificate = a }\n"
          "server b { root = /srv/www " TLS "}",
          "server.conf:2: server: \"b\" has no certificate for 1.1.1.1:1, which has TLS; add "
          "certificate and key to it, or, for trying out, start with --tls-self-signed" },
        { "server a { root = /srv/www " TLS "certificate = a\ntls_verify = optional }",
          "server.conf:2: tls_verify: no client of the server is asked for a certificate" NO_CA },
        { "server a { root = /srv/www " TLS "certificate = a\ntls_crl = c }",
          "server.conf:2: tls_crl: no client of the server is asked for a certificate" NO_CA },
        { "server a { root = /srv/www " TLS "certificate = a tls_client_ca = c\n"
          "tls_verify = must }",
          "server.conf:2: tls_verify: \"must\" is not known; allowed: require, optional or off" },
        { "server a { root = /srv/www " TLS "certificate = a tls_client_ca = c\n"
          "tls_verify_depth = 9 }",
          "server.conf:2: tls_verify_depth: \"9\" is too large; allowed: a number from 0 to 8" },
        { "server a { root = /srv/www " TLS "certificate = a\nocsp = {b, c} }",
          "server.conf:2: ocsp: responses: 2, certificates: 1; name one response for each "
          "certificate, in the same order, and \"\" where there is none" },
        { "server a { root = /srv/www\ntls_client_ca = c }",
          "server.conf:2: tls_client_ca: no address of the server has TLS; add tls to an address, "
          "as in listen = {\"0.0.0.0:443 tls\"}" },
        { "server a { root = /srv/www listen = {\"1.1.1.1:1 tls\", \"1.1.1.1:2\"} certificate = a\n"
          "tls_client_ca = c }",
          "server.conf:2: tls_client_ca: \"a\" also listens on 1.1.1.1:2, which has no TLS: there "
          "it would serve clients that have no certificate; give that address to a server of its "
          "own, or say tls_verify = optional" },
    };
    struct fixture fixture = { 0 };

    (void)state;
    fixture_refuse(&fixture, rows, ARRAY_LEN(rows));
}

static void test_ocsp(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(&fixture, "tls_certificates = certs\n"
                                                     "server a { root = /srv/www " TLS
                                                     "certificate = {b, c} ocsp = {r, \"\"} }\n"
                                                     "server b { root = /srv/www " TLS "}");

    (void)state;
    assert_string_equal(config->servers[0].certificates[0].ocsp_path, "/site/r");
    assert_null(config->servers[0].certificates[1].ocsp_path);
    assert_string_equal(config->tls.certificates, "/site/certs");
    assert_int_equal(config->servers[1].certificates_count, 0);
    config_free(config);
}

static void test_clients(void **state)
{
    struct fixture fixture = { 0 };
    struct config *config = fixture_config(
        &fixture, "server a { root = /srv/www " TLS "certificate = a tls_client_ca = ca.pem }\n"
                  "server b { root = /srv/www listen = {\"1.1.1.1:1 tls\", \"1.1.1.1:2\"} "
                  "certificate = a tls_client_ca = /c tls_verify = optional tls_verify_depth = 0 "
                  "tls_crl = r }\n"
                  "server c { root = /srv/www " TLS "certificate = a tls_client_ca = /c "
                  "tls_verify = off }\n"
                  "server d { root = /srv/www " TLS "certificate = a tls_client_ca = \"\" }");

    (void)state;
    const struct client_auth *a = config->servers[0].client_auth,
                             *b = config->servers[1].client_auth;
    assert_non_null(a);
    assert_string_equal(a->ca, "/site/ca.pem");
    assert_string_equal(a->crl, "");
    assert_int_equal(a->verify, TLS_VERIFY_REQUIRE);
    assert_int_equal(a->depth, 1);
    assert_non_null(b);
    assert_string_equal(b->ca, "/c");
    assert_string_equal(b->crl, "/site/r");
    assert_int_equal(b->verify, TLS_VERIFY_OPTIONAL);
    assert_int_equal(b->depth, 0);
    assert_null(config->servers[2].client_auth);
    assert_null(config->servers[3].client_auth);
    config_free(config);
}

/* --tls-self-signed stands in for certificates, and is refused where none is missing. */
static void test_self_signed(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "server a { root = /srv/www " TLS "}", NULL },
        { "server a { root = /srv/www " TLS "certificate = a }\n"
          "server b { root = /srv/www " TLS "}",
          NULL },
        { "server a { root = /srv/www }", "--tls-self-signed: no address has TLS; add tls to an "
                                          "address, as in listen = {\"127.0.0.1:8443 tls\"}" },
        { "server a { root = /srv/www " TLS "certificate = a }",
          "--tls-self-signed: every server with TLS has a certificate; leave it out" },
    };
    const struct config_source source = { .file = "server.conf", .tls_self_signed = true };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture fixture = { .files[0] = { "/site/server.conf", rows[i].text },
                                   .files_count = 1 };
        struct config *config = NULL;
        int res = fixture_load(&fixture, &source, &config);

        assert_int_equal(res, rows[i].why == NULL ? 0 : -EINVAL);
        if (rows[i].why != NULL) {
            assert_string_equal(fixture.why, rows[i].why);
            continue;
        }
        assert_true(config->tls.self_signed);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_settings),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ocsp),         cmocka_unit_test(test_clients),
        cmocka_unit_test(test_self_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

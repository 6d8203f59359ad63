/* test_tls_openssl_refusals.c: what stops the start, each with a sentence that tells why; names of
 * ciphers and curves; the self-signed certificate. */
#include "config/config.h"

/* The configuration here comes from no file. */
#define config_place(config, key) ((void)(config), "server.conf:1 (" key ")")
#include "tls/openssl_names.c"
#undef config_place

#define LIBRARY tls_openssl
static const char *const addresses[] = { "127.0.0.1", "::1", "192.0.2.7" };

#include "tls_refusals.h"

static void test_two_of_a_kind(void **state)
{
    (void)state;

    set_files("b.test.pem", "b.test.key");
    world.certificates[1] = (struct certificate){ pki_path("ec.pem"), pki_path("ec.key"), NULL };
    WORLD_REFUSED(&world, -EINVAL, "/ec.pem: ", "kind (EC) already");
}

static void test_weak_key(void **state)
{
    (void)state;

    pki_make("weak", "rsa1024", 0, PKI_DAY_S);
    set_files("weak.pem", "weak.key");
    WORLD_REFUSED(&world, -EINVAL, "/weak.pem: ", "security level", "ee key too small");
}

static void test_unknown_names(void **state)
{
    (void)state;
    static char *ciphers[][2] = {
        { "TLS_AES_128_GCM_SHA256", "TLS_AES_512_GCM_SHA256" },
        { "TLS_AES_128_GCM_SHA256", "ALL:eNULL" },
        { "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256" },
        { "TLS_AES_128_GCM_SHA256", "" },
        { "TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_MD5" },
    };
    static char *curves[][2] = { { "x25519", "secp257r1" },
                                 { "x25519", "x25519:secp256r1" },
                                 { "x25519", "" } };
    char quoted[64];

    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        set_names(TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3, ciphers[i], 2, NULL, 0);
        snprintf(quoted, sizeof(quoted), "OpenSSL has no '%s'", ciphers[i][1]);
        WORLD_REFUSED(&world, -EINVAL, "server.conf:1", "tls_ciphers", quoted);
    }
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        set_names(TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3, NULL, 0, curves[i], 2);
        snprintf(quoted, sizeof(quoted), "OpenSSL has no '%s'", curves[i][1]);
        WORLD_REFUSED(&world, -EINVAL, "server.conf:1", "tls_curves", quoted);
    }
}

static void test_no_cipher_for_a_version(void **state)
{
    (void)state;
    static char *for_1_3[] = { "TLS_AES_128_GCM_SHA256" };
    static char *for_1_2[] = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" };
    /* Known, and forbidden by any security level above 0. */
    static char *weak[] = { "TLS_ECDHE_ECDSA_WITH_NULL_SHA" };

    set_names(TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3, for_1_3, 1, NULL, 0);
    WORLD_REFUSED(&world, -EINVAL, "tls_ciphers", "for TLS 1.2", "take 1.2 out");
    set_names(TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3, for_1_2, 1, NULL, 0);
    WORLD_REFUSED(&world, -EINVAL, "tls_ciphers", "for TLS 1.3", "take 1.3 out");
    set_names(TLS_PROTOCOL_1_2, weak, 1, NULL, 0);
    WORLD_REFUSED(&world, -EINVAL, "tls_ciphers", "for TLS 1.2");
}

/* What is configured is what is spoken, in its order. */
static void test_names_in_force(void **state)
{
    (void)state;
    static char *ciphers[] = { "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256",
                               "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                               "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" };
    static char *curves[] = { "secp384r1", "secp256r1", "x448" };

    set_names(TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3, ciphers, 4, curves, 3);
    world_start(&world);
    assert_true(connects(TLS1_2_VERSION, NULL));
    assert_string_equal(SSL_get_cipher_name(one.client), "ECDHE-ECDSA-AES256-GCM-SHA384");
    disconnect();
    assert_true(connects(TLS1_3_VERSION, NULL));
    assert_string_equal(SSL_get_cipher_name(one.client), "TLS_CHACHA20_POLY1305_SHA256");
    assert_string_equal(SSL_group_to_name(one.client, (int)SSL_get_negotiated_group(one.client)),
                        "secp384r1");
    disconnect();
    assert_false(connects(TLS1_3_VERSION, "X25519"));
    disconnect();
    world_stop(&world);

    set_names(TLS_PROTOCOL_1_2, NULL, 0, NULL, 0);
    world_start(&world);
    assert_true(connects(TLS1_2_VERSION, NULL));
    disconnect();
    assert_false(connects(TLS1_3_VERSION, NULL));
    disconnect();
    world_stop(&world);

    set_names(TLS_PROTOCOL_1_3, NULL, 0, NULL, 0);
    world_start(&world);
    assert_false(connects(TLS1_2_VERSION, NULL));
    disconnect();
    assert_true(connects(TLS1_3_VERSION, NULL));
    disconnect();
    /* The costly ones are not offered by default. */
    assert_false(connects(TLS1_3_VERSION, "ffdhe3072"));
    disconnect();
    world_stop(&world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_key_forms),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_weak_key),
        cmocka_unit_test(test_one_file),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_no_certificate),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_no_cipher_for_a_version),
        cmocka_unit_test(test_names_in_force),
        cmocka_unit_test(test_self_signed),
        cmocka_unit_test(test_two_of_a_kind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

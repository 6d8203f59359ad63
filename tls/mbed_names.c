/* mbed_names.c: names of the configuration, numbers of the library. See mbed_names.h. */
#include "tls/mbed_names.h"

#include "core/check.h"

#include <errno.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ECDHE with AEAD, without CCM. The faster cipher first, and an ECDSA certificate before an RSA
 * one: its signature costs a fraction. */
static const char *const default_suites[] = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
};

static const char *const default_curves[] = { "x25519", "secp256r1", "secp384r1" };

/* The suites of TLS 1.3 (RFC 8446 appendix B.4), whose names mbed TLS forms in another way. */
static const struct {
    const char *name;
    const char *library_name;
} suites_13[] = {
    { "TLS_AES_128_GCM_SHA256", "TLS1-3-AES-128-GCM-SHA256" },
    { "TLS_AES_256_GCM_SHA384", "TLS1-3-AES-256-GCM-SHA384" },
    { "TLS_CHACHA20_POLY1305_SHA256", "TLS1-3-CHACHA20-POLY1305-SHA256" },
    { "TLS_AES_128_CCM_SHA256", "TLS1-3-AES-128-CCM-SHA256" },
    { "TLS_AES_128_CCM_8_SHA256", "TLS1-3-AES-128-CCM-8-SHA256" },
};

/* Finds the suite of an IANA name: its version (enum tls_protocol) and number; 0 when the library
 * does not have it. false: no such name. */
static bool find_suite(const char *name, enum tls_protocol *ret_protocol, int *ret_suite)
{
    for (size_t i = 0; i < ARRAY_LEN(suites_13); i++) {
        if (strcmp(name, suites_13[i].name) == 0) {
            *ret_protocol = TLS_PROTOCOL_1_3;
            *ret_suite = mbedtls_ssl_get_ciphersuite_id(suites_13[i].library_name);
            return true;
        }
    }
    char dashed[64];
    size_t len = strlen(name);
    if (len >= sizeof(dashed) || strchr(name, '-') != NULL)
        return false;
    for (size_t i = 0; i <= len; i++)
        dashed[i] = name[i] == '_' ? '-' : name[i];
    int suite = mbedtls_ssl_get_ciphersuite_id(dashed);
    if (suite == 0)
        return false;
    *ret_protocol = TLS_PROTOCOL_1_2;
    *ret_suite = suite;
    return true;
}

void mbed_iana_name(const char *library_name, char *ret_name, size_t size)
{
    const char *name = library_name != NULL ? library_name : "";

    for (size_t i = 0; i < ARRAY_LEN(suites_13); i++) {
        if (strcmp(name, suites_13[i].library_name) == 0)
            name = suites_13[i].name;
    }
    snprintf(ret_name, size, "%s", name);
    for (char *at = ret_name; *at != '\0'; at++) {
        if (*at == '-')
            *at = '_';
    }
}

static int read_suites(const struct config *config, struct mbed_names *names, char *why,
                       size_t why_size)
{
    bool is_default = config->tls.ciphers_count == 0;
    const char *const *list =
        is_default ? default_suites : (const char *const *)config->tls.ciphers;
    size_t count = is_default ? ARRAY_LEN(default_suites) : config->tls.ciphers_count;
    unsigned served = 0; /* versions that have a suite */
    size_t found = 0;

    names->suites = calloc(count + 1, sizeof(*names->suites));
    if (names->suites == NULL) {
        snprintf(why, why_size, "tls_ciphers: out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        enum tls_protocol protocol = TLS_PROTOCOL_1_2;
        int suite = 0;
        if (!find_suite(list[i], &protocol, &suite) && !is_default) {
            snprintf(why, why_size,
                     "%s: tls_ciphers: " MBEDTLS_VERSION_STRING_FULL " does not know '%s'; IANA's "
                     "names are meant, as in TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                     config_place(config, "tls_ciphers"), list[i]);
            return -EINVAL;
        }
        if (suite == 0 || (names->protocols & protocol) == 0)
            continue;
        names->suites[found++] = suite;
        served |= protocol;
    }
    if (served != names->protocols) {
        snprintf(why, why_size,
                 "%s: tls_ciphers holds no suite of TLS %s; add one, or change tls_protocols",
                 config_place(config, "tls_ciphers"),
                 (names->protocols & ~served & TLS_PROTOCOL_1_2) != 0 ? "1.2" : "1.3");
        return -EINVAL;
    }
    return 0;
}

static int read_curves(const struct config *config, struct mbed_names *names, char *why,
                       size_t why_size)
{
    bool is_default = config->tls.curves_count == 0;
    const char *const *list = is_default ? default_curves : (const char *const *)config->tls.curves;
    size_t count = is_default ? ARRAY_LEN(default_curves) : config->tls.curves_count;
    size_t found = 0;

    names->curves = calloc(count + 1, sizeof(*names->curves));
    if (names->curves == NULL) {
        snprintf(why, why_size, "tls_curves: out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_name(list[i]);
        if (info != NULL) {
            names->curves[found++] = mbed_curve_of(info);
        } else if (!is_default) {
            snprintf(why, why_size,
                     "%s: tls_curves: " MBEDTLS_VERSION_STRING_FULL " does not know '%s'; IANA's "
                     "names are meant: x25519, secp256r1, secp384r1",
                     config_place(config, "tls_curves"), list[i]);
            return -EINVAL;
        }
    }
    names->curves[found] = MBED_CURVE_NONE;
    return 0;
}

int mbed_names_read(const struct config *config, char *why, size_t why_size,
                    struct mbed_names *ret_names)
{
    struct mbed_names names = { .protocols = config->tls.protocols & MBED_PROTOCOLS };

    if (names.protocols == 0) {
        snprintf(why, why_size,
                 "%s: tls_protocols: " MBEDTLS_VERSION_STRING_FULL " has TLS 1.2 only; allow 1.2, "
                 "or set another tls_backend",
                 config_place(config, "tls_protocols"));
        return -EINVAL;
    }
    int res = read_suites(config, &names, why, why_size);
    if (res == 0)
        res = read_curves(config, &names, why, why_size);
    if (res < 0) {
        mbed_names_free(&names);
        return res;
    }
    *ret_names = names;
    return 0;
}

void mbed_names_free(struct mbed_names *names)
{
    free(names->suites);
    free(names->curves);
    *names = (struct mbed_names){ 0 };
}

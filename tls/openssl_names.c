/* openssl_names.c: tls_protocols, tls_ciphers and tls_curves, from IANA's names to OpenSSL's. See
 * openssl.h.
 *
 * OpenSSL skips names in a list that it does not know; so each is tried alone first. Nothing is
 * passed on that could be more than a name in OpenSSL's language of lists. */
#include "tls/openssl.h"

#include "core/check.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ECDHE with AEAD, all that TLS 1.2 has (RFC 9325 section 4.2). AES-128 first: it suffices, and
 * costs least; clients without AES instructions put ChaCha20 first and get it
 * (SSL_OP_PRIORITIZE_CHACHA). */
static const char default_ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                      "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char default_suites[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/* Without the finite fields of RFC 7919, of which one handshake can cost as much as a hundred. The
 * first is of OpenSSL 3.5, the second is for those before. */
static const char *const default_curves[] = {
    "X25519MLKEM768:X25519:P-256:P-384:P-521",
    "X25519:P-256:P-384:P-521",
};

bool openssl_has_curve(const char *name)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_server_method());
    bool has = ssl_ctx != NULL && SSL_CTX_set1_groups_list(ssl_ctx, name) == 1;

    SSL_CTX_free(ssl_ctx);
    ERR_clear_error();
    return has;
}

static int out_of_memory(char *why, size_t why_size)
{
    snprintf(why, why_size, "out of memory");
    return -ENOMEM;
}

/* What this library has by itself, or has just taken name by name. */
static int refused(char *why, size_t why_size, const char *what)
{
    ERR_clear_error();
    snprintf(why, why_size,
             "OpenSSL refuses the server's %s: it has no memory, or its own configuration "
             "(openssl.cnf, OPENSSL_CONF) leaves none",
             what);
    return -EINVAL;
}

static int apply_protocols(SSL_CTX *ssl_ctx, const struct config *config, char *why,
                           size_t why_size)
{
    unsigned protocols = config->tls.protocols;
    int min = (protocols & TLS_PROTOCOL_1_2) != 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    int max = (protocols & TLS_PROTOCOL_1_3) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION;

    CHECK((protocols & (TLS_PROTOCOL_1_2 | TLS_PROTOCOL_1_3)) != 0);
    /* openssl.cnf may have excluded single versions. */
    SSL_CTX_clear_options(ssl_ctx, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
    if (SSL_CTX_set_min_proto_version(ssl_ctx, min) && SSL_CTX_set_max_proto_version(ssl_ctx, max))
        return 0;
    ERR_clear_error();
    snprintf(why, why_size, "%s: this OpenSSL has no TLS %s; take it out of tls_protocols",
             config_place(config, "tls_protocols"), min == TLS1_2_VERSION ? "1.2" : "1.3");
    return -EINVAL;
}

static bool is_plain_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return name[0] != '\0' && name[strspn(name, letters)] == '\0';
}

/* `list` of `size` octets, empty or NUL-terminated: with `name` at its end, behind a colon. */
static void list_append(char *list, size_t size, const char *name)
{
    size_t len = strlen(list);
    int added = snprintf(list + len, size - len, "%s%s", len > 0 ? ":" : "", name);

    CHECK(added > 0 && len + (size_t)added < size);
}

/* OpenSSL's name of a cipher for 1.2 or (`ret_is_1_3`) a suite for 1.3; NULL: it has none. */
static const char *cipher_name(SSL_CTX *ssl_ctx, const char *iana, bool *ret_is_1_3)
{
    const char *name = is_plain_name(iana) ? OPENSSL_cipher_name(iana) : "(NONE)";

    if (strcmp(name, "(NONE)") == 0)
        return NULL;
    /* Only the suites of 1.3 go by IANA's names. */
    *ret_is_1_3 = strcmp(name, iana) == 0;
    bool known = *ret_is_1_3 ? SSL_CTX_set_ciphersuites(ssl_ctx, name)
                             : SSL_CTX_set_cipher_list(ssl_ctx, name);
    ERR_clear_error();
    return known ? name : NULL;
}

/* Is a cipher left for each version, of those for which there is one in the list? Those that the
 * security level forbids (openssl.cnf) are not counted. */
static int check_ciphers(SSL_CTX *ssl_ctx, const struct config *config, unsigned listed, char *why,
                         size_t why_size)
{
    SSL *ssl = SSL_new(ssl_ctx);
    STACK_OF(SSL_CIPHER) *ciphers = ssl != NULL ? SSL_get1_supported_ciphers(ssl) : NULL;
    unsigned found = 0;

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        bool is_1_3 = strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") == 0;
        found |= is_1_3 ? TLS_PROTOCOL_1_3 : TLS_PROTOCOL_1_2;
    }
    sk_SSL_CIPHER_free(ciphers);
    SSL_free(ssl);
    ERR_clear_error();
    unsigned missing = config->tls.protocols & ~(found & listed);
    if (missing == 0)
        return 0;
    const char *version = (missing & TLS_PROTOCOL_1_2) != 0 ? "1.2" : "1.3";
    snprintf(why, why_size,
             "%s: tls_ciphers has none that OpenSSL can use for TLS %s; add one, or take %s out of "
             "tls_protocols",
             config_place(config, "tls_ciphers"), version, version);
    return -EINVAL;
}

static int apply_ciphers(SSL_CTX *ssl_ctx, const struct config *config, char *why, size_t why_size)
{
    const struct tls_settings *settings = &config->tls;
    size_t size = 1;

    if (settings->ciphers_count == 0) {
        if (SSL_CTX_set_cipher_list(ssl_ctx, default_ciphers) &&
            SSL_CTX_set_ciphersuites(ssl_ctx, default_suites))
            return 0;
        return refused(why, why_size, "ciphers");
    }
    for (size_t i = 0; i < settings->ciphers_count; i++)
        size += strlen(settings->ciphers[i]) + 32; /* OpenSSL's names are shorter as a rule */
    char *ciphers = calloc(1, size), *suites = calloc(1, size);
    int res = ciphers != NULL && suites != NULL ? 0 : out_of_memory(why, why_size);
    for (size_t i = 0; res == 0 && i < settings->ciphers_count; i++) {
        bool is_1_3 = false;
        const char *name = cipher_name(ssl_ctx, settings->ciphers[i], &is_1_3);
        if (name == NULL) {
            snprintf(why, why_size,
                     "%s: tls_ciphers: OpenSSL has no '%s'; names are IANA's, such as "
                     "TLS_AES_128_GCM_SHA256",
                     config_place(config, "tls_ciphers"), settings->ciphers[i]);
            res = -EINVAL;
        } else {
            list_append(is_1_3 ? suites : ciphers, size, name);
        }
    }
    if (res == 0) {
        unsigned listed = (ciphers[0] != '\0' ? TLS_PROTOCOL_1_2 : 0u) |
                          (suites[0] != '\0' ? TLS_PROTOCOL_1_3 : 0u);
        /* There is no empty list for TLS 1.2; it is refused, or not used. */
        bool done = (ciphers[0] == '\0' || SSL_CTX_set_cipher_list(ssl_ctx, ciphers)) &&
                    SSL_CTX_set_ciphersuites(ssl_ctx, suites);
        res = done ? check_ciphers(ssl_ctx, config, listed, why, why_size)
                   : refused(why, why_size, "list of tls_ciphers");
    }
    free(ciphers);
    free(suites);
    return res;
}

static int apply_curves(SSL_CTX *ssl_ctx, const struct config *config, char *why, size_t why_size)
{
    const struct tls_settings *settings = &config->tls;

    if (settings->curves_count == 0) {
        bool done = false;
        for (size_t i = 0; !done && i < ARRAY_LEN(default_curves); i++)
            done = SSL_CTX_set1_groups_list(ssl_ctx, default_curves[i]);
        ERR_clear_error();
        return done ? 0 : refused(why, why_size, "groups");
    }
    size_t size = 1;
    for (size_t i = 0; i < settings->curves_count; i++)
        size += strlen(settings->curves[i]) + 1;
    char *curves = calloc(1, size);
    if (curves == NULL)
        return out_of_memory(why, why_size);
    int res = 0;
    for (size_t i = 0; res == 0 && i < settings->curves_count; i++) {
        const char *name = settings->curves[i];
        if (is_plain_name(name) && SSL_CTX_set1_groups_list(ssl_ctx, name)) {
            list_append(curves, size, name);
            continue;
        }
        snprintf(why, why_size,
                 "%s: tls_curves: OpenSSL has no '%s'; names are IANA's, such as x25519 and "
                 "secp256r1",
                 config_place(config, "tls_curves"), name);
        res = -EINVAL;
    }
    if (res == 0 && !SSL_CTX_set1_groups_list(ssl_ctx, curves)) {
        snprintf(why, why_size, "%s: tls_curves: OpenSSL refuses the list: is one there twice?",
                 config_place(config, "tls_curves"));
        res = -EINVAL;
    }
    ERR_clear_error();
    free(curves);
    return res;
}

int openssl_names_apply(SSL_CTX *ssl_ctx, const struct config *config, char *why, size_t why_size)
{
    int res = apply_protocols(ssl_ctx, config, why, why_size);

    if (res == 0)
        res = apply_ciphers(ssl_ctx, config, why, why_size);
    if (res == 0)
        res = apply_curves(ssl_ctx, config, why, why_size);
    return res;
}

/* openssl_self_signed.c: a certificate for trying out, in memory only. See openssl.h.
 *
 * ECDSA with P-256, for localhost, the loopback addresses and the server's names. */
#include "tls/openssl.h"

#include "core/check.h"
#include "tls/self_signed.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SERIAL_BITS = 127 };

/* Letters, digits, hyphens and dots, perhaps behind "*.": what stands in a dNSName (RFC 5280
 * section 4.2.1.6). A section's title may be anything. */
static bool is_dns_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

    if (strncmp(name, "*.", 2) == 0)
        name += 2;
    return name[0] != '\0' && name[strspn(name, letters)] == '\0';
}

static bool add_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (name == NULL || value == NULL) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_dns(GENERAL_NAMES *names, const char *text)
{
    ASN1_STRING *value = ASN1_IA5STRING_new();

    if (value != NULL && !ASN1_STRING_set(value, text, -1)) {
        ASN1_STRING_free(value);
        value = NULL;
    }
    return add_name(names, GEN_DNS, value);
}

static bool add_host(GENERAL_NAMES *names, const char *host)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);

    if (address != NULL)
        return add_name(names, GEN_IPADD, address);
    ERR_clear_error();
    return !is_dns_name(host) || strcmp(host, "localhost") == 0 || add_dns(names, host);
}

static bool add_names(X509 *x509, const struct server *server)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool done = names != NULL && add_dns(names, "localhost") && add_host(names, "127.0.0.1") &&
                add_host(names, "::1");

    for (size_t i = 0; done && i < server->hosts_count; i++)
        done = add_host(names, server->hosts[i]);
    done = done && X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1;
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return done;
}

static bool add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool done = extension != NULL && X509_add_ext(x509, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return done;
}

static bool set_serial(X509 *x509)
{
    BIGNUM *number = BN_new();
    bool done = number != NULL &&
                BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;

    BN_free(number);
    return done;
}

static bool fill(X509 *x509, const struct server *server, EVP_PKEY *key)
{
    static const unsigned char name[] = "gearshift self-signed";
    X509_NAME *subject = X509_get_subject_name(x509);

    return X509_set_version(x509, X509_VERSION_3) && set_serial(x509) &&
           X509_gmtime_adj(X509_getm_notBefore(x509), 0) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(x509), SELF_SIGNED_DAYS, 0, NULL) != NULL &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) &&
           X509_set_issuer_name(x509, subject) && X509_set_pubkey(x509, key) &&
           add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x509, NID_ext_key_usage, "serverAuth") && add_names(x509, server) &&
           X509_sign(x509, key, EVP_sha256()) > 0;
}

/* That which a configuration before had. */
static bool find(const struct server *server, X509 **ret_x509, EVP_PKEY **ret_key)
{
    struct self_signed kept;

    if (!self_signed_find(server, time(NULL), &kept))
        return false;
    const unsigned char *certificate = (const unsigned char *)kept.certificate.ptr;
    const unsigned char *key = (const unsigned char *)kept.key.ptr;
    *ret_x509 = d2i_X509(NULL, &certificate, (long)kept.certificate.len);
    *ret_key = d2i_AutoPrivateKey(NULL, &key, (long)kept.key.len);
    return *ret_x509 != NULL && *ret_key != NULL;
}

/* For the configurations to come. */
static void keep(const struct server *server, X509 *x509, EVP_PKEY *key)
{
    unsigned char *certificate_der = NULL, *key_der = NULL;
    int certificate_len = i2d_X509(x509, &certificate_der);
    int key_len = i2d_PrivateKey(key, &key_der);

    if (certificate_len > 0 && key_len > 0)
        self_signed_keep(server, span_make((const char *)certificate_der, (size_t)certificate_len),
                         span_make((const char *)key_der, (size_t)key_len), time(NULL));
    OPENSSL_free(certificate_der);
    OPENSSL_clear_free(key_der, key_len > 0 ? (size_t)key_len : 0);
}

static bool make(const struct server *server, X509 **ret_x509, EVP_PKEY **ret_key)
{
    *ret_key = EVP_EC_gen("P-256");
    *ret_x509 = X509_new();
    if (*ret_key == NULL || *ret_x509 == NULL || !fill(*ret_x509, server, *ret_key))
        return false;
    keep(server, *ret_x509, *ret_key);
    return true;
}

int openssl_self_signed(SSL_CTX *ssl_ctx, const struct server *server, char *why, size_t why_size)
{
    EVP_PKEY *key = NULL;
    X509 *x509 = NULL;
    char reason[256];
    int res = -EINVAL;

    bool found = find(server, &x509, &key);
    if (!found) {
        X509_free(x509);
        EVP_PKEY_free(key);
        ERR_clear_error();
    }
    if (found || make(server, &x509, &key))
        res = openssl_certificate_use(ssl_ctx, x509, key, NULL, false, reason, sizeof(reason));
    else
        snprintf(reason, sizeof(reason), "%s", openssl_reason());
    if (res < 0)
        snprintf(why, why_size, "server '%s': cannot make a self-signed certificate: %s",
                 server->name, reason);
    X509_free(x509);
    EVP_PKEY_free(key);
    return res;
}

/* tls_pki.h: certificates and keys for the tests of tls/, made when they run, by OpenSSL, in a
 * folder of their own. Included once a program. */
#ifndef TESTS_UNIT_TLS_PKI_H
#define TESTS_UNIT_TLS_PKI_H

#include "core/check.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PKI_PATHS_MAX = 32, PKI_DAY_S = 86400 };

static struct {
    char folder[64];
    char paths[PKI_PATHS_MAX][128];
    size_t paths_count;
} pki;

static inline void pki_open(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(pki.folder, sizeof(pki.folder), "%s/test-tls-XXXXXX", tmp != NULL ? tmp : "/tmp");
    CHECK(mkdtemp(pki.folder) != NULL);
}

static inline void pki_close(void)
{
    for (size_t i = 0; i < pki.paths_count; i++)
        unlink(pki.paths[i]);
    rmdir(pki.folder);
    pki.paths_count = 0;
}

/* The path of a file of that name; it need not exist. */
static inline char *pki_path(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", pki.folder, name);
    for (size_t i = 0; i < pki.paths_count; i++) {
        if (strcmp(pki.paths[i], path) == 0)
            return pki.paths[i];
    }
    CHECK(pki.paths_count < PKI_PATHS_MAX);
    memcpy(pki.paths[pki.paths_count], path, sizeof(path));
    return pki.paths[pki.paths_count++];
}

static inline char *pki_put(const char *name, const char *text)
{
    char *path = pki_path(name);
    FILE *file = fopen(path, "w");

    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

/* "rsa1024", "rsa2048", "p256" or "p384". The caller owns the key. */
static inline EVP_PKEY *pki_key(const char *kind)
{
    EVP_PKEY *key = strncmp(kind, "rsa", 3) == 0
                        ? EVP_RSA_gen((unsigned)strtoul(kind + 3, NULL, 10))
                        : EVP_EC_gen(strcmp(kind, "p384") == 0 ? "P-384" : "P-256");
    CHECK(key != NULL);
    return key;
}

/* A self-signed certificate of `cn`, valid from and to so many seconds from now. */
static inline X509 *pki_x509(EVP_PKEY *key, const char *cn, long from_s, long to_s)
{
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    static long serial = 1;

    CHECK(X509_set_version(x509, X509_VERSION_3));
    CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++));
    CHECK(X509_gmtime_adj(X509_getm_notBefore(x509), from_s) != NULL);
    CHECK(X509_gmtime_adj(X509_getm_notAfter(x509), to_s) != NULL);
    CHECK(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0));
    CHECK(X509_set_issuer_name(x509, name) && X509_set_pubkey(x509, key));
    CHECK(X509_sign(x509, key, EVP_sha256()) > 0);
    return x509;
}

/* Writes NAME.pem and NAME.key. `kind` as above; the certificate is of `name`. */
static inline void pki_make(const char *name, const char *kind, long from_s, long to_s)
{
    char file_name[64];
    EVP_PKEY *key = pki_key(kind);
    X509 *x509 = pki_x509(key, name, from_s, to_s);

    snprintf(file_name, sizeof(file_name), "%s.pem", name);
    FILE *file = fopen(pki_path(file_name), "w");
    CHECK(file != NULL && PEM_write_X509(file, x509) && fclose(file) == 0);
    snprintf(file_name, sizeof(file_name), "%s.key", name);
    file = fopen(pki_path(file_name), "w");
    CHECK(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) &&
          fclose(file) == 0);
    X509_free(x509);
    EVP_PKEY_free(key);
}

#endif

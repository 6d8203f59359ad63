/* openssl_folder.c: a folder of many certificates, chosen by the name that a client asks for. See
 * openssl.h, cert_folder.h, cert_names.h.
 *
 * A connection is given what is for its name when its ClientHello is read: there is no SSL_CTX for
 * each certificate, which takes as much memory as ten of them. Chains are mostly the same few
 * authorities', and kept once. */
#include "tls/openssl.h"

#include "core/log.h"
#include "tls/cert_folder.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHAINS_MAX = 64 /* different ones that are looked for; more are kept twice */ };

struct openssl_folder {
    struct openssl_identity *identities;
    size_t count;
    STACK_OF(X509) * chains[CHAINS_MAX]; /* of identities, which borrow them */
    size_t chains_count;
    struct cert_names *names;
};

static bool is_same_chain(const STACK_OF(X509) * a, const STACK_OF(X509) * b)
{
    int count = sk_X509_num(a);

    for (int i = 0; i < count && count == sk_X509_num(b); i++) {
        if (X509_cmp(sk_X509_value(a, i), sk_X509_value(b, i)) != 0)
            return false;
    }
    return count == sk_X509_num(b);
}

static bool is_shared(const struct openssl_folder *folder, const STACK_OF(X509) * chain)
{
    for (size_t i = 0; i < folder->chains_count; i++) {
        if (folder->chains[i] == chain)
            return true;
    }
    return false;
}

/* The identity's chain becomes one that others have, or that others may have. */
static void share_chain(struct openssl_folder *folder, struct openssl_identity *identity)
{
    for (size_t i = 0; i < folder->chains_count; i++) {
        if (is_same_chain(folder->chains[i], identity->chain)) {
            sk_X509_pop_free(identity->chain, X509_free);
            identity->chain = folder->chains[i];
            return;
        }
    }
    if (folder->chains_count < CHAINS_MAX)
        folder->chains[folder->chains_count++] = identity->chain;
}

static enum cert_kind kind_of(const EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
        return CERT_ECDSA;
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return CERT_RSA;
    default:
        return CERT_OTHER;
    }
}

static int64_t valid_since(const X509 *x509)
{
    struct tm tm;

    return ASN1_TIME_to_tm(X509_get0_notBefore(x509), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* The names that the certificate is for (subjectAltName): how many, or -ENOMEM. */
static int names_add(struct openssl_folder *folder, const struct openssl_identity *identity)
{
    GENERAL_NAMES *alt = X509_get_ext_d2i(identity->x509, NID_subject_alt_name, NULL, NULL);
    int added = 0;

    for (int i = 0; added >= 0 && i < sk_GENERAL_NAME_num(alt); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(alt, i);
        if (name->type != GEN_DNS)
            continue;
        const char *text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
        int len = ASN1_STRING_length(name->d.dNSName);
        if (len <= 0 || memchr(text, '\0', (size_t)len) != NULL)
            continue;
        int res =
            cert_names_add(folder->names, span_make(text, (size_t)len), kind_of(identity->key),
                           valid_since(identity->x509), (int32_t)folder->count);
        added = res < 0 ? res : added + 1;
    }
    GENERAL_NAMES_free(alt);
    ERR_clear_error();
    return added;
}

/* Takes one pair that was read. 0: it is of use, or passed over with a line in the error log; or
 * -ENOMEM. */
static int pair_take(struct openssl_folder *folder, struct openssl_pair *pair)
{
    struct openssl_identity *identity = &folder->identities[folder->count];
    char why[1024];

    int res = openssl_pair_take(pair, why, sizeof(why), identity);
    if (res == -ENOMEM)
        return res;
    if (res < 0) {
        log_warn("%s; this certificate is left out", why);
        return 0;
    }
    int names = names_add(folder, identity);
    if (names == 0)
        log_warn("tls_certificates: %s: it is for no host name (subjectAltName); this certificate "
                 "is left out",
                 pair->certificate->chain_path);
    if (names <= 0) {
        openssl_identity_free(identity);
        return names == -ENOMEM ? -ENOMEM : 0;
    }
    share_chain(folder, identity);
    folder->count++;
    return 0;
}

static int pairs_read(struct openssl_folder *folder, const struct certificate *certificates,
                      size_t count)
{
    struct openssl_pair *pairs = calloc(count + 1, sizeof(pairs[0]));
    int res = pairs != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; res == 0 && i < count; i++)
        pairs[i].certificate = &certificates[i];
    if (res == 0)
        openssl_pairs_read(pairs, count, true);
    for (size_t i = 0; res == 0 && i < count; i++)
        res = pair_take(folder, &pairs[i]);
    openssl_pairs_free(pairs, count);
    ERR_clear_error();
    return res == 0 ? cert_names_finish(folder->names) : res;
}

int openssl_folder_load(const struct config *config, char *why, size_t why_size,
                        struct openssl_folder **ret_folder)
{
    struct openssl_folder *folder = calloc(1, sizeof(*folder));
    struct arena *arena = arena_create();
    struct certificate *pairs = NULL;
    size_t count = 0;
    int res = folder != NULL && arena != NULL ? 0 : -ENOMEM;

    snprintf(why, why_size, "tls_certificates: out of memory");
    if (res == 0)
        res = cert_folder_list(config->tls.certificates, arena, why, why_size, &pairs, &count);
    if (res == 0) {
        folder->identities = calloc(count + 1, sizeof(folder->identities[0]));
        folder->names = cert_names_create();
        res = folder->identities != NULL && folder->names != NULL ? pairs_read(folder, pairs, count)
                                                                  : -ENOMEM;
    }
    if (res == 0)
        res = cert_folder_check(config, folder->names, folder->count, why, why_size);
    arena_destroy(arena);
    if (res < 0) {
        openssl_folder_free(folder);
        return res;
    }
    *ret_folder = folder;
    return 0;
}

void openssl_folder_free(struct openssl_folder *folder)
{
    if (folder == NULL)
        return;
    for (size_t i = 0; i < folder->count; i++) {
        if (is_shared(folder, folder->identities[i].chain))
            folder->identities[i].chain = NULL;
        openssl_identity_free(&folder->identities[i]);
    }
    for (size_t i = 0; i < folder->chains_count; i++)
        sk_X509_pop_free(folder->chains[i], X509_free);
    free(folder->identities);
    cert_names_destroy(folder->names);
    free(folder);
}

bool openssl_folder_use(const struct openssl_folder *folder, SSL *ssl, struct span host,
                        const struct server *server)
{
    const struct cert_choice *choice = cert_names_find(folder->names, host);

    if (choice == NULL)
        choice = cert_names_find(folder->names, span_str(server->name));
    for (size_t kind = 0; choice != NULL && kind < CERT_KINDS; kind++) {
        int32_t number = choice->certificates[kind];
        const struct openssl_identity *identity =
            number != CERT_NONE ? &folder->identities[number] : NULL;
        if (identity != NULL &&
            SSL_use_cert_and_key(ssl, identity->x509, identity->key, identity->chain, 1) != 1)
            return false;
    }
    return choice != NULL;
}

/* mbed_folder.c: see mbed_folder.h. */
#include "tls/mbed_folder.h"

#include "core/log.h"
#include "tls/cert_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mbed_folder {
    struct mbed_identity *identities; /* which are not moved */
    size_t count;
    struct cert_names *names;
};

static enum cert_kind kind_of(const mbedtls_pk_context *key)
{
    if (mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA))
        return CERT_ECDSA;
    return mbedtls_pk_can_do(key, MBEDTLS_PK_RSA) ? CERT_RSA : CERT_OTHER;
}

/* The names that the certificate is for (subjectAltName): how many, or -ENOMEM. */
static int names_add(struct mbed_folder *folder, const struct mbed_identity *identity)
{
    const mbedtls_x509_sequence *alt = &identity->chain.subject_alt_names;
    int added = 0;

    for (; alt != NULL; alt = alt->next) {
        const mbedtls_x509_buf *name = &alt->buf;
        if ((name->tag & MBEDTLS_ASN1_TAG_VALUE_MASK) != MBEDTLS_X509_SAN_DNS_NAME ||
            name->len == 0 || memchr(name->p, '\0', name->len) != NULL)
            continue;
        if (cert_names_add(folder->names, span_make((const char *)name->p, name->len),
                           kind_of(&identity->key), mbed_time(&identity->chain.valid_from),
                           (int32_t)folder->count) < 0)
            return -ENOMEM;
        added++;
    }
    return added;
}

/* Reads one pair. 0: it is of use, or passed over with a line in the error log; or -ENOMEM. */
static int pair_read(struct mbed_folder *folder, const struct certificate *pair)
{
    struct mbed_identity *identity = &folder->identities[folder->count];
    char why[1024];

    if (mbed_identity_read(identity, NULL, pair, why, sizeof(why)) < 0) {
        log_warn("%s; this certificate is left out", why);
        return 0;
    }
    int names = names_add(folder, identity);
    if (names > 0) {
        folder->count++;
        return 0;
    }
    if (names == 0)
        log_warn("tls_certificates: %s: it is for no host name (subjectAltName); this certificate "
                 "is left out",
                 pair->chain_path);
    mbed_identity_free(identity);
    return names;
}

int mbed_folder_read(const struct config *config, char *why, size_t why_size,
                     struct mbed_folder **ret_folder)
{
    struct mbed_folder *folder = calloc(1, sizeof(*folder));
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
        res = folder->identities != NULL && folder->names != NULL ? 0 : -ENOMEM;
    }
    for (size_t i = 0; res == 0 && i < count; i++)
        res = pair_read(folder, &pairs[i]);
    if (res == 0)
        res = cert_names_finish(folder->names);
    if (res == 0)
        res = cert_folder_check(config, folder->names, folder->count, why, why_size);
    arena_destroy(arena);
    if (res < 0) {
        mbed_folder_free(folder);
        return res;
    }
    *ret_folder = folder;
    return 0;
}

void mbed_folder_free(struct mbed_folder *folder)
{
    if (folder == NULL)
        return;
    for (size_t i = 0; i < folder->count; i++)
        mbed_identity_free(&folder->identities[i]);
    free(folder->identities);
    cert_names_destroy(folder->names);
    free(folder);
}

size_t mbed_folder_find(struct mbed_folder *folder, struct span host, const struct server *server,
                        struct mbed_identity **ret_identities)
{
    const struct cert_choice *choice = cert_names_find(folder->names, host);
    size_t count = 0;

    if (choice == NULL)
        choice = cert_names_find(folder->names, span_str(server->name));
    for (size_t kind = 0; choice != NULL && kind < CERT_KINDS; kind++) {
        if (choice->certificates[kind] != CERT_NONE)
            ret_identities[count++] = &folder->identities[choice->certificates[kind]];
    }
    return count;
}

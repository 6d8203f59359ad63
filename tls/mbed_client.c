/* mbed_client.c: see mbed_client.h.
 *
 * No session of such a client is resumed: with TLS 1.3 the library forgets the certificate that was
 * verified, so it is asked for again each time. */
#include "tls/mbed_client.h"

#include "tls/mbed_dn.h"
#include "tls/pem_file.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses one PEM object of a list, "BEGIN" to "END" with a NUL behind it, into `list`. */
typedef int parse_one(void *list, const unsigned char *pem, size_t size);

static int parse_crt(void *list, const unsigned char *pem, size_t size)
{
    return mbedtls_x509_crt_parse(list, pem, size);
}

static int parse_crl(void *list, const unsigned char *pem, size_t size)
{
    return mbedtls_x509_crl_parse(list, pem, size);
}

/* What a list is of. */
struct list_kind {
    const char *begin, *end; /* its lines */
    const char *what;        /* "certificate" */
    parse_one *parse;
};

static const struct list_kind authorities = { "-----BEGIN CERTIFICATE-----",
                                              "-----END CERTIFICATE-----", "certificate",
                                              parse_crt };
static const struct list_kind revoked = { "-----BEGIN X509 CRL-----", "-----END X509 CRL-----",
                                          "revocation list", parse_crl };

/* Each object on its own, so that a refusal can tell which. */
static int list_parse(const struct pem_place *place, char *text, const struct list_kind *kind,
                      void *list)
{
    int number = 0;

    for (char *at = text; (at = strstr(at, kind->begin)) != NULL;) {
        char *behind = strstr(at, kind->end);
        char reason[128];
        int code = MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT;
        number++;
        if (behind != NULL) {
            behind += strlen(kind->end);
            char kept = *behind;
            *behind = '\0';
            code = kind->parse(list, (const unsigned char *)at, (size_t)(behind - at) + 1);
            *behind = kept;
        }
        if (code != 0) {
            mbedtls_strerror(code, reason, sizeof(reason));
            return pem_refuse(place, -EINVAL, "%s %d is not well-formed: %s", kind->what, number,
                              reason);
        }
        at = behind;
    }
    return number > 0 ? 0
                      : pem_refuse(place, -EINVAL, "is no PEM file with a %s: no line %.*s",
                                   kind->what, (int)strlen(kind->begin) - 10, kind->begin + 5);
}

static int list_read(const struct server *server, const char *path, const struct list_kind *kind,
                     void *list, char *why, size_t why_size)
{
    struct pem_place place = { server, path, why, why_size };
    struct pem_file file;
    int res = pem_list_read(&place, &file);

    if (res == 0)
        res = list_parse(&place, file.text, kind, list);
    pem_file_free(&file);
    return res;
}

/* May it sign others' certificates? Version 1 has no word about it. */
static bool is_authority(const mbedtls_x509_crt *crt)
{
#if MBED_IS_3
    return crt->version < 3 || mbedtls_x509_crt_get_ca_istrue(crt) == 1;
#else
    return crt->version < 3 || crt->ca_istrue != 0;
#endif
}

static int authorities_check(const struct server *server, const mbedtls_x509_crt *crt, char *why,
                             size_t why_size)
{
    struct pem_place place = { server, server->client_auth->ca, why, why_size };

    for (int number = 1; crt != NULL; crt = crt->next, number++) {
        if (!is_authority(crt))
            return pem_refuse(&place, -EINVAL, "certificate %d is not that of an authority (CA)",
                              number);
    }
    return 0;
}

static void revoked_check(const struct server *server, const mbedtls_x509_crl *crl)
{
    struct pem_place place = { .server = server, .path = server->client_auth->crl };

    for (int number = 1; crl != NULL; crl = crl->next, number++) {
        if (mbedtls_x509_time_is_past(&crl->next_update))
            pem_warn(&place,
                     "revocation list %d is out of date: until there is a new one, clients of its "
                     "authority are refused",
                     number);
    }
}

int mbed_client_auth_read(const struct server *server, char *why, size_t why_size,
                          struct mbed_client_auth **ret_auth)
{
    const struct client_auth *wanted = server->client_auth;
    struct mbed_client_auth *auth = calloc(1, sizeof(*auth));

    if (auth == NULL) {
        snprintf(why, why_size, "server '%s': out of memory for tls_client_ca", server->name);
        return -ENOMEM;
    }
    mbedtls_x509_crt_init(&auth->ca);
    mbedtls_x509_crl_init(&auth->crl);
    auth->required = wanted->verify == TLS_VERIFY_REQUIRE;
    auth->depth = wanted->depth;
    auth->has_crl = wanted->crl[0] != '\0';
    int res = list_read(server, wanted->ca, &authorities, &auth->ca, why, why_size);
    if (res == 0)
        res = authorities_check(server, &auth->ca, why, why_size);
    if (res == 0 && auth->has_crl)
        res = list_read(server, wanted->crl, &revoked, &auth->crl, why, why_size);
    if (res < 0) {
        mbed_client_auth_free(auth);
        return res;
    }
    if (auth->has_crl)
        revoked_check(server, &auth->crl);
    *ret_auth = auth;
    return 0;
}

void mbed_client_auth_free(struct mbed_client_auth *auth)
{
    if (auth == NULL)
        return;
    mbedtls_x509_crt_free(&auth->ca);
    mbedtls_x509_crl_free(&auth->crl);
    free(auth);
}

static bool same(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

static bool is_listed(const mbedtls_x509_crt *list, const mbedtls_x509_crt *crt)
{
    while (list != NULL && !same(&list->raw, &crt->raw))
        list = list->next;
    return list != NULL;
}

static bool has_revoked(const mbedtls_x509_crl *list, const mbedtls_x509_buf *issuer)
{
    while (list != NULL && !same(&list->issuer_raw, issuer))
        list = list->next;
    return list != NULL;
}

void mbed_client_judge(const struct mbed_client_auth *auth, const mbedtls_x509_crt *crt, int depth,
                       uint32_t *flags)
{
    bool is_anchor = depth > 0 && is_listed(&auth->ca, crt);

    /* The client's own is 0, and who vouches for the last one in between comes on top. */
    if (depth > (int)auth->depth + (is_anchor ? 1 : 0))
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
    if (auth->has_crl && !is_anchor && !has_revoked(&auth->crl, &crt->issuer_raw))
        *flags |= MBEDTLS_X509_BADCRL_NOT_TRUSTED;
}

void mbed_client_reason(uint32_t flags, char *ret_text, size_t size)
{
    char text[1024];

    if (flags == MBEDTLS_X509_BADCERT_OTHER) {
        snprintf(ret_text, size, "certificate chain too long");
        return;
    }
    int len = mbedtls_x509_crt_verify_info(text, sizeof(text), "", flags);
    if (len <= 0)
        snprintf(text, sizeof(text), "certificate verify failed");
    snprintf(ret_text, size, "%.*s", (int)strcspn(text, "\n"), text);
}

bool mbed_client_describe(const mbedtls_x509_crt *crt, struct client_certificate *ret_client)
{
    unsigned char hash[32];
    const unsigned char *serial = crt->serial.p;
    size_t len = crt->serial.len;

    while (len > 1 && serial[0] == 0) {
        serial++;
        len--;
    }
    if (2 * len + 1 > sizeof(ret_client->serial) ||
        !mbed_dn_print(&crt->subject, ret_client->subject, sizeof(ret_client->subject)) ||
        !mbed_dn_print(&crt->issuer, ret_client->issuer, sizeof(ret_client->issuer)) ||
        mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), crt->raw.p, crt->raw.len, hash) !=
            0)
        return false;
    for (size_t i = 0; i < len; i++)
        snprintf(ret_client->serial + 2 * i, 3, "%02X", serial[i]);
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(ret_client->fingerprint + 2 * i, 3, "%02x", hash[i]);
    return true;
}

/* openssl_client.c: clients that prove themselves by a certificate. See openssl.h.
 *
 * What a client has to prove belongs to the server that it asks for, and is known when its
 * ClientHello was read. A session that is resumed was verified when it was made: it is bound to
 * what was demanded then (openssl_hello.c), so that another authority, or a new list of what was
 * revoked, asks anew. */
#include "tls/openssl.h"

#include "tls/pem_file.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PEM_read_bio_*() found no more. Is that the end, rather than an object that is broken? */
static bool at_end(void)
{
    unsigned long code = ERR_peek_last_error();

    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* The file, as a BIO over it; also mixed into `digest`. */
static int list_open(const struct pem_place *place, EVP_MD_CTX *digest, struct pem_file *ret_file,
                     BIO **ret_bio)
{
    int res = pem_list_read(place, ret_file);

    *ret_bio = res < 0 ? NULL : BIO_new_mem_buf(ret_file->text, (int)ret_file->len);
    if (res == 0 &&
        (*ret_bio == NULL || EVP_DigestUpdate(digest, ret_file->text, ret_file->len) != 1))
        res = pem_refuse(place, -ENOMEM, "out of memory");
    return res;
}

/* The authorities: what they have signed is believed, and clients are told their names. */
static int authorities_read(const struct pem_place *place, BIO *bio, SSL_CTX *ssl_ctx)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    X509 *x509;
    int number = 0, res = 0;

    while (res == 0 && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        number++;
        if (X509_check_ca(x509) == 0)
            res = pem_refuse(place, -EINVAL, "certificate %d is not that of an authority (CA)",
                             number);
        else if (!X509_STORE_add_cert(store, x509) || !SSL_CTX_add_client_CA(ssl_ctx, x509))
            res = pem_refuse(place, -ENOMEM, "certificate %d cannot be used: %s", number,
                             openssl_reason());
        X509_free(x509);
    }
    if (res == 0 && !at_end())
        res = pem_refuse(place, -EINVAL, "certificate %d is not well-formed: %s", number + 1,
                         openssl_reason());
    else if (res == 0 && number == 0)
        res = pem_refuse(place, -EINVAL,
                         "is no PEM file with a certificate: no line BEGIN CERTIFICATE");
    return res;
}

static int revoked_read(const struct pem_place *place, BIO *bio, SSL_CTX *ssl_ctx)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    X509_CRL *crl;
    int number = 0, res = 0;

    while (res == 0 && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
        number++;
        if (next != NULL && X509_cmp_current_time(next) < 0)
            pem_warn(place,
                     "revocation list %d is out of date: until there is a new one, clients "
                     "of its authority are refused",
                     number);
        if (!X509_STORE_add_crl(store, crl))
            res = pem_refuse(place, -ENOMEM, "revocation list %d cannot be used: %s", number,
                             openssl_reason());
        X509_CRL_free(crl);
    }
    if (res == 0 && !at_end())
        res = pem_refuse(place, -EINVAL, "revocation list %d is not well-formed: %s", number + 1,
                         openssl_reason());
    else if (res == 0 && number == 0)
        res = pem_refuse(place, -EINVAL,
                         "is no PEM file with a revocation list: no line BEGIN X509 CRL");
    if (res == 0)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return res;
}

/* One file, by one of the two. */
static int list_read(SSL_CTX *ssl_ctx, const struct server *server, const char *path,
                     int (*read)(const struct pem_place *, BIO *, SSL_CTX *), EVP_MD_CTX *digest,
                     char *why, size_t why_size)
{
    struct pem_place place = { server, path, why, why_size };
    struct pem_file file;
    BIO *bio;
    int res = list_open(&place, digest, &file, &bio);

    if (res == 0)
        res = read(&place, bio, ssl_ctx);
    BIO_free(bio);
    pem_file_free(&file);
    ERR_clear_error();
    return res;
}

int openssl_client_load(SSL_CTX *ssl_ctx, const struct server *server, const EVP_MD *sha256,
                        unsigned char *ret_digest, char *why, size_t why_size)
{
    const struct client_auth *auth = server->client_auth;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int res = 0;

    if (digest == NULL || EVP_DigestInit_ex2(digest, sha256, NULL) != 1 ||
        EVP_DigestUpdate(digest, &auth->verify, sizeof(auth->verify)) != 1 ||
        EVP_DigestUpdate(digest, &auth->depth, sizeof(auth->depth)) != 1) {
        snprintf(why, why_size, "out of memory");
        res = -ENOMEM;
    }
    if (res == 0)
        res = list_read(ssl_ctx, server, auth->ca, authorities_read, digest, why, why_size);
    if (res == 0 && auth->crl[0] != '\0')
        res = list_read(ssl_ctx, server, auth->crl, revoked_read, digest, why, why_size);
    /* Who stands in the file is believed, whether or not he has signed himself. */
    if (res == 0)
        X509_STORE_set_flags(SSL_CTX_get_cert_store(ssl_ctx), X509_V_FLAG_PARTIAL_CHAIN);
    if (res == 0 && EVP_DigestFinal_ex(digest, ret_digest, NULL) != 1) {
        snprintf(why, why_size, "out of memory");
        res = -ENOMEM;
    }
    EVP_MD_CTX_free(digest);
    ERR_clear_error();
    return res;
}

/* SSL_verify_cb. The one whose word counts is revoked by taking him out of the file: whether those
 * above him, who may not even be known, say so is not asked. */
static int on_judged(int ok, X509_STORE_CTX *store_ctx)
{
    int depth = X509_STORE_CTX_get_error_depth(store_ctx);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);

    if (ok != 1 && X509_STORE_CTX_get_error(store_ctx) == X509_V_ERR_UNABLE_TO_GET_CRL &&
        depth > 0 && depth == sk_X509_num(chain) - 1) {
        X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
        return 1;
    }
    return ok;
}

void openssl_client_ask(SSL *ssl, const struct client_auth *auth)
{
    if (auth == NULL) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
        return;
    }
    SSL_set_verify(ssl,
                   SSL_VERIFY_PEER |
                       (auth->verify == TLS_VERIFY_REQUIRE ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                   on_judged);
    SSL_set_verify_depth(ssl, (int)auth->depth);
}

const char *openssl_client_reason(struct tls *t)
{
    unsigned long code = ERR_peek_error();

    if (t->established || ERR_GET_LIB(code) != ERR_LIB_SSL)
        return NULL;
    if (ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        t->client_refused = true;
        return "it has sent none";
    }
    if (ERR_GET_REASON(code) != SSL_R_CERTIFICATE_VERIFY_FAILED)
        return NULL;
    t->client_refused = true;
    return X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));
}

/* As RFC 4514 has it. False: no memory, or it does not fit. */
static bool name_print(const X509_NAME *name, char *ret_text)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    if (bio == NULL)
        return false;
    int res = X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    long len = BIO_get_mem_data(bio, &text);
    bool fits = res >= 0 && len >= 0 && len < CLIENT_NAME_MAX;
    if (fits) {
        memcpy(ret_text, text, (size_t)len);
        ret_text[len] = '\0';
    }
    BIO_free(bio);
    return fits;
}

static bool serial_print(const X509 *x509, char *ret_text)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *text = number != NULL ? BN_bn2hex(number) : NULL;
    bool fits = text != NULL && strlen(text) < CLIENT_SERIAL_MAX;

    if (fits)
        memcpy(ret_text, text, strlen(text) + 1);
    OPENSSL_free(text);
    BN_free(number);
    return fits;
}

static bool fingerprint_print(const X509 *x509, const EVP_MD *sha256, char *ret_text)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (X509_digest(x509, sha256, hash, &len) != 1 || 2 * len + 1 != CLIENT_FINGERPRINT_SIZE)
        return false;
    for (unsigned i = 0; i < len; i++)
        snprintf(ret_text + 2 * (size_t)i, 3, "%02x", hash[i]);
    return true;
}

const char *openssl_client_keep(struct tls *t)
{
    const X509 *x509 = SSL_get0_peer_certificate(t->ssl);

    if (x509 == NULL)
        return NULL;
    t->client_refused = true;
    /* Whoever resumes was verified before; his time may be over since. */
    if (X509_cmp_current_time(X509_get0_notAfter(x509)) <= 0)
        return "certificate has expired";
    struct client_certificate *client = calloc(1, sizeof(*client));
    bool done = client != NULL && name_print(X509_get_subject_name(x509), client->subject) &&
                name_print(X509_get_issuer_name(x509), client->issuer) &&
                serial_print(x509, client->serial) &&
                fingerprint_print(x509, t->ctx->sha256, client->fingerprint);
    ERR_clear_error();
    if (!done) {
        free(client);
        return client == NULL ? "out of memory" : "a name in it, or its number, is too long";
    }
    t->client_refused = false;
    t->client = client;
    return NULL;
}

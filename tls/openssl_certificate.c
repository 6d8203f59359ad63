/* openssl_certificate.c: certificates, chains and keys from PEM files, and why one is refused. See
 * openssl.h.
 *
 * Each refusal is a sentence that names the server and the file. A passphrase is never asked for:
 * nobody may be there to type it. */
#include "tls/openssl.h"

#include "tls/pem_file.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KNOWN_MAX = 8 /* different authorities; more are decoded again */ };

/* "2026-11-23", UTC. */
static void format_date(const ASN1_TIME *time, char *ret_text, size_t size)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(ret_text, size, "%Y-%m-%d", &tm) == 0)
        snprintf(ret_text, size, "a date that is malformed");
}

/* `number`: the place in the file, from 1. */
static int check_dates(const struct pem_place *place, const X509 *x509, int number)
{
    char date[32];
    const ASN1_TIME *before = X509_get0_notBefore(x509), *after = X509_get0_notAfter(x509);

    if (X509_cmp_current_time(before) > 0) {
        format_date(before, date, sizeof(date));
        return pem_refuse(place, -EINVAL,
                          "certificate %d is not valid before %s: is the clock right?", number,
                          date);
    }
    if (X509_cmp_current_time(after) < 0) {
        format_date(after, date, sizeof(date));
        return pem_refuse(place, -EINVAL, "certificate %d expired on %s: renew it", number, date);
    }
    if (X509_cmp_current_time(before) == 0 || X509_cmp_current_time(after) == 0)
        return pem_refuse(place, -EINVAL, "certificate %d has a malformed date", number);
    return 0;
}

/* PEM_read_bio_*() found no more. Is that the end, rather than an object that is broken? */
static bool at_end(void)
{
    unsigned long code = ERR_peek_last_error();

    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* pem_password_cb(3): notes that a passphrase would be needed. */
static int on_passphrase(char *buf, int size, int is_writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    *(bool *)asked = true;
    return -1;
}

struct openssl_reader {
    OSSL_DECODER_CTX *decoder; /* of keys; NULL: there is none */
    EVP_PKEY *key;             /* where it puts one */
    bool asked;                /* for a passphrase */
    struct known {
        unsigned char *der; /* owned; NULL: none */
        long len;
        X509 *x509;          /* owned */
    } known[KNOWN_MAX];      /* those above others that were read last */
    size_t known_next;       /* whose place is taken */
    struct place_memo *memo; /* of the folder of the last file */
};

struct openssl_reader *openssl_reader_create(void)
{
    struct openssl_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->memo = place_memo_create();
    reader->decoder = OSSL_DECODER_CTX_new_for_pkey(&reader->key, "PEM", NULL, NULL,
                                                    EVP_PKEY_KEYPAIR, NULL, NULL);
    if (reader->decoder != NULL &&
        OSSL_DECODER_CTX_set_pem_password_cb(reader->decoder, on_passphrase, &reader->asked) != 1) {
        OSSL_DECODER_CTX_free(reader->decoder);
        reader->decoder = NULL;
    }
    ERR_clear_error();
    return reader;
}

static void forget(struct known *known)
{
    OPENSSL_free(known->der);
    X509_free(known->x509);
    *known = (struct known){ .der = NULL };
}

void openssl_reader_free(struct openssl_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < KNOWN_MAX; i++)
        forget(&reader->known[i]);
    OSSL_DECODER_CTX_free(reader->decoder);
    place_memo_free(reader->memo);
    free(reader);
}

/* The certificate that these bytes are: the one that was read before, or NULL. */
static X509 *known_find(const struct openssl_reader *reader, const unsigned char *der, long len)
{
    for (size_t i = 0; i < KNOWN_MAX; i++) {
        const struct known *known = &reader->known[i];
        if (known->der != NULL && known->len == len && memcmp(known->der, der, (size_t)len) == 0)
            return X509_up_ref(known->x509) ? known->x509 : NULL;
    }
    return NULL;
}

/* Keeps `der`, which is taken over, and what it was decoded to. */
static void known_keep(struct openssl_reader *reader, unsigned char *der, long len, X509 *x509)
{
    struct known *known = &reader->known[reader->known_next++ % KNOWN_MAX];

    forget(known);
    if (X509_up_ref(x509))
        *known = (struct known){ der, len, x509 };
    else
        OPENSSL_free(der);
}

/* The next certificate of the file; NULL: there is none, or it is broken. Those above others
 * (`is_above`) are mostly the same few authorities', and decoded once. */
static X509 *x509_next(struct openssl_reader *reader, BIO *bio, bool is_above)
{
    unsigned char *der = NULL;
    long len = 0;

    if (PEM_bytes_read_bio(&der, &len, NULL, PEM_STRING_X509, bio, NULL, NULL) != 1)
        return NULL;
    bool keeps = is_above && reader != NULL;
    X509 *x509 = keeps ? known_find(reader, der, len) : NULL;
    if (x509 == NULL) {
        const unsigned char *at = der;
        x509 = d2i_X509(NULL, &at, len);
        if (x509 != NULL && keeps) {
            known_keep(reader, der, len, x509);
            return x509;
        }
    }
    OPENSSL_free(der);
    return x509;
}

/* The server's certificate, and the rest of its chain in the order of the file. */
static int chain_read(struct openssl_reader *reader, const struct pem_place *place, BIO *bio,
                      X509 **ret_x509, STACK_OF(X509) * *ret_chain)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *first = NULL, *x509;
    int number = 0;
    int res = chain != NULL ? 0 : pem_refuse(place, -ENOMEM, "out of memory");

    while (res == 0 && (x509 = x509_next(reader, bio, first != NULL)) != NULL) {
        number++;
        if (first == NULL) {
            first = x509;
        } else if (!sk_X509_push(chain, x509)) {
            X509_free(x509);
            res = pem_refuse(place, -ENOMEM, "out of memory");
            break;
        }
        res = check_dates(place, x509, number);
    }
    if (res == 0 && !at_end())
        res = pem_refuse(place, -EINVAL, "certificate %d is not well-formed: %s", number + 1,
                         openssl_reason());
    else if (res == 0 && first == NULL)
        res = pem_refuse(place, -EINVAL,
                         "is no PEM file with a certificate: no line BEGIN CERTIFICATE");
    ERR_clear_error();
    if (res < 0) {
        X509_free(first);
        sk_X509_pop_free(chain, X509_free);
        return res;
    }
    *ret_x509 = first;
    *ret_chain = chain;
    return 0;
}

static bool begins_with(const struct pem_file *file, const char *text)
{
    size_t len = strlen(text);

    return file->len >= len && memcmp(file->text, text, len) == 0;
}

/* The key in a file that is one, and has nothing in front of it; NULL: PEM_read_bio_PrivateKey() is
 * to look, and to say what is wrong. `bio` is as it was. */
static EVP_PKEY *key_decode(struct openssl_reader *reader, BIO *bio, const struct pem_file *file)
{
    EVP_PKEY *key;

    if (reader == NULL || reader->decoder == NULL ||
        !(begins_with(file, "-----BEGIN PRIVATE KEY-----") ||
          begins_with(file, "-----BEGIN EC PRIVATE KEY-----") ||
          begins_with(file, "-----BEGIN RSA PRIVATE KEY-----")))
        return NULL;
    reader->key = NULL;
    if (OSSL_DECODER_from_bio(reader->decoder, bio) != 1) {
        EVP_PKEY_free(reader->key);
        reader->key = NULL;
    }
    ERR_clear_error();
    key = reader->key;
    reader->key = NULL;
    if (key == NULL)
        BIO_reset(bio);
    return key;
}

/* `file` is what `bio` reads. */
static int key_read(struct openssl_reader *reader, const struct pem_place *place, BIO *bio,
                    const struct pem_file *file, EVP_PKEY **ret_key)
{
    static const char begin[] = "PRIVATE KEY-----"; /* of each kind */
    bool asked = false;
    EVP_PKEY *key = key_decode(reader, bio, file);

    if (key == NULL)
        key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asked);

    if (key != NULL) {
        ERR_clear_error();
        *ret_key = key;
        return 0;
    }
    if (asked)
        return pem_refuse(place, -EINVAL,
                          "the key is encrypted, and no passphrase is asked for: decrypt it with "
                          "openssl pkey -in FILE -out FILE");
    if (memmem(file->text, file->len, begin, sizeof(begin) - 1) == NULL)
        return pem_refuse(place, -EINVAL,
                          "is no PEM file with a private key: no line BEGIN PRIVATE KEY");
    return pem_refuse(place, -EINVAL, "the private key is not well-formed: %s", openssl_reason());
}

int openssl_certificate_use(SSL_CTX *ssl_ctx, X509 *x509, EVP_PKEY *key, STACK_OF(X509) * chain,
                            bool replace, char *why, size_t why_size)
{
    if (SSL_CTX_use_cert_and_key(ssl_ctx, x509, key, chain, replace) == 1) {
        ERR_clear_error();
        return 0;
    }
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_NOT_REPLACING_CERTIFICATE)
        snprintf(why, why_size, "the server has a certificate with a key of this kind (%s) already",
                 EVP_PKEY_get0_type_name(key));
    else
        snprintf(why, why_size, "OpenSSL (security level %d) refuses it: %s",
                 SSL_CTX_get_security_level(ssl_ctx), openssl_reason());
    ERR_clear_error();
    return -EINVAL;
}

/* Reads the file of `place`: `ret_bio`, a BIO over `ret_file`, whose owners are the caller's in any
 * case. */
static int file_open(struct openssl_reader *reader, const struct pem_place *place,
                     struct pem_file *ret_file, BIO **ret_bio)
{
    int res = pem_file_read_by(reader != NULL ? reader->memo : NULL, place, ret_file);

    *ret_bio = res < 0 ? NULL : BIO_new_mem_buf(ret_file->text, (int)ret_file->len);
    if (res == 0 && *ret_bio == NULL)
        res = pem_refuse(place, -ENOMEM, "out of memory");
    return res;
}

int openssl_identity_use(SSL_CTX *ssl_ctx, const struct server *server,
                         const struct certificate *certificate,
                         const struct openssl_identity *identity, bool replace, char *why,
                         size_t why_size)
{
    struct pem_place place = { server, certificate->chain_path, why, why_size };
    char reason[256];

    int res = openssl_certificate_use(ssl_ctx, identity->x509, identity->key, identity->chain,
                                      replace, reason, sizeof(reason));
    return res < 0 ? pem_refuse(&place, res, "%s", reason) : 0;
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static int certificate_read(struct openssl_reader *reader, const struct pem_place *place,
                            X509 **ret_x509, STACK_OF(X509) * *ret_chain)
{
    struct pem_file file; /* the key may be in it, too */
    BIO *bio;
    int res = file_open(reader, place, &file, &bio);

    if (res == 0)
        res = chain_read(reader, place, bio, ret_x509, ret_chain);
    BIO_free(bio);
    pem_file_free(&file);
    return res;
}

static int private_key_read(struct openssl_reader *reader, const struct pem_place *place,
                            EVP_PKEY **ret_key, mode_t *ret_mode)
{
    struct pem_file file;
    BIO *bio;
    int res = file_open(reader, place, &file, &bio);

    if (res == 0)
        res = key_read(reader, place, bio, &file, ret_key);
    *ret_mode = file.mode;
    BIO_free(bio);
    pem_file_free(&file);
    return res;
}

void openssl_identity_free(struct openssl_identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->x509);
    sk_X509_pop_free(identity->chain, X509_free);
    *identity = (struct openssl_identity){ .x509 = NULL };
}

int openssl_certificate_read(struct openssl_reader *reader, const struct server *server,
                             const struct certificate *certificate, char *why, size_t why_size,
                             struct openssl_identity *ret_identity)
{
    struct pem_place chain_place = { server, certificate->chain_path, why, why_size };
    struct pem_place key_place = { server, certificate->key_path, why, why_size };
    struct openssl_identity identity = { .x509 = NULL };

    int res = certificate_read(reader, &chain_place, &identity.x509, &identity.chain);
    if (res == 0)
        res = private_key_read(reader, &key_place, &identity.key, &identity.key_mode);
    if (res == 0 && X509_check_private_key(identity.x509, identity.key) != 1)
        res = pem_refuse(&key_place, -EINVAL, "is not the key of the certificate in %s",
                         certificate->chain_path);
    ERR_clear_error();
    if (res < 0)
        openssl_identity_free(&identity);
    *ret_identity = identity;
    return res;
}

void openssl_certificate_note(const struct server *server, const struct certificate *certificate,
                              const struct openssl_identity *identity)
{
    struct pem_place chain_place = { .server = server, .path = certificate->chain_path };
    struct pem_place key_place = { .server = server, .path = certificate->key_path };
    struct pem_file key = { .mode = identity->key_mode };

    pem_expiry_note(&chain_place, time_of(X509_get0_notBefore(identity->x509)),
                    time_of(X509_get0_notAfter(identity->x509)));
    pem_key_warn(&key_place, &key);
}

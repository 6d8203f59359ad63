/* openssl_certificate.c: certificates, chains and keys from PEM files, and why one is refused. See
 * openssl.h.
 *
 * Each refusal is a sentence that names the server and the file. A passphrase is never asked for:
 * nobody may be there to type it. */
#include "tls/openssl.h"

#include "core/check.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 1 << 20 };

/* What a refusal begins with. */
struct place {
    const struct server *server;
    const char *path;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct place *place, int error,
                                                        const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(place->why, place->why_size, "server '%s': %s: %s", place->server->name, place->path,
             text);
    ERR_clear_error();
    return error;
}

/* Reads what is left of `fd` into `data`, which holds `size` octets. Their number, or -errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, data + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* A read-only BIO over the file's octets, which `ret_data` owns: `ret_size` octets to wipe and
 * free. */
static int file_read(const struct place *place, BIO **ret_bio, char **ret_data, size_t *ret_size)
{
    struct stat st;
    /* A FIFO without a writer must not stop the start for good. */
    int fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        int error = -errno;
        return refuse(place, error, "cannot be opened: %s", strerror(-error));
    }
    int res = fstat(fd, &st) < 0 ? -errno : 0;
    if (res == 0 && (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX))
        res = -EINVAL;
    size_t size = res == 0 ? (size_t)st.st_size : 0;
    char *data = malloc(size + 1);
    ssize_t len = res < 0 ? res : data == NULL ? -ENOMEM : read_all(fd, data, size);
    close(fd);
    BIO *bio = len >= 0 ? BIO_new_mem_buf(data, (int)len) : NULL;
    if (bio != NULL) {
        *ret_bio = bio;
        *ret_data = data;
        *ret_size = size;
        return 0;
    }
    OPENSSL_cleanse(data, data != NULL ? size : 0);
    free(data);
    if (len == -EINVAL)
        return refuse(place, -EINVAL, "is no regular file of at most 1 MiB");
    res = len < 0 ? (int)len : -ENOMEM;
    return refuse(place, res, "cannot be read: %s", strerror(-res));
}

/* "2026-11-23", UTC. */
static void format_date(const ASN1_TIME *time, char *ret_text, size_t size)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(ret_text, size, "%Y-%m-%d", &tm) == 0)
        snprintf(ret_text, size, "a date that is malformed");
}

/* `number`: the place in the file, from 1. */
static int check_dates(const struct place *place, const X509 *x509, int number)
{
    char date[32];
    const ASN1_TIME *before = X509_get0_notBefore(x509), *after = X509_get0_notAfter(x509);

    if (X509_cmp_current_time(before) > 0) {
        format_date(before, date, sizeof(date));
        return refuse(place, -EINVAL, "certificate %d is not valid before %s: is the clock right?",
                      number, date);
    }
    if (X509_cmp_current_time(after) < 0) {
        format_date(after, date, sizeof(date));
        return refuse(place, -EINVAL, "certificate %d expired on %s: renew it", number, date);
    }
    if (X509_cmp_current_time(before) == 0 || X509_cmp_current_time(after) == 0)
        return refuse(place, -EINVAL, "certificate %d has a malformed date", number);
    return 0;
}

/* PEM_read_bio_*() found no more. Is that the end, rather than an object that is broken? */
static bool at_end(void)
{
    unsigned long code = ERR_peek_last_error();

    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* The server's certificate, and the rest of its chain in the order of the file. */
static int chain_read(const struct place *place, BIO *bio, X509 **ret_x509,
                      STACK_OF(X509) * *ret_chain)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *first = NULL, *x509;
    int number = 0;
    int res = chain != NULL ? 0 : refuse(place, -ENOMEM, "out of memory");

    while (res == 0 && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        number++;
        if (first == NULL) {
            first = x509;
        } else if (!sk_X509_push(chain, x509)) {
            X509_free(x509);
            res = refuse(place, -ENOMEM, "out of memory");
            break;
        }
        res = check_dates(place, x509, number);
    }
    if (res == 0 && !at_end())
        res = refuse(place, -EINVAL, "certificate %d is not well-formed: %s", number + 1,
                     openssl_reason());
    else if (res == 0 && first == NULL)
        res =
            refuse(place, -EINVAL, "is no PEM file with a certificate: no line BEGIN CERTIFICATE");
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

/* pem_password_cb(3): notes that a passphrase would be needed. */
static int on_passphrase(char *buf, int size, int is_writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    *(bool *)asked = true;
    return -1;
}

/* `data`, `size` octets, is what `bio` reads. */
static int key_read(const struct place *place, BIO *bio, const char *data, size_t size,
                    EVP_PKEY **ret_key)
{
    static const char begin[] = "PRIVATE KEY-----"; /* of each kind */
    bool asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asked);

    if (key != NULL) {
        ERR_clear_error();
        *ret_key = key;
        return 0;
    }
    if (asked)
        return refuse(place, -EINVAL,
                      "the key is encrypted, and no passphrase is asked for: decrypt it with "
                      "openssl pkey -in FILE -out FILE");
    if (memmem(data, size, begin, sizeof(begin) - 1) == NULL)
        return refuse(place, -EINVAL,
                      "is no PEM file with a private key: no line BEGIN PRIVATE KEY");
    return refuse(place, -EINVAL, "the private key is not well-formed: %s", openssl_reason());
}

int openssl_certificate_use(SSL_CTX *ssl_ctx, X509 *x509, EVP_PKEY *key, STACK_OF(X509) * chain,
                            char *why, size_t why_size)
{
    if (SSL_CTX_use_cert_and_key(ssl_ctx, x509, key, chain, 0) == 1) {
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

static int certificate_read(const struct place *place, X509 **ret_x509, STACK_OF(X509) * *ret_chain)
{
    BIO *bio = NULL;
    char *data = NULL;
    size_t size = 0;
    int res = file_read(place, &bio, &data, &size);

    if (res < 0)
        return res;
    res = chain_read(place, bio, ret_x509, ret_chain);
    BIO_free(bio);
    OPENSSL_cleanse(data, size); /* the key may be in the same file */
    free(data);
    return res;
}

static int private_key_read(const struct place *place, EVP_PKEY **ret_key)
{
    BIO *bio = NULL;
    char *data = NULL;
    size_t size = 0;
    int res = file_read(place, &bio, &data, &size);

    if (res < 0)
        return res;
    CHECK(bio != NULL && data != NULL);
    res = key_read(place, bio, data, size, ret_key);
    BIO_free(bio);
    OPENSSL_cleanse(data, size);
    free(data);
    return res;
}

int openssl_certificate_load(SSL_CTX *ssl_ctx, const struct server *server,
                             const struct certificate *certificate, char *why, size_t why_size)
{
    struct place chain_place = { server, certificate->chain_path, why, why_size };
    struct place key_place = { server, certificate->key_path, why, why_size };
    X509 *x509;
    STACK_OF(X509) * chain;
    EVP_PKEY *key = NULL;
    char reason[256];
    int res = certificate_read(&chain_place, &x509, &chain);

    if (res < 0)
        return res;
    res = private_key_read(&key_place, &key);
    if (res == 0 && X509_check_private_key(x509, key) != 1)
        res = refuse(&key_place, -EINVAL, "is not the key of the certificate in %s",
                     certificate->chain_path);
    if (res == 0) {
        res = openssl_certificate_use(ssl_ctx, x509, key, chain, reason, sizeof(reason));
        if (res < 0)
            refuse(&chain_place, res, "%s", reason);
    }
    EVP_PKEY_free(key);
    X509_free(x509);
    sk_X509_pop_free(chain, X509_free);
    return res;
}

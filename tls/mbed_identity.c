/* mbed_identity.c: certificates and keys from PEM files. See mbed_identity.h. */
#include "tls/mbed_identity.h"

#include "core/check.h"
#include "tls/mbed_random.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_FILE_MAX = 1 << 20 }; /* octets; a chain has some 10,000 */

/* The text of a PEM file, with a NUL behind it, which the library's parsers want and count. */
struct pem {
    unsigned char *text;
    size_t size;
};

static void pem_free(struct pem *pem)
{
    if (pem->text != NULL)
        mbedtls_platform_zeroize(pem->text, pem->size);
    free(pem->text);
}

static int read_all(int fd, struct pem *pem)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (st.st_size > PEM_FILE_MAX)
        return -EFBIG;
    /* What is no regular file tells no size. */
    size_t room = S_ISREG(st.st_mode) ? (size_t)st.st_size : PEM_FILE_MAX, len = 0;
    pem->text = malloc(room + 1);
    if (pem->text == NULL)
        return -ENOMEM;
    pem->size = room + 1;
    while (len < room) {
        ssize_t got = read(fd, pem->text + len, room - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    pem->text[len] = '\0';
    pem->size = len + 1;
    return 0;
}

/* Reads a file that must hold `label` ("PRIVATE KEY-----"), of which `what` ("a certificate") is
 * the meaning. */
static int pem_read(const char *path, const char *label, const char *what, struct pem *pem,
                    char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int res = fd < 0 ? -errno : read_all(fd, pem);

    if (fd >= 0)
        close(fd);
    if (res < 0) {
        snprintf(why, why_size, "%s: %s cannot be read from it: %s", path, what, strerror(-res));
        return res;
    }
    if (strstr((const char *)pem->text, label) == NULL) {
        snprintf(why, why_size, "%s: there is no PEM of %s in it (a line -----BEGIN %s)", path,
                 what, label);
        return -EINVAL;
    }
    return 0;
}

static int refuse(const char *path, const char *what, int code, char *why, size_t why_size)
{
    char reason[128];

    mbedtls_strerror(code, reason, sizeof(reason));
    snprintf(why, why_size, "%s: %s: %s", path, what, reason);
    return -EINVAL;
}

static int read_chain(struct mbed_identity *identity, const char *path, char *why, size_t why_size)
{
    struct pem pem = { NULL, 0 };
    int res = pem_read(path, "CERTIFICATE-----", "a certificate", &pem, why, why_size);

    if (res == 0) {
        /* More than 0: so many certificates of the file could not be read. */
        int code = mbedtls_x509_crt_parse(&identity->chain, pem.text, pem.size);
        if (code < 0) {
            res = refuse(path, "the certificate cannot be read", code, why, why_size);
        } else if (code > 0) {
            snprintf(why, why_size, "%s: %d of its certificates cannot be read", path, code);
            res = -EINVAL;
        }
    }
    pem_free(&pem);
    return res;
}

static int read_key(struct mbed_identity *identity, const char *path, char *why, size_t why_size)
{
    struct pem pem = { NULL, 0 };
    int res = pem_read(path, "PRIVATE KEY-----", "a private key", &pem, why, why_size);

    if (res == 0) {
        int code = mbed_parse_key(&identity->key, pem.text, pem.size, mbed_random);
        /* PKCS #8 that is encrypted has a label of its own, and no code of its own. */
        if (code == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
            strstr((const char *)pem.text, "BEGIN ENCRYPTED PRIVATE KEY-----") != NULL) {
            snprintf(why, why_size,
                     "%s: the private key is encrypted, and nobody is asked for its passphrase; "
                     "write it without one (openssl pkey -in %s -out NEW)",
                     path, path);
            res = -EINVAL;
        } else if (code != 0) {
            res = refuse(path, "the private key cannot be read", code, why, why_size);
        }
    }
    pem_free(&pem);
    return res;
}

/* Only the server's own is looked at: what a chain carries for old clients may well have ended. */
static int check_dates(const mbedtls_x509_crt *own, const char *path, char *why, size_t why_size)
{
    if (mbedtls_x509_time_is_past(&own->valid_to)) {
        snprintf(why, why_size, "%s: the certificate expired on %04d-%02d-%02d; renew it", path,
                 own->valid_to.year, own->valid_to.mon, own->valid_to.day);
        return -EINVAL;
    }
    if (mbedtls_x509_time_is_future(&own->valid_from)) {
        snprintf(why, why_size,
                 "%s: the certificate is not valid before %04d-%02d-%02d; is the clock right?",
                 path, own->valid_from.year, own->valid_from.mon, own->valid_from.day);
        return -EINVAL;
    }
    return 0;
}

int mbed_identity_read(struct mbed_identity *identity, const struct certificate *files, char *why,
                       size_t why_size)
{
    mbedtls_x509_crt_init(&identity->chain);
    mbedtls_pk_init(&identity->key);
    int res = read_chain(identity, files->chain_path, why, why_size);
    if (res == 0)
        res = read_key(identity, files->key_path, why, why_size);
    if (res == 0 && mbed_check_pair(&identity->chain.pk, &identity->key, mbed_random) != 0) {
        snprintf(why, why_size, "%s: is not the private key of the certificate in %s%s",
                 files->key_path, files->chain_path,
                 identity->chain.next != NULL ? " (the server's own must be the first)" : "");
        res = -EINVAL;
    }
    if (res == 0)
        res = check_dates(&identity->chain, files->chain_path, why, why_size);
    if (res < 0)
        mbed_identity_free(identity);
    return res;
}

void mbed_identity_free(struct mbed_identity *identity)
{
    mbedtls_x509_crt_free(&identity->chain);
    mbedtls_pk_free(&identity->key);
}

/* mbed_identity.c: certificates, chains and keys from PEM files, and why one is refused. See
 * mbed_identity.h.
 *
 * A passphrase is never asked for: nobody may be there to type it. */
#include "tls/mbed_identity.h"

#include "tls/mbed_random.h"
#include "tls/pem_file.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <stdbool.h>
#include <string.h>

enum {
    RSA_BITS_MIN = 2048,       /* as OpenSSL's security level of Debian; RFC 9325 section 4.5 */
    PUBLIC_KEY_SIZE_MAX = 2400 /* bytes of DER, of an RSA key of 16,384 bits */
};

static const char *reason_of(int code, char *text, size_t size)
{
    mbedtls_strerror(code, text, size);
    return text;
}

/* `number`: the place in the file, from 1. */
static int check_dates(const struct pem_place *place, const mbedtls_x509_crt *crt, int number)
{
    const mbedtls_x509_time *from = &crt->valid_from, *to = &crt->valid_to;

    if (mbedtls_x509_time_is_future(from))
        return pem_refuse(place, -EINVAL,
                          "certificate %d is not valid before %04d-%02d-%02d: is the clock right?",
                          number, from->year, from->mon, from->day);
    if (mbedtls_x509_time_is_past(to))
        return pem_refuse(place, -EINVAL, "certificate %d expired on %04d-%02d-%02d: renew it",
                          number, to->year, to->mon, to->day);
    return 0;
}

/* The certificates one by one, so that a refusal can tell which; what stands between them, a key
 * perhaps, is passed over. */
static int parse_chain(const struct pem_place *place, const struct pem_file *pem,
                       mbedtls_x509_crt *chain)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    int number = 0;

    for (char *at = pem->text; (at = strstr(at, begin)) != NULL;) {
        char *behind = strstr(at, end);
        char reason[128];
        int code = MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT;
        number++;
        if (behind != NULL) {
            behind += sizeof(end) - 1;
            char kept = *behind;
            *behind = '\0';
            code =
                mbedtls_x509_crt_parse(chain, (const unsigned char *)at, (size_t)(behind - at) + 1);
            *behind = kept;
        }
        if (code != 0)
            return pem_refuse(place, -EINVAL, "certificate %d is not well-formed: %s", number,
                              reason_of(code, reason, sizeof(reason)));
        at = behind;
    }
    if (number == 0)
        return pem_refuse(place, -EINVAL,
                          "is no PEM file with a certificate: no line BEGIN CERTIFICATE");
    number = 1;
    for (const mbedtls_x509_crt *crt = chain; crt != NULL; crt = crt->next, number++) {
        int res = check_dates(place, crt, number);
        if (res < 0)
            return res;
    }
    return 0;
}

static int parse_key(const struct pem_place *place, const struct pem_file *pem,
                     mbedtls_pk_context *key)
{
    char reason[128];
    int code = mbed_parse_key(key, (const unsigned char *)pem->text, pem->len + 1, mbed_random);

    if (code == 0)
        return 0;
    if (strstr(pem->text, "PRIVATE KEY-----") == NULL)
        return pem_refuse(place, -EINVAL,
                          "is no PEM file with a private key: no line BEGIN PRIVATE KEY");
    /* PKCS #8 has a label for it, and may be encrypted in a way that the library does not know. */
    if (code == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
        strstr(pem->text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL)
        return pem_refuse(place, -EINVAL,
                          "the key is encrypted, and no passphrase is asked for: decrypt it with "
                          "openssl pkey -in FILE -out FILE");
    return pem_refuse(place, -EINVAL, "the private key is not well-formed: %s",
                      reason_of(code, reason, sizeof(reason)));
}

/* Is `key` the private one of `public_key`?
 *
 * A key carries its public half: the parser has read it from the file, or computed it where the
 * file has none. So they are compared, as X509_check_private_key(3) does, which takes no
 * multiplication on a curve. It does not find a file whose two halves do not fit each other.
 * Whatever is not equal is for the library to judge. */
static bool is_pair(mbedtls_pk_context *public_key, mbedtls_pk_context *key)
{
    unsigned char of_chain[PUBLIC_KEY_SIZE_MAX], of_key[PUBLIC_KEY_SIZE_MAX];

    /* Both write at the end. */
    int len = mbedtls_pk_write_pubkey_der(public_key, of_chain, sizeof(of_chain));
    if (len > 0 && mbedtls_pk_write_pubkey_der(key, of_key, sizeof(of_key)) == len &&
        memcmp(of_chain + sizeof(of_chain) - len, of_key + sizeof(of_key) - len, (size_t)len) == 0)
        return true;
    return mbed_check_pair(public_key, key, mbed_random) == 0;
}

int mbed_identity_read(struct mbed_identity *identity, const struct server *server,
                       const struct certificate *files, char *why, size_t why_size)
{
    struct pem_place chain_place = { server, files->chain_path, why, why_size };
    struct pem_place key_place = { server, files->key_path, why, why_size };
    struct pem_file chain = { .text = NULL }, key = { .text = NULL };

    mbedtls_x509_crt_init(&identity->chain);
    mbedtls_pk_init(&identity->key);
    int res = pem_file_read(&chain_place, &chain);
    if (res == 0)
        res = parse_chain(&chain_place, &chain, &identity->chain);
    if (res == 0)
        pem_expiry_note(&chain_place, mbed_time(&identity->chain.valid_from),
                        mbed_time(&identity->chain.valid_to));
    if (res == 0)
        res = pem_file_read(&key_place, &key);
    if (res == 0)
        res = parse_key(&key_place, &key, &identity->key);
    if (res == 0 && !is_pair(&identity->chain.pk, &identity->key))
        res = pem_refuse(&key_place, -EINVAL, "is not the key of the certificate in %s",
                         files->chain_path);
    size_t bits = res == 0 ? mbedtls_pk_get_bitlen(&identity->key) : 0;
    if (res == 0 && bits < RSA_BITS_MIN && mbedtls_pk_can_do(&identity->key, MBEDTLS_PK_RSA))
        res = pem_refuse(&chain_place, -EINVAL,
                         "its RSA key has %zu bits, too few: at least %d are safe", bits,
                         RSA_BITS_MIN);
    if (res == 0)
        pem_key_warn(&key_place, &key);
    pem_file_free(&chain);
    pem_file_free(&key);
    if (res < 0)
        mbed_identity_free(identity);
    return res;
}

void mbed_identity_free(struct mbed_identity *identity)
{
    mbedtls_x509_crt_free(&identity->chain);
    mbedtls_pk_free(&identity->key);
}

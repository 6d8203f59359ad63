/* mbed_self_signed.c: a certificate for localhost, made in memory. See mbed_identity.h. */
#include "tls/mbed_identity.h"
#include "tls/mbed_random.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <time.h>

enum {
    CLOCK_SLACK_S = 3600,       /* a client's clock may be behind */
    VALID_S = 365 * 24 * 3600,  /* and nobody's process lives longer than that unrenewed */
    CERTIFICATE_SIZE_MAX = 1024 /* octets of DER; about 430 */
};

/* subjectAltName (RFC 5280 section 4.2.1.6): dNSName localhost, iPAddress 127.0.0.1 and ::1. */
static const unsigned char names_der[] = {
    0x30, 35,                                                             /* SEQUENCE */
    0x82, 9,  'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't',                /* [2] */
    0x87, 4,  127, 0,   0,   1,                                           /* [7] */
    0x87, 16, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, 0, /* [7] */
    0,    1,
};

/* extKeyUsage (section 4.2.1.12): serverAuth, 1.3.6.1.5.5.7.3.1. */
static const unsigned char usage_der[] = { 0x30, 10,   0x06, 8,    0x2b, 0x06,
                                           0x01, 0x05, 0x05, 0x07, 0x03, 0x01 };

static int make_key(mbedtls_pk_context *key)
{
    int code = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (code == 0)
        code =
            mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), mbed_random, NULL);
    return code;
}

static int set_validity(mbedtls_x509write_cert *writer)
{
    char from[16], to[16];
    struct tm tm;
    time_t begin = time(NULL) - CLOCK_SLACK_S, end = begin + VALID_S;

    gmtime_r(&begin, &tm);
    strftime(from, sizeof(from), "%Y%m%d%H%M%S", &tm);
    gmtime_r(&end, &tm);
    strftime(to, sizeof(to), "%Y%m%d%H%M%S", &tm);
    return mbedtls_x509write_crt_set_validity(writer, from, to);
}

/* Writes the certificate of `key` to the end of `der`. Its length, or a code of the library. */
static int write_certificate(mbedtls_pk_context *key, unsigned char *der, size_t size)
{
    mbedtls_x509write_cert writer;
    unsigned char serial[16];
    int code = mbed_random(NULL, serial, sizeof(serial));

    if (code != 0)
        return code;
    serial[0] = (serial[0] & 0x3f) | 0x40; /* positive, and no leading zero */
    mbedtls_x509write_crt_init(&writer);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, key);
    mbedtls_x509write_crt_set_issuer_key(&writer, key);
    if ((code = mbedtls_x509write_crt_set_subject_name(&writer, "CN=localhost")) == 0 &&
        (code = mbedtls_x509write_crt_set_issuer_name(&writer, "CN=localhost")) == 0 &&
        (code = mbed_set_serial(&writer, serial, sizeof(serial))) == 0 &&
        (code = set_validity(&writer)) == 0 &&
        (code = mbedtls_x509write_crt_set_basic_constraints(&writer, 0, -1)) == 0 &&
        (code = mbedtls_x509write_crt_set_extension(&writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                                    MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
                                                    0, names_der, sizeof(names_der))) == 0 &&
        (code =
             mbedtls_x509write_crt_set_extension(&writer, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
                                                 0, usage_der, sizeof(usage_der))) == 0)
        code = mbedtls_x509write_crt_der(&writer, der, size, mbed_random, NULL);
    mbedtls_x509write_crt_free(&writer);
    return code;
}

int mbed_identity_make(struct mbed_identity *identity, char *why, size_t why_size)
{
    unsigned char der[CERTIFICATE_SIZE_MAX];

    mbedtls_x509_crt_init(&identity->chain);
    mbedtls_pk_init(&identity->key);
    int code = make_key(&identity->key);
    if (code == 0) {
        code = write_certificate(&identity->key, der, sizeof(der));
        if (code > 0)
            code = mbedtls_x509_crt_parse_der(&identity->chain, der + sizeof(der) - code,
                                              (size_t)code);
    }
    if (code != 0) {
        char reason[128];
        mbedtls_strerror(code, reason, sizeof(reason));
        snprintf(why, why_size, "no certificate for localhost could be made: %s", reason);
        mbed_identity_free(identity);
        return -EINVAL;
    }
    return 0;
}

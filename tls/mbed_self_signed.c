/* mbed_self_signed.c: a certificate for trying out, in memory only. See mbed_identity.h. */
#include "tls/mbed_identity.h"
#include "tls/mbed_random.h"
#include "tls/self_signed.h"

#include <errno.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    VALID_S = SELF_SIGNED_DAYS * 24 * 3600,
    NAMES_SIZE_MAX = 8192,                       /* octets of subjectAltName */
    CERTIFICATE_SIZE_MAX = NAMES_SIZE_MAX + 1024 /* octets of DER */
};

/* Kinds of GeneralName (RFC 5280 section 4.2.1.6), as tags. */
enum {
    TAG_DNS_NAME = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2,
    TAG_IP_ADDRESS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7
};

static const unsigned char loopback_4[4] = { 127, 0, 0, 1 };
static const unsigned char loopback_6[16] = { [15] = 1 };

/* extKeyUsage (section 4.2.1.12): serverAuth, 1.3.6.1.5.5.7.3.1. */
static const unsigned char usage_der[] = { 0x30, 10,   0x06, 8,    0x2b, 0x06,
                                           0x01, 0x05, 0x05, 0x07, 0x03, 0x01 };

/* Letters, digits, hyphens and dots, perhaps behind "*.": what stands in a dNSName (section
 * 4.2.1.6). A section's title may be anything; addresses are all digits and dots. */
static bool is_dns_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-", more[] = "0123456789.";

    if (strncmp(name, "*.", 2) == 0)
        name += 2;
    size_t digits = strspn(name, more);
    for (size_t len = digits; name[len] != '\0'; len++) {
        if (strchr(letters, name[len]) == NULL && strchr(more, name[len]) == NULL)
            return false;
    }
    return name[digits] != '\0';
}

/* Puts a name in front of `*at`, as DER is written. What it adds is added to `*len`; a code of the
 * library when there is no room. */
static int put_name(unsigned char **at, unsigned char *start, int tag, const void *octets,
                    size_t octets_len, int *len)
{
    int code = mbedtls_asn1_write_raw_buffer(at, start, octets, octets_len);
    int length_len = code < 0 ? code : mbedtls_asn1_write_len(at, start, octets_len);
    int tag_len =
        length_len < 0 ? length_len : mbedtls_asn1_write_tag(at, start, (unsigned char)tag);

    if (tag_len < 0)
        return tag_len;
    *len += code + length_len + tag_len;
    return 0;
}

static int set_names(mbedtls_x509write_cert *writer, const struct server *server)
{
    unsigned char der[NAMES_SIZE_MAX], *at = der + sizeof(der);
    int len = 0, code = 0;

    for (size_t i = server->hosts_count; code == 0 && i > 0; i--) {
        const char *host = server->hosts[i - 1];
        if (is_dns_name(host) && strcmp(host, "localhost") != 0)
            code = put_name(&at, der, TAG_DNS_NAME, host, strlen(host), &len);
    }
    if (code != 0 ||
        (code = put_name(&at, der, TAG_IP_ADDRESS, loopback_6, sizeof(loopback_6), &len)) != 0 ||
        (code = put_name(&at, der, TAG_IP_ADDRESS, loopback_4, sizeof(loopback_4), &len)) != 0 ||
        (code = put_name(&at, der, TAG_DNS_NAME, "localhost", strlen("localhost"), &len)) != 0)
        return code;
    int length_len = mbedtls_asn1_write_len(&at, der, (size_t)len);
    int tag_len =
        length_len < 0
            ? length_len
            : mbedtls_asn1_write_tag(&at, der, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    if (tag_len < 0)
        return tag_len;
    return mbedtls_x509write_crt_set_extension(writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                               at, (size_t)(len + length_len + tag_len));
}

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
    time_t begin = time(NULL), end = begin + VALID_S;

    gmtime_r(&begin, &tm);
    strftime(from, sizeof(from), "%Y%m%d%H%M%S", &tm);
    gmtime_r(&end, &tm);
    strftime(to, sizeof(to), "%Y%m%d%H%M%S", &tm);
    return mbedtls_x509write_crt_set_validity(writer, from, to);
}

/* Writes the certificate of `key` to the end of `der`. Its length, or a code of the library. */
static int write_certificate(mbedtls_pk_context *key, const struct server *server,
                             unsigned char *der, size_t size)
{
    static const char name[] = "CN=gearshift self-signed";
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
    if ((code = mbedtls_x509write_crt_set_subject_name(&writer, name)) == 0 &&
        (code = mbedtls_x509write_crt_set_issuer_name(&writer, name)) == 0 &&
        (code = mbed_set_serial(&writer, serial, sizeof(serial))) == 0 &&
        (code = set_validity(&writer)) == 0 &&
        (code = mbedtls_x509write_crt_set_basic_constraints(&writer, 0, -1)) == 0 &&
        (code = mbedtls_x509write_crt_set_key_usage(&writer, MBEDTLS_X509_KU_DIGITAL_SIGNATURE)) ==
            0 &&
        (code = set_names(&writer, server)) == 0 &&
        (code =
             mbedtls_x509write_crt_set_extension(&writer, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
                                                 0, usage_der, sizeof(usage_der))) == 0)
        code = mbedtls_x509write_crt_der(&writer, der, size, mbed_random, NULL);
    mbedtls_x509write_crt_free(&writer);
    return code;
}

static void init(struct mbed_identity *identity)
{
    mbedtls_x509_crt_init(&identity->chain);
    mbedtls_pk_init(&identity->key);
}

/* That which a configuration before had. */
static bool find(struct mbed_identity *identity, const struct server *server)
{
    struct self_signed kept;

    if (!self_signed_find(server, time(NULL), &kept))
        return false;
    if (mbedtls_x509_crt_parse_der(&identity->chain, (const unsigned char *)kept.certificate.ptr,
                                   kept.certificate.len) == 0 &&
        mbed_parse_key(&identity->key, (const unsigned char *)kept.key.ptr, kept.key.len,
                       mbed_random) == 0)
        return true;
    mbed_identity_free(identity);
    init(identity);
    return false;
}

/* For the configurations to come. */
static void keep(struct mbed_identity *identity, const struct server *server)
{
    unsigned char key[SELF_SIGNED_KEY_SIZE]; /* it is written to the end */
    int len = mbedtls_pk_write_key_der(&identity->key, key, sizeof(key));

    if (len > 0)
        self_signed_keep(server,
                         span_make((const char *)identity->chain.raw.p, identity->chain.raw.len),
                         span_make((const char *)key + sizeof(key) - len, (size_t)len), time(NULL));
    explicit_bzero(key, sizeof(key));
}

/* 0, or a code of the library. */
static int make(struct mbed_identity *identity, const struct server *server)
{
    unsigned char der[CERTIFICATE_SIZE_MAX];
    int code = make_key(&identity->key);

    if (code == 0)
        code = write_certificate(&identity->key, server, der, sizeof(der));
    if (code > 0)
        code = mbedtls_x509_crt_parse_der(&identity->chain, der + sizeof(der) - code, (size_t)code);
    if (code == 0)
        keep(identity, server);
    return code;
}

int mbed_identity_make(struct mbed_identity *identity, const struct server *server, char *why,
                       size_t why_size)
{
    init(identity);
    int code = find(identity, server) ? 0 : make(identity, server);
    if (code != 0) {
        char reason[128];
        mbedtls_strerror(code, reason, sizeof(reason));
        snprintf(why, why_size, "server '%s': cannot make a self-signed certificate: %s",
                 server->name, reason);
        mbed_identity_free(identity);
        return -EINVAL;
    }
    return 0;
}

/* mbed_compat.h: where mbed TLS 2.28 (Debian 12) and 3.6 differ. The rest of tls/mbed_*.c and
 * tls_mbedtls.c is the same code for both.
 *
 * 3.x hides struct members, wants a random source where a private key is read or compared, names
 * curves by their TLS number, and has TLS 1.3, which it computes with PSA. */
#ifndef TLS_MBED_COMPAT_H
#define TLS_MBED_COMPAT_H

#include "config/config.h"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03060000
#define MBED_IS_3 1
#include <mbedtls/bignum.h>
#include <psa/crypto.h>
#elif MBEDTLS_VERSION_NUMBER >= 0x021c0000 && MBEDTLS_VERSION_NUMBER < 0x03000000
#define MBED_IS_3 0
#else
#error "mbed TLS 2.28 or 3.6 is needed"
#endif

/* Event loops share certificates, keys and ticket keys. */
#if !defined(MBEDTLS_THREADING_C)
#error "mbed TLS was built without MBEDTLS_THREADING_C"
#endif

#if MBED_IS_3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define MBED_PROTOCOLS ((unsigned)TLS_PROTOCOL_1_2 | (unsigned)TLS_PROTOCOL_1_3)
#else
#define MBED_PROTOCOLS ((unsigned)TLS_PROTOCOL_1_2)
#endif

/* A curve, as a configuration's list of them has it; the list ends with MBED_CURVE_NONE. */
#if MBED_IS_3
typedef uint16_t mbed_curve;
#define MBED_CURVE_NONE MBEDTLS_SSL_IANA_TLS_GROUP_NONE
#else
typedef mbedtls_ecp_group_id mbed_curve;
#define MBED_CURVE_NONE MBEDTLS_ECP_DP_NONE
#endif

static inline mbed_curve mbed_curve_of(const mbedtls_ecp_curve_info *info)
{
#if MBED_IS_3
    return info->tls_id;
#else
    return info->grp_id;
#endif
}

/* Is the name's next part in the same set (X.501: a multi-valued RDN)? */
static inline bool mbed_next_merged(const mbedtls_x509_name *name)
{
#if MBED_IS_3
    return name->MBEDTLS_PRIVATE(next_merged) != 0;
#else
    return name->next_merged != 0;
#endif
}

/* A time of a certificate, as time(2). */
static inline int64_t mbed_time(const mbedtls_x509_time *time)
{
    struct tm tm = { .tm_year = time->year - 1900,
                     .tm_mon = time->mon - 1,
                     .tm_mday = time->day,
                     .tm_hour = time->hour,
                     .tm_min = time->min,
                     .tm_sec = time->sec };

    return (int64_t)timegm(&tm);
}

/* No tickets are sent on the connections of `conf`: TLS 1.3's; those of 1.2 are up to
 * f_ticket_write alone. */
static inline void mbed_conf_no_tickets(mbedtls_ssl_config *conf)
{
#if MBED_IS_3 && defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_new_session_tickets(conf, 0);
#else
    (void)conf;
#endif
}

/* Once a process, before anything else. 0, or a code of the library. */
static inline int mbed_global_init(void)
{
#if MBED_IS_3
    return psa_crypto_init() == PSA_SUCCESS ? 0 : MBEDTLS_ERR_SSL_HW_ACCEL_FAILED;
#else
    return 0;
#endif
}

static inline int mbed_parse_key(mbedtls_pk_context *key, const unsigned char *pem, size_t size,
                                 int (*random)(void *, unsigned char *, size_t))
{
#if MBED_IS_3
    return mbedtls_pk_parse_key(key, pem, size, NULL, 0, random, NULL);
#else
    (void)random;
    return mbedtls_pk_parse_key(key, pem, size, NULL, 0);
#endif
}

static inline int mbed_check_pair(const mbedtls_pk_context *public_key,
                                  const mbedtls_pk_context *private_key,
                                  int (*random)(void *, unsigned char *, size_t))
{
#if MBED_IS_3
    return mbedtls_pk_check_pair(public_key, private_key, random, NULL);
#else
    (void)random;
    return mbedtls_pk_check_pair(public_key, private_key);
#endif
}

static inline int mbed_set_serial(mbedtls_x509write_cert *writer, unsigned char *serial, size_t len)
{
#if MBED_IS_3
    return mbedtls_x509write_crt_set_serial_raw(writer, serial, len);
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    int res = mbedtls_mpi_read_binary(&number, serial, len);
    if (res == 0)
        res = mbedtls_x509write_crt_set_serial(writer, &number);
    mbedtls_mpi_free(&number);
    return res;
#endif
}

/* Versions, curves and what else has another name. `protocols` is a part of MBED_PROTOCOLS and
 * not empty; the lists are borrowed. */
static inline void mbed_conf_protocols(mbedtls_ssl_config *conf, unsigned protocols,
                                       const mbed_curve *curves)
{
#if MBED_IS_3
    bool has_12 = (protocols & TLS_PROTOCOL_1_2) != 0, has_13 = (protocols & TLS_PROTOCOL_1_3) != 0;
    mbedtls_ssl_conf_min_tls_version(conf, has_12 ? MBEDTLS_SSL_VERSION_TLS1_2
                                                  : MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_max_tls_version(conf, has_13 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                  : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(conf, curves);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    /* A resumption without a new key exchange has no forward secrecy. */
    mbedtls_ssl_conf_tls13_key_exchange_modes(conf,
                                              MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
#endif
#else
    /* The library would go down to 1.0, and sign with SHA-224. */
    static const int hashes[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                                  MBEDTLS_MD_NONE };
    (void)protocols;
    mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_sig_hashes(conf, hashes);
    mbedtls_ssl_conf_curves(conf, curves);
#endif
}

#endif

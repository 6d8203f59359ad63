/* mbed_client.h: clients that prove themselves by a certificate, with mbed TLS: whose word counts,
 * what was revoked, and what is beyond the library's own judgement. Read-only once read, and shared
 * by all threads. */
#ifndef TLS_MBED_CLIENT_H
#define TLS_MBED_CLIENT_H

#include "config/config.h"
#include "core/client_certificate.h"
#include "tls/mbed_compat.h"

#include <mbedtls/x509_crl.h>
#include <stdbool.h>
#include <stddef.h>

struct mbed_client_auth {
    mbedtls_x509_crt ca;  /* whose word counts */
    mbedtls_x509_crl crl; /* what they have revoked */
    bool has_crl;
    bool required;  /* a client must have a certificate */
    unsigned depth; /* certificates between a client's and one in `ca`, at most */
};

/* Reads what server->client_auth names. 0, or -errno and a sentence that names the server and the
 * file. The caller owns it (mbed_client_auth_free()). */
int mbed_client_auth_read(const struct server *server, char *why, size_t why_size,
                          struct mbed_client_auth **ret_auth);

/* NULL is allowed. */
void mbed_client_auth_free(struct mbed_client_auth *auth);

/* Adds to `flags` what the library leaves alone: how long a chain may be, and that each of its
 * authorities must have a list of what it has revoked, where there are such lists. For every
 * certificate of the chain (mbedtls_ssl_conf_verify()); `depth` 0: the client's own. */
void mbed_client_judge(const struct mbed_client_auth *auth, const mbedtls_x509_crt *crt, int depth,
                       uint32_t *flags);

/* Why a certificate with these flags is not believed: the first reason, on one line; cut at
 * `size`. */
void mbed_client_reason(uint32_t flags, char *ret_text, size_t size);

/* What the certificate tells, as texts. False: a name in it, or its number, is too long. */
bool mbed_client_describe(const mbedtls_x509_crt *crt, struct client_certificate *ret_client);

#endif

/* mbed_identity.h: who a server proves to be: a certificate with its chain, and the private key.
 * Read from PEM files and checked, or made in memory for trying out. Read-only afterwards, and
 * shared by all threads. */
#ifndef TLS_MBED_IDENTITY_H
#define TLS_MBED_IDENTITY_H

#include "config/config.h"
#include "tls/mbed_compat.h"

struct mbed_identity {
    mbedtls_x509_crt chain; /* the server's own first */
    mbedtls_pk_context key;
};

/* Reads `files` for `server`. Refuses with one sentence that names the server and the file: what
 * cannot be read or is no PEM, an encrypted key, a key of another certificate, a certificate that
 * is not valid today, an RSA key of less than 2048 bits. 0, or -errno of the file, or -EINVAL. The
 * caller frees it by mbed_identity_free(), and does not move it. */
int mbed_identity_read(struct mbed_identity *identity, const struct server *server,
                       const struct certificate *files, char *why, size_t why_size);

/* Makes a P-256 key and a certificate of it for localhost, the loopback addresses and the server's
 * names, signed by itself, valid for 30 days; or takes the one that is kept (self_signed.h). 0, or
 * -EINVAL and a sentence. As above otherwise. */
int mbed_identity_make(struct mbed_identity *identity, const struct server *server, char *why,
                       size_t why_size);

/* Frees what either of them made. */
void mbed_identity_free(struct mbed_identity *identity);

#endif

/* certificate.h: whom a server shows itself as, and whom it lets prove himself, as configured. Part
 * of config.h. */
#ifndef CONFIG_CERTIFICATE_H
#define CONFIG_CERTIFICATE_H

#include <stdint.h>

/* What becomes of clients without a certificate; who has one that does not verify is refused. */
enum tls_verify { TLS_VERIFY_REQUIRE, TLS_VERIFY_OPTIONAL, TLS_VERIFY_OFF };

/* The most that `tls_verify_depth` may be: what every library follows. */
#define CONFIG_VERIFY_DEPTH_MAX 8

/* Whom a server lets prove himself by a certificate (mutual TLS). */
struct client_auth {
    char *ca;               /* PEM file: those whose word counts */
    char *crl;              /* PEM file: what they have revoked; "": none */
    enum tls_verify verify; /* never TLS_VERIFY_OFF: then there is no such struct */
    uint32_t depth;         /* certificates between the client's and one in `ca`, at most */
};

/* A certificate with its chain, and its private key: PEM files. */
struct certificate {
    char *chain_path;
    char *key_path;  /* may be the same file */
    char *ocsp_path; /* a response that is sent along; NULL: none */
};

#endif

/* tls_settings.h: what is set about TLS, as data, part of struct config (config.h). */
#ifndef CONFIG_TLS_SETTINGS_H
#define CONFIG_TLS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
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

/* Protocol versions, as bits of struct tls_settings.protocols. */
enum tls_protocol { TLS_PROTOCOL_1_2 = 1 << 0, TLS_PROTOCOL_1_3 = 1 << 1 };

/* What holds for all addresses with TLS. The names are looked up by the library in use, which
 * refuses those that it does not know. */
struct tls_settings {
    char *backend;      /* a library that tls_find() looks up; "": the first one built in */
    unsigned protocols; /* enum tls_protocol */
    char **ciphers;     /* IANA names, best first ("TLS_AES_128_GCM_SHA256"); count 0: the library's
                           choice among ECDHE with AEAD */
    size_t ciphers_count;
    char **curves; /* IANA names, best first ("x25519", "secp256r1"); count 0: the library's */
    size_t curves_count;
    bool tickets; /* resumption by tickets (RFC 5077, RFC 8446 section 4.6.1) */
    uint32_t
        ticket_key_ms; /* a key encrypts tickets for so long, and decrypts them as long again */
    uint32_t session_cache; /* sessions of TLS 1.2 kept for resumption by id; 0: none */
    uint32_t watch_ms;      /* how often files are looked at, whether they have changed; 0: never */
    uint32_t handshake_ms;  /* from the accept to the end of the handshake */
    bool ktls;              /* the kernel encrypts where it can */
    char *certificates; /* a folder of many, by the names in them, for servers without one of their
                           own; "": none */
    bool self_signed;   /* --tls-self-signed: servers without a certificate get one for localhost */
};

#endif

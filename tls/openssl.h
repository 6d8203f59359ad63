/* openssl.h: what the files of the OpenSSL backend share: its context and its connection.
 *
 * tls_openssl.c has the table and the connection's life; openssl_bio.c lends it memory to read from
 * and write to; openssl_ctx.c makes the context with openssl_names.c (versions, ciphers, curves)
 * and openssl_certificate.c (openssl_pairs.c: many at a time) or openssl_self_signed.c,
 * openssl_client.c; openssl_hello.c answers the ClientHello, openssl_begin.c has OpenSSL make its
 * own state, openssl_warm_up.c has it try itself out, openssl_tickets.c encrypts tickets,
 * openssl_ktls.c derives the kernel's keys. OpenSSL 3.0 and later, documented calls alone.
 */
#ifndef TLS_OPENSSL_H
#define TLS_OPENSSL_H

#include "config/config.h"
#include "core/span.h"
#include "tls/cert_names.h"
#include "tls/ticket_keys.h"
#include "tls/tls.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { OPENSSL_CTX_MAGIC = 0x6f637478, OPENSSL_TLS_MAGIC = 0x6f746c73 };

/* Follows the framing of records (RFC 8446 section 5.1) through octets that come in any pieces. */
struct record_scan {
    uint32_t seen;          /* octets of the present record; 0 between two records */
    unsigned char head[13]; /* its first octets: the header, and 8 of the fragment */
};

/* Who a server proves to be. */
struct openssl_identity {
    X509 *x509; /* all are owned */
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
    mode_t key_mode; /* permissions of the key's file (stat(2), st_mode) */
};

/* A certificate and its key, as read from their files. */
struct openssl_pair {
    const struct server *server;           /* borrowed; NULL: they are of a folder */
    const struct certificate *certificate; /* borrowed */
    struct openssl_identity identity;      /* owned */
    int res;                               /* 0, or -errno: refused */
    bool no_memory;                        /* for want of memory */
    char *why;                             /* owned: the sentence; NULL: no memory for it */
};

struct openssl_folder;

/* An OCSP response that is sent along with a certificate. */
struct openssl_ocsp {
    const X509 *x509;   /* borrowed from the server's SSL_CTX */
    unsigned char *der; /* owned; NULL: there is none that is of use */
    size_t len;
    time_t until; /* when it ceases to hold (time(2)) */
};

/* What one server of the configuration has. */
struct openssl_server {
    struct openssl_ocsp *ocsp; /* owned */
    size_t ocsp_count;
    SSL_CTX *ssl_ctx; /* held: its own, or tls_ctx.plain; NULL: no address has TLS */
    struct openssl_identity identity; /* owned: what a connection is given beside `plain`; empty:
                                         the SSL_CTX has it, or the folder */
    unsigned char demands[EVP_MAX_MD_SIZE]; /* a hash of what clients have to prove; zeroes */
};

struct tls_ctx {
    uint32_t magic;
    const struct config *config; /* borrowed */
    SSL_CTX *base;  /* of a connection until its ClientHello is read. Sessions belong to
                       it, and so are shared by all servers, each bound to its name */
    SSL_CTX *plain; /* of servers that have the folder's certificates, or, where there are many
                       servers, one of their own, and ask for nothing more; it has none itself */
    struct openssl_server *servers;  /* by index in config->servers */
    struct openssl_folder *folder;   /* for servers without certificates; NULL: there is none */
    struct ticket_keys *ticket_keys; /* NULL: no tickets */
    BIO_METHOD *bio_method;
    EVP_MD *sha256;          /* fetched once: that costs more than its use */
    EVP_CIPHER *aes_256_cbc; /* likewise */
};

struct tls {
    uint32_t magic;
    bool established;    /* the handshake was completed once */
    bool lost;           /* nothing may be asked of OpenSSL any more */
    bool client_refused; /* the client has not proved what it has to */
    bool key_updated;    /* our key was replaced (RFC 8446 section 4.6.3) */
    unsigned char secret_len;
    SSL *ssl;
    struct tls_ctx *ctx;
    const struct listen_config *listen; /* borrowed */
    struct span *in;                    /* lent for the length of a call, else NULL */
    struct buf *out;                    /* likewise */
    const char *error;                  /* static text, or NULL */
    char *server_name;                  /* NULL: none asked for */
    struct client_certificate *client;  /* owned; NULL: it has none */
    struct record_scan in_record, out_record;
    uint64_t records_sent;       /* under the present key */
    unsigned char last_nonce[8]; /* the explicit nonce of the last of them (RFC 5288) */
    unsigned char secret[48];    /* SERVER_TRAFFIC_SECRET_0, of `secret_len` octets; kTLS */
};

/* --- openssl_bio.c --- */

/* The method of BIOs that read from tls.in and append to tls.out; NULL: out of memory. The caller
 * owns it (BIO_meth_free()). */
BIO_METHOD *openssl_bio_method(void);

/* Gives `t->ssl` a BIO of that method. 0 or -ENOMEM. */
int openssl_bio_attach(struct tls *t);

/* Advances over `len` octets. Returns how many of them belong to the present record; `ret_complete`
 * tells if it ends there. Call again with the rest. */
size_t openssl_record_scan(struct record_scan *scan, const void *data, size_t len,
                           bool *ret_complete);

/* --- openssl_ctx.c --- */

/* tls_ops.ctx_create() and ctx_destroy(). */
int openssl_ctx_create(const struct config *config, struct ticket_keys *ticket_keys, char *why,
                       size_t why_size, struct tls_ctx **ret_ctx);
void openssl_ctx_destroy(struct tls_ctx *ctx);

/* --- openssl_names.c --- */

/* Sets protocol versions, ciphers and curves as `config` says, or ours. 0, or -EINVAL and a
 * sentence that names the key and the value. */
int openssl_names_apply(SSL_CTX *ssl_ctx, const struct config *config, char *why, size_t why_size);

/* Has the library this curve, or other key exchange, as it is configured (openssl.cnf)? */
bool openssl_has_curve(const char *name);

/* --- openssl_certificate.c --- */

/* What is needed to read one certificate and private key after the other: OpenSSL 3.0 takes five
 * times as long to collect its decoders as to use them. The caller owns it; NULL (memory is short)
 * does as well, only slower. For one thread. */
struct openssl_reader *openssl_reader_create(void);
void openssl_reader_free(struct openssl_reader *reader);

/* Reads one certificate with its chain, and its key (by `reader`, which may be NULL). `server`:
 * NULL: they are of a folder. Says nothing in the log. 0, or -errno and a sentence that names the
 * server and the file. The caller owns it (openssl_identity_free()). */
int openssl_certificate_read(struct openssl_reader *reader, const struct server *server,
                             const struct certificate *certificate, char *why, size_t why_size,
                             struct openssl_identity *ret_identity);
void openssl_identity_free(struct openssl_identity *identity);

/* Notes until when the certificate that was read is valid, and warns in the error log of what an
 * administrator should know. For one thread. */
void openssl_certificate_note(const struct server *server, const struct certificate *certificate,
                              const struct openssl_identity *identity);

/* Takes a certificate and its key (both borrowed) with `chain` (borrowed, or NULL) into `ssl_ctx`,
 * unless OpenSSL objects: -EINVAL, and its reason in `why`. `replace`: in place of another with a
 * key of the same kind; else there is none such. */
int openssl_certificate_use(SSL_CTX *ssl_ctx, X509 *x509, EVP_PKEY *key, STACK_OF(X509) * chain,
                            bool replace, char *why, size_t why_size);

/* As openssl_certificate_use(), of what was read for `server`: `why` is a sentence that names it
 * and the file. */
int openssl_identity_use(SSL_CTX *ssl_ctx, const struct server *server,
                         const struct certificate *certificate,
                         const struct openssl_identity *identity, bool replace, char *why,
                         size_t why_size);

/* --- openssl_pairs.c --- */

/* Reads all `pairs`, whose first two members are set and the others zero, and has OpenSSL try them
 * out, by as many threads as the process may use CPUs, if there are enough of them; no thread is
 * left. Where not `all` are wanted, those behind one that is refused may stay unread. */
void openssl_pairs_read(struct openssl_pair *pairs, size_t count, bool all);

/* What was read, moved to the caller (openssl_identity_free()), with what is to be said in the log
 * (openssl_certificate_note()). 0, or -errno and the sentence; errno is ENOMEM where memory was
 * missing. */
int openssl_pair_take(struct openssl_pair *pair, char *why, size_t why_size,
                      struct openssl_identity *ret_identity);

/* Frees `pairs` (calloc(3)) with all that was not taken. NULL is allowed. */
void openssl_pairs_free(struct openssl_pair *pairs, size_t count);

/* --- openssl_client.c --- */

/* Reads whose word counts about the clients of `server`, which asks for certificates, and what was
 * revoked, into `ssl_ctx`, its own. `ret_digest` gets the hash, by `sha256`, of all that is
 * demanded. 0, or -errno and a sentence that names the server and the file. */
int openssl_client_load(SSL_CTX *ssl_ctx, const struct server *server, const EVP_MD *sha256,
                        unsigned char *ret_digest, char *why, size_t why_size);

/* The client is asked for what `auth` says, or for nothing: NULL. Once its server is known. */
void openssl_client_ask(SSL *ssl, const struct client_auth *auth);

/* Did the call that has just failed do so for the client's certificate? Then t->client_refused is
 * set, and the reason is returned as static text; else NULL. */
const char *openssl_client_reason(struct tls *t);

/* The handshake is complete: keeps what the client has proved, if anything, in t->client. NULL, or
 * why it is not to be believed (t->client_refused). */
const char *openssl_client_keep(struct tls *t);

/* --- openssl_ocsp.c --- */

/* Reads the response about the certificate that `ssl_ctx` was given last, with its chain. Where it
 * is of no use, a line in the error log tells why. */
void openssl_ocsp_load(SSL_CTX *ssl_ctx, const struct server *server, const char *path,
                       struct openssl_ocsp *ret_ocsp);

/* Connections of `ssl_ctx` get the responses of `server` (borrowed, not moved), if they ask. */
void openssl_ocsp_offer(SSL_CTX *ssl_ctx, struct openssl_server *server);
void openssl_ocsp_free(struct openssl_server *server);

/* --- openssl_folder.c --- */

/* Reads the folder of config->tls.certificates. What is wrong with one certificate is a line in the
 * error log. 0, or -errno and a sentence. The caller owns it (openssl_folder_free()). */
int openssl_folder_load(const struct config *config, char *why, size_t why_size,
                        struct openssl_folder **ret_folder);
void openssl_folder_free(struct openssl_folder *folder);

/* Gives a connection what is for `host`, or, where nothing is, for the name of its server. False:
 * there is nothing, or no memory. */
bool openssl_folder_use(const struct openssl_folder *folder, SSL *ssl, struct span host,
                        const struct server *server);

/* --- openssl_self_signed.c --- */

/* Makes a key (P-256) and a certificate for localhost and the names of `server`, valid for 30 days
 * from now, unless one is kept (self_signed.h), and gives them to `ssl_ctx`. 0, or -errno and a
 * sentence. */
int openssl_self_signed(SSL_CTX *ssl_ctx, const struct server *server, char *why, size_t why_size);

/* --- openssl_begin.c --- */

/* Comes before every other call of OpenSSL. Out of memory in the first steps, it ends the process
 * with a line in the error log and status 1. False: out of memory later. */
bool openssl_begin(void);

/* --- openssl_warm_up.c --- */

/* Makes a few handshakes with itself, so that what OpenSSL makes at first use is there. 0, whether
 * or not they succeed, or -ENOMEM. */
int openssl_warm_up(struct tls_ctx *ctx);

/* --- openssl_hello.c --- */

/* SSL_CTX_set_client_hello_cb(3): chooses the server by SNI (RFC 6066 section 3). */
int openssl_hello(SSL *ssl, int *alert, void *arg);

/* SSL_CTX_set_alpn_select_cb(3): "http/1.1" or "http/1.0", or the alert of RFC 7301 section
 * 3.2. */
int openssl_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                 const unsigned char *offered, unsigned int offered_len, void *arg);

/* --- openssl_tickets.c --- */

/* Sets up resumption on the base context: tickets, session cache, lifetimes. 0, or -errno and a
 * sentence. */
int openssl_tickets_apply(struct tls_ctx *ctx, char *why, size_t why_size);

/* --- openssl_ktls.c --- */

/* Has OpenSSL report what openssl_ktls_offload() needs to know. */
void openssl_ktls_watch(SSL_CTX *ssl_ctx);

/* tls_ops.offload(). */
size_t openssl_ktls_offload(struct tls *t, void *info, size_t size);

/* --- for all --- */

/* Why OpenSSL's last call failed, as static text; empties its queue of errors. */
const char *openssl_reason(void);

#endif

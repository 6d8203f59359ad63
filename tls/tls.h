/* tls.h: what a TLS library is to the server: octets in, octets out. No sockets, no system
 * call on a connection, so that every engine has TLS through the wants that it knows.
 *
 * One const table a library (tls_openssl.c, tls_mbedtls.c); tls.c lists those built in. A context
 * belongs to the process and is shared by all threads; a connection is used by one at a time. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include "core/buf.h"
#include "core/client_certificate.h"
#include "config/config.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    TLS_PLAIN_MAX = 16384,    /* octets of plaintext in one record (RFC 8446 section 5.1) */
    TLS_OVERHEAD_MAX = 1024,  /* octets that TLS_PLAIN_MAX of them grow by at most: a client may ask
                                 for records of 512 octets (RFC 6066 section 4) */
    TLS_HANDSHAKE_ROOM = 8192 /* free octets of `out` with which tls_ops.receive() goes on */
};

enum tls_result {
    TLS_OK,         /* something came of it: plaintext, or the handshake is complete; call again if
                       there is more input, or something pending() */
    TLS_WANT_INPUT, /* all input is taken, and more is needed */
    TLS_WANT_ROOM,  /* `plain` is full, or `out` has less than TLS_HANDSHAKE_ROOM: make room, call
                       again */
    TLS_CLOSED,     /* the peer's close_notify: it sends no more */
    TLS_FAILED,     /* the connection is lost; tls_ops.error() tells why */
};

struct ticket_keys;
struct tls_ctx; /* all that is configured: certificates, ticket keys, session cache */
struct tls;     /* one connection */

struct tls_ops {
    const char *name; /* as in `tls_backend = NAME` */

    /* Which library, and what it can do, on one line without a full stop: "OpenSSL 3.0.15: TLS 1.2
     * and 1.3, kTLS, no X25519MLKEM768, no ECH": a key exchange that a quantum computer does not
     * break, and Encrypted ClientHello. */
    void (*features)(char *text, size_t size);

    /* Reads certificates and keys and makes all that `config` (borrowed, outlives it) asks for;
     * `ticket_keys` encrypt tickets, if there are tickets (held; NULL: it makes its own). 0,
     * or -errno (-EINVAL: bad input, -ENOENT and others: a file) and one sentence: which file, or
     * which key, and what to do. The caller owns it. May need root; leaves no thread. */
    int (*ctx_create)(const struct config *config, struct ticket_keys *ticket_keys, char *why,
                      size_t why_size, struct tls_ctx **ret_ctx);

    /* Every connection must be closed. NULL is allowed. */
    void (*ctx_destroy)(struct tls_ctx *ctx);

    /* The server's side of a connection accepted on `listen` (borrowed; listen->servers decides by
     * the name that the client sends, the first is the default). 0 or -ENOMEM. */
    int (*open)(struct tls_ctx *ctx, const struct listen_config *listen, struct tls **ret_tls);

    /* Frees it, whatever its state. Sends nothing. */
    void (*close)(struct tls *t);

    /* Takes ciphertext off the front of `in`, appends plaintext to `plain` and what is to be sent
     * to `out`. What it has appended to `out` is sent even when it fails (alerts). */
    enum tls_result (*receive)(struct tls *t, struct span *in, struct buf *plain, struct buf *out);

    /* Appends `len` octets of plaintext (1 to TLS_PLAIN_MAX) to `out` as one record, or
     * as several where the client has asked for smaller ones; `out` has room
     * for them and TLS_OVERHEAD_MAX (checked). The handshake is complete. 0 or -errno: lost. */
    int (*send)(struct tls *t, const void *data, size_t len, struct buf *out);

    /* Appends close_notify to `out`, once; nothing when the connection is lost or there is no room.
     */
    void (*shutdown)(struct tls *t, struct buf *out);

    /* Is the handshake complete? */
    bool (*established)(const struct tls *t);

    /* Optional (NULL: not known): was the handshake, which is complete, shortened by a session of
     * before? */
    bool (*resumed)(const struct tls *t);

    /* Does it hold plaintext, or a part of a record, that receive() has not given out yet? */
    bool (*pending)(const struct tls *t);

    /* Optional (NULL: it keeps none): gives back the memory that it keeps at hand for the next
     * records; they bring it back. Does nothing while there is something in it. */
    void (*trim)(struct tls *t);

    /* The name that the client asked for (SNI, RFC 6066 section 3), in lower case; empty: none.
     * Valid until close(). */
    struct span (*server_name)(const struct tls *t);

    /* What was agreed upon, for the access log: "TLSv1.2" or "TLSv1.3", and IANA's name of the
     * cipher suite. Valid until close(). The handshake is complete. */
    void (*agreed)(struct tls *t, const char **ret_protocol, const char **ret_cipher);

    /* The certificate that the client has proved itself with, verified as its server demands
     * (struct client_auth); NULL: it has none, or was not asked. Valid until close(). The
     * handshake is complete. */
    const struct client_certificate *(*client)(const struct tls *t);

    /* Did the handshake fail since the client has no certificate, or one that does not verify? */
    bool (*client_refused)(const struct tls *t);

    /* Why it was lost, for the error log: "no shared cipher". Never NULL. */
    const char *(*error)(const struct tls *t);

    /* Optional (NULL: never): what the kernel needs to encrypt from now on what is sent (kTLS,
     * Linux's Documentation/networking/tls.rst): fills in the value of setsockopt(2)'s TLS_TX, a
     * struct tls12_crypto_info_*, and returns its octets; 0: this connection cannot. The handshake
     * is complete, and nothing is in `out`. When the kernel has taken it, send() and shutdown() are
     * not called any more, and what receive() appends to `out` cannot be sent. */
    size_t (*offload)(struct tls *t, void *info, size_t size);
};

/* Those that may be built in. */
extern const struct tls_ops tls_openssl;
extern const struct tls_ops tls_mbedtls;

/* A library with its context, as main makes it and engines hand it on. */
struct tls_server {
    const struct tls_ops *ops;
    struct tls_ctx *ctx;
    struct ticket_keys *ticket_keys; /* held; NULL: there are no tickets */
    bool ktls; /* the kernel is asked to encrypt: main sets it, when that is allowed
                  (config.tls.ktls) and there (engines/ktls.h) */
};

/* Is there an address with TLS? Else no library is needed. */
bool tls_is_wanted(const struct config *config);

/* What stat(2) says of all files that TLS is read from, as a number that is never 0: where two
 * looks give the same, none of them has been replaced or written to in between. Reads the names of
 * a folder of certificates. */
uint64_t tls_files_look(const struct config *config);

/* The library of that name, or NULL. "" is the first one built in. */
const struct tls_ops *tls_find(const char *name);

/* Library `index` of those built in; NULL behind the last. */
const struct tls_ops *tls_at(size_t index);

/* Makes the context that `config` (borrowed, outlives it) asks for, with the library that it names;
 * all members are NULL when no address has TLS. Tickets are encrypted by the keys of `before`
 * (NULL: there was nobody), so that clients of that one resume. A name that no library has is
 * refused in any case. 0, or -errno and one sentence. */
int tls_server_create(const struct config *config, const struct tls_server *before, char *why,
                      size_t why_size, struct tls_server *ret_tls);

void tls_server_destroy(struct tls_server *tls);

#endif

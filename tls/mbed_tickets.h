/* mbed_tickets.h: session tickets (RFC 5077): a session sealed under a key of this process, which
 * the client keeps and brings back.
 *
 * In place of the library's own sealing, which knows nothing of names: here a ticket opens only for
 * the server and the name that it was made for (RFC 6066 section 3). No state but the keys. */
#ifndef TLS_MBED_TICKETS_H
#define TLS_MBED_TICKETS_H

#include "tls/mbed_compat.h"
#include "tls/ticket_keys.h"

#include <stddef.h>

enum { MBED_BINDING_SIZE = 32 }; /* octets of a hash of server and name */

/* Seals `session` for `binding` into the room from `start` to `end`. 0 and the octets written, or a
 * code of the library: no ticket. */
int mbed_ticket_seal(struct ticket_keys *keys, const unsigned char *binding,
                     const mbedtls_ssl_session *session, unsigned char *start,
                     const unsigned char *end, size_t *ret_len);

/* Opens what was sealed for the same `binding`, in place; loads `session` (initialized, empty). 0,
 * or MBEDTLS_ERR_SSL_INVALID_MAC: it is none of ours, or too old, or for another name; or another
 * code of the library. */
int mbed_ticket_open(struct ticket_keys *keys, const unsigned char *binding,
                     mbedtls_ssl_session *session, unsigned char *ticket, size_t len);

#endif

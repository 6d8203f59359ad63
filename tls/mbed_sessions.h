/* mbed_sessions.h: sessions of TLS 1.2 kept for resumption by id (RFC 5246 section 7.3).
 *
 * In place of the library's own cache, which is a linked list searched from its head under a lock
 * in every handshake, and hands a session of one virtual host to another. All memory is taken at
 * the start; the oldest session makes room for a new one. Shared by all threads. */
#ifndef TLS_MBED_SESSIONS_H
#define TLS_MBED_SESSIONS_H

#include "tls/mbed_compat.h"
#include "tls/mbed_tickets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MBED_ID_MAX = 32 }; /* octets of an id (RFC 5246 section 7.4.1.2) */

struct mbed_sessions;

/* Room for `max` (at least 1) sessions, each of use for `lifetime_s` seconds. 0 or -ENOMEM. The
 * caller owns it. */
int mbed_sessions_create(uint32_t max, uint32_t lifetime_s, struct mbed_sessions **ret_sessions);

/* NULL is allowed. Erases the secrets. */
void mbed_sessions_destroy(struct mbed_sessions *sessions);

/* Keeps a copy of `session` under its `id`, for whoever has the same `binding` (MBED_BINDING_SIZE
 * octets). false: it is too large, and not kept. */
bool mbed_sessions_put(struct mbed_sessions *sessions, const unsigned char *binding,
                       const unsigned char *id, size_t id_len, const mbedtls_ssl_session *session);

/* Loads what is kept under `id` for `binding` into `session` (initialized, empty). false: nothing.
 */
bool mbed_sessions_get(struct mbed_sessions *sessions, const unsigned char *binding,
                       const unsigned char *id, size_t id_len, mbedtls_ssl_session *session);

/* Forgets what is kept under `id`, if anything: its connection failed (RFC 5246 section 7.2.2). */
void mbed_sessions_drop(struct mbed_sessions *sessions, const unsigned char *id, size_t id_len);

#endif

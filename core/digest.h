/* digest.h: digests of pieces of text, and keyed ones, made by nettle. Pure.
 *
 * nettle, and not a TLS library: either of those may be left out of a build. Nothing else sees its
 * headers (and base64.c). */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIGEST_MD5_SIZE = 16,
    DIGEST_SHA1_SIZE = 20,
    DIGEST_SHA256_SIZE = 32,
    DIGEST_HMAC_SIZE = 32
};

/* The digest of `count` pieces, one behind the other. MD5 and SHA-1 are for the forms of passwords
 * that are made of them, and for nothing else. */
void digest_md5(const struct span *pieces, size_t count, uint8_t ret_digest[DIGEST_MD5_SIZE]);
void digest_sha1(const struct span *pieces, size_t count, uint8_t ret_digest[DIGEST_SHA1_SIZE]);

void digest_sha256(const struct span *pieces, size_t count, uint8_t ret_digest[DIGEST_SHA256_SIZE]);

/* SHA-256 of octets that come one after the other. */
struct digest_stream;

/* NULL: memory is short. The caller owns it. */
struct digest_stream *digest_stream_create(void);

void digest_stream_add(struct digest_stream *stream, struct span octets);

/* The digest of all that was added; nothing may be added after it. */
void digest_stream_end(struct digest_stream *stream, uint8_t ret_digest[DIGEST_SHA256_SIZE]);

/* NULL is allowed. */
void digest_stream_free(struct digest_stream *stream);

/* HMAC-SHA256 (RFC 2104). */
void digest_hmac(struct span key, const struct span *pieces, size_t count,
                 uint8_t ret_digest[DIGEST_HMAC_SIZE]);

/* Are they the same? It takes as long, whichever octet differs. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif

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

/* HMAC-SHA256 (RFC 2104). */
void digest_hmac(struct span key, const struct span *pieces, size_t count,
                 uint8_t ret_digest[DIGEST_HMAC_SIZE]);

/* Are they the same? It takes as long, whichever octet differs. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif

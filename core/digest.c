/* digest.c: see digest.h. */
#include "core/digest.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <stdlib.h>

#if NETTLE_VERSION_MAJOR >= 4 /* a digest is always a whole one there */
#define DIGEST_END(name, context, size, digest) name##_digest((context), (digest))
#else
#define DIGEST_END(name, context, size, digest) name##_digest((context), (size), (digest))
#endif

void digest_md5(const struct span *pieces, size_t count, uint8_t ret_digest[DIGEST_MD5_SIZE])
{
    struct md5_ctx context;

    md5_init(&context);
    for (size_t i = 0; i < count; i++)
        md5_update(&context, pieces[i].len, (const uint8_t *)pieces[i].ptr);
    DIGEST_END(md5, &context, DIGEST_MD5_SIZE, ret_digest);
}

void digest_sha1(const struct span *pieces, size_t count, uint8_t ret_digest[DIGEST_SHA1_SIZE])
{
    struct sha1_ctx context;

    sha1_init(&context);
    for (size_t i = 0; i < count; i++)
        sha1_update(&context, pieces[i].len, (const uint8_t *)pieces[i].ptr);
    DIGEST_END(sha1, &context, DIGEST_SHA1_SIZE, ret_digest);
}

void digest_sha256(const struct span *pieces, size_t count, uint8_t ret_digest[DIGEST_SHA256_SIZE])
{
    struct sha256_ctx context;

    sha256_init(&context);
    for (size_t i = 0; i < count; i++)
        sha256_update(&context, pieces[i].len, (const uint8_t *)pieces[i].ptr);
    DIGEST_END(sha256, &context, DIGEST_SHA256_SIZE, ret_digest);
}

struct digest_stream {
    struct sha256_ctx context;
};

struct digest_stream *digest_stream_create(void)
{
    struct digest_stream *stream = malloc(sizeof(*stream));

    if (stream != NULL)
        sha256_init(&stream->context);
    return stream;
}

void digest_stream_add(struct digest_stream *stream, struct span octets)
{
    sha256_update(&stream->context, octets.len, (const uint8_t *)octets.ptr);
}

void digest_stream_end(struct digest_stream *stream, uint8_t ret_digest[DIGEST_SHA256_SIZE])
{
    DIGEST_END(sha256, &stream->context, DIGEST_SHA256_SIZE, ret_digest);
}

void digest_stream_free(struct digest_stream *stream)
{
    free(stream);
}

void digest_hmac(struct span key, const struct span *pieces, size_t count,
                 uint8_t ret_digest[DIGEST_HMAC_SIZE])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, key.len, (const uint8_t *)key.ptr);
    for (size_t i = 0; i < count; i++)
        hmac_sha256_update(&context, pieces[i].len, (const uint8_t *)pieces[i].ptr);
    DIGEST_END(hmac_sha256, &context, DIGEST_HMAC_SIZE, ret_digest);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return memeql_sec(a, b, len) != 0;
}

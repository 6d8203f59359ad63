/* content_hash.c: see content_hash.h. The jobs are those of compression.h, with a table whose
 * output is the hash. */
#include "http/content_hash.h"

#include "core/check.h"
#include "core/digest.h"
#include "core/log_repeat.h"
#include "http/compression.h"
#include "http/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hash_open(uint64_t size, void **ret_state)
{
    (void)size;
    *ret_state = digest_stream_create();
    return *ret_state != NULL ? 0 : -ENOMEM;
}

static int hash_run(void *state, struct compressor_io *io, bool last)
{
    uint8_t digest[DIGEST_SHA256_SIZE];

    digest_stream_add(state, span_make(io->in, io->in_len));
    io->in += io->in_len;
    io->in_len = 0;
    if (!last)
        return 1;
    CHECK(io->out_len >= CONTENT_HASH_SIZE);
    digest_stream_end(state, digest);
    memcpy(io->out, digest, CONTENT_HASH_SIZE);
    io->out += CONTENT_HASH_SIZE;
    io->out_len -= CONTENT_HASH_SIZE;
    return 1;
}

static void hash_close(void *state)
{
    digest_stream_free(state);
}

static void hash_version(char text[COMPRESSOR_VERSION_MAX])
{
    text[0] = '\0';
}

static const struct compressor_ops hasher = {
    .coding = CODING_IDENTITY,
    .name = "sha256",
    .recipe = "",
    .version = hash_version,
    .open = hash_open,
    .run = hash_run,
    .close = hash_close,
};

static bool is_known(const struct file_entry *file)
{
    return file->content_hash != NULL && file->content_hash->known;
}

bool http_content_hash_is_due(const struct http_exchange *x, const struct file_entry *file)
{
    return x->search.hashing != NULL ||
           (!is_known(file) && !x->search.untagged && file->meta.size > 0 &&
            file->meta.size <= x->env->config->limits.etag_content_max);
}

static enum http_static_result want_slice(struct http_exchange *x)
{
    http_search_set(&x->search.opened, NULL); /* others have found it meanwhile, too */
    file_job_init_make(&x->job, compression_source(x->search.hashing), NULL, 0);
    x->job.remote = x->search.entry != NULL && x->search.entry->meta.remote;
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_STATIC_NEXT;
}

/* Is answered without a tag. */
static enum http_static_result do_without(struct http_exchange *x)
{
    http_content_hash_end(x);
    x->search.untagged = true;
    return HTTP_STATIC_NEXT;
}

/* The hash has ended: the first of those who wait files it. */
static void file_result(struct file_entry *file)
{
    struct content_hash *hash = file->content_hash;
    size_t len = 0;
    int error = 0;
    char *octets;

    if (compression_end(hash->making, &error) != COMPRESSION_MADE) {
        if (error != 0)
            log_fault("a file cannot be read for its tag; it is sent without one", error);
        return;
    }
    octets = compression_take(hash->making, &len);
    CHECK(len == CONTENT_HASH_SIZE);
    memcpy(hash->octets, octets, CONTENT_HASH_SIZE);
    free(octets);
    hash->known = true;
    file_entry_set_fields(file, NULL); /* without the tag */
}

static enum http_static_result slice_done(struct http_exchange *x)
{
    struct compression *c = x->search.hashing;
    struct file_entry *file = compression_file(c);

    x->job_state = HTTP_JOB_NONE;
    if (x->job.res == 1)
        return want_slice(x);
    if (x->job.res == 0 && file->content_hash->making == c) {
        file_result(file);
        file->content_hash->making = NULL;
    }
    if (!is_known(file))
        return do_without(x);
    http_content_hash_drop(x);
    return HTTP_STATIC_NEXT;
}

/* A user's reference of who makes it, or is to; NULL: nobody can at this moment. */
static struct compression *find_maker(struct file_entry *file)
{
    struct compression *c = NULL;

    if (file->content_hash == NULL)
        file->content_hash = calloc(1, sizeof(*file->content_hash));
    if (file->content_hash == NULL)
        return NULL;
    if (file->content_hash->making != NULL) {
        if (compression_users(file->content_hash->making) >= CONTENT_HASH_USERS_MAX)
            return NULL;
        compression_ref(file->content_hash->making);
        return file->content_hash->making;
    }
    if (compression_create(&hasher, file, CONTENT_HASH_SIZE, &c) < 0)
        return NULL;
    file->content_hash->making = c;
    return c;
}

enum http_static_result http_content_hash_step(struct http_exchange *x, struct file_entry *file)
{
    if (x->job_state == HTTP_JOB_DONE)
        return slice_done(x);
    CHECK(x->search.hashing == NULL);
    if (!http_out_empty(&x->out)) /* earlier answers go first */
        return HTTP_STATIC_ROOM;
    x->search.hashing = find_maker(file);
    return x->search.hashing != NULL ? want_slice(x) : do_without(x);
}

void http_content_hash_drop(struct http_exchange *x)
{
    struct compression *c = x->search.hashing;
    struct file_entry *file = compression_file(c);

    if (file->content_hash->making == c && compression_users(c) == 1)
        file->content_hash->making = NULL;
    x->search.hashing = NULL;
    compression_unref(c);
}

void http_content_hash_pass(const struct file_entry *file, struct file_entry *made)
{
    if (!is_known(file) || is_known(made))
        return;
    if (made->content_hash == NULL)
        made->content_hash = calloc(1, sizeof(*made->content_hash));
    if (made->content_hash == NULL)
        return;
    made->content_hash->known = true;
    memcpy(made->content_hash->octets, file->content_hash->octets, CONTENT_HASH_SIZE);
    file_entry_set_fields(made, NULL);
}

const uint8_t *http_content_hash_of(const struct file_entry *entry, uint64_t size)
{
    /* SHA-256 of nothing (FIPS 180-4). */
    static const uint8_t empty[CONTENT_HASH_SIZE] = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc,
                                                      0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8,
                                                      0x99, 0x6f, 0xb9, 0x24 };

    if (size == 0)
        return empty;
    return is_known(entry) ? entry->content_hash->octets : NULL;
}

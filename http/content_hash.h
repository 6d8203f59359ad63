/* content_hash.h: the hash of a file's octets, of which its tag is made where `etag = content`
 * says so: the same on each host, and after each deployment that has not changed it.
 *
 * SHA-256, cut to sixteen octets, by jobs: a slice at a time, shared by all requests of a thread
 * that wait for it, and kept with the file's cache entry. The answer waits for it, so that no two
 * answers tag the same representation in two ways. Files longer than etag_content_max are not
 * hashed. */
#ifndef HTTP_CONTENT_HASH_H
#define HTTP_CONTENT_HASH_H

#include "http/file_cache.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CONTENT_HASH_SIZE = 16,
    CONTENT_HASH_USERS_MAX = 64 /* who wait for one; each has a job, and so perhaps a thread */
};

/* Of an entry of the cache: malloc(3)ed, freed with it. */
struct content_hash {
    bool known;
    struct compression *making; /* not NULL: who is at it; borrowed from those who wait */
    uint8_t octets[CONTENT_HASH_SIZE];
};

/* The hash of a file of `size` octets that `entry` is, or was made of; NULL: it is not known. */
const uint8_t *http_content_hash_of(const struct file_entry *entry, uint64_t size);

#endif

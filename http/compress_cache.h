/* compress_cache.h: what `compress` has made, and what sidecars hold, in memory, so that a file is
 * compressed once and then sent like a small one. One cache a thread, beside its file_cache.h.
 *
 * An entry is known by what the file was (device, inode, size, times) and by its coding: so one
 * file below several names is compressed once, and what was made of a file before it was written to
 * is never found again. A file that changed so lately that another change could leave the same
 * times (file_meta.racy) is known by its entry in the file cache as well, which is believed for
 * cache_valid alone.
 *
 * Bounded in octets, with those that are being made: what was not used for longest goes first, and
 * never what somebody is being sent. When there is no room, the file is sent as it is. Performs no
 * I/O: that is compression.h's, by jobs. */
#ifndef HTTP_COMPRESS_CACHE_H
#define HTTP_COMPRESS_CACHE_H

#include "http/compression.h"
#include "http/file_cache.h"

#include <stddef.h>
#include <stdint.h>

enum {
    COMPRESS_JOBS_MAX = 4,  /* files that are being compressed at a time */
    COMPRESS_USERS_MAX = 16 /* who wait for one of them: each has a job, and so perhaps a thread */
};

struct compress_cache;

/* 0 or -ENOMEM. `files` is borrowed, and outlives it. The caller owns it. */
int compress_cache_create(uint64_t bytes_max, struct file_cache *files,
                          struct compress_cache **ret_cache);

/* Nothing of it is in use (checked). NULL is allowed. */
void compress_cache_destroy(struct compress_cache *cache);

enum compress_found {
    COMPRESS_READY,   /* *ret_entry is it */
    COMPRESS_MAKING,  /* *ret_compression is at it; its jobs are to be executed */
    COMPRESS_MISSING, /* it is not there, and was not to be made */
    COMPRESS_PLAIN,   /* the file is to be sent as it is: nothing is gained, or there is no room */
    COMPRESS_BUSY     /* of a sidecar: there is no room, or others are being made, at this moment */
};

/* What there is of a file that is not empty, in a coding that is built in; `make`: and if there is
 * nothing, it is to be made. What it returns has a reference for the caller. */
enum compress_found compress_cache_find(struct compress_cache *cache, struct file_entry *file,
                                        enum coding coding, bool make,
                                        struct file_entry **ret_entry,
                                        struct compression **ret_compression);

/* Likewise, what comes of a sidecar that is not empty, by `ops` of decompressor.h, if it has at
 * most `room` octets. COMPRESS_PLAIN: it has more. */
enum compress_found compress_cache_find_content(struct compress_cache *cache,
                                                struct file_entry *sidecar,
                                                const struct compressor_ops *ops, size_t room,
                                                bool make, struct file_entry **ret_entry,
                                                struct compression **ret_compression);

/* Takes the user's reference of one that has ended. The entry that came of it, with a reference for
 * the caller; NULL: the file is to be sent as it is. */
struct file_entry *compress_cache_store(struct compress_cache *cache, struct compression *c);

/* Takes the reference of a user who leaves before. */
void compress_cache_leave(struct compress_cache *cache, struct compression *c);

/* Figures for tests: entries kept, with those that say that nothing is gained; octets, with those
 * set aside for what is being made; files that are being compressed. */
size_t compress_cache_entries(const struct compress_cache *cache);
uint64_t compress_cache_bytes(const struct compress_cache *cache);
unsigned compress_cache_jobs(const struct compress_cache *cache);

#endif

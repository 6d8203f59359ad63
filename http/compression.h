/* compression.h: one file that is being compressed, a slice at a time, by jobs of file_job.h. All
 * requests that want the same share it: each has jobs of its own, and whichever is executed does
 * the next slice. So nobody waits for somebody else's job, and whoever leaves holds up nobody.
 *
 * Jobs may be executed side by side, by threads that own nothing else of it; all other calls are
 * made by whoever owns the cache (compress_cache.h). */
#ifndef HTTP_COMPRESSION_H
#define HTTP_COMPRESSION_H

#include "core/file_job.h"
#include "http/compressor.h"
#include "http/file_cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COMPRESSION_STEP = 64 * 1024 /* octets of the file that one slice takes: a few milliseconds */
};

enum compression_end {
    COMPRESSION_MADE,    /* what was made can be taken */
    COMPRESSION_USELESS, /* more than `room` octets would come of it */
    COMPRESSION_CHANGED, /* the file was written to meanwhile */
    COMPRESSION_FAILED,  /* no memory, a file that cannot be read, or is not in the coding (EBADMSG);
                            its error tells */
};

struct compression;

/* Begins with the file of `entry`, which it takes a reference of; it is not empty. At most
 * `room` octets are made. 0 and one that has one user, or -ENOMEM. */
int compression_create(const struct compressor_ops *ops, struct file_entry *entry, size_t room,
                       struct compression **ret_compression);

/* One more user, and one less; the last one ends it. No job of a user who leaves is in flight. */
void compression_ref(struct compression *c);
void compression_unref(struct compression *c);

unsigned compression_users(const struct compression *c);
struct file_entry *compression_file(const struct compression *c);
enum coding compression_coding(const struct compression *c);
const struct compressor_ops *compression_ops(const struct compression *c);

/* For jobs that count (file_job_init_make() without memory): each does a slice; res 0: it has
 * ended. It never fails. */
struct file_source *compression_source(struct compression *c);

/* How it has ended: a job's res was 0. With FAILED `*ret_error` is an errno. */
enum compression_end compression_end(const struct compression *c, int *ret_error);

/* Takes what was made: malloc(3)ed memory of `*ret_len` octets, which the caller owns. Once, after
 * COMPRESSION_MADE. */
char *compression_take(struct compression *c, size_t *ret_len);

#endif

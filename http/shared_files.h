/* shared_files.h: what the threads of a process know of files together: a second level behind the
 * file cache that each of them has (file_cache.h). A thread that does not know a file, or no longer
 * believes what it knows, asks here before it asks the kernel.
 *
 * Kept are small files, with their contents, and names that give none (missing, forbidden); not
 * what is kept open, which takes a descriptor and is each thread's. What a thread finds out is
 * filed here first, and what its own cache then has is a copy of what is said here, with the
 * contents themselves, which are there once (file_content.h). So which of the looks of several
 * threads is believed is decided in one place, by the rules of file_look.h: their questions are
 * numbered together. All that is here of a name becomes newer and never older, so a thread that has
 * dropped what it knew, and asks here, gets nothing older than that.
 *
 * In shards by hash, each with a lock, a table and shelves of its own. No file is looked at under a
 * lock. Everything may be called by all threads at any time. */
#ifndef HTTP_SHARED_FILES_H
#define HTTP_SHARED_FILES_H

#include "core/file_job.h"
#include "http/file_content.h"
#include "http/file_look.h"
#include "http/file_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared_files;

enum {
    SHARED_FILES_PART = 2, /* threads may keep one in so many octets of bytes_max, all together: the
                              rest is for what is kept here alone, after one of them has read it
                              and before the next one asks */
};

struct shared_files_options {
    unsigned threads;
    uint32_t names_max;   /* names that give no file */
    uint64_t bytes_max;   /* octets of contents that are kept, here or by threads; a file a shard
                             more where threads alone keep all that there may be */
    uint64_t content_max; /* the largest file */
    uint32_t valid_ms;    /* how long a look is believed, and */
    uint32_t inactive_ms; /* kept after its last use, as the threads' caches have it */
    const struct file_notice_counters *counters; /* what tells of changes, borrowed; or NULL */
    size_t roots_count;                          /* configured roots */
};

/* 0 or -ENOMEM. The caller owns *ret_files, and destroys it behind the last cache. */
int shared_files_create(const struct shared_files_options *options,
                        struct shared_files **ret_files);

/* NULL is allowed. */
void shared_files_destroy(struct shared_files *files);

/* The key of the hash of names (siphash.h), two numbers, lent. */
const uint64_t *shared_files_key(const struct shared_files *files);

/* Numbers a question that is asked now. */
uint64_t shared_files_next_generation(struct shared_files *files);

/* The number of the newest question of all threads. */
uint64_t shared_files_generation(const struct shared_files *files);

/* The number by which all threads name the directory `which` that the configured root `index` leads
 * to: the same for the same directory, above 0, and of no other, ever. */
uint64_t shared_files_root_id(struct shared_files *files, size_t index,
                              const struct file_root_id *which);

/* A copy of what is known. */
struct shared_file_found {
    int error;                    /* 0, or the errno that opening gave */
    struct file_meta meta;        /* where error is 0 */
    struct file_content *content; /* with a reference for who is told; NULL: empty, or none */
    struct file_look look;
};

/* Is the last look at the file still believed? True: *ret_found tells of it. */
bool shared_files_find(struct shared_files *files, const struct file_name *name, uint64_t now_ms,
                       struct shared_file_found *ret_found);

/* Files what a finished job has found. True: the job's results are taken, or thrown away, and
 * *ret_found tells of what is to be answered, which may be what another look has found. False: it
 * cannot be kept here, and stays the caller's; *ret_doubtful: something newer may have been known
 * here. `content`, or NULL: the caller has the octets of the file that the job found, and it is
 * these that are kept; a job that is `unchanged` has none of its own. */
bool shared_files_store(struct shared_files *files, const struct file_name *name,
                        struct file_job *job, struct file_content *content, uint64_t now_ms,
                        struct shared_file_found *ret_found, bool *ret_doubtful);

/* What the look of `generation` told of the file has turned out to be untrue: unless another look
 * was asked for later, it is told to nobody any more, and what was asked for until now is in doubt.
 */
void shared_files_forget(struct shared_files *files, const struct file_name *name,
                         uint64_t generation);

/* Lets go of up to `count` names that nobody has asked for of late. When there will be more to do,
 * on the scale of now_ms; UINT64_MAX: not before another store. */
uint64_t shared_files_sweep(struct shared_files *files, size_t count, uint64_t now_ms);

/* Figures for tests: names that are kept, octets of contents that are kept here or by a thread. */
size_t shared_files_count(struct shared_files *files);
uint64_t shared_files_bytes(struct shared_files *files);

#endif

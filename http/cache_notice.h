/* cache_notice.h: what one thread's file cache knows of the folders that are watched
 * (core/file_notice.h), so that a look at a file costs few system calls more.
 *
 * Beside a mark for each entry, which lies in it, a fixed number of folders is remembered, for a
 * minute each. */
#ifndef HTTP_CACHE_NOTICE_H
#define HTTP_CACHE_NOTICE_H

#include "core/file_job.h"
#include "core/file_notice.h"
#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>

struct cache_notice;

/* `notice` is borrowed, and outlives it. What cannot be watched is asked about again after
 * `again_ms`. 0 or -ENOMEM. The caller owns it. */
int cache_notice_create(struct file_notice *notice, uint32_t again_ms,
                        struct cache_notice **ret_notice);

/* NULL is allowed. */
void cache_notice_destroy(struct cache_notice *notice);

/* Marks a job that is about to look at a file; its mark is not set where no change would be told.
 * Waits for no disk. */
void cache_notice_mark(struct cache_notice *notice, struct file_job *job, uint64_t now_ms);

/* The job, which has been marked, has ended: would every change of what it found be told? Waits for
 * no disk: what it asks was in the kernel's memory a moment ago. */
bool cache_notice_tells(struct cache_notice *notice, const struct file_job *job);

/* What marks are compared with, lent for as long as what tells of changes exists. */
const struct file_notice_counters *cache_notice_counters(const struct cache_notice *notice);

#endif

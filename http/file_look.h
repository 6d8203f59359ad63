/* file_look.h: when a look at a file was, and for how long it is believed. Looks may end in another
 * order than they were asked for in: each question has a generation, and which of two results stays
 * is told by these (docs/decisions/0020-a-result-carries-its-identity.md). */
#ifndef HTTP_FILE_LOOK_H
#define HTTP_FILE_LOOK_H

#include "core/file_job.h"
#include "core/file_notice.h"

#include <stdbool.h>
#include <stdint.h>

struct file_look {
    uint64_t generation;     /* of the last look that tells of the file */
    uint64_t known_at;       /* the newest generation that was asked for when that look ended */
    uint64_t fresh_until_ms; /* until when it is believed; 0: by nobody but who asked */
    struct file_notice_mark mark; /* what tells that it has changed; not set: time alone does */
    bool doubtful;                /* something newer may have been sent: it is not believed */
};

/* Has a change been told that concerns what was looked at? `counters` is what tells of changes, or
 * NULL where nothing does: no mark is set then. */
static inline bool file_look_is_told(struct file_look *look,
                                     const struct file_notice_counters *counters)
{
    return look->mark.is_set && !file_notice_holds(counters, &look->mark);
}

/* Was the job asked for before the look was known? Then nobody can tell which of the two was the
 * later one, whichever was asked for first. Pure. */
bool file_look_overlaps(const struct file_look *look, const struct file_job *job);

/* Is what the job found of no use beside that of `look`, which tells something else? What is
 * believed is as new as all that was sent before it was known, so also as what was sent before the
 * job was asked for. */
bool file_look_outdoes(struct file_look *look, const struct file_job *job,
                       const struct file_notice_counters *counters);

/* Is the look dated anew by a job that found the same? Pure. */
bool file_look_is_renewed(const struct file_look *look, const struct file_job *job);

/* The look becomes the job's, which has just ended, when `generation` was the newest that was asked
 * for: believed for valid_ms where time alone tells, or `doubtful`. The job's mark is set only
 * where changes of what it found would be told. */
void file_look_date(struct file_look *look, const struct file_job *job, uint64_t generation,
                    uint32_t valid_ms, bool doubtful);

#endif

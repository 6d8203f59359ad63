/* file_look.c: see file_look.h. */
#include "http/file_look.h"

bool file_look_overlaps(const struct file_look *look, const struct file_job *job)
{
    return job->generation <= look->known_at;
}

bool file_look_outdoes(struct file_look *look, const struct file_job *job,
                       const struct file_notice_counters *counters)
{
    return look->generation > job->generation ||
           (file_look_overlaps(look, job) && job->asked_ms < look->fresh_until_ms &&
            !file_look_is_told(look, counters));
}

bool file_look_is_renewed(const struct file_look *look, const struct file_job *job)
{
    return look->generation < job->generation && !(look->doubtful && file_look_overlaps(look, job));
}

/* How long it is believed, if it is marked or not. */
static uint32_t believed_ms(const struct file_look *look, const struct file_job *job,
                            uint32_t valid_ms)
{
    if (look->mark.is_set)
        return FILE_NOTICE_TRUST_MS;
    return job->mark_soon && valid_ms > FILE_NOTICE_SOON_MS ? (uint32_t)FILE_NOTICE_SOON_MS
                                                            : valid_ms;
}

void file_look_date(struct file_look *look, const struct file_job *job, uint64_t generation,
                    uint32_t valid_ms, bool doubtful)
{
    look->generation = job->generation;
    look->known_at = generation;
    look->doubtful = doubtful;
    look->mark = job->mark;
    look->mark.is_set = !doubtful && job->mark.is_set;
    look->fresh_until_ms = doubtful ? 0 : job->asked_ms + believed_ms(look, job, valid_ms);
}

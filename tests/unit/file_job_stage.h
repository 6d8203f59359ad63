/* file_job_stage.h: core/file_job.c with a page cache, a clock and reads as a test wants them. Once
 * a program. */
#ifndef TESTS_UNIT_FILE_JOB_STAGE_H
#define TESTS_UNIT_FILE_JOB_STAGE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/file_system.h"

/* The page cache as a test wants it: what preadv2(2) fails with after so many calls; 0: everything
 * is in there (RWF_NOWAIT itself is not for every file system: tmpfs knows nothing of it). */
static struct {
    int error;
    unsigned calls_before;
    size_t len_max; /* octets of one call; 0: no limit */
    bool no_disk;   /* the file system has none */
} cache;

/* What somebody does to the file before the next read; NULL: nothing. */
static void (*meanwhile)(void);

static void do_meanwhile(void)
{
    void (*what)(void) = meanwhile;

    meanwhile = NULL;
    if (what != NULL)
        what();
}

static ssize_t staged_preadv2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    struct iovec part = iov[0];
    do_meanwhile();
    if (cache.error != 0 && cache.calls_before-- == 0) {
        errno = cache.error;
        return -1;
    }
    if (cache.len_max > 0 && part.iov_len > cache.len_max)
        part.iov_len = cache.len_max;
    return preadv2(fd, count == 1 ? &part : iov, count, off, flags & ~RWF_NOWAIT);
}

static unsigned preads;
static time_t ahead_s; /* how far the clock is beyond what files are stamped with */

static int staged_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    int res = clock_gettime(clock, ret_time);

    ret_time->tv_sec += ahead_s;
    return res;
}

static ssize_t staged_pread(int fd, void *mem, size_t len, off_t off)
{
    preads++;
    do_meanwhile();
    return pread(fd, mem, len, off);
}

#define clock_gettime(clock, time)          staged_clock_gettime(clock, time)
#define pread(fd, mem, len, off)            staged_pread(fd, mem, len, off)
#define file_system_in_memory(fd)           ((void)(fd), cache.no_disk)
#define preadv2(fd, iov, count, off, flags) staged_preadv2(fd, iov, count, off, flags)
#include "tests/unit/file_tree.h"

#endif

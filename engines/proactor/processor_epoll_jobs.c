/* processor_epoll_jobs.c: operations that may take as long as a disk does. Where the kernel can
 * tell that it will not (preadv2(2), RWF_NOWAIT), it is done at once; else by a thread, which may
 * write to what the operation names until it has completed, as a kernel may. */
#include "engines/proactor/processor_epoll.h"

#include "core/file_job.h"
#include "core/file_open.h"
#include "core/stats.h"
#include "engines/file_range.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct emulated_job {
    struct worker_task task;
    struct operation operation;
    void *token;
    int res;
};

enum { WARM_STEP = 1 << 14 };

size_t emulated_job_size(void)
{
    return sizeof(struct emulated_job);
}

/* ---- blocking ---- */

/* Octets that are in the page cache now, 0 at the end of the file, or -errno. */
static int warm(const struct operation *o)
{
    char octets[WARM_STEP];
    unsigned done = 0;
    (void)posix_fadvise(o->fd, o->read.off, (off_t)o->read.len, POSIX_FADV_WILLNEED);
    while (done < o->read.len) {
        size_t len = o->read.len - done < WARM_STEP ? o->read.len - done : WARM_STEP;
        ssize_t n = pread(o->fd, octets, len, o->read.off + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && done == 0)
            return -errno;
        if (n <= 0)
            break;
        done += (unsigned)n;
    }
    return (int)done;
}

static int splice_in(const struct operation *o)
{
    off_t off = o->splice.off;
    stats_count(STATS_CALL_SPLICE);
    ssize_t n = splice(o->fd, &off, o->splice.to_fd, NULL, o->splice.len, 0);
    return n < 0 ? -errno : (int)n;
}

static int read_file(const struct operation *o)
{
    ssize_t n = pread(o->fd, o->read.mem, o->read.len, o->read.off);
    return n < 0 ? -errno : (int)n;
}

static int perform(const struct operation *o)
{
    switch (o->kind) {
    case OPERATION_WARM:
        return warm(o);
    case OPERATION_SPLICE_IN:
        return splice_in(o);
    case OPERATION_READ:
        return read_file(o);
    case OPERATION_OPEN:
        return file_open_as(o->fd, o->open.path, o->open.how);
    case OPERATION_STAT:
        return statx(o->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, o->stat.ret_stx) == 0 ? 0
                                                                                        : -errno;
    case OPERATION_ACCEPT:
    case OPERATION_RECV:
    case OPERATION_POLL:
    case OPERATION_SEND:
    case OPERATION_SPLICE_OUT:
        break;
    }
    UNREACHABLE();
}

static void run(struct worker_task *task, struct worker *worker)
{
    struct emulated_job *job = container_of(task, struct emulated_job, task);
    worker_may_block(worker);
    job->res = perform(&job->operation);
}

/* ---- at once ---- */

/* False: it might block, or the kernel, or a filter, does not say; pread(2) then tells of what is
 * wrong. */
static bool try_read(const struct operation *o, int *ret_res)
{
    *ret_res = (int)file_pread_cached(o->fd, o->read.mem, o->read.len, o->read.off);
    return *ret_res >= 0;
}

static bool try_splice_in(const struct operation *o, int *ret_res)
{
    if (!file_range_cached(o->fd, o->splice.off + (off_t)o->splice.len - 1) ||
        !file_range_cached(o->fd, o->splice.off))
        return false;
    *ret_res = splice_in(o);
    return true;
}

bool emulated_job_begin(struct emulated *e, const struct operation *o, void *token)
{
    int res;
    if ((o->kind == OPERATION_READ && try_read(o, &res)) ||
        (o->kind == OPERATION_SPLICE_IN && try_splice_in(o, &res))) {
        emulated_complete(e, token, res);
        return true;
    }
    struct emulated_job *job = pool_get(e->jobs);
    if (job == NULL)
        return false;
    *job = (struct emulated_job){ .task.run = run, .operation = *o, .token = token };
    list_init(&job->task.link);
    CHECK(workers_submit(e->workers, &job->task)); /* its queue has room for all jobs */
    return true;
}

unsigned emulated_jobs_take(struct emulated *e, struct completion *completions, unsigned max)
{
    unsigned n = 0;
    while (n < max && !list_empty(&e->jobs_done)) {
        struct emulated_job *job = container_of(e->jobs_done.next, struct emulated_job, task.link);
        list_remove(&job->task.link);
        completions[n++] = (struct completion){ .token = job->token, .res = job->res };
        pool_put(e->jobs, job);
    }
    return n;
}

/* executor_uring.c: file_jobs = io_uring: a ring beside an event loop, which has files read and
 * nothing else. The loop goes on waiting with its demultiplexer, and hears of completions by its
 * eventfd, which the ring signals (io_uring_register(2), IORING_REGISTER_EVENTFD).
 *
 * Reads go by way of the page cache: the kernel waits for the disk without a thread where the file
 * system can (ext4, xfs, btrfs), else in one of its own (io-wq). What was begun in a turn is
 * submitted by one call. Opens stay with the workers: an IORING_OP_OPENAT2 that would wait is given
 * to a thread by the kernel, too (docs/decisions/0035). */
#include "engines/files/file_executor.h"

#include "config/config.h"
#include "core/check.h"
#include "core/log_repeat.h"
#include "engines/proactor/uring.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ring_executor {
    struct file_executor base;
    struct uring uring;
    unsigned char *scratch; /* FILE_EXECUTOR_PIECE octets that nobody wants, of all reads */
};

static struct ring_executor *ring_self(struct file_executor *x)
{
    return container_of(x, struct ring_executor, base);
}

/* The sentences of uring.h are about engines. */
static void ring_explain(char *why, size_t why_size)
{
    static const char theirs[] = "take another engine";
    char said[512];
    size_t len = (size_t)snprintf(said, sizeof(said), "%s", why);
    if (len < sizeof(said) && len > strlen(theirs) &&
        strcmp(said + len - strlen(theirs), theirs) == 0)
        said[len - strlen(theirs)] = '\0';
    snprintf(why, why_size, "file_jobs = io_uring: %sset file_jobs = workers", said);
}

/* As many completions as there can be reads: none waits in the kernel for room. */
static int open_ring(struct uring *u, char *why, size_t why_size)
{
    struct processor_options options = {
        .entries = FILE_EXECUTOR_DEPTH,
        .completions = 2 * FILE_EXECUTOR_DEPTH,
        .single_issuer = true,
    };
    int res = uring_open(u, &options, why, why_size);
    if (res == -EINVAL) {
        options.single_issuer = false;
        res = uring_open(u, &options, why, why_size);
    }
    if (res < 0)
        ring_explain(why, why_size);
    return res;
}

/* An operation that ends at once. 0 or -errno. */
static int try_ring(struct uring *u)
{
    struct completion completion;
    int res = uring_enable(u);
    if (res < 0)
        return res;
    struct io_uring_sqe *sqe = uring_sqe(u);
    CHECK(sqe != NULL);
    io_uring_prep_nop(sqe);
    sqe->user_data = 1;
    res = uring_wait(u, 1000);
    return res == 0 && uring_take(u, &completion, 1) != 1 ? -ETIME : res;
}

static void ring_explain_call(const char *call, int error, char *why, size_t why_size)
{
    uring_explain(call, error, why, why_size);
    ring_explain(why, why_size);
}

static int ring_probe(unsigned count, char *why, size_t why_size)
{
    (void)count;
    struct uring u;
    int res = open_ring(&u, why, why_size);
    if (res < 0)
        return res;
    res = try_ring(&u);
    if (res < 0)
        ring_explain_call("io_uring_enter", -res, why, why_size);
    uring_close(&u);
    return res;
}

static void ring_close(struct file_executor *x)
{
    struct ring_executor *self = ring_self(x);
    uring_close(&self->uring);
    free(self->scratch);
    free(self);
}

static int ring_open(int wake_fd, char *why, size_t why_size, struct file_executor **ret_executor)
{
    struct ring_executor *self = calloc(1, sizeof(*self));
    if (self == NULL || (self->scratch = malloc(FILE_EXECUTOR_PIECE)) == NULL) {
        free(self);
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    self->base = (struct file_executor){ .ops = &file_executor_uring, .wake_fd = wake_fd };
    list_init(&self->base.waiting);
    list_init(&self->base.ended);
    int res = open_ring(&self->uring, why, why_size);
    if (res == 0) {
        res = io_uring_register_eventfd(&self->uring.ring, wake_fd);
        if (res < 0)
            ring_explain_call("io_uring_register", -res, why, why_size);
    }
    if (res < 0) {
        ring_close(&self->base);
        return res == -EINVAL ? -EOPNOTSUPP : res;
    }
    *ret_executor = &self->base;
    return 0;
}

static int ring_start(struct file_executor *x)
{
    return uring_enable(&ring_self(x)->uring);
}

static void ring_begin(struct file_executor *x, struct file_read *read)
{
    struct ring_executor *self = ring_self(x);
    struct io_uring_sqe *sqe = uring_sqe(&self->uring);
    off_t off;
    CHECK(sqe != NULL); /* there is one for each read in flight */
    size_t len = file_read_next(read, &off);
    io_uring_prep_read(sqe, read->fd, read->mem != NULL ? read->mem : self->scratch, (unsigned)len,
                       (uint64_t)off);
    sqe->user_data = (uint64_t)(uintptr_t)read;
}

/* Submits what is prepared, and has done what completions wait for: `timeout_ms` is 0, or -1 to
 * wait for a completion. Where the kernel refuses for a while, no memory may be given up: it stays
 * prepared. */
static void ring_enter(struct ring_executor *self, int timeout_ms)
{
    const struct timespec pause = { .tv_nsec = URING_REFUSED_MS * 1000000l };
    int res = uring_wait(&self->uring, timeout_ms);
    if (res < 0) {
        log_fault("file_jobs = io_uring: io_uring_enter", -res);
        nanosleep(&pause, NULL);
    }
}

static void ring_flush(struct file_executor *x)
{
    struct ring_executor *self = ring_self(x);
    const struct io_uring *ring = &self->uring.ring;
    if (io_uring_sq_ready(ring) == 0)
        return;
    ring_enter(self, 0);
    /* It took nothing, or has done it already: the next turn comes at once. */
    if (io_uring_sq_ready(ring) > 0 || io_uring_cq_ready(ring) > 0)
        wake_fd_wake(x->wake_fd);
}

static void ring_take(struct ring_executor *self)
{
    struct completion completions[FILE_EXECUTOR_DEPTH];
    unsigned n;
    while ((n = uring_take(&self->uring, completions, FILE_EXECUTOR_DEPTH)) > 0) {
        for (unsigned i = 0; i < n; i++)
            file_read_ended(&self->base, completions[i].token, completions[i].res);
    }
}

static void ring_collect(struct file_executor *x)
{
    struct ring_executor *self = ring_self(x);
    if (x->in_flight == 0)
        return;
    ring_enter(self, 0);
    ring_take(self);
}

/* Reads of files end by themselves. Until then the kernel writes to their memory, so this waits for
 * as long as it takes. */
static void ring_stop(struct file_executor *x)
{
    struct ring_executor *self = ring_self(x);
    while (x->in_flight > 0) {
        ring_enter(self, -1);
        ring_take(self);
    }
}

const struct file_executor_ops file_executor_uring = {
    .name = "io_uring",
    .cost = "a ring beside the loop, one call more for each batch of reads",
    .probe = ring_probe,
    .open = ring_open,
    .start = ring_start,
    .begin = ring_begin,
    .flush = ring_flush,
    .collect = ring_collect,
    .stop = ring_stop,
    .close = ring_close,
};

/* uring.c: a ring: made, waited on, its buffers and messages. What the kernel lacks, and how to say
 * so, is in uring_probe.c. */
#include "engines/proactor/uring.h"

#include "core/check.h"
#include "core/poison.h"
#include "core/stats.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#ifndef IORING_FEAT_MIN_TIMEOUT /* liburing 2.8 */
#define IORING_FEAT_MIN_TIMEOUT (1U << 15)
#endif
#ifndef IORING_FEAT_NO_IOWAIT /* liburing 2.10 has both, and io_uring_set_iowait() */
#define IORING_FEAT_NO_IOWAIT  (1U << 17)
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif

/* `min_wait_usec` of struct io_uring_getevents_arg, which is `pad` where liburing is older. */
#define MIN_WAIT_AT (offsetof(struct io_uring_getevents_arg, sigmask_sz) + sizeof(uint32_t))

enum {
    BUFFER_GROUP = 0,
    SETUP_ATTEMPTS_MAX = 50, /* half a second in all */
};

/* A completion has the flags of its entry as they are. */
static_assert((int)COMPLETION_BUFFER == (int)IORING_CQE_F_BUFFER &&
                  (int)COMPLETION_MORE == (int)IORING_CQE_F_MORE &&
                  (int)COMPLETION_BUFFER_SHIFT == (int)IORING_CQE_BUFFER_SHIFT,
              "flags of completions");
#define FLAGS_TAKEN (0xffff0000u | IORING_CQE_F_BUFFER | IORING_CQE_F_MORE)

static_assert((URING_BUFFERS & (URING_BUFFERS - 1)) == 0, "the kernel wants a power of two");

static unsigned setup_flags(const struct processor_options *options)
{
    unsigned flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
                     IORING_SETUP_SUBMIT_ALL;
    return flags | (options->single_issuer ? IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
                                           : IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
}

/* The ring that the kernel takes buffers from. 0 or -errno. */
static int open_buffers(struct uring *u)
{
    const struct processor_options *options = &u->options;
    u->buf_ring_size = options->buffers * sizeof(struct io_uring_buf);
    void *mem =
        mmap(NULL, u->buf_ring_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        return -errno;
    u->buf_ring = mem;
    u->buffers = malloc((size_t)options->buffers * options->buffer_size);
    if (u->buffers == NULL)
        return -ENOMEM;
    struct io_uring_buf_reg reg = {
        .ring_addr = (uint64_t)(uintptr_t)mem,
        .ring_entries = options->buffers,
        .bgid = BUFFER_GROUP,
    };
    int res = io_uring_register_buf_ring(&u->ring, &reg, 0);
    if (res < 0)
        return res;
    io_uring_buf_ring_init(u->buf_ring);
    for (unsigned id = 0; id < options->buffers; id++)
        uring_return_buffer(u, id);
    uring_show_buffers(u);
    return 0;
}

/* io_uring_setup(2). 0 or -errno. The memory that a ring has locked is given back some time after
 * it was closed, in the background; so for want of it, after a probe or a restart, it is tried
 * again. */
static int set_up(struct uring *u, const struct io_uring_params *params)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
    int res = -ENOMEM;
    for (int i = 0; i < SETUP_ATTEMPTS_MAX && res == -ENOMEM; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        struct io_uring_params tried = *params;
        res = io_uring_queue_init_params(u->options.entries, &u->ring, &tried);
    }
    return res;
}

int uring_open(struct uring *u, const struct processor_options *options, char *why, size_t why_size)
{
    *u = (struct uring){ .options = *options };
    struct io_uring_params params = {
        .flags = setup_flags(options),
        .cq_entries = options->completions,
    };
    int res = set_up(u, &params);
    if (res < 0) {
        uring_explain("io_uring_setup", -res, why, why_size);
        return res;
    }
    u->open = true;
    u->options.no_iowait = options->no_iowait && (u->ring.features & IORING_FEAT_NO_IOWAIT) != 0;
    u->options.min_wait = options->min_wait && (u->ring.features & IORING_FEAT_MIN_TIMEOUT) != 0;
    u->messages = calloc(u->ring.sq.ring_entries, sizeof(u->messages[0]));
    res = u->messages == NULL ? -ENOMEM : 0;
    if (res == 0 && options->buffers > 0)
        res = open_buffers(u);
    if (res == -EINVAL) {
        snprintf(why, why_size,
                 "this kernel's io_uring has no rings of provided buffers (Linux "
                 "5.19 has them); take another engine");
        res = -EOPNOTSUPP;
    } else if (res < 0) {
        uring_explain("io_uring_register", -res, why, why_size);
    }
    if (res < 0)
        uring_close(u);
    return res;
}

int uring_enable(struct uring *u)
{
    CHECK(u->open && !u->enabled);
    int res = io_uring_register((unsigned)u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    if (res < 0)
        return res;
    /* A second line: no operation is meant to keep such a thread. The other limit, for work that
     * ends by itself (reads and opens), stays the kernel's: four for each CPU. */
    unsigned workers[2] = { 0, URING_WORKERS_MAX };
    (void)io_uring_register_iowq_max_workers(&u->ring, workers);
    u->enabled = true;
    return 0;
}

void uring_close(struct uring *u)
{
    if (u->open)
        io_uring_queue_exit(&u->ring); /* the buffers are the kernel's until then */
    if (u->buf_ring != NULL)
        munmap(u->buf_ring, u->buf_ring_size);
    if (u->buffers != NULL)
        UNPOISON(u->buffers, (size_t)u->options.buffers * u->options.buffer_size);
    free(u->buffers);
    free(u->messages);
    *u = (struct uring){ 0 };
}

struct io_uring_sqe *uring_sqe(struct uring *u)
{
    CHECK(u->enabled);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    if (sqe != NULL)
        return sqe;
    /* A refusal (EBUSY: completions wait to be taken; EAGAIN: no memory) passes with the next turn:
     * whoever gets NULL queues for it. */
    (void)io_uring_submit(&u->ring);
    return io_uring_get_sqe(&u->ring);
}

struct uring_message *uring_message(struct uring *u, const struct io_uring_sqe *sqe)
{
    size_t index = (size_t)(sqe - u->ring.sq.sqes);
    CHECK(index < u->ring.sq.ring_entries);
    return &u->messages[index];
}

/* One io_uring_enter(2): submits all that is queued, if `submits`, and waits for `wanted`
 * completions, at most for `timeout` (NULL: for ever); where that is more than one, after
 * `patience_us` one is enough. What it returns, or -errno.
 *
 * liburing has calls for this, but those of 2.3 cannot set a flag; what is done here with the
 * queue's tail, they do. EXT_ARG is as old as Linux 5.11. */
static int enter(struct uring *u, bool submits, unsigned wanted, unsigned patience_us,
                 const struct __kernel_timespec *timeout)
{
    struct io_uring_sq *sq = &u->ring.sq;
    struct io_uring_getevents_arg arg = { .sigmask_sz = _NSIG / 8,
                                          .ts = (uint64_t)(uintptr_t)timeout };
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    memcpy((char *)&arg + MIN_WAIT_AT, &patience_us, sizeof(patience_us));
    if (u->options.no_iowait)
        flags |= IORING_ENTER_NO_IOWAIT;
    if (submits) {
        sq->sqe_head = sq->sqe_tail;
        io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
    }
    stats_count(STATS_CALL_WAIT);
    return io_uring_enter2((unsigned)u->ring.ring_fd, submits ? io_uring_sq_ready(&u->ring) : 0,
                           wanted, flags, (sigset_t *)(void *)&arg, sizeof(arg));
}

/* The kernel takes no operations: completions have to be taken first (EBUSY), or it finds no memory
 * (EAGAIN). A submission that is refused does not run the work that completions wait for either
 * (DEFER_TASKRUN), so this asks for that alone. */
static void wait_refused(struct uring *u)
{
    struct __kernel_timespec timeout = { .tv_nsec = URING_REFUSED_MS * 1000000LL };
    if (io_uring_cq_ready(&u->ring) == 0)
        (void)enter(u, false, 1, 0, &timeout);
}

int uring_wait_batch(struct uring *u, int timeout_ms, struct processor_batch batch)
{
    CHECK(u->enabled);
#ifdef __SANITIZE_THREAD__
    /* ThreadSanitizer puts a signal's handler off to the next call that it intercepts, and waiting
     * in a ring is none. */
    if (timeout_ms < 0 || timeout_ms > 100)
        timeout_ms = 100;
#endif
    struct __kernel_timespec timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000000LL };
    if (timeout_ms != 0 && io_uring_cq_ready(&u->ring) > 0 && io_uring_sq_ready(&u->ring) == 0)
        return 0; /* more than were taken at once */
    unsigned wanted = timeout_ms != 0;
    bool several = wanted > 0 && u->options.min_wait && batch.count > 1 && batch.patience_us > 0;
    if (several)
        wanted = batch.count;
    int res =
        enter(u, true, wanted, several ? batch.patience_us : 0, timeout_ms > 0 ? &timeout : NULL);
    if (res == -EBUSY || res == -EAGAIN || res == -ENOMEM)
        wait_refused(u);
    else if (res < 0 && res != -ETIME && res != -EINTR)
        return res;
    return 0;
}

unsigned uring_take(struct uring *u, struct completion *completions, unsigned max)
{
    struct io_uring_cqe *taken[64];
    unsigned count = 0;
    while (count < max) {
        unsigned left = max - count;
        unsigned n = io_uring_peek_batch_cqe(&u->ring, taken,
                                             left < ARRAY_LEN(taken) ? left : ARRAY_LEN(taken));
        if (n == 0)
            break;
        for (unsigned i = 0; i < n; i++) {
            const struct io_uring_cqe *cqe = taken[i];
            if (cqe->user_data == 0)
                continue;
            completions[count++] = (struct completion){
                .token = (void *)(uintptr_t)cqe->user_data,
                .res = cqe->res,
                .flags = cqe->flags & FLAGS_TAKEN,
            };
            if ((cqe->flags & IORING_CQE_F_BUFFER) != 0)
                UNPOISON(uring_buffer(u, cqe->flags >> IORING_CQE_BUFFER_SHIFT),
                         u->options.buffer_size);
        }
        io_uring_cq_advance(&u->ring, n);
    }
    return count;
}

void uring_return_buffer(struct uring *u, unsigned id)
{
    CHECK(id < u->options.buffers);
    CHECK(!IS_POISONED(uring_buffer(u, id))); /* given back twice */
    POISON(uring_buffer(u, id), u->options.buffer_size);
    io_uring_buf_ring_add(u->buf_ring, uring_buffer(u, id), u->options.buffer_size,
                          (unsigned short)id, io_uring_buf_ring_mask(u->options.buffers),
                          (int)u->returned++);
}

void uring_show_buffers(struct uring *u)
{
    if (u->returned == 0)
        return;
    io_uring_buf_ring_advance(u->buf_ring, (int)u->returned);
    u->returned = 0;
}

void uring_prep_recv(const struct uring *u, struct io_uring_sqe *sqe, int fd, bool lasting)
{
    if (lasting && u->options.recv_multishot)
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    else
        io_uring_prep_recv(sqe, fd, NULL, u->options.buffer_size, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
}

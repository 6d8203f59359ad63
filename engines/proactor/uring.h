/* uring.h: one io_uring as the proactor needs it: set up with the best flags that the kernel takes,
 * with a ring of provided buffers for receives and a place for the message of every SENDMSG.
 *
 * Knows neither connections nor sessions. Probing asks for operations and flags, never for a
 * version. One thread uses a ring; it may be made in another one (uring_enable()). */
#ifndef ENGINES_PROACTOR_URING_H
#define ENGINES_PROACTOR_URING_H

#include "engines/proactor/processor.h"

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    URING_ENTRIES = 512,        /* operations queued before they are submitted */
    URING_COMPLETIONS = 4096,   /* before the kernel has to keep them apart (overflow) */
    URING_BUFFERS = 256,        /* provided for receives; a power of two */
    URING_BUFFER_SIZE = 4096,   /* octets */
    URING_MESSAGE_IOV_MAX = 16, /* pieces of one message */
    URING_REFUSED_MS = 10,      /* how long to wait when the kernel takes no operations */
    URING_WORKERS_MAX = 64, /* kernel threads of a ring, for operations that may wait for ever */
    URING_LOCKED_KIB = 128, /* what a ring of these sizes takes of the limit of locked memory, on
                               kernels that count it, from a user without CAP_IPC_LOCK */
};

/* A message must stay where it is until it is submitted, so each place of the submission queue has
 * one. */
struct uring_message {
    struct msghdr header;
    struct iovec iov[URING_MESSAGE_IOV_MAX];
};

struct uring {
    struct io_uring ring;
    struct processor_options options;
    struct io_uring_buf_ring *buf_ring;
    size_t buf_ring_size;
    unsigned char *buffers; /* options.buffers * options.buffer_size octets */
    unsigned returned;      /* buffers given back and not shown to the kernel yet */
    struct uring_message *messages;
    bool open, enabled;
};

/* Will this kernel and its limits run it? 0 and the options that make best use of it, or -errno and
 * one sentence: what refuses (seccomp, the sysctl, a limit, a missing operation), and what to do.
 */
int uring_probe(char *why, size_t why_size, struct processor_options *ret_options);

/* Writes the sentence for `error` (positive) of `call`, one of io_uring_setup(2),
 * io_uring_register(2) and io_uring_enter(2): what refuses it, as far as /proc tells, and what to
 * do. */
void uring_explain(const char *call, int error, char *why, size_t why_size);

/* Makes a ring, disabled. 0, or -errno and a sentence. The caller owns it (uring_close()). */
int uring_open(struct uring *u, const struct processor_options *options, char *why,
               size_t why_size);

/* The calling thread is the one that will use it, and the kernel makes at most URING_WORKERS_MAX
 * threads for what of it may wait for ever (io_uring_register(2), IORING_REGISTER_IOWQ_MAX_WORKERS:
 * unbounded work). 0 or -errno. */
int uring_enable(struct uring *u);

/* Nothing may be in flight. Does nothing for a zeroed or closed ring. */
void uring_close(struct uring *u);

/* A place in the submission queue; when it is full, what is in it is submitted first. NULL when the
 * kernel takes nothing now: to be tried again after the next wait. */
struct io_uring_sqe *uring_sqe(struct uring *u);

/* The message that belongs to a place. */
struct uring_message *uring_message(struct uring *u, const struct io_uring_sqe *sqe);

/* Submits, and waits for a completion: `timeout_ms` at most, -1 for ever, 0 not at all; for those
 * of `batch` where options.min_wait says that the kernel can (io_uring_enter(2), min_wait_usec). 0,
 * or -errno. -ETIME and -EINTR are no errors: 0. Nor is it one when the kernel takes no operations
 * now: they stay queued, and it waits for at most URING_REFUSED_MS. */
int uring_wait_batch(struct uring *u, int timeout_ms, struct processor_batch batch);

/* The same for one completion. */
static inline int uring_wait(struct uring *u, int timeout_ms)
{
    return uring_wait_batch(u, timeout_ms, PROCESSOR_BATCH_NONE);
}

/* Copies up to `max` completions and gives their places back to the kernel; those whose user_data
 * is 0 are dropped. Returns their number. */
unsigned uring_take(struct uring *u, struct completion *completions, unsigned max);

/* The octets of provided buffer `id`: the kernel's, and poisoned (poison.h), but between a
 * completion that names it and uring_return_buffer(). */
static inline unsigned char *uring_buffer(const struct uring *u, unsigned id)
{
    return u->buffers + (size_t)id * u->options.buffer_size;
}

/* Gives a buffer back, once; the kernel sees it after uring_show_buffers(). */
void uring_return_buffer(struct uring *u, unsigned id);
void uring_show_buffers(struct uring *u);

/* Prepares a receive into the provided buffers; `lasting`: one that goes on after it has completed
 * (multishot), where the kernel has it. */
void uring_prep_recv(const struct uring *u, struct io_uring_sqe *sqe, int fd, bool lasting);

#endif

/* processor_uring.c: the processor `io_uring`: an operation becomes an entry of the submission
 * queue (SQE) here and nowhere else, and the kernel has it done. The ring is uring.c's; why these
 * means of io_uring and not others: docs/decisions/0011. */
#include "engines/proactor/processor.h"

#include "core/check.h"
#include "core/send_plan.h"
#include "engines/proactor/uring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct processor_uring {
    struct processor base;
    struct uring uring;
    unsigned char
        *scratch; /* OPERATION_WARM_MAX octets, where reads go whose octets nobody wants */
};

static_assert((int)URING_MESSAGE_IOV_MAX >= (int)SEND_PLAN_IOV_MAX, "a plan is one message");

static struct processor_uring *self_of(struct processor *processor)
{
    return (struct processor_uring *)processor;
}

static void uring_features(const struct processor_options *options, char *text, size_t size)
{
    snprintf(
        text, size,
        "io_uring with %s; accepts multishot, receives %s into provided buffers; openat2, "
        "statx, read and splice as operations; waits %s; idle threads %s as waiting for a disk",
        options->single_issuer ? "SINGLE_ISSUER and DEFER_TASKRUN" : "COOP_TASKRUN",
        options->recv_multishot ? "multishot" : "one by one",
        options->min_wait ? "may stay for several completions" : "end with one completion",
        options->no_iowait ? "do not count" : "count");
}

static void close_ring(struct processor *processor)
{
    struct processor_uring *self = self_of(processor);
    uring_close(&self->uring);
    free(self->scratch);
    free(self);
}

static int open_ring(const struct processor_options *options, size_t descriptors_max, char *why,
                     size_t why_size, struct processor **ret_processor)
{
    (void)descriptors_max; /* the kernel keeps what waits */
    struct processor_uring *self = calloc(1, sizeof(*self));
    unsigned char *scratch = malloc(OPERATION_WARM_MAX);
    if (self == NULL || scratch == NULL) {
        free(self);
        free(scratch);
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    self->scratch = scratch;
    int res = uring_open(&self->uring, options, why, why_size);
    if (res < 0) {
        close_ring(&self->base);
        return res;
    }
    self->base = (struct processor){ .ops = &processor_uring,
                                     .options = self->uring.options,
                                     .buffers = self->uring.buffers };
    *ret_processor = &self->base;
    return 0;
}

static int enable_ring(struct processor *processor)
{
    return uring_enable(&self_of(processor)->uring);
}

static void prepare_send(struct uring *u, struct io_uring_sqe *sqe, const struct operation *o)
{
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (o->send.more ? MSG_MORE : 0);
    if (o->send.iovcnt == 1) {
        io_uring_prep_send(sqe, o->fd, o->send.iov[0].iov_base, o->send.iov[0].iov_len, flags);
        return;
    }
    struct uring_message *message = uring_message(u, sqe);
    memcpy(message->iov, o->send.iov, (size_t)o->send.iovcnt * sizeof(o->send.iov[0]));
    message->header =
        (struct msghdr){ .msg_iov = message->iov, .msg_iovlen = (size_t)o->send.iovcnt };
    io_uring_prep_sendmsg(sqe, o->fd, &message->header, (unsigned)flags);
}

static void prepare(struct processor_uring *self, struct io_uring_sqe *sqe,
                    const struct operation *o)
{
    switch (o->kind) {
    case OPERATION_RECV:
        uring_prep_recv(&self->uring, sqe, o->fd, o->lasting);
        break;
    case OPERATION_SEND:
        prepare_send(&self->uring, sqe, o);
        break;
    case OPERATION_ACCEPT:
        if (o->lasting)
            io_uring_prep_multishot_accept(sqe, o->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        else
            io_uring_prep_accept(sqe, o->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case OPERATION_POLL:
        if (o->lasting)
            io_uring_prep_poll_multishot(sqe, o->fd, o->poll.events);
        else
            io_uring_prep_poll_add(sqe, o->fd, o->poll.events);
        break;
    case OPERATION_SPLICE_OUT:
        io_uring_prep_splice(sqe, o->fd, -1, o->splice.to_fd, -1, o->splice.len,
                             o->splice.more ? SPLICE_F_MORE : 0);
        break;
    case OPERATION_SPLICE_IN:
        io_uring_prep_splice(sqe, o->fd, o->splice.off, o->splice.to_fd, -1, o->splice.len, 0);
        break;
    case OPERATION_READ:
        io_uring_prep_read(sqe, o->fd, o->read.mem, o->read.len, (uint64_t)o->read.off);
        break;
    case OPERATION_WARM: /* all of this kind go to the same place */
        CHECK(o->read.len <= OPERATION_WARM_MAX);
        io_uring_prep_read(sqe, o->fd, self->scratch, o->read.len, (uint64_t)o->read.off);
        break;
    case OPERATION_OPEN:
        io_uring_prep_openat2(sqe, o->fd, o->open.path, (struct open_how *)(uintptr_t)o->open.how);
        break;
    case OPERATION_STAT:
        io_uring_prep_statx(sqe, o->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, o->stat.ret_stx);
        break;
    }
}

static bool begin(struct processor *processor, const struct operation *operation, void *token)
{
    struct processor_uring *self = self_of(processor);
    struct io_uring_sqe *sqe = uring_sqe(&self->uring);
    if (sqe == NULL)
        return false;
    prepare(self, sqe, operation);
    sqe->user_data = (uint64_t)(uintptr_t)token; /* preparing clears it */
    return true;
}

static bool cancel(struct processor *processor, int fd, void *token)
{
    (void)fd;
    struct io_uring_sqe *sqe = uring_sqe(&self_of(processor)->uring);
    if (sqe == NULL)
        return false;
    /* It only names the token. Operations are begun in the order in which they are queued, so a
     * later one with the same token is not meant. */
    io_uring_prep_cancel(sqe, token, 0);
    sqe->user_data = 0; /* nobody waits for its own completion: uring_take() drops it */
    return true;
}

static int wait_ring(struct processor *processor, int timeout_ms, struct processor_batch batch)
{
    struct uring *u = &self_of(processor)->uring;
    uring_show_buffers(u);
    return uring_wait_batch(u, timeout_ms, batch);
}

static unsigned take(struct processor *processor, struct completion *completions, unsigned max)
{
    return uring_take(&self_of(processor)->uring, completions, max);
}

static void give_back(struct processor *processor, unsigned id)
{
    uring_return_buffer(&self_of(processor)->uring, id);
}

const struct processor_ops processor_uring = {
    .name = "io_uring",
    .wait_call = "io_uring_enter",
    .probe = uring_probe,
    .features = uring_features,
    .open = open_ring,
    .enable = enable_ring,
    .begin = begin,
    .cancel = cancel,
    .wait = wait_ring,
    .take = take,
    .give_back = give_back,
    .close = close_ring,
};

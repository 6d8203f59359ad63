/* inject_uring.c: operations of a ring that fail, or do less, when the test wants them to. See
 * inject.h.
 *
 * An operation must not have done what it then is said to have failed at. So faults come before it
 * is submitted: a NOP takes its place, and its completion gets the error; or it is shortened. */
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGED_MAX = 4096, RINGS_MAX = 4096 };

/* Operations that were replaced or shortened and have not completed. A ring belongs to a thread. */
static __thread struct changed {
    uint64_t user_data;
    bool replaced; /* by one that does nothing: it is to fail with `error` */
    int error;
    int room_fd; /* a socket that shall seem to have been full; -1: none */
} changed[CHANGED_MAX];
static __thread unsigned changed_count;

#define REAL(name)                                                                                 \
    static __typeof__(&(name)) real;                                                               \
    if (real == NULL) {                                                                            \
        void *found_ = dlsym(RTLD_NEXT, #name);                                                    \
        memcpy((void *)&real, (void *)&found_, sizeof(real));                                      \
    }

/* The name of a fault; NULL: operations of this kind never fail. */
static const char *name_of(const struct io_uring_sqe *sqe)
{
    switch (sqe->opcode) {
    case IORING_OP_ACCEPT:
        return "op accept";
    case IORING_OP_RECV:
        return "op recv";
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
        return "op send";
    case IORING_OP_READ:
        return "op read";
    case IORING_OP_OPENAT2:
        return "op openat2";
    case IORING_OP_STATX:
        return "op statx";
    case IORING_OP_SPLICE:
        return "op splice";
    case IORING_OP_POLL_ADD:
        return "op poll";
    default:
        return NULL;
    }
}

static bool is_send(const struct io_uring_sqe *sqe)
{
    return sqe->opcode == IORING_OP_SEND || sqe->opcode == IORING_OP_SENDMSG ||
           sqe->opcode == IORING_OP_SPLICE;
}

static void note_change(const struct io_uring_sqe *sqe, int error)
{
    if (changed_count == CHANGED_MAX)
        abort();
    changed[changed_count++] = (struct changed){
        .user_data = sqe->user_data,
        .replaced = error != 0,
        .error = error,
        .room_fd = is_send(sqe) && (error == 0 || error == EAGAIN) ? sqe->fd : -1,
    };
}

static void shorten(struct io_uring_sqe *sqe)
{
    note_change(sqe, 0);
    if (sqe->opcode == IORING_OP_SENDMSG) {
        struct msghdr *message = (struct msghdr *)(uintptr_t)sqe->addr;
        message->msg_iovlen = 1;
        message->msg_iov[0].iov_len = (message->msg_iov[0].iov_len + 2) / 3;
    } else if (sqe->len > 1) {
        sqe->len /= 2;
    }
}

static void replace(struct io_uring_sqe *sqe, int error)
{
    uint64_t user_data = sqe->user_data;
    note_change(sqe, error);
    memset(sqe, 0, sizeof(*sqe));
    sqe->opcode = IORING_OP_NOP;
    sqe->user_data = user_data;
}

/* The rings by their descriptors, and how far their operations have been looked at. */
static struct known {
    struct io_uring *ring; /* NULL: none is known */
    unsigned looked;
} known[RINGS_MAX];

/* Looks at what is prepared and was not looked at. True: the submission itself is to fail. */
static bool fails(unsigned fd, int *ret_error)
{
    int error;
    if (fd >= RINGS_MAX || known[fd].ring == NULL)
        abort();
    const struct io_uring *ring = known[fd].ring;
    unsigned from = known[fd].looked;
    known[fd].looked = ring->sq.sqe_tail;
    for (unsigned i = from; i != ring->sq.sqe_tail; i++) {
        struct io_uring_sqe *sqe = &ring->sq.sqes[i & ring->sq.ring_mask];
        const char *name = name_of(sqe);
        if (name == NULL || !fault_strikes(name, &error))
            continue;
        if (error == 0)
            shorten(sqe);
        else
            replace(sqe, error);
    }
    return fault_strikes("io_uring_enter", ret_error);
}

int io_uring_submit(struct io_uring *ring)
{
    REAL(io_uring_submit)
    int error;
    return fails((unsigned)ring->ring_fd, &error) ? -error : real(ring);
}

/* A wait that submits nothing is what follows a refusal: it does not fail, too. */
int io_uring_enter2(unsigned fd, unsigned submit, unsigned wanted, unsigned flags, sigset_t *arg,
                    size_t size)
{
    REAL(io_uring_enter2)
    int error;
    return submit > 0 && fails(fd, &error) ? -error : real(fd, submit, wanted, flags, arg, size);
}

unsigned io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes, unsigned count)
{
    REAL(io_uring_peek_batch_cqe)
    unsigned n = real(ring, cqes, count);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; j < changed_count; j++) {
            if (changed[j].user_data != cqes[i]->user_data)
                continue;
            if (changed[j].replaced)
                cqes[i]->res = -changed[j].error;
            if (changed[j].room_fd >= 0)
                fault_tell_of_room(changed[j].room_fd);
            changed[j] = changed[--changed_count];
            break;
        }
    }
    return n;
}

/* FAULT_RING="4 8": rings with so few places for submissions and completions. */
int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
    REAL(io_uring_queue_init_params)
    char *sizes = getenv("FAULT_RING");
    int error;
    if (fault_strikes("io_uring_setup", &error))
        return -error;
    if (sizes != NULL) {
        entries = (unsigned)strtoul(sizes, &sizes, 10);
        p->cq_entries = (unsigned)strtoul(sizes, NULL, 10);
    }
    int res = real(entries, ring, p);
    if (res == 0 && ring->ring_fd < RINGS_MAX)
        known[ring->ring_fd] = (struct known){ .ring = ring };
    return res;
}

int io_uring_register(unsigned fd, unsigned op, const void *arg, unsigned count)
{
    REAL(io_uring_register)
    int error;
    return fault_strikes("io_uring_register", &error) ? -error : real(fd, op, arg, count);
}

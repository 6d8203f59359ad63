/* handover_send.c: the sender's half of handover.h. */
#include "engines/handover.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/shared_memory.h"
#include "core/shared_mutex.h"
#include "engines/handover_message.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FULL_PAUSE_MS = 5 /* until descriptors in flight are fewer (ETOOMANYREFS) */ };

enum { SHARED_VERSION = 1 }; /* changes with struct handover_shared */

/* Shared by processes, which may be of two binaries. */
struct handover_shared {
    uint32_t version;      /* SHARED_VERSION */
    pthread_mutex_t mutex; /* one message at a time, with its acknowledgement */
    atomic_int failed;     /* errno for which the successor was given up; 0: it was not */
    uint64_t number;       /* of the last message; under the mutex */
    size_t count;          /* addresses of the sender's configuration */
    atomic_int to[];       /* ... in the receiver's; -1: gone */
};

struct handover {
    int fd;     /* -1: closed here */
    int memory; /* descriptor of `shared`; -1: none */
    struct handover_shared *shared;
    size_t mapped; /* bytes of it */
};

int handover_create(size_t addresses, struct handover **ret_handover, int *ret_inbox)
{
    int ends[2], res;
    struct handover *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return -ENOMEM;
    if (addresses > HANDOVER_ADDRESSES_MAX)
        addresses = HANDOVER_ADDRESSES_MAX; /* those behind are gone */
    h->mapped = sizeof(*h->shared) + addresses * sizeof(h->shared->to[0]);
    h->shared = shared_memory_make("gearshift-handover", h->mapped, &h->memory);
    if (h->shared == NULL) {
        res = -errno;
        goto fail;
    }
    res = -shared_mutex_init(&h->shared->mutex);
    if (res < 0)
        goto fail_mapped;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        res = -errno;
        goto fail_mapped;
    }
    h->shared->version = SHARED_VERSION;
    h->shared->count = addresses;
    for (size_t i = 0; i < addresses; i++)
        atomic_init(&h->shared->to[i], -1);
    h->fd = ends[0];
    *ret_inbox = ends[1];
    *ret_handover = h;
    return 0;

fail_mapped:
    munmap(h->shared, h->mapped);
    handover_forget_memory(h);
fail:
    free(h);
    return res;
}

void handover_close_end(struct handover *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
}

int handover_memory(const struct handover *h)
{
    return h->memory;
}

void handover_forget_memory(struct handover *h)
{
    if (h != NULL && h->memory >= 0) {
        close(h->memory);
        h->memory = -1;
    }
}

static bool is_whole(const struct handover_shared *shared, size_t size)
{
    return shared->version == SHARED_VERSION && shared->count <= HANDOVER_ADDRESSES_MAX &&
           size == sizeof(*shared) + shared->count * sizeof(shared->to[0]);
}

int handover_adopt(int memory, struct handover **ret_handover)
{
    struct handover *h = calloc(1, sizeof(*h));
    int64_t size = shared_memory_size(memory);

    int res = h == NULL ? -ENOMEM : size < 0 ? (int)size : 0;
    if (res == 0 && (size_t)size < sizeof(*h->shared))
        res = -EPROTO;
    if (res == 0) {
        h->mapped = (size_t)size;
        h->shared = shared_memory_map(memory, h->mapped);
        res = h->shared == NULL ? -errno : is_whole(h->shared, h->mapped) ? 0 : -EPROTO;
        if (res < 0 && h->shared != NULL)
            munmap(h->shared, h->mapped);
    }
    if (res < 0) {
        close(memory);
        free(h);
        return res;
    }
    h->fd = -1;
    h->memory = memory;
    *ret_handover = h;
    return 0;
}

void handover_destroy(struct handover *h)
{
    if (h == NULL)
        return;
    handover_close_end(h);
    handover_forget_memory(h);
    munmap(h->shared, h->mapped); /* the mutex may be in use elsewhere: it is not destroyed */
    free(h);
}

void handover_map(struct handover *h, size_t from, int to)
{
    CHECK(to >= -1);
    if (from < h->shared->count)
        atomic_store(&h->shared->to[from], to);
}

static int target(const struct handover *h, const struct config *config,
                  const struct listen_config *listen)
{
    size_t from = (size_t)(listen - config->listens);
    CHECK(from < config->listens_count);
    return from < h->shared->count ? atomic_load(&h->shared->to[from]) : -1;
}

bool handover_has_address(const struct handover *h, const struct config *config,
                          const struct listen_config *listen)
{
    return target(h, config, listen) >= 0;
}

/* ---- a message ---- */

/* What is left of a wait that ends at `until_ms`. */
static int left_ms(uint64_t until_ms)
{
    uint64_t now_ms = clock_monotonic_ms();
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

/* Waits for `events`. False: the time is over. */
static bool await(int fd, short events, uint64_t until_ms)
{
    struct pollfd polled = { .fd = fd, .events = events };
    int n;
    do
        n = poll(&polled, 1, left_ms(until_ms));
    while (n < 0 && errno == EINTR);
    return n > 0;
}

static void compose(const struct handover *h, const struct config *config,
                    const struct handover_conn *conns, unsigned count,
                    struct handover_message *ret_message)
{
    ret_message->head = (struct handover_head){ .version = HANDOVER_VERSION,
                                                .count = count,
                                                .number = ++h->shared->number };
    for (unsigned i = 0; i < count; i++) {
        const struct session_moved *state = &conns[i].state;
        struct handover_record *record = &ret_message->records[i];
        *record = (struct handover_record){ .address = target(h, config, state->listen),
                                            .requests = state->requests,
                                            .since_ms = state->since_ms,
                                            .port = state->peer.port,
                                            .family = state->peer.family,
                                            .flags = state->flags };
        memcpy(record->addr, state->peer.addr, sizeof(record->addr));
    }
}

/* Sends it with its descriptors. 0 or -errno; -EAGAIN: the socket is full, -ETOOMANYREFS: this user
 * has as many descriptors in flight as RLIMIT_NOFILE lets him. */
static int send_once(const struct handover *h, const struct handover_message *message,
                     const struct handover_conn *conns)
{
    unsigned count = message->head.count;
    struct iovec iov = { (void *)(uintptr_t)message, offsetof(struct handover_message, records) +
                                                         count * sizeof(message->records[0]) };
    union handover_control control;
    memset(&control, 0, sizeof(control));
    struct msghdr header = { .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS,
                                .cmsg_len = CMSG_LEN(count * sizeof(int)) };
    for (unsigned i = 0; i < count; i++)
        memcpy(CMSG_DATA(rights) + i * sizeof(int), &conns[i].fd, sizeof(int));
    ssize_t n;
    do
        n = sendmsg(h->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* The next acknowledgement, as far as it has come. 0, -EAGAIN, or -errno; -EPIPE: the end. */
static int take_ack(const struct handover *h, uint64_t number, uint64_t *ret_taken)
{
    for (;;) {
        struct handover_ack ack;
        ssize_t n = recv(h->fd, &ack, sizeof(ack), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EPIPE;
        /* Another number: it was for somebody who has died while he waited. */
        if ((size_t)n < sizeof(ack) || ack.number != number)
            continue;
        *ret_taken = ack.version == HANDOVER_VERSION ? ack.taken : 0;
        return 0;
    }
}

/* Nothing is taken from here on: what was acknowledged by now lies in the queue. */
static int withdraw(struct handover *h, uint64_t number, int error, uint64_t *ret_taken)
{
    shutdown(h->fd, SHUT_RDWR);
    atomic_store(&h->shared->failed, error);
    if (error == EPIPE)
        log_info("a successor has ended: connections that are left are served here, and end");
    else
        log_warn("a successor does not take connections any more (%s): those that are left are "
                 "served here, and end",
                 strerror(error));
    return take_ack(h, number, ret_taken) == 0 ? 0 : -error;
}

static int await_ack(struct handover *h, uint64_t number, uint64_t until_ms, uint64_t *ret_taken)
{
    int res;
    while ((res = take_ack(h, number, ret_taken)) == -EAGAIN && await(h->fd, POLLIN, until_ms))
        ;
    return res == 0 ? 0 : withdraw(h, number, res == -EAGAIN ? ETIMEDOUT : -res, ret_taken);
}

/* One message with as many of the connections as go. How many those were, or -errno. */
static int exchange(struct handover *h, const struct config *config,
                    const struct handover_conn *conns, unsigned count, uint64_t *ret_taken)
{
    struct handover_message message;
    uint64_t until_ms = clock_monotonic_ms() + HANDOVER_ACK_MS;
    for (;;) {
        compose(h, config, conns, count, &message);
        int res = send_once(h, &message, conns);
        if (res == 0)
            break;
        bool later = res == -ETOOMANYREFS || res == -EAGAIN || res == -ENOBUFS || res == -ENOMEM;
        if (later && left_ms(until_ms) == 0)
            return 0; /* no fault of the successor's: perhaps another time */
        if (!later)
            return withdraw(h, message.head.number, -res, ret_taken) < 0 ? res : 0;
        if (count > 1)
            count /= 2;
        else if (res == -EAGAIN)
            await(h->fd, POLLOUT, until_ms);
        else
            poll(NULL, 0, FULL_PAUSE_MS);
    }
    int res = await_ack(h, message.head.number, until_ms, ret_taken);
    if (count < HANDOVER_MAX)
        *ret_taken &= ((uint64_t)1 << count) - 1;
    return res < 0 ? res : (int)count;
}

static void lock(struct handover *h)
{
    int error = pthread_mutex_lock(&h->shared->mutex);
    if (error == EOWNERDEAD) /* what he had sent is acknowledged to nobody, and adopted all the same
                              */
        error = pthread_mutex_consistent(&h->shared->mutex);
    MUST(error == 0);
}

int handover_send(struct handover *h, const struct config *config,
                  const struct handover_conn *conns, unsigned count, uint64_t *ret_taken)
{
    CHECK(count > 0 && count <= HANDOVER_MAX);
    uint64_t taken = 0;
    unsigned done = 0;
    lock(h);
    int res = h->fd < 0 ? -EPIPE : -atomic_load(&h->shared->failed);
    while (res >= 0 && done < count) {
        uint64_t some = 0;
        res = exchange(h, config, conns + done, count - done, &some);
        taken |= some << done;
        if (res <= 0)
            break;
        done += (unsigned)res;
    }
    MUST(pthread_mutex_unlock(&h->shared->mutex) == 0);
    *ret_taken = taken;
    return res < 0 && taken == 0 ? res : 0;
}

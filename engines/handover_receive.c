/* handover_receive.c: the receiver's half of handover.h. */
#include "engines/handover.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log_repeat.h"
#include "engines/handover_message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct received {
    struct handover_message message;
    int fds[HANDOVER_MAX];
    unsigned fds_count;
    bool starved; /* not all have come, or they are the last: this process has no more */
};

/* 0 or -errno, as handover_receive(). */
static int receive(int inbox, struct received *ret)
{
    union handover_control control;
    struct iovec iov = { &ret->message, sizeof(ret->message) };
    struct msghdr header = { .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room) };
    ssize_t n;
    do
        n = recvmsg(inbox, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    ret->fds_count = 0;
    ret->starved = (header.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&header); at != NULL; at = CMSG_NXTHDR(&header, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        CHECK(count <= HANDOVER_MAX - ret->fds_count);
        memcpy(ret->fds + ret->fds_count, CMSG_DATA(at), count * sizeof(int));
        ret->fds_count += (unsigned)count;
    }
    if (n == 0)
        return -EPIPE;
    if ((size_t)n < sizeof(ret->message.head))
        ret->message.head = (struct handover_head){ 0 };
    size_t records =
        ((size_t)n - offsetof(struct handover_message, records)) / sizeof(struct handover_record);
    /* What is not whole, or of a version that is not known, is all refused. */
    if (ret->message.head.version != HANDOVER_VERSION || ret->message.head.count > HANDOVER_MAX ||
        ret->message.head.count != records)
        ret->message.head.count = 0;
    return 0;
}

static bool decode(const struct handover_record *record, const struct config *config,
                   struct session_moved *ret_state)
{
    if (record->address < 0 || (size_t)record->address >= config->listens_count ||
        (record->flags & ~(uint32_t)HANDOVER_FLAGS) != 0 || record->family > PEER_IPV6)
        return false;
    *ret_state = (struct session_moved){ .listen = &config->listens[record->address],
                                         .peer = { .family = record->family, .port = record->port },
                                         .requests = record->requests,
                                         .since_ms = record->since_ms,
                                         .flags = record->flags };
    memcpy(ret_state->peer.addr, record->addr, sizeof(record->addr));
    bool due = (record->flags & HANDOVER_HEADER_DUE) != 0;
    return !ret_state->listen->tls && (!due || ret_state->listen->proxy_protocol);
}

/* Numbers of descriptors from here on are left free: a server without any cannot even open files.
 * The kernel gives the lowest one, so there are no more than these. */
static int numbers_end(void)
{
    struct rlimit limit;
    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t end = limit.rlim_cur < INT_MAX ? limit.rlim_cur : INT_MAX;
    return end > HANDOVER_SPARE ? (int)(end - HANDOVER_SPARE) : 0;
}

/* Chooses whom to take; `ret_taken` says so, too. Their number. */
static unsigned choose(struct received *received, const struct config *config, unsigned room,
                       struct handover_conn *ret_conns, uint64_t *ret_taken)
{
    unsigned n = 0;
    int end = numbers_end();
    *ret_taken = 0;
    for (unsigned i = 0; i < received->message.head.count && i < received->fds_count; i++) {
        received->starved |= received->fds[i] >= end;
        if (n < room && received->fds[i] < end &&
            decode(&received->message.records[i], config, &ret_conns[n].state)) {
            ret_conns[n++].fd = received->fds[i];
            *ret_taken |= (uint64_t)1 << i;
        }
    }
    return n;
}

static bool acknowledge(int inbox, uint64_t number, uint64_t taken)
{
    const struct handover_ack ack = { .version = HANDOVER_VERSION,
                                      .number = number,
                                      .taken = taken };
    ssize_t n;
    do
        n = send(inbox, &ack, sizeof(ack), MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(ack);
}

/* The status flags are those of the socket, which the sender has set for itself. */
static void set_flags(int fd, bool nonblocking)
{
    MUST(fcntl(fd, F_SETFL, nonblocking ? O_NONBLOCK : 0) == 0);
}

int handover_receive(int inbox, const struct config *config, unsigned room, bool nonblocking,
                     struct handover_conn *ret_conns)
{
    struct received received = { .fds_count = 0 };
    uint64_t taken;
    int res = receive(inbox, &received);
    if (res < 0)
        return res;
    unsigned n = choose(&received, config, room, ret_conns, &taken);
    if (received.starved)
        log_repeated(LOG_ERROR, "handover", EMFILE,
                     "not all connections of a predecessor can be taken: descriptors run out; it "
                     "serves them on; raise the limit (ulimit -n, LimitNOFILE= of systemd)");
    bool acknowledged = acknowledge(inbox, received.message.head.number, taken);
    if (!acknowledged) {
        taken = 0; /* he has gone on without us: they are his */
        n = 0;
    }
    for (unsigned i = 0; i < received.fds_count; i++) {
        if (!(taken >> i & 1))
            close(received.fds[i]);
    }
    for (unsigned i = 0; i < n; i++)
        set_flags(ret_conns[i].fd, nonblocking);
    return (int)n;
}

/* fd_slot.c: see fd_slot.h. */
#include "core/fd_slot.h"

#include "core/check.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int))];
};

int fd_slot_open(struct fd_slot *slot)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    *slot = (struct fd_slot){ .in = ends[0], .out = ends[1] };
    return 0;
}

/* Receives the first message. Its descriptor, or -errno. */
static int receive(const struct fd_slot *slot, int flags)
{
    union control control;
    char octet;
    struct iovec data = { &octet, 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t len;
    int fd;

    do
        len = recvmsg(slot->out, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return errno == EAGAIN ? -ENOENT : -errno;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_len != CMSG_LEN(sizeof fd))
        return -EMFILE; /* there was no number for it (MSG_CTRUNC) */
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

static int send_fd(const struct fd_slot *slot, int fd)
{
    union control control = { .room = { 0 } };
    char octet = 0;
    struct iovec data = { &octet, 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(slot->in, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int fd_slot_put(const struct fd_slot *slot, int fd)
{
    int before = receive(slot, MSG_PEEK); /* is there one to be taken out? */
    int error = send_fd(slot, fd);

    if (before >= 0 && error == 0) {
        int old = receive(slot, 0);
        if (old >= 0)
            close(old);
    }
    if (before >= 0)
        close(before);
    return error;
}

int fd_slot_get(const struct fd_slot *slot)
{
    return receive(slot, MSG_PEEK);
}

void fd_slot_only_get(struct fd_slot *slot)
{
    if (slot->in >= 0)
        close(slot->in);
    slot->in = -1;
}

void fd_slot_close(struct fd_slot *slot)
{
    fd_slot_only_get(slot);
    if (slot->out >= 0)
        close(slot->out);
    slot->out = -1;
}

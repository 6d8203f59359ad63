/* ktls.c: kTLS on a socket. See ktls.h. */
#include "engines/ktls.h"

#include "core/check.h"
#include "core/stats.h"

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

static const char upper_layer[] = "tls";

int ktls_probe(char *why, size_t why_size)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int res = fd < 0 ? -errno : 0;
    /* Found, it is refused to a socket that is not connected. */
    if (res == 0 && setsockopt(fd, IPPROTO_TCP, TCP_ULP, upper_layer, sizeof(upper_layer)) != 0)
        res = errno == ENOTCONN ? 0 : -errno;
    if (fd >= 0)
        close(fd);
    if (res == -ENOENT)
        snprintf(why, why_size,
                 "this kernel has no TLS module loaded: `modprobe tls` loads it, if there is one");
    else if (res < 0)
        snprintf(why, why_size, "setsockopt(TCP_ULP, \"tls\"): %s", strerror(-res));
    return res;
}

int ktls_begin(int fd, const void *info, size_t size)
{
    if (size == 0)
        return -EOPNOTSUPP;
    if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, upper_layer, sizeof(upper_layer)) != 0 &&
        errno != EEXIST)
        return -errno;
    return setsockopt(fd, SOL_TLS, TLS_TX, info, (socklen_t)size) == 0 ? 0 : -errno;
}

ssize_t ktls_send_record(int fd, const struct send_plan *plan)
{
    CHECK(plan->record_type != 0 && plan->file_len == 0);
    union {
        struct cmsghdr align;
        char octets[CMSG_SPACE(sizeof(plan->record_type))];
    } control = { .octets = { 0 } };
    /* The kernel does not write through msg_iov when it sends. */
    struct msghdr msg = { .msg_iov = (struct iovec *)plan->iov,
                          .msg_iovlen = (size_t)plan->iovcnt,
                          .msg_control = control.octets,
                          .msg_controllen = sizeof(control.octets) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
    header->cmsg_level = SOL_TLS;
    header->cmsg_type = TLS_SET_RECORD_TYPE;
    header->cmsg_len = CMSG_LEN(sizeof(plan->record_type));
    memcpy(CMSG_DATA(header), &plan->record_type, sizeof(plan->record_type));
    msg.msg_controllen = header->cmsg_len;
    stats_count(STATS_CALL_SEND);
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? -errno : n;
}

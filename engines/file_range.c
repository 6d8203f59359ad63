/* file_range.c: see file_range.h.
 *
 * sendfile(2) pushes what it has when it returns, so that each piece of a long file would end in a
 * short segment, which the receiver acknowledges like a long one: a tenth of the cost of 64 MiB.
 * Two system calls a long answer are less. A socket that is not TCP's has no cork, and needs none.
 */
#include "engines/file_range.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

bool file_range_cached(int file_fd, off_t off)
{
    char octet;
    struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
    return preadv2(file_fd, &iov, 1, off, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

static void set_cork(int socket_fd, bool *corked, bool wanted)
{
    int value = wanted;
    if (*corked == wanted)
        return;
    (void)setsockopt(socket_fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
    *corked = wanted;
}

void file_range_cork(int socket_fd, const struct send_plan *plan, size_t len, bool *corked)
{
    if (plan->file_len > len)
        set_cork(socket_fd, corked, true);
}

void file_range_uncork(int socket_fd, bool *corked)
{
    set_cork(socket_fd, corked, false);
}

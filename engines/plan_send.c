/* plan_send.c: carries out a send plan on a stream socket, with as few system calls as it takes:
 * one for memory, two for memory and a file.
 *
 * Knows nothing of connections; its callers decide when and how much. sendfile(2) raises SIGPIPE
 * and has no flag against it, so the process must ignore that signal. */
#include "engines/plan_send.h"

#include "core/check.h"
#include "core/stats.h"
#include "engines/file_range.h"
#include "engines/file_send.h"
#include "engines/ktls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* send(2) is cheaper than sendmsg(2) by the copy of the message header, and most answers are one
 * piece. */
static ssize_t send_memory(int fd, const struct send_plan *plan, int flags)
{
    ssize_t n;
    stats_count(STATS_CALL_SEND);
    if (plan->iovcnt == 1) {
        n = send(fd, plan->iov[0].iov_base, plan->iov[0].iov_len, flags);
    } else {
        /* The kernel does not write through msg_iov when it sends. */
        struct msghdr msg = { .msg_iov = (struct iovec *)plan->iov,
                              .msg_iovlen = (size_t)plan->iovcnt };
        n = sendmsg(fd, &msg, flags);
    }
    return n < 0 ? -errno : n;
}

ssize_t plan_send(int fd, const struct send_plan *plan, size_t file_max, bool *corked,
                  bool *ret_full)
{
    bool has_file = plan->file_fd >= 0 && plan->file_len > 0;
    size_t memory = send_plan_memory(plan);
    CHECK(memory > 0 || has_file);
    CHECK(file_max > 0);
    *ret_full = false;

    if (plan->record_type != 0) {
        ssize_t n = ktls_send_record(fd, plan);
        *ret_full = n == -EAGAIN;
        return n;
    }
    if (memory > 0) {
        int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (has_file || plan->more ? MSG_MORE : 0);
        ssize_t n = send_memory(fd, plan, flags);
        /* Fewer octets than offered: the socket is full, and tcp_sendmsg() has set SOCK_NOSPACE, so
         * an EPOLLOUT edge follows once a third of the buffer is free (unix sockets do the same):
         * there is no need to hear EAGAIN first. */
        *ret_full = n == -EAGAIN || (n >= 0 && (size_t)n < memory);
        if (!has_file || n < 0 || *ret_full)
            return n;
    }

    /* A short count does not mean a full socket here: the page cache or the pipe inside may have
     * ended it. The caller tries again and gets EAGAIN if it was the socket. */
    file_range_cork(fd, plan, file_max, corked);
    ssize_t n =
        file_send(fd, plan, plan->file_len < file_max ? plan->file_len : file_max, ret_full);
    if (n == (ssize_t)plan->file_len)
        file_range_uncork(fd, corked);
    if (memory > 0) /* an error or the file's end comes again, and is told then */
        return (ssize_t)memory + (n > 0 ? n : 0);
    return n;
}

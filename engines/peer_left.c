/* peer_left.c: see peer_left.h. */
#include "engines/peer_left.h"

#include "core/file_job.h"

#include <poll.h>

bool peer_left_slice(int fd, const struct file_job *job)
{
    struct pollfd polled = { .fd = fd };
    return file_job_is_slice(job) && poll(&polled, 1, 0) == 1 &&
           (polled.revents & (POLLERR | POLLHUP)) != 0;
}

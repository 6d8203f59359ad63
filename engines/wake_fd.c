/* wake_fd.c: see wake_fd.h. */
#include "engines/wake_fd.h"

#include "core/advice.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wake_fd_open(int flags)
{
    int fd = eventfd(0, EFD_CLOEXEC | flags);
    if (fd >= 0)
        return fd;
    return errno == EACCES ? -EPERM : -errno; /* a filter's choice; no path is to blame */
}

void wake_fd_explain(int error, char *why, size_t why_size)
{
    bool forbidden = error == -EPERM || error == -ENOSYS;
    snprintf(why, why_size, "eventfd(2), which every engine needs, is refused: %s%s",
             strerror(-error),
             forbidden ? "; allow eventfd2 in the seccomp filter of the container or service"
                       : advice_on(-error));
}

void wake_fd_wake(int fd)
{
    int saved = errno;
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(fd, &one, sizeof(one));
    while (n < 0 && errno == EINTR);
    errno = saved;
}

void wake_fd_clear(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n; /* empty (EAGAIN): somebody has read it already */
}

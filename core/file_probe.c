/* file_probe.c: tries each call once, on what every system has. */
#include "core/file_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int probe_openat2(unsigned long long resolve)
{
    struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    long fd = syscall(SYS_openat2, root, ".", &how, sizeof(how));
    int res = fd < 0 ? -errno : 0;
    if (fd >= 0)
        close((int)fd);
    close(root);
    return res;
}

int file_probe_beneath(void)
{
    return probe_openat2(RESOLVE_BENEATH);
}

int file_probe_cached(void)
{
#ifdef RESOLVE_CACHED
    int res = probe_openat2(RESOLVE_BENEATH | RESOLVE_CACHED);
    return res == -EAGAIN ? 0 : res; /* it is known, and would have had to wait */
#else
    return -ENOSYS;
#endif
}

int file_probe_open(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int file_probe_nowait(int fd)
{
    char octet;
    struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
    ssize_t n = preadv2(fd, &iov, 1, 0, RWF_NOWAIT);
    return n < 0 && errno != EAGAIN ? -errno : 0;
}

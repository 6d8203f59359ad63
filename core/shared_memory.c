/* shared_memory.c: see shared_memory.h. */
#include "core/shared_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* since Linux 6.3 */
#endif

static bool keeps_descriptors;

void shared_memory_keep_descriptors(void)
{
    keeps_descriptors = true;
}

static void *map(int fd, size_t size)
{
    int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

/* -1: there is none (an old kernel, a filter of system calls, RLIMIT_FSIZE). */
static int make_descriptor(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void *shared_memory_make(const char *name, size_t size, int *ret_fd)
{
    int fd = keeps_descriptors && ret_fd != NULL ? make_descriptor(name, size) : -1;
    void *memory = map(fd, size);

    if (memory == NULL && fd >= 0) {
        int error = errno;
        close(fd);
        errno = error;
        return NULL;
    }
    if (ret_fd != NULL)
        *ret_fd = fd;
    return memory;
}

int64_t shared_memory_size(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 ? (int64_t)info.st_size : -errno;
}

void *shared_memory_map(int fd, size_t size)
{
    int64_t there = shared_memory_size(fd);

    if (there != (int64_t)size) {
        errno = there < 0 ? (int)-there : EPROTO;
        return NULL;
    }
    return map(fd, size);
}

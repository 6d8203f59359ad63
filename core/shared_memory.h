/* shared_memory.h: memory that processes share which are forked after it was made, and, where its
 * descriptor is kept, also a program that is executed in place of this one (memfd_create(2)). */
#ifndef CORE_SHARED_MEMORY_H
#define CORE_SHARED_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* From now on descriptors are kept: this process may execute another binary, and hand them on.
 * Until then, memory has none, and costs none. */
void shared_memory_keep_descriptors(void);

/* Makes `size` bytes of zeros; `name` shows in /proc/PID/maps. The memory, for munmap(2), and in
 * *ret_fd a descriptor that the caller owns, or -1: none is kept, or this system grants none.
 * `ret_fd` NULL: no other program is to come to it, and it has none. NULL: errno tells why. */
void *shared_memory_make(const char *name, size_t size, int *ret_fd);

/* The size of such memory in bytes, or -errno. */
int64_t shared_memory_size(int fd);

/* Maps memory that another program of this process has made; the descriptor stays the caller's.
 * NULL: errno tells why: EPROTO where it does not have `size` bytes. */
void *shared_memory_map(int fd, size_t size);

#endif

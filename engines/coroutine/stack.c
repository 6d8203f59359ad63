/* stack.c: one mapping for all stacks. A guard is a marker in the page table where the kernel has
 * it (madvise(2), MADV_GUARD_INSTALL, Linux 6.13), since a guard by mprotect(2) is a mapping of its
 * own, of which a process may have sysctl vm.max_map_count, 65,530. */
#include "engines/coroutine/stack.h"

#include "core/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

struct stacks {
    unsigned char *base;
    size_t count, page;
};

static int guard(void *at, size_t page)
{
    if (madvise(at, page, MADV_GUARD_INSTALL) == 0 || mprotect(at, page, PROT_NONE) == 0)
        return 0;
    return -errno;
}

int stacks_create(size_t count, char *why, size_t why_size, struct stacks **ret_stacks)
{
    struct stacks *stacks = calloc(1, sizeof(*stacks));
    int res = -ENOMEM;
    if (stacks == NULL) {
        snprintf(why, why_size, "out of memory");
        return res;
    }
    stacks->count = count;
    stacks->page = (size_t)sysconf(_SC_PAGESIZE);
    stacks->base = mmap(NULL, count * STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks->base == MAP_FAILED) {
        res = -errno;
        snprintf(
            why, why_size,
            "no address space for the stacks of connections_max = %zu coroutines (%zu MiB): %s; "
            "lower it, or allow more (ulimit -v)",
            count, count * STACK_SIZE >> 20, strerror(-res));
        free(stacks);
        return res;
    }
    /* A huge page would make a small stack cost 2 MiB. */
    madvise(stacks->base, count * STACK_SIZE, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < count; i++) {
        res = guard(stacks->base + i * STACK_SIZE, stacks->page);
        if (res == 0)
            continue;
        snprintf(
            why, why_size,
            "no guard for the stack of each of connections_max = %zu coroutines: %s; lower it, or "
            "raise the sysctl vm.max_map_count",
            count, strerror(-res));
        stacks_destroy(stacks);
        return res;
    }
    *ret_stacks = stacks;
    return 0;
}

void stacks_destroy(struct stacks *stacks)
{
    if (stacks == NULL)
        return;
    MUST(munmap(stacks->base, stacks->count * STACK_SIZE) == 0);
    free(stacks);
}

void *stack_at(const struct stacks *stacks, size_t index, size_t *ret_size)
{
    CHECK(index < stacks->count);
    *ret_size = STACK_SIZE - stacks->page;
    return stacks->base + index * STACK_SIZE + stacks->page;
}

void stack_trim(const struct stacks *stacks, size_t index, const void *used_from)
{
    CHECK(index < stacks->count);
    unsigned char *bottom = stacks->base + index * STACK_SIZE + stacks->page;
    unsigned char *top = stacks->base + (index + 1) * STACK_SIZE;
    const unsigned char *used = used_from;
    CHECK(used == NULL || (used >= bottom && used <= top));
    if (used == NULL || used > top - STACK_KEPT)
        used = top - STACK_KEPT;
    size_t length = (size_t)(used - bottom) & ~(stacks->page - 1);
    if (length > 0)
        madvise(bottom, length, MADV_DONTNEED);
}

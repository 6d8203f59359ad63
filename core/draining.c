/* draining.c: see draining.h. */
#include "core/draining.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

static atomic_bool of_process;
static atomic_bool *begun = &of_process;

void draining_share(void)
{
    void *mem =
        mmap(NULL, sizeof(*begun), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        return;
    atomic_bool *shared = mem;
    atomic_init(shared, draining_has_begun());
    begun = shared;
}

void draining_begin(void)
{
    atomic_store(begun, true);
}

bool draining_has_begun(void)
{
    return atomic_load(begun);
}

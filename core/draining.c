/* draining.c: see draining.h. */
#include "core/draining.h"

#include "core/shared_memory.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_bool of_process;
static atomic_bool *begun = &of_process;

void draining_share(void)
{
    atomic_bool *shared = shared_memory_make("gearshift-draining", sizeof(*begun), NULL);
    if (shared == NULL)
        return;
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

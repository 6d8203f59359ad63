/* draws.c: see draws.h. A counter under a keyed hash, in a page of its own that a fork empties. */
#include "core/draws.h"

#include "core/check.h"
#include "core/siphash.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/random.h>

struct draws {
    bool keyed; /* false again in a process that is forked */
    uint64_t key[2];
    uint64_t count;
};

int draws_create(struct draws **ret_draws)
{
    struct draws *d =
        mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (d == MAP_FAILED)
        return -errno;
    if (madvise(d, sizeof(*d), MADV_WIPEONFORK) != 0) { /* Linux 4.14 */
        int error = -errno;
        munmap(d, sizeof(*d));
        return error;
    }
    *ret_draws = d;
    return 0;
}

static void find_key(struct draws *d)
{
    ssize_t n;

    do
        n = getrandom(d->key, sizeof(d->key), 0);
    while (n < 0 && errno == EINTR);
    MUST(n == (ssize_t)sizeof(d->key)); /* so few octets come at once, random(4) */
    d->keyed = true;
}

uint64_t draws_next(struct draws *d)
{
    if (!d->keyed)
        find_key(d);
    d->count++;
    return siphash(d->key, &d->count, sizeof(d->count), 2, 4);
}

void draws_destroy(struct draws *d)
{
    if (d != NULL)
        munmap(d, sizeof(*d));
}

/* loop_inbox.c: a ring with one giver and one taker. Each side writes its own counter only; they
 * count on for ever, and their difference is what waits. */
#include "engines/reactor/loop_inbox.h"

#include "core/check.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOP_INBOX_MAGIC 0x1001b0c5u

enum { CACHE_LINE = 64 };

struct loop_inbox {
    unsigned magic; /* LOOP_INBOX_MAGIC */
    unsigned mask;  /* size - 1 */
    struct loop_arrival *arrivals;
    atomic_bool ended;
    _Alignas(CACHE_LINE) atomic_uint given; /* the giver's */
    _Alignas(CACHE_LINE) atomic_uint taken; /* the taker's */
    _Alignas(CACHE_LINE) atomic_bool woken; /* the taker was woken, and has not looked since */
};

int loop_inbox_create(unsigned size, struct loop_inbox **ret_inbox)
{
    CHECK(size > 0 && (size & (size - 1)) == 0);
    struct loop_inbox *inbox = aligned_alloc(CACHE_LINE, sizeof(*inbox));
    struct loop_arrival *arrivals = calloc(size, sizeof(*arrivals));
    if (inbox == NULL || arrivals == NULL) {
        free(arrivals);
        free(inbox);
        return -ENOMEM;
    }
    *inbox =
        (struct loop_inbox){ .magic = LOOP_INBOX_MAGIC, .mask = size - 1, .arrivals = arrivals };
    *ret_inbox = inbox;
    return 0;
}

void loop_inbox_destroy(struct loop_inbox *inbox)
{
    if (inbox == NULL)
        return;
    CHECK_OBJ(inbox, LOOP_INBOX_MAGIC);
    struct loop_arrival arrival;
    while (loop_inbox_take(inbox, &arrival))
        close(arrival.fd);
    inbox->magic = 0;
    free(inbox->arrivals);
    free(inbox);
}

unsigned loop_inbox_room(const struct loop_inbox *inbox)
{
    unsigned given = atomic_load_explicit(&inbox->given, memory_order_relaxed);
    return inbox->mask + 1 - (given - atomic_load_explicit(&inbox->taken, memory_order_acquire));
}

bool loop_inbox_has_room(const struct loop_inbox *inbox)
{
    return loop_inbox_room(inbox) > 0;
}

bool loop_inbox_give(struct loop_inbox *inbox, const struct loop_arrival *arrival)
{
    CHECK(loop_inbox_has_room(inbox));
    unsigned given = atomic_load_explicit(&inbox->given, memory_order_relaxed);
    inbox->arrivals[given & inbox->mask] = *arrival;
    atomic_store_explicit(&inbox->given, given + 1, memory_order_release);
    return !atomic_exchange(&inbox->woken, true);
}

void loop_inbox_end(struct loop_inbox *inbox)
{
    atomic_store(&inbox->ended, true);
}

static bool is_empty(const struct loop_inbox *inbox)
{
    unsigned taken = atomic_load_explicit(&inbox->taken, memory_order_relaxed);
    return atomic_load_explicit(&inbox->given, memory_order_acquire) == taken;
}

bool loop_inbox_take(struct loop_inbox *inbox, struct loop_arrival *ret_arrival)
{
    /* Before saying that there is nothing, so that what is given from here on wakes. Exchanged, not
     * stored: what was given before the last wake-up that this swallows is then seen. */
    if (is_empty(inbox) && (!atomic_load_explicit(&inbox->woken, memory_order_relaxed) ||
                            !atomic_exchange(&inbox->woken, false) || is_empty(inbox)))
        return false;
    unsigned taken = atomic_load_explicit(&inbox->taken, memory_order_relaxed);
    *ret_arrival = inbox->arrivals[taken & inbox->mask];
    atomic_store_explicit(&inbox->taken, taken + 1, memory_order_release);
    return true;
}

bool loop_inbox_ended(const struct loop_inbox *inbox)
{
    return atomic_load(&inbox->ended) && is_empty(inbox);
}

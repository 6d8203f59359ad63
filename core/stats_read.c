/* stats_read.c: see stats_read.h. */
#include "core/stats_read.h"

#include "core/stats_region.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static bool has_states(const struct stats_slot *slot)
{
    for (size_t i = STATS_READING; i < STATS_ACCEPTED; i++)
        if (stats_get(&slot->counters[i]) != 0)
            return true;
    return false;
}

/* Who waits for a process that was killed forgets it; a worker's children may have nobody left who
 * does. */
static void forget_the_dead(size_t used)
{
    for (size_t i = 0; i < used && i < stats_region->count - 1; i++) {
        const struct stats_slot *slot = &stats_region->slots[i];
        int process = atomic_load(&slot->process);
        bool counts = atomic_load(&slot->owner) != 0 || has_states(slot);
        if (process > 0 && counts && kill(process, 0) < 0 && errno == ESRCH)
            stats_forget_process(process);
    }
}

static void add_times(struct histogram *sum, const struct stats_times *times)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum->buckets[i] += stats_get(&times->buckets[i]);
    sum->sum += stats_get(&times->sum);
}

static void add_slot(struct stats_sums *sums, const struct stats_slot *slot)
{
    for (size_t i = 0; i < STATS_COUNTERS; i++)
        sums->counters[i] += stats_get(&slot->counters[i]);
    for (size_t i = 0; i < STATS_SERVERS; i++) {
        sums->servers[i].requests += stats_get(&slot->servers[i].requests);
        sums->servers[i].body_bytes += stats_get(&slot->servers[i].body_bytes);
    }
    for (size_t i = 0; i < STATS_LISTENS; i++)
        sums->listens[i] += stats_get(&slot->listens[i]);
    for (size_t i = 0; i < STATS_TIMES; i++)
        add_times(&sums->times[i], &slot->times[i]);
}

void stats_read(struct stats_sums *ret_sums)
{
    memset(ret_sums, 0, sizeof(*ret_sums));
    if (stats_region == NULL)
        return;
    stats_tick();
    ret_sums->started_s = stats_region->started_s;
    size_t used = atomic_load(&stats_region->used);
    forget_the_dead(used);
    for (size_t i = 0; i < used; i++)
        add_slot(ret_sums, &stats_region->slots[i]);
    ret_sums->cpu_ns = stats_cpu_read();
    /* Seen in the middle of a change, or moved by a thread that was read before: none, not 2^64. */
    for (size_t i = STATS_READING; i < STATS_ACCEPTED; i++)
        if ((int64_t)ret_sums->counters[i] < 0)
            ret_sums->counters[i] = 0;
}

uint64_t stats_connections(void)
{
    size_t used = stats_region == NULL ? 0 : atomic_load(&stats_region->used);
    uint64_t sum =
        0; /* a state of one slot may be below 0, the sum is not, but in the middle of a change */

    for (size_t i = 0; i < used; i++)
        for (size_t state = STATS_READING; state <= STATS_CLOSING; state++)
            sum += stats_get(&stats_region->slots[i].counters[state]);
    return (int64_t)sum < 0 ? 0 : sum;
}

size_t stats_threads(struct stats_thread *ret_threads, size_t max)
{
    size_t used = stats_region == NULL ? 0 : atomic_load(&stats_region->used), count = 0;

    for (size_t i = 0; i < used && count < max; i++) {
        const struct stats_slot *slot = &stats_region->slots[i];
        int owner = atomic_load_explicit(&slot->owner, memory_order_relaxed);
        if (owner > 0)
            ret_threads[count++] =
                (struct stats_thread){ owner,
                                       atomic_load_explicit(&slot->thread, memory_order_relaxed),
                                       stats_get(&slot->cpu_ns) };
    }
    return count;
}

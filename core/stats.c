/* stats.c: the region, who has which slot, and the sums. See stats.h. */
#include "core/stats.h"

#include "core/check.h"
#include "core/shared_memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct region {
    uint64_t layout;     /* layout() of who has made it */
    size_t count;        /* of slots; the last one is shared */
    _Atomic size_t used; /* the first so many have ever been taken: nobody looks at the others */
    int64_t started_s;
    struct stats_slot slots[];
};

static struct region *region;
static int region_fd = -1; /* -1: none is kept */
static struct stats_slot nowhere = { .shared = true };
static pthread_key_t ends; /* its destructor gives a thread's slot back */

_Thread_local struct stats_slot *stats_mine;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) < 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void on_end(void *slot)
{
    (void)slot;
    stats_leave();
}

/* The child is another thread. */
static void on_fork(void)
{
    stats_mine = NULL;
}

/* Two binaries with the same number mean the same with each byte of a slot. */
static uint64_t layout(void)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    const struct stats_family *family;

    for (size_t i = 0; (family = stats_family_at(i)) != NULL; i++) {
        for (const char *at = family->name; *at != '\0'; at++)
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
        hash = (hash ^ (uint64_t)family->first ^ (uint64_t)family->count << 16) *
               UINT64_C(1099511628211);
    }
    return hash ^ sizeof(struct stats_slot);
}

static size_t region_size(size_t slots)
{
    return sizeof(*region) + (slots + 1) * sizeof(region->slots[0]);
}

/* 0 or -errno. */
static int watch_threads(void)
{
    int error = pthread_key_create(&ends, on_end);

    if (error == 0)
        error = pthread_atfork(NULL, NULL, on_fork);
    return -error;
}

int stats_create(size_t slots)
{
    int fd = -1;

    CHECK(region == NULL && slots > 0);
    struct region *made = shared_memory_make("gearshift-stats", region_size(slots), &fd);
    if (made == NULL)
        return -errno;
    int error = watch_threads();
    if (error < 0) {
        munmap(made, region_size(slots));
        if (fd >= 0)
            close(fd);
        return error;
    }
    made->layout = layout();
    made->count = slots + 1;
    made->slots[slots].shared = true;
    made->started_s = (int64_t)time(NULL);
    stats_mine = NULL; /* what was counted before went nowhere */
    region = made;
    region_fd = fd;
    return 0;
}

int stats_memory(void)
{
    return region_fd;
}

void stats_forget_memory(void)
{
    if (region_fd >= 0)
        close(region_fd);
    region_fd = -1;
}

int stats_adopt(int memory, size_t slots)
{
    CHECK(region == NULL && slots > 0);
    struct region *found = shared_memory_map(memory, region_size(slots));
    int error = found == NULL ? -errno : 0;
    if (error == 0 && (found->layout != layout() || found->count != slots + 1))
        error = -EPROTO;
    if (error == 0)
        error = watch_threads();
    if (error < 0) {
        if (found != NULL)
            munmap(found, region_size(slots));
        close(memory);
        return error;
    }
    stats_mine = NULL;
    region = found;
    region_fd = memory;
    return 0;
}

/* Is its owner a process that has ended without a word? Then its connections have ended, too. */
static bool is_orphan(struct stats_slot *slot, int owner)
{
    if (owner == 0 || kill(owner, 0) == 0 || errno != ESRCH)
        return false;
    for (size_t i = STATS_READING; i <= STATS_CLOSING; i++)
        atomic_store_explicit(&slot->counters[i], 0, memory_order_relaxed);
    return true;
}

static bool take(struct stats_slot *slot, int owner)
{
    if (!atomic_compare_exchange_strong(&slot->owner, &owner, (int)getpid()))
        return false;
    slot->cpu_before_ns = atomic_load_explicit(&slot->cpu_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->thread, (int)gettid(), memory_order_relaxed);
    return true;
}

static struct stats_slot *find_slot(void)
{
    size_t own = region->count - 1;

    for (size_t i = 0; i < own; i++)
        if (atomic_load_explicit(&region->slots[i].owner, memory_order_relaxed) == 0 &&
            take(&region->slots[i], 0))
            return &region->slots[i];
    for (size_t i = 0; i < own; i++) {
        int owner = atomic_load_explicit(&region->slots[i].owner, memory_order_relaxed);
        if (is_orphan(&region->slots[i], owner) && take(&region->slots[i], owner))
            return &region->slots[i];
    }
    return &region->slots[own];
}

struct stats_slot *stats_take(void)
{
    if (region == NULL)
        return &nowhere; /* not remembered: the region may come */
    struct stats_slot *slot = find_slot();
    size_t used = (size_t)(slot - region->slots) + 1;
    size_t known = atomic_load(&region->used);
    while (known < used && !atomic_compare_exchange_weak(&region->used, &known, used)) {
    }
    /* Without memory for it the slot is not given back, and its numbers stay all the same. */
    (void)pthread_setspecific(ends, slot);
    stats_mine = slot;
    return slot;
}

void stats_tick(void)
{
    struct stats_slot *slot = stats_mine;

    if (slot != NULL && !slot->shared)
        atomic_store_explicit(&slot->cpu_ns,
                              slot->cpu_before_ns + clock_ns(CLOCK_THREAD_CPUTIME_ID),
                              memory_order_relaxed);
}

void stats_leave(void)
{
    struct stats_slot *slot = stats_mine;

    if (slot == NULL)
        return;
    stats_mine = NULL;
    if (slot->shared) {
        atomic_fetch_add_explicit(&slot->cpu_ns, clock_ns(CLOCK_THREAD_CPUTIME_ID),
                                  memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&slot->cpu_ns, slot->cpu_before_ns + clock_ns(CLOCK_THREAD_CPUTIME_ID),
                          memory_order_relaxed);
    atomic_store(&slot->owner, 0);
}

/* ---- readers ---- */

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_times(struct histogram *sum, const struct stats_times *times)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum->buckets[i] += get(&times->buckets[i]);
    sum->sum += get(&times->sum);
}

static void add_slot(struct stats_sums *sums, const struct stats_slot *slot)
{
    for (size_t i = 0; i < STATS_COUNTERS; i++)
        sums->counters[i] += get(&slot->counters[i]);
    for (size_t i = 0; i < STATS_SERVERS; i++) {
        sums->servers[i].requests += get(&slot->servers[i].requests);
        sums->servers[i].body_bytes += get(&slot->servers[i].body_bytes);
    }
    for (size_t i = 0; i < STATS_LISTENS; i++)
        sums->listens[i] += get(&slot->listens[i]);
    for (size_t i = 0; i < STATS_TIMES; i++)
        add_times(&sums->times[i], &slot->times[i]);
    sums->cpu_ns += get(&slot->cpu_ns);
}

void stats_read(struct stats_sums *ret_sums)
{
    memset(ret_sums, 0, sizeof(*ret_sums));
    if (region == NULL)
        return;
    stats_tick();
    ret_sums->started_s = region->started_s;
    size_t used = atomic_load(&region->used);
    for (size_t i = 0; i < used; i++)
        add_slot(ret_sums, &region->slots[i]);
    /* Seen in the middle of a change, or moved by a thread that was read before: none, not 2^64. */
    for (size_t i = STATS_READING; i <= STATS_CLOSING; i++)
        if ((int64_t)ret_sums->counters[i] < 0)
            ret_sums->counters[i] = 0;
}

size_t stats_threads(struct stats_thread *ret_threads, size_t max)
{
    size_t used = region == NULL ? 0 : atomic_load(&region->used), count = 0;

    for (size_t i = 0; i < used && count < max; i++) {
        const struct stats_slot *slot = &region->slots[i];
        int owner = atomic_load_explicit(&slot->owner, memory_order_relaxed);
        if (owner != 0)
            ret_threads[count++] = (struct stats_thread){
                owner, atomic_load_explicit(&slot->thread, memory_order_relaxed), get(&slot->cpu_ns)
            };
    }
    return count;
}

/* stats.c: the region, who has which slot, and the sums. See stats.h. */
#include "core/stats_region.h"

#include "core/check.h"
#include "core/shared_memory.h"
#include "core/stats_read.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct stats_region *stats_region;
static int region_fd = -1; /* -1: none is kept */
static struct stats_slot nowhere = { .shared = true };
static pthread_key_t ends; /* its destructor gives a thread's slot back */

_Thread_local struct stats_slot *stats_mine;

static void on_end(void *slot)
{
    (void)slot;
    stats_leave();
}

/* The child is another thread. */
static void on_fork(void)
{
    stats_mine = NULL;
    stats_cpu_forked();
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
    return hash ^ sizeof(struct stats_slot) ^ (uint64_t)sizeof(struct stats_region) << 32;
}

static size_t region_size(size_t slots)
{
    return sizeof(*stats_region) + (slots + 1) * sizeof(stats_region->slots[0]);
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

    CHECK(stats_region == NULL && slots > 0);
    struct stats_region *made = shared_memory_make("gearshift-stats", region_size(slots), &fd);
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
    stats_region = made;
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
    CHECK(stats_region == NULL && slots > 0);
    struct stats_region *found = shared_memory_map(memory, region_size(slots));
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
    stats_region = found;
    region_fd = memory;
    return 0;
}

/* Whose connections its states count, it may go on with; of others there must be none. */
static bool suits(const struct stats_slot *slot)
{
    if (atomic_load(&slot->process) == (int)getpid())
        return true;
    for (size_t i = STATS_READING; i < STATS_ACCEPTED; i++)
        if (stats_get(&slot->counters[i]) != 0)
            return false;
    return true;
}

static bool take(struct stats_slot *slot)
{
    int nobody = 0;

    if (atomic_load_explicit(&slot->owner, memory_order_relaxed) != 0 ||
        !atomic_compare_exchange_strong(&slot->owner, &nobody, -1))
        return false;
    bool taken = suits(slot);
    if (taken) {
        atomic_store(&slot->process, (int)getpid());
        atomic_store_explicit(&slot->thread, (int)gettid(), memory_order_relaxed);
        atomic_store_explicit(&slot->cpu_ns, 0, memory_order_relaxed);
    }
    atomic_store(&slot->owner, taken ? (int)getpid() : 0);
    return taken;
}

static struct stats_slot *find_slot(void)
{
    size_t own = stats_region->count - 1;

    for (size_t i = 0; i < own; i++)
        if (take(&stats_region->slots[i]))
            return &stats_region->slots[i];
    return &stats_region->slots[own];
}

struct stats_slot *stats_take(void)
{
    if (stats_region == NULL)
        return &nowhere; /* not remembered: the region may come */
    struct stats_slot *slot = find_slot();
    size_t used = (size_t)(slot - stats_region->slots) + 1;
    size_t known = atomic_load(&stats_region->used);
    while (known < used && !atomic_compare_exchange_weak(&stats_region->used, &known, used)) {
    }
    stats_cpu_join();
    /* Without memory for it the slot is not given back, and its numbers stay all the same. */
    (void)pthread_setspecific(ends, slot);
    stats_mine = slot;
    return slot;
}

void stats_tick(void)
{
    struct stats_slot *slot = stats_mine;

    if (slot == NULL)
        return;
    if (!slot->shared)
        atomic_store_explicit(&slot->cpu_ns, stats_clock_ns(CLOCK_THREAD_CPUTIME_ID),
                              memory_order_relaxed);
    stats_cpu_tick();
}

void stats_leave(void)
{
    struct stats_slot *slot = stats_mine;

    if (slot == NULL)
        return;
    stats_mine = NULL;
    if (!slot->shared)
        atomic_store(&slot->owner, 0);
}

void stats_leave_process(void)
{
    if (stats_region == NULL)
        return;
    stats_leave();
    stats_cpu_leave();
}

/* Its connections are closed, its caches gone, and nobody has counted that. */
static void close_all(struct stats_slot *slot)
{
    for (size_t i = STATS_READING; i < STATS_ACCEPTED; i++) {
        if (i <= STATS_CLOSING)
            stats_add_to(slot, &slot->counters[STATS_CLOSED], stats_get(&slot->counters[i]));
        atomic_store_explicit(&slot->counters[i], 0, memory_order_relaxed);
    }
}

void stats_forget_process(int process)
{
    CHECK(process > 0);
    size_t used = stats_region == NULL ? 0 : atomic_load(&stats_region->used);
    for (size_t i = 0; i < used && i < stats_region->count - 1; i++) {
        struct stats_slot *slot = &stats_region->slots[i];
        int owner = atomic_load(&slot->owner);
        if (atomic_load(&slot->process) != process || (owner != 0 && owner != process) ||
            !atomic_compare_exchange_strong(&slot->owner, &owner, -1))
            continue;
        if (atomic_load(&slot->process) == process)
            close_all(slot);
        atomic_store(&slot->owner, 0);
    }
    if (stats_region != NULL)
        stats_cpu_forget(process);
}

/* places.c: see places.h. */
#include "engines/blocking/places.h"

#include "core/check.h"
#include "engines/blocking/driver.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int places_create(struct places *places, unsigned count, size_t size, int wake_fd)
{
    size_t table = (count * sizeof(struct place) + 4095) & ~(size_t)4095;

    CHECK(count > 0);
    *places =
        (struct places){ .count = count, .size = (size + 63) & ~(size_t)63, .wake_fd = wake_fd };
    places->mapped = table + count * places->size;
    void *mem = mmap(NULL, places->mapped, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mem == MAP_FAILED)
        return -errno;
    int error = pthread_mutex_init(&places->mutex, NULL);
    if (error != 0) {
        munmap(mem, places->mapped);
        return -error;
    }
    places->all = mem;
    places->memory = (unsigned char *)mem + table;
    return 0;
}

void places_destroy(struct places *places)
{
    if (places->all == NULL)
        return;
    CHECK(places->used == 0);
    munmap(places->all, places->mapped);
    pthread_mutex_destroy(&places->mutex);
    places->all = NULL;
}

uint64_t place_now(void)
{
    struct timespec now;
    MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + 1;
}

static void lock(struct places *places)
{
    MUST(pthread_mutex_lock(&places->mutex) == 0);
}

static void unlock(struct places *places)
{
    MUST(pthread_mutex_unlock(&places->mutex) == 0);
}

struct place *places_take(struct places *places, int fd, const struct listen_config *listen,
                          const struct peer *peer)
{
    lock(places);
    struct place *place = places->free;
    if (place != NULL)
        places->free = place->next;
    else if (places->fresh < places->count)
        place = &places->all[places->fresh++];
    if (place != NULL) {
        places->used++;
        atomic_store(&place->idle_since, 0);
        atomic_store(&place->asks, 0);
        atomic_store(&place->shut, false);
        atomic_store(&place->waits, false);
        atomic_store(&place->tid, 0);
        place->moved = false;
        place->requests = 0;
        place->flags = 0;
        place->used = true;
        place->tcp = peer->family != PEER_UNIX;
        place->fd = fd;
        place->pid = 0;
        place->peer = *peer;
        place->listen = listen;
        place->next = NULL;
    }
    unlock(places);
    return place;
}

int places_give(struct places *places, struct place *place)
{
    lock(places);
    int fd = place->fd;
    CHECK(place->used && places->used > 0);
    place->used = false;
    place->fd = -1;
    atomic_store(&place->idle_since, 0);
    place->next = places->free;
    places->free = place;
    places->used--;
    if (places->awaited)
        wake_fd_wake(places->wake_fd);
    places->awaited = false;
    unlock(places); /* the last that is done with the table, which may be gone afterwards */
    return fd;
}

unsigned places_await(struct places *places)
{
    lock(places);
    places->awaited = true;
    unsigned used = places->used;
    unlock(places);
    return used;
}

bool places_awaited(struct places *places)
{
    lock(places);
    bool awaited = places->awaited;
    unlock(places);
    return awaited;
}

unsigned places_used(struct places *places)
{
    lock(places);
    unsigned used = places->used;
    unlock(places);
    return used;
}

struct place *places_longest_idle(const struct places *places)
{
    struct place *longest = NULL;
    uint64_t since = UINT64_MAX;

    for (unsigned i = 0; i < places->fresh; i++) {
        struct place *place = &places->all[i];
        uint64_t idle_since = atomic_load_explicit(&place->idle_since, memory_order_relaxed);
        if (idle_since != 0 && idle_since < since && atomic_load(&place->asks) == 0) {
            longest = place;
            since = idle_since;
        }
    }
    return longest;
}

/* A unix socket whose receiving side is shut takes nothing more: only who is idle is woken so. */
static void ask_locked(struct place *place, unsigned asks)
{
    atomic_fetch_or(&place->asks, asks);
    if (place->fd < 0)
        return;
    if (asks & DRIVER_ASK_STOP) {
        shutdown(place->fd, SHUT_RDWR);
    } else if (place->tcp || atomic_load(&place->idle_since) != 0) {
        atomic_store(&place->shut, true);
        shutdown(place->fd, SHUT_RD);
    }
}

void places_ask(struct places *places, struct place *place, unsigned asks)
{
    lock(places);
    if (place->used)
        ask_locked(place, asks);
    unlock(places);
}

void places_ask_all(struct places *places, unsigned asks,
                    void (*ask)(struct places *places, struct place *place, unsigned asks))
{
    lock(places);
    unsigned fresh = places->fresh;
    unlock(places);
    for (unsigned i = 0; i < fresh; i++)
        ask(places, &places->all[i], asks);
}

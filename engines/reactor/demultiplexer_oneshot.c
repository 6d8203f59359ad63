/* demultiplexer_oneshot.c: epoll(7) for threads that take turns at one set (leader_followers.c): an
 * event disarms its descriptor (EPOLLONESHOT), so that one thread alone hears of it, until want()
 * arms it again. That is level-triggered: what has come meanwhile is told at once.
 *
 * wait() lets go of the lock while it waits. By the time that it has it again, another thread may
 * have closed the descriptor that an event is about, and freed its connection: so an event carries
 * no pointer, but the descriptor's number and which registration of it this was. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/stats.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A descriptor, by its number. */
struct entry {
    struct loop_source *source; /* borrowed; NULL: not registered */
    uint32_t registration;      /* counts up with every add() */
};

struct oneshot_set {
    struct demultiplexer base;
    int fd;
    const struct session_lock *lock; /* NULL: nobody else is there */
    struct entry *entries;
    size_t size;
};

static struct oneshot_set *oneshot_of(struct demultiplexer *d)
{
    return container_of(d, struct oneshot_set, base);
}

static int oneshot_probe(size_t sources, char *why, size_t why_size)
{
    return demultiplexer_epoll.probe(sources, why, why_size);
}

static int oneshot_open(size_t sources, char *why, size_t why_size,
                        struct demultiplexer **ret_demultiplexer)
{
    (void)sources;
    struct oneshot_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    set->base.ops = &demultiplexer_oneshot;
    int fd = demultiplexer_epoll_create(why, why_size);
    if (fd < 0) {
        free(set);
        return fd;
    }
    set->fd = fd;
    *ret_demultiplexer = &set->base;
    return 0;
}

void demultiplexer_oneshot_share(struct demultiplexer *d, const struct session_lock *lock)
{
    oneshot_of(d)->lock = lock;
}

static struct entry *entry_make(struct oneshot_set *set, size_t fd)
{
    if (fd >= set->size) {
        size_t size = fd * 2 + 64;
        struct entry *entries = realloc(set->entries, size * sizeof(entries[0]));
        if (entries == NULL)
            return NULL;
        memset(entries + set->size, 0, (size - set->size) * sizeof(entries[0]));
        set->entries = entries;
        set->size = size;
    }
    return &set->entries[fd];
}

static int control(struct oneshot_set *set, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {
        .events = events | EPOLLONESHOT,
        .data.u64 = (uint64_t)set->entries[fd].registration << 32 | (uint32_t)fd,
    };
    return epoll_ctl(set->fd, operation, fd, &event) == 0 ? 0 : -errno;
}

/* A connection says what it wants afterwards; whatever else is waited for at once. */
static int oneshot_add(struct demultiplexer *d, struct loop_source *source,
                       enum demultiplexer_role role)
{
    struct oneshot_set *set = oneshot_of(d);
    struct entry *entry = entry_make(set, (size_t)source->fd);
    if (entry == NULL)
        return -ENOMEM;
    entry->registration++;
    int res =
        control(set, EPOLL_CTL_ADD, source->fd, role == DEMULTIPLEXER_CONNECTION ? 0 : EPOLLIN);
    entry->source = res == 0 ? source : NULL;
    return res;
}

/* That the peer has ended matters to who reads: for who only sends it would be told without end. */
static void oneshot_want(struct demultiplexer *d, struct loop_source *source, uint32_t events)
{
    if (events & DEMULTIPLEXER_READ)
        events |= DEMULTIPLEXER_PEER_ENDED;
    MUST(control(oneshot_of(d), EPOLL_CTL_MOD, source->fd, events) == 0);
}

static void oneshot_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    struct oneshot_set *set = oneshot_of(d);
    set->entries[source->fd].source = NULL;
    if (!closes) /* else close(2) does it, since nobody else holds the socket */
        MUST(epoll_ctl(set->fd, EPOLL_CTL_DEL, source->fd, NULL) == 0);
}

/* One event: the others are for other threads. */
static int oneshot_wait(struct demultiplexer *d, int timeout_ms, struct demultiplexer_event *events,
                        int max)
{
    struct oneshot_set *set = oneshot_of(d);
    struct epoll_event told;
    CHECK(max >= 1);
    if (set->lock != NULL)
        set->lock->leave(set->lock->context);
    stats_count(STATS_CALL_WAIT);
    int n = epoll_wait(set->fd, &told, 1, timeout_ms);
    int error = n < 0 ? errno : 0;
    if (set->lock != NULL)
        set->lock->enter(set->lock->context);
    if (n <= 0)
        return -error;
    const struct entry *entry = &set->entries[(uint32_t)told.data.u64];
    if (entry->source == NULL || entry->registration != told.data.u64 >> 32)
        return 0; /* closed meanwhile */
    events[0] = (struct demultiplexer_event){ entry->source, told.events };
    return 1;
}

static void oneshot_close(struct demultiplexer *d)
{
    struct oneshot_set *set = oneshot_of(d);
    close(set->fd);
    free(set->entries);
    free(set);
}

const struct demultiplexer_ops demultiplexer_oneshot = {
    .name = "epoll",
    .call = "epoll_wait",
    .probe = oneshot_probe,
    .open = oneshot_open,
    .add = oneshot_add,
    .want = oneshot_want,
    .remove = oneshot_remove,
    .wait = oneshot_wait,
    .close = oneshot_close,
};

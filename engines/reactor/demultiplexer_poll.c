/* demultiplexer_poll.c: poll(2): an array of all sources, handed to the kernel and looked through
 * with each wait, so that a wait costs what is open, not what has happened.
 *
 * One shot: the descriptor of a source that is not waited for is stored negated (~fd), which
 * poll(2) ignores; with events = 0 alone POLLHUP would come again and again. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/stats.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(DEMULTIPLEXER_READ == POLLIN && DEMULTIPLEXER_WRITE == POLLOUT &&
                  DEMULTIPLEXER_ERROR == POLLERR && DEMULTIPLEXER_HANGUP == POLLHUP &&
                  DEMULTIPLEXER_PEER_ENDED == POLLRDHUP,
              "events are poll's");

struct poll_set {
    struct demultiplexer base;
    struct descriptor_table indexes; /* 1 + the index of a descriptor in the arrays */
    struct pollfd *polled;
    struct loop_source **sources;
    size_t count, room;
    size_t next; /* where the next look through the array begins: nobody is always the last */
};

static struct poll_set *set_of(struct demultiplexer *d)
{
    return container_of(d, struct poll_set, base);
}

static size_t index_of(const struct poll_set *set, int fd)
{
    uintptr_t entry = (uintptr_t)descriptor_table_get(&set->indexes, fd);
    CHECK(entry > 0 && entry <= set->count);
    return entry - 1;
}

static int poll_set_probe(size_t sources, char *why, size_t why_size)
{
    (void)sources;
    if (poll(NULL, 0, 0) == 0)
        return 0;
    int error = errno;
    snprintf(why, why_size,
             "poll: %s; a seccomp filter forbids it: allow poll, or take another "
             "demultiplexer",
             strerror(error));
    return -error;
}

static int poll_set_open(size_t sources, char *why, size_t why_size,
                         struct demultiplexer **ret_demultiplexer)
{
    (void)sources;
    struct poll_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    set->base.ops = &demultiplexer_poll;
    *ret_demultiplexer = &set->base;
    return 0;
}

static int make_room(struct poll_set *set)
{
    if (set->count < set->room)
        return 0;
    size_t room = set->room > 0 ? 2 * set->room : 64;
    struct pollfd *polled = realloc(set->polled, room * sizeof(polled[0]));
    if (polled == NULL)
        return -ENOMEM;
    set->polled = polled;
    struct loop_source **sources = realloc(set->sources, room * sizeof(sources[0]));
    if (sources == NULL)
        return -ENOMEM;
    set->sources = sources;
    set->room = room;
    return 0;
}

static int poll_set_add(struct demultiplexer *d, struct loop_source *source,
                        enum demultiplexer_role role)
{
    struct poll_set *set = set_of(d);
    int res = make_room(set);
    if (res == 0)
        res = descriptor_table_set(&set->indexes, source->fd, (void *)(uintptr_t)(set->count + 1));
    if (res < 0)
        return res;
    /* A connection says what it waits for; the others wait for one thing. */
    bool waits = role != DEMULTIPLEXER_CONNECTION;
    set->polled[set->count] =
        (struct pollfd){ .fd = waits ? source->fd : ~source->fd, .events = POLLIN };
    set->sources[set->count++] = source;
    return 0;
}

/* A peer that has ended its side stays so: who waits for room alone does not want to hear of it. */
static void poll_set_want(struct demultiplexer *d, struct loop_source *source, uint32_t events)
{
    struct poll_set *set = set_of(d);
    short ended = events & DEMULTIPLEXER_READ ? POLLRDHUP : 0;
    set->polled[index_of(set, source->fd)] =
        (struct pollfd){ .fd = source->fd, .events = (short)((short)events | ended) };
}

/* The last one takes its place. */
static void poll_set_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    (void)closes;
    struct poll_set *set = set_of(d);
    size_t index = index_of(set, source->fd), last = --set->count;
    set->polled[index] = set->polled[last];
    set->sources[index] = set->sources[last];
    MUST(descriptor_table_set(&set->indexes, set->sources[index]->fd,
                              (void *)(uintptr_t)(index + 1)) == 0);
    MUST(descriptor_table_set(&set->indexes, source->fd, NULL) == 0);
}

static int poll_set_wait(struct demultiplexer *d, int timeout_ms,
                         struct demultiplexer_event *events, int max)
{
    struct poll_set *set = set_of(d);
    stats_count(STATS_CALL_WAIT);
    int ready = poll(set->polled, set->count, timeout_ms);
    if (ready < 0)
        return demultiplexer_failed(errno);
    int n = 0;
    size_t at = set->next < set->count ? set->next : 0;
    for (size_t looked = 0; looked < set->count && n < ready && n < max; looked++) {
        struct pollfd *polled = &set->polled[at];
        if (polled->fd >= 0 && polled->revents != 0) {
            events[n++] = (struct demultiplexer_event){ set->sources[at],
                                                        (uint32_t)(unsigned short)polled->revents };
            polled->fd = ~polled->fd;
        }
        at = at + 1 < set->count ? at + 1 : 0;
    }
    set->next = n < ready ? at : 0;
    return n;
}

static void poll_set_close(struct demultiplexer *d)
{
    struct poll_set *set = set_of(d);
    descriptor_table_free(&set->indexes);
    free(set->polled);
    free(set->sources);
    free(set);
}

const struct demultiplexer_ops demultiplexer_poll = {
    .name = "poll",
    .call = "poll",
    .probe = poll_set_probe,
    .open = poll_set_open,
    .add = poll_set_add,
    .want = poll_set_want,
    .remove = poll_set_remove,
    .wait = poll_set_wait,
    .close = poll_set_close,
};

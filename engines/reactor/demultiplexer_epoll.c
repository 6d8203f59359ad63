/* demultiplexer_epoll.c: epoll(7), edge-triggered: one registration for the life of a connection,
 * and a wait that costs what has happened, not what is open. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/stats.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static_assert((int)DEMULTIPLEXER_READ == (int)EPOLLIN &&
                  (int)DEMULTIPLEXER_WRITE == (int)EPOLLOUT &&
                  (int)DEMULTIPLEXER_ERROR == (int)EPOLLERR &&
                  (int)DEMULTIPLEXER_HANGUP == (int)EPOLLHUP &&
                  (int)DEMULTIPLEXER_PEER_ENDED == (int)EPOLLRDHUP,
              "events are epoll's");

enum { TAKE_MAX = 256 /* events of one epoll_wait(2) */ };

struct epoll_set {
    struct demultiplexer base;
    int fd;
    struct epoll_event taken[TAKE_MAX];
};

static struct epoll_set *set_of(struct demultiplexer *d)
{
    return container_of(d, struct epoll_set, base);
}

static int epoll_set_probe(size_t sources, char *why, size_t why_size)
{
    (void)sources;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        int error = errno;
        snprintf(why, why_size, "epoll_create1: %s; event loops need epoll(7)", strerror(error));
        return -error;
    }
    close(fd);
    return 0;
}

int demultiplexer_epoll_create(char *why, size_t why_size)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    int error = errno;
    if (fd < 0)
        snprintf(why, why_size, "cannot set up epoll: %s", strerror(error));
    return fd < 0 ? -error : fd;
}

static int epoll_set_open(size_t sources, char *why, size_t why_size,
                          struct demultiplexer **ret_demultiplexer)
{
    (void)sources;
    struct epoll_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    set->base.ops = &demultiplexer_epoll;
    int fd = demultiplexer_epoll_create(why, why_size);
    if (fd < 0) {
        free(set);
        return fd;
    }
    set->fd = fd;
    *ret_demultiplexer = &set->base;
    return 0;
}

/* A connection that has come already is an edge, too. */
static int epoll_set_add(struct demultiplexer *d, struct loop_source *source,
                         enum demultiplexer_role role)
{
    static const uint32_t masks[] = {
        [DEMULTIPLEXER_CONNECTION] = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        [DEMULTIPLEXER_LISTENER] = EPOLLIN | EPOLLET,
        [DEMULTIPLEXER_SHARED_LISTENER] = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE,
        [DEMULTIPLEXER_WAKE] = EPOLLIN,
        [DEMULTIPLEXER_RESULTS] = EPOLLIN | EPOLLET,
    };
    struct epoll_event event = { .events = masks[role], .data.ptr = source };
    return epoll_ctl(set_of(d)->fd, EPOLL_CTL_ADD, source->fd, &event) == 0 ? 0 : -errno;
}

static void epoll_set_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    if (!closes) /* else close(2) does it, since nobody else holds the socket */
        MUST(epoll_ctl(set_of(d)->fd, EPOLL_CTL_DEL, source->fd, NULL) == 0);
}

static int epoll_set_wait(struct demultiplexer *d, int timeout_ms,
                          struct demultiplexer_event *events, int max)
{
    struct epoll_set *set = set_of(d);
    stats_count(STATS_CALL_WAIT);
    int n = epoll_wait(set->fd, set->taken, max < TAKE_MAX ? max : TAKE_MAX, timeout_ms);
    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++)
        events[i] = (struct demultiplexer_event){ set->taken[i].data.ptr, set->taken[i].events };
    return n;
}

static void epoll_set_close(struct demultiplexer *d)
{
    close(set_of(d)->fd);
    free(set_of(d));
}

const struct demultiplexer_ops demultiplexer_epoll = {
    .name = "epoll",
    .call = "epoll_wait",
    .edges = true,
    .shares = true,
    .probe = epoll_set_probe,
    .open = epoll_set_open,
    .add = epoll_set_add,
    .remove = epoll_set_remove,
    .wait = epoll_set_wait,
    .close = epoll_set_close,
};

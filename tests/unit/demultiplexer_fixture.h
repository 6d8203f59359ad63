/* demultiplexer_fixture.h: connections of the test's own, and a demultiplexer that is asked for
 * them. Included behind cmocka.h. */
#ifndef TESTS_UNIT_DEMULTIPLEXER_FIXTURE_H
#define TESTS_UNIT_DEMULTIPLEXER_FIXTURE_H

#include "core/check.h"
#include "engines/reactor/demultiplexer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    MANY = 150, /* sources, more than one wait tells of */
    LONG_MS = 10000,
    SHORT_MS = 30,
    HIGH_FD = 5000
};

/* Both ends of a connection; `source` is the one that is registered. */
struct link {
    struct loop_source source;
    int peer;
    unsigned told; /* what the events of it said, since it was last looked at */
    unsigned times;
};

static inline struct demultiplexer *open_one(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d;
    char why[512] = "";
    int res = ops->open(MANY + 8, why, sizeof(why), &d);
    if (res < 0)
        fail_msg("%s: %s", ops->name, why);
    if (ops->start != NULL)
        assert_int_equal(ops->start(d), 0);
    return d;
}

static inline void link_up(struct link *link)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *link = (struct link){ .source = { 1, pair[0] }, .peer = pair[1] };
}

/* The same by TCP. */
static inline int listen_on_loopback(struct sockaddr_in *ret_address)
{
    *ret_address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(*ret_address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)ret_address, len), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &len), 0);
    return fd;
}

static inline int call_up(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
    return fd;
}

static inline void link_up_tcp(struct link *link)
{
    struct sockaddr_in address;
    int listener = listen_on_loopback(&address);
    int peer = call_up(&address);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    close(listener);
    *link = (struct link){ .source = { 1, fd }, .peer = peer };
}

static inline void add(struct demultiplexer *d, struct link *link, enum demultiplexer_role role)
{
    assert_int_equal(d->ops->add(d, &link->source, role), 0);
}

static inline void hang_up(struct demultiplexer *d, struct link *link)
{
    d->ops->remove(d, &link->source, true);
    close(link->source.fd);
    if (link->peer >= 0)
        close(link->peer);
}

static inline int take(struct demultiplexer *d, int timeout_ms)
{
    struct demultiplexer_event events[EVENTS_MAX];
    int n = d->ops->wait(d, timeout_ms, events, EVENTS_MAX);
    assert_true(n >= 0 && n <= EVENTS_MAX);
    for (int i = 0; i < n; i++) {
        struct link *link = container_of(events[i].source, struct link, source);
        assert_int_equal(link->source.magic, 1); /* one that was removed is not told of */
        link->told |= events[i].events;
        link->times++;
    }
    return n;
}

/* Waits until the link is told of. What it was told. */
static inline unsigned await(struct demultiplexer *d, struct link *link)
{
    link->told = link->times = 0;
    for (int waits = 0; link->times == 0 && waits < 100; waits++)
        assert_true(take(d, LONG_MS) > 0);
    assert_true(link->times > 0);
    return link->told;
}

/* Nobody is told of; where nobody looks, one that is not waited for is not. */
static inline void is_quiet(struct demultiplexer *d)
{
    assert_int_equal(take(d, SHORT_MS), 0);
}

/* What comes at once after add(): an edge for what is so already, or nothing. */
static inline void settle(struct demultiplexer *d)
{
    while (take(d, 0) > 0)
        ;
}

static inline bool is_busy(const struct demultiplexer *d)
{
    return d->ops == &demultiplexer_busy;
}

static inline void put(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

static inline ssize_t drain(int fd)
{
    char data[4096];
    ssize_t n, last = -1;
    while ((n = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
        last = n;
    return n == 0 ? 0 : last;
}

/* Sends until nothing more is taken: on a busy machine the other side takes a while to say that it
 * has room. */
static inline void fill(int fd)
{
    static const char data[4096];
    const struct timespec pause = { .tv_nsec = 5000000 };
    for (int in_vain = 0; in_vain < 3; in_vain++) {
        while (send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            in_vain = 0;
        assert_int_equal(errno, EAGAIN);
        nanosleep(&pause, NULL);
    }
}

/* Asks for all of `links`, which have something to read; the number of those told of. */
static inline unsigned tell_of(struct demultiplexer *d, struct link *links, unsigned count)
{
    unsigned told = 0;
    for (unsigned i = 0; i < count; i++) {
        links[i].times = 0;
        demultiplexer_want(d, &links[i].source, DEMULTIPLEXER_READ);
    }
    for (unsigned i = 0; i < count; i++)
        put(links[i].peer);
    while (take(d, SHORT_MS) > 0)
        ;
    for (unsigned i = 0; i < count; i++)
        told += links[i].times > 0;
    return told;
}

#endif

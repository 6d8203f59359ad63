/* test_demultiplexer.c: the contract of demultiplexer.h, over all six, with sockets of the test's
 * own; then what each of them can get wrong by itself. */
#include "tests/unit/in_child.h"

#include "core/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "engines/reactor/demultiplexer.c"

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

static struct demultiplexer *open_one(const struct demultiplexer_ops *ops)
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

static void link_up(struct link *link)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *link = (struct link){ .source = { 1, pair[0] }, .peer = pair[1] };
}

/* The same by TCP. */
static int listen_on_loopback(struct sockaddr_in *ret_address)
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

static int call_up(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
    return fd;
}

static void link_up_tcp(struct link *link)
{
    struct sockaddr_in address;
    int listener = listen_on_loopback(&address);
    int peer = call_up(&address);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    close(listener);
    *link = (struct link){ .source = { 1, fd }, .peer = peer };
}

static void add(struct demultiplexer *d, struct link *link, enum demultiplexer_role role)
{
    assert_int_equal(d->ops->add(d, &link->source, role), 0);
}

static void hang_up(struct demultiplexer *d, struct link *link)
{
    d->ops->remove(d, &link->source, true);
    close(link->source.fd);
    if (link->peer >= 0)
        close(link->peer);
}

static int take(struct demultiplexer *d, int timeout_ms)
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
static unsigned await(struct demultiplexer *d, struct link *link)
{
    link->told = link->times = 0;
    for (int waits = 0; link->times == 0 && waits < 100; waits++)
        assert_true(take(d, LONG_MS) > 0);
    assert_true(link->times > 0);
    return link->told;
}

/* Nobody is told of; where nobody looks, one that is not waited for is not. */
static void is_quiet(struct demultiplexer *d)
{
    assert_int_equal(take(d, SHORT_MS), 0);
}

/* What comes at once after add(): an edge for what is so already, or nothing. */
static void settle(struct demultiplexer *d)
{
    while (take(d, 0) > 0)
        ;
}

static bool is_busy(const struct demultiplexer *d)
{
    return d->ops == &demultiplexer_busy;
}

static void put(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

static ssize_t drain(int fd)
{
    char data[4096];
    ssize_t n, last = -1;
    while ((n = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
        last = n;
    return n == 0 ? 0 : last;
}

static void fill(int fd)
{
    static const char data[4096];
    while (send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

/* ---- the contract ---- */

static void tells_of_bytes(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct link link;
    link_up(&link);
    add(d, &link, DEMULTIPLEXER_CONNECTION);
    settle(d);
    for (int round = 0; round < 3; round++) {
        demultiplexer_want(d, &link.source, DEMULTIPLEXER_READ);
        put(link.peer);
        assert_true(await(d, &link) & DEMULTIPLEXER_READ);
        assert_int_equal(drain(link.source.fd), 1);
    }
    hang_up(d, &link);
    ops->close(d);
}

/* Whoever is not waited for costs nothing: a worker has it, or it is queued. */
static void tells_once(const struct demultiplexer_ops *ops)
{
    if (ops->edges)
        return; /* which tell each change */
    struct demultiplexer *d = open_one(ops);
    struct link link;
    link_up(&link);
    add(d, &link, DEMULTIPLEXER_CONNECTION);
    put(link.peer);
    is_quiet(d);
    demultiplexer_want(d, &link.source, DEMULTIPLEXER_READ);
    await(d, &link);
    is_quiet(d);
    put(link.peer);
    shutdown(link.peer, SHUT_RDWR); /* POLLHUP comes with events = 0, too */
    is_quiet(d);
    demultiplexer_want(d, &link.source, DEMULTIPLEXER_READ);
    await(d, &link);
    is_quiet(d);
    hang_up(d, &link);
    ops->close(d);
}

static void tells_of_room(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct link link;
    link_up_tcp(&link);
    fill(link.source.fd);
    add(d, &link, DEMULTIPLEXER_CONNECTION);
    settle(d);
    fill(link.source.fd); /* signals come for a send in vain */
    demultiplexer_want(d, &link.source, DEMULTIPLEXER_WRITE);
    if (!is_busy(d))
        is_quiet(d);
    drain(link.peer);
    unsigned told = 0;
    for (int rounds = 0; !(told & DEMULTIPLEXER_WRITE) && rounds < 100; rounds++) {
        drain(link.peer);
        told = await(d, &link);
    }
    assert_true(told & DEMULTIPLEXER_WRITE);
    hang_up(d, &link);
    ops->close(d);
}

/* The end of the peer's side is told, and not again to who waits for room alone. */
static void tells_of_the_end_once(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct link link;
    link_up_tcp(&link);
    fill(link.source.fd);
    add(d, &link, DEMULTIPLEXER_CONNECTION);
    settle(d);
    fill(link.source.fd);
    demultiplexer_want(d, &link.source, DEMULTIPLEXER_READ);
    assert_int_equal(shutdown(link.peer, SHUT_WR), 0);
    assert_true(await(d, &link) & (DEMULTIPLEXER_READ | DEMULTIPLEXER_PEER_ENDED));
    assert_int_equal(drain(link.source.fd), 0);
    settle(d);
    demultiplexer_want(d, &link.source, DEMULTIPLEXER_WRITE);
    if (!is_busy(d))
        is_quiet(d);
    hang_up(d, &link);
    ops->close(d);
}

/* One that is removed is silent, also when its number becomes another one's. */
static void forgets_what_is_removed(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct link old, link;
    link_up(&old);
    add(d, &old, DEMULTIPLEXER_CONNECTION);
    settle(d);
    demultiplexer_want(d, &old.source, DEMULTIPLEXER_READ);
    if (!is_busy(d))
        is_quiet(d); /* what is asked for is with the kernel */
    put(old.peer);
    int fd = old.source.fd;
    hang_up(d, &old);
    old.source.magic = 0;

    link_up(&link);
    if (link.source.fd != fd) {
        assert_int_equal(dup3(link.source.fd, fd, O_CLOEXEC), fd);
        close(link.source.fd);
        link.source.fd = fd;
    }
    add(d, &link, DEMULTIPLEXER_CONNECTION);
    settle(d);
    demultiplexer_want(d, &link.source, DEMULTIPLEXER_READ);
    if (!is_busy(d))
        is_quiet(d);
    put(link.peer);
    assert_true(await(d, &link) & DEMULTIPLEXER_READ);
    hang_up(d, &link);
    ops->close(d);
}

static void *wake_soon(void *context)
{
    uint64_t one = 1;
    const struct timespec pause = { .tv_nsec = SHORT_MS * 1000000l };
    nanosleep(&pause, NULL);
    assert_int_equal(write(*(int *)context, &one, sizeof(one)), sizeof(one));
    return NULL;
}

static void wakes_up(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct link wake = { .source = { 1, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) }, .peer = -1 };
    add(d, &wake, DEMULTIPLEXER_WAKE);
    for (int round = 0; round < 2; round++) {
        pthread_t thread;
        uint64_t count = 0;
        assert_int_equal(pthread_create(&thread, NULL, wake_soon, &wake.source.fd), 0);
        do {
            take(d, is_busy(d) ? 0 : -1);
            if (read(wake.source.fd, &count, sizeof(count)) < 0)
                assert_int_equal(errno, EAGAIN);
            demultiplexer_want(d, &wake.source, DEMULTIPLEXER_READ);
        } while (count == 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    close(wake.source.fd);
    ops->close(d);
}

static void honours_a_timeout(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    if (!is_busy(d)) {
        struct timespec begun, ended;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        settle(d);
        is_quiet(d);
        clock_gettime(CLOCK_MONOTONIC, &ended);
        long ms = (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000;
        assert_true(ms >= SHORT_MS - 2);
    }
    ops->close(d);
}

static void tells_of_clients(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct sockaddr_in address;
    struct link listener = { .source = { 1, listen_on_loopback(&address) }, .peer = -1 };
    add(d, &listener, DEMULTIPLEXER_LISTENER);
    for (int round = 0; round < 3; round++) {
        int client = call_up(&address), taken = -1;
        while (taken < 0) {
            await(d, &listener);
            taken = accept4(listener.source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            demultiplexer_want(d, &listener.source, DEMULTIPLEXER_READ);
        }
        close(taken);
        close(client);
    }
    hang_up(d, &listener);
    ops->close(d);
}

/* Asks for all of `links`, which have something to read; the number of those told of. */
static unsigned tell_of(struct demultiplexer *d, struct link *links, unsigned count)
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

static void make_room_for_many(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 2 * HIGH_FD ? limit.rlim_max : 2 * HIGH_FD;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void tells_of_many(const struct demultiplexer_ops *ops)
{
    static struct link links[MANY];
    struct demultiplexer *d = open_one(ops);
    for (unsigned i = 0; i < MANY; i++) {
        link_up(&links[i]);
        add(d, &links[i], DEMULTIPLEXER_CONNECTION);
    }
    settle(d);
    assert_int_equal(tell_of(d, links, MANY), MANY);
    /* Those in the midst go; the others are found as before. */
    for (unsigned i = 40; i < 80; i++) {
        hang_up(d, &links[i]);
        links[i].source.magic = 0;
    }
    assert_int_equal(tell_of(d, links, 40), 40);
    assert_int_equal(tell_of(d, links + 80, MANY - 80), MANY - 80);
    for (unsigned i = 0; i < MANY; i++) {
        if (i < 40 || i >= 80)
            hang_up(d, &links[i]);
    }
    ops->close(d);
}

/* FD_SET() ends at 1023. */
static void takes_high_descriptors(const struct demultiplexer_ops *ops)
{
    struct demultiplexer *d = open_one(ops);
    struct link links[2];
    for (int i = 0; i < 2; i++) {
        link_up(&links[i]);
        int fd = fcntl(links[i].source.fd, F_DUPFD_CLOEXEC, i == 0 ? 1024 : HIGH_FD);
        if (fd < 0)
            skip(); /* this user may not have so many */
        close(links[i].source.fd);
        links[i].source.fd = fd;
        add(d, &links[i], DEMULTIPLEXER_CONNECTION);
    }
    settle(d);
    assert_int_equal(tell_of(d, links, 2), 2);
    hang_up(d, &links[1]);
    assert_int_equal(tell_of(d, links, 1), 1);
    hang_up(d, &links[0]);
    ops->close(d);
}

static void for_each(void (*check)(const struct demultiplexer_ops *ops))
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        print_message("    %s\n", tables[i]->name);
        check(tables[i]);
    }
}

#define CONTRACT(name)                                                                             \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        for_each(name);                                                                            \
    }

CONTRACT(tells_of_bytes)
CONTRACT(tells_once)
CONTRACT(tells_of_room)
CONTRACT(tells_of_the_end_once)
CONTRACT(forgets_what_is_removed)
CONTRACT(wakes_up)
CONTRACT(honours_a_timeout)
CONTRACT(tells_of_clients)
CONTRACT(tells_of_many)
CONTRACT(takes_high_descriptors)

/* ---- what each can get wrong ---- */

static void overflow_of_signals(void)
{
    static struct link links[MANY];
    struct demultiplexer *d = open_one(&demultiplexer_sigio);
    const struct rlimit few = { 8, 8 };
    for (unsigned i = 0; i < MANY; i++) {
        link_up(&links[i]);
        add(d, &links[i], DEMULTIPLEXER_CONNECTION);
    }
    settle(d);
    assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &few), 0);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(tell_of(d, links, MANY), MANY);
        is_quiet(d); /* the look at all is over */
    }
    for (unsigned i = 0; i < MANY; i++)
        hang_up(d, &links[i]);
    d->ops->close(d);
}

static void test_sigio_survives_an_overflow(void **state)
{
    (void)state;
    in_child(overflow_of_signals);
}

/* The thread that runs the loop is another one than made it. */
static void *wait_elsewhere(void *context)
{
    struct demultiplexer *d = context;
    assert_int_equal(d->ops->start(d), 0);
    while (take(d, SHORT_MS) > 0)
        ;
    struct link link;
    link_up(&link);
    add(d, &link, DEMULTIPLEXER_CONNECTION);
    put(link.peer);
    assert_true(await(d, &link) & DEMULTIPLEXER_READ);
    hang_up(d, &link);
    return NULL;
}

static void test_sigio_tells_the_thread_that_waits(void **state)
{
    (void)state;
    struct demultiplexer *d;
    char why[512];
    struct sockaddr_in address;
    pthread_t thread;
    assert_int_equal(demultiplexer_sigio.open(4, why, sizeof(why), &d), 0);
    struct link listener = { .source = { 1, listen_on_loopback(&address) }, .peer = -1 };
    add(d, &listener, DEMULTIPLEXER_LISTENER); /* as loop_create() does */
    int early = call_up(&address);             /* before anybody is told */
    assert_int_equal(pthread_create(&thread, NULL, wait_elsewhere, d), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(listener.times > 0);
    close(early);
    hang_up(d, &listener);
    d->ops->close(d);
}

/* The kernel holds a file while an operation waits on it. */
static void test_aio_lets_the_end_go(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        struct demultiplexer *d = open_one(&demultiplexer_aio);
        struct link link;
        link_up_tcp(&link);
        if (both)
            fill(link.source.fd);
        add(d, &link, DEMULTIPLEXER_CONNECTION);
        demultiplexer_want(d, &link.source, DEMULTIPLEXER_READ | (both ? DEMULTIPLEXER_WRITE : 0u));
        is_quiet(d); /* it is in flight */
        d->ops->remove(d, &link.source, true);
        close(link.source.fd);
        link.source.magic = 0;
        struct pollfd polled = { .fd = link.peer, .events = POLLIN };
        do
            assert_int_equal(poll(&polled, 1, LONG_MS), 1);
        while (drain(link.peer) != 0);
        is_quiet(d); /* its event tells of nobody, and frees it */
        close(link.peer);
        d->ops->close(d);
    }
}

/* With operations in flight, and others that the kernel has not been given yet. */
static void test_aio_closes_with_operations(void **state)
{
    (void)state;
    struct demultiplexer *d = open_one(&demultiplexer_aio);
    struct link links[2];
    for (int i = 0; i < 2; i++) {
        link_up(&links[i]);
        add(d, &links[i], DEMULTIPLEXER_CONNECTION);
        demultiplexer_want(d, &links[i].source, DEMULTIPLEXER_READ);
        if (i == 0)
            is_quiet(d);
    }
    d->ops->close(d);
    for (int i = 0; i < 2; i++) {
        close(links[i].source.fd);
        close(links[i].peer);
    }
}

static void test_aio_names_its_sysctl(void **state)
{
    (void)state;
    static const size_t too_many[] = { 0x3fffff, 0x7ffffff }; /* for the sysctl; for the kernel */
    for (size_t i = 0; i < ARRAY_LEN(too_many); i++) {
        char why[512] = "";
        assert_true(demultiplexer_aio.probe(too_many[i], why, sizeof(why)) < 0);
        assert_non_null(strstr(why, "fs.aio-max-nr"));
        assert_non_null(strstr(why, "connections_max"));
        assert_null(strstr(why, "seccomp"));
    }
}

static void test_all_can_be_had(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        char why[512] = "";
        assert_ptr_equal(demultiplexer_of((enum demultiplexer_kind)i), tables[i]);
        assert_int_equal(tables[i]->probe(16, why, sizeof(why)), 0);
        assert_string_equal(why, "");
        assert_int_equal(tables[i]->edges, tables[i]->want == NULL);
        assert_int_equal(tables[i]->shares, i == DEMULTIPLEXER_EPOLL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_can_be_had),
        cmocka_unit_test(test_tells_of_bytes),
        cmocka_unit_test(test_tells_once),
        cmocka_unit_test(test_tells_of_room),
        cmocka_unit_test(test_tells_of_the_end_once),
        cmocka_unit_test(test_forgets_what_is_removed),
        cmocka_unit_test(test_wakes_up),
        cmocka_unit_test(test_honours_a_timeout),
        cmocka_unit_test(test_tells_of_clients),
        cmocka_unit_test(test_tells_of_many),
        cmocka_unit_test(test_takes_high_descriptors),
        cmocka_unit_test(test_sigio_survives_an_overflow),
        cmocka_unit_test(test_sigio_tells_the_thread_that_waits),
        cmocka_unit_test(test_aio_lets_the_end_go),
        cmocka_unit_test(test_aio_closes_with_operations),
        cmocka_unit_test(test_aio_names_its_sysctl),
    };
    make_room_for_many();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

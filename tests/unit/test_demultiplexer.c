/* test_demultiplexer.c: the contract of demultiplexer.h, over all six. What each of them can get
 * wrong by itself: test_demultiplexer_traps.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/demultiplexer_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>

#include "engines/reactor/demultiplexer.c"

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

static void make_room_for_many(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max < 2 * HIGH_FD ? limit.rlim_max : 2 * HIGH_FD;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
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

static void test_all_can_be_had(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        char why[512] = "";
        assert_ptr_equal(demultiplexer_of((enum demultiplexer_kind)i), tables[i]);
        assert_int_equal(tables[i]->probe(16, why, sizeof(why)), 0);
        assert_string_equal(why, "");
        bool polls = i == DEMULTIPLEXER_SIGIO; /* for listeners */
        assert_int_equal(tables[i]->edges, tables[i]->want == NULL || polls);
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
    };
    make_room_for_many();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

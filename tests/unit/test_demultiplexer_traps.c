/* test_demultiplexer_traps.c: what signals and Linux AIO can get wrong by themselves: a queue that
 * overflows, signals to another thread, a FIN that an operation in flight holds back. */
#include "tests/unit/in_child.h"

#include "tests/unit/demultiplexer_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigio_survives_an_overflow),
        cmocka_unit_test(test_sigio_tells_the_thread_that_waits),
        cmocka_unit_test(test_aio_lets_the_end_go),
        cmocka_unit_test(test_aio_closes_with_operations),
        cmocka_unit_test(test_aio_names_its_sysctl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

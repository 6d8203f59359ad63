/* test_loop_inbox.c: the ring between two threads: order, room, and no wake-up that is missing or
 * superfluous; then both sides at once, the taker asleep whenever it may be. */
#include "core/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engines/reactor/loop_inbox.c"

enum { SIZE = 8, ROUNDS = 200000 };

static void test_order_room_and_wakes(void **state)
{
    (void)state;
    struct loop_inbox *inbox;
    struct loop_arrival got;
    assert_int_equal(loop_inbox_create(SIZE, &inbox), 0);
    assert_false(loop_inbox_take(inbox, &got));

    int given = 0, taken = 0;
    for (int round = 0; round < 3 * SIZE; round++) {
        int count = round % (SIZE + 1);
        for (int i = 0; i < count; i++, given++) {
            assert_true(loop_inbox_has_room(inbox));
            /* The first of those that gather wakes, and no other. */
            assert_int_equal(loop_inbox_give(inbox, &(struct loop_arrival){ .fd = given }), i == 0);
        }
        assert_int_equal(loop_inbox_has_room(inbox), count < SIZE);
        while (loop_inbox_take(inbox, &got)) {
            assert_int_equal(got.fd, taken);
            taken++;
            assert_true(loop_inbox_has_room(inbox));
        }
        assert_int_equal(taken, given);
    }
    loop_inbox_destroy(inbox);
}

static void test_end(void **state)
{
    (void)state;
    struct loop_inbox *inbox;
    struct loop_arrival got;
    assert_int_equal(loop_inbox_create(SIZE, &inbox), 0);
    assert_false(loop_inbox_ended(inbox));
    assert_true(loop_inbox_give(inbox, &(struct loop_arrival){ .fd = 3 }));
    loop_inbox_end(inbox);
    assert_false(loop_inbox_ended(inbox));
    assert_true(loop_inbox_take(inbox, &got));
    assert_true(loop_inbox_ended(inbox));
    loop_inbox_destroy(inbox);
}

/* What nobody takes is closed. */
static void test_left_over(void **state)
{
    (void)state;
    struct loop_inbox *inbox;
    int fds[3];
    assert_int_equal(loop_inbox_create(SIZE, &inbox), 0);
    for (int i = 0; i < 3; i++) {
        fds[i] = eventfd(0, EFD_CLOEXEC);
        loop_inbox_give(inbox, &(struct loop_arrival){ .fd = fds[i] });
    }
    loop_inbox_destroy(inbox);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fcntl(fds[i], F_GETFD), -1);
}

struct pair {
    struct loop_inbox *inbox;
    int wake;
    unsigned wakes;
};

/* Sleeps whenever there is nothing: a wake-up that is missing hangs the test. */
static void *take_all(void *context)
{
    struct pair *pair = context;
    struct loop_arrival got;
    for (int next = 0; next < ROUNDS;) {
        uint64_t count;
        while (loop_inbox_take(pair->inbox, &got))
            CHECK(got.fd == next++);
        if (next < ROUNDS)
            CHECK(read(pair->wake, &count, sizeof(count)) == sizeof(count));
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    (void)state;
    struct pair pair = { .wake = eventfd(0, EFD_CLOEXEC) };
    pthread_t taker;
    assert_int_equal(loop_inbox_create(SIZE, &pair.inbox), 0);
    assert_int_equal(pthread_create(&taker, NULL, take_all, &pair), 0);
    for (int i = 0; i < ROUNDS;) {
        if (!loop_inbox_has_room(pair.inbox)) {
            sched_yield();
            continue;
        }
        uint64_t one = 1;
        struct loop_arrival next = { .fd = i++ };
        if (loop_inbox_give(pair.inbox, &next)) {
            pair.wakes++;
            assert_int_equal(write(pair.wake, &one, sizeof(one)), sizeof(one));
        }
    }
    assert_int_equal(pthread_join(taker, NULL), 0);
    assert_true(pair.wakes > 0 && pair.wakes <= ROUNDS);
    loop_inbox_destroy(pair.inbox);
    close(pair.wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_room_and_wakes),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

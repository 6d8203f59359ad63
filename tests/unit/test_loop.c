/* test_loop.c: the loop's turn: fairness and the run queue, deadlines, ticks, sleeping, and what is
 * asked from outside (stop, drain, reopening logs). */
#include "loop_fixture.h"

/* Two long files in one turn: a piece of one, a piece of the other, in strict alternation. */
static void test_fairness_of_files(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    scene.config.send_turn = 4096;
    int first = client_connect(&scene), second = client_connect(&scene);
    client_ask(first, "f 65536\n");
    client_ask(second, "f 65536\n");
    scene_start(&scene);
    settle(&scene);
    assert_int_equal(fake.sends_count, 32);
    for (unsigned i = 0; i < fake.sends_count; i++) {
        assert_int_equal(fake.sends[i].id, 1 + i % 2);
        assert_int_equal(fake.sends[i].res, i < 2 ? HEAD_SIZE + 4096 : 4096);
    }
    client_expect(&scene, first, HEAD_SIZE, 65536);
    client_expect(&scene, second, HEAD_SIZE, 65536);
    close(first);
    close(second);
    settle(&scene);
    scene_end(&scene);
}

/* One that asks without end does not keep another waiting for more than a turn. */
static void test_fairness_of_requests(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    int greedy = client_connect(&scene), modest = client_connect(&scene);
    settle(&scene);
    char requests[1000 * 4 + 1] = "";
    for (int i = 0; i < 1000; i++)
        memcpy(requests + i * 4, "m 1\n", 5);
    client_ask(greedy, requests);
    turn_within(&scene, 0);
    assert_true(fake.sends_count <= LOOP_STEPS_MAX);
    assert_int_equal(loop_timeout_ms(scene.loop), 0); /* work is left, and no edge to come */
    client_ask(greedy, "m 1\n"); /* an edge gives no second turn to who is in the queue */
    client_ask(modest, "m 20\n");
    unsigned before = fake.sends_count;
    turn_within(&scene, 0);
    assert_true(fake.sends_count - before <= LOOP_STEPS_MAX + 1);
    client_expect(&scene, modest, 0, 20);
    char answers[1001];
    assert_int_equal(client_read(&scene, greedy, answers, sizeof(answers)), sizeof(answers));
    settle(&scene);
    close(greedy);
    close(modest);
    settle(&scene);
    scene_end(&scene);
}

/* A deadline that moves away is looked at lazily, and still kept. */
static void test_deadlines(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    fake.deadline_ms = 10000;
    scene_start(&scene);
    int silent = client_connect(&scene), active = client_connect(&scene);
    int gone = client_connect(&scene);
    settle(&scene);
    assert_int_equal(scene.loop->timers.count, 3);
    close(gone);
    settle(&scene);
    assert_int_equal(fake.closed, 1);
    assert_int_equal(scene.loop->timers.count, 2);

    inject.skew_ms = 5000;
    client_ask(active, "m 1\n");
    client_expect(&scene, active, 0, 1);
    inject.skew_ms = 9000;
    settle(&scene);
    assert_int_equal(fake.expired, 0);

    inject.skew_ms = 10000 + 2 * TIMER_TICK_MS;
    settle(&scene);
    assert_int_equal(fake.expired, 1);
    assert_int_equal(fake.closed, 2);
    client_expect_end(&scene, silent);

    inject.skew_ms = 14500;
    settle(&scene);
    assert_int_equal(fake.expired, 1);
    inject.skew_ms = 16000;
    settle(&scene);
    assert_int_equal(fake.expired, 2);
    client_expect_end(&scene, active);
    close(silent);
    close(active);
    scene_end(&scene);
}

/* The wait ends in time for a deadline: one second of real time, within half a second. */
static void test_deadline_wakes(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    fake.deadline_ms = 1000;
    scene_start(&scene);
    int fd = client_connect(&scene);
    uint64_t begun_ms = clock_monotonic_ms();
    while (fake.closed == 0)
        turn_within(&scene, 5000);
    uint64_t took_ms = clock_monotonic_ms() - begun_ms;
    assert_true(took_ms >= 950 && took_ms <= 1500);
    close(fd);
    scene_end(&scene);
}

/* One tick about a second after something happened, and no wake-up for nothing ever after. */
static void test_ticks_and_sleep(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    assert_int_equal(loop_timeout_ms(scene.loop), -1);
    int fds[20];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = client_connect(&scene);
    settle(&scene);
    client_ask(fds[0], "m 1\n");
    client_expect(&scene, fds[0], 0, 1);
    int timeout_ms = loop_timeout_ms(scene.loop);
    assert_true(timeout_ms > 0 && timeout_ms <= LOOP_TICK_MS);
    assert_int_equal(fake.ticks, 0);

    inject.skew_ms = LOOP_TICK_MS;
    turn_within(&scene, 0);
    assert_int_equal(fake.ticks, 1);
    assert_int_equal(loop_timeout_ms(scene.loop), -1); /* twenty idle connections cost nothing */
    inject.skew_ms = 50 * LOOP_TICK_MS;
    turn_within(&scene, 0);
    assert_int_equal(fake.ticks, 1);

    /* Under load, once a second. */
    for (int i = 0; i < 100; i++) {
        inject.skew_ms += LOOP_TICK_MS / 10;
        client_ask(fds[1], "m 1\n");
        client_expect(&scene, fds[1], 0, 1);
    }
    assert_true(fake.ticks >= 9 && fake.ticks <= 12);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    settle(&scene);
    scene_end(&scene);
}

static void test_reopen(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    scene.orders.reopen_logs = 3; /* before this loop */
    scene_start(&scene);
    assert_false(loop_heed_orders(scene.loop));
    assert_int_equal(fake.reopens, 0);
    scene.orders.reopen_logs++;
    loop_wake(scene.loop);
    assert_int_equal(turn_within(&scene, 5000), 1);
    assert_false(loop_heed_orders(scene.loop));
    assert_false(loop_heed_orders(scene.loop));
    assert_int_equal(fake.reopens, 1);
    assert_int_equal(turn_within(&scene, 0), 0); /* the wake-up was taken */
    scene_end(&scene);
}

static void test_wake_keeps_errno(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t full = UINT64_MAX - 1; /* the next write answers EAGAIN */
    assert_int_equal(write(scene.loop->wake.fd, &full, sizeof(full)), sizeof(full));
    errno = E2BIG;
    loop_wake(scene.loop);
    assert_int_equal(errno, E2BIG);
    assert_int_equal(turn_within(&scene, 5000), 1);
    scene_end(&scene);
}

/* Idle connections close at once, busy ones after their answer, new ones are refused. */
static void test_drain(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 4096);
    scene_start(&scene);
    int idle = client_connect(&scene), busy = client_connect(&scene);
    settle(&scene);
    client_ask(busy, "f 500000\n");
    settle(&scene);

    scene.orders.drain = 1;
    assert_false(loop_heed_orders(scene.loop));
    assert_int_equal(fake.closed, 1);
    client_expect_end(&scene, idle);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&scene.address, scene.address_len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(scene.listener.fd, -1);
    assert_false(loop_heed_orders(scene.loop));

    client_expect(&scene, busy, HEAD_SIZE, 500000);
    client_expect_end(&scene, busy);
    assert_int_equal(fake.closed, 2);
    assert_true(loop_heed_orders(scene.loop));
    close(idle);
    close(busy);
    close(late);
    scene_end(&scene);
}

/* Somebody who does not read ends with drain_ms. */
static void test_drain_deadline(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 4096);
    scene.config.deadlines.drain_ms = 300;
    scene_start(&scene);
    int stuck = client_connect(&scene);
    client_ask(stuck, "f 4000000\n");
    settle(&scene);
    scene.orders.drain = 1;
    uint64_t begun_ms = clock_monotonic_ms();
    assert_false(loop_heed_orders(scene.loop));
    int timeout_ms = loop_timeout_ms(scene.loop);
    assert_true(timeout_ms > 0 && timeout_ms <= 300);
    assert_int_equal(loop_run(scene.loop), 0);
    uint64_t took_ms = clock_monotonic_ms() - begun_ms;
    assert_true(took_ms >= 250 && took_ms < 1300);
    assert_int_equal(fake.closed, 1);
    close(stuck);
    scene_end(&scene);
}

static void *run_in_thread(void *argument)
{
    struct scene *scene = argument;
    return loop_run(scene->loop) == 0 ? scene : NULL;
}

/* The real loop in a thread of its own: it serves, sleeps through silence, and stops when asked. */
static void test_run_and_stop(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_in_thread, &scene), 0);
    int fds[50];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = client_connect(&scene);
        assert_int_equal(fcntl(fds[i], F_SETFL, 0), 0);
        client_ask(fds[i], "m 100\n");
        char answer[100];
        assert_int_equal(read(fds[i], answer, sizeof(answer)), sizeof(answer));
        assert_memory_equal(answer, fake.pattern, sizeof(answer));
    }
    usleep(2500 * 1000); /* the tick behind the last answer has passed by then */
    unsigned waits = calls.wait;
    usleep(700 * 1000);
    assert_int_equal(calls.wait, waits);

    __atomic_store_n(&scene.orders.stop, 1, __ATOMIC_RELAXED);
    loop_wake(scene.loop);
    void *result;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &scene);
    assert_int_equal(fake.opened, 50);
    assert_int_equal(fake.closed, 50);
    assert_true(fake.ticks >= 1 && fake.ticks <= 3);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        char octet;
        assert_int_equal(read(fds[i], &octet, 1), 0);
        close(fds[i]);
    }
    scene_end(&scene);
}

/* Closed under the loop's feet with work in the run queue and in the socket. */
static void test_destroy_while_busy(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    scene.config.send_turn = 1000;
    scene_start(&scene);
    int first = client_connect(&scene), second = client_connect(&scene);
    client_ask(first, "f 100000\n");
    client_ask(second, "f 100000\n");
    while (fake.sends_count < 4)
        turn_within(&scene, 10);
    assert_false(list_empty(&scene.loop->run_queue));
    scene_end(&scene);
    close(first);
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fairness_of_files),  cmocka_unit_test(test_fairness_of_requests),
        cmocka_unit_test(test_deadlines),          cmocka_unit_test(test_deadline_wakes),
        cmocka_unit_test(test_ticks_and_sleep),    cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_wake_keeps_errno),   cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_deadline),     cmocka_unit_test(test_run_and_stop),
        cmocka_unit_test(test_destroy_while_busy),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}

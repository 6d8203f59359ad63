/* test_loop_ask.c: what comes to a loop from other threads: connections that an acceptor deals, and
 * requests. Both loops turn in this thread, by turns; the wire tests run them in threads. */
#include "loop_fixture.h"

/* ---- an acceptor, and a loop that adopts ---- */

struct handoff {
    struct scene scene; /* the acceptor */
    struct engine_config cfg;
    struct loop *adopter;
    unsigned wakes;
};

static bool handoff_has_room(void *context)
{
    return loop_can_adopt(((struct handoff *)context)->adopter);
}

static void handoff_deal(void *context, int fd, const struct listen_config *listen,
                         const struct peer *peer)
{
    loop_adopt(((struct handoff *)context)->adopter, fd, listen, peer);
}

static void handoff_made_room(void *context)
{
    struct handoff *handoff = context;
    handoff->wakes++;
    loop_ask(handoff->scene.loop, LOOP_ASK_ACCEPT);
}

static void handoff_begin(struct handoff *handoff, unsigned max, unsigned arrivals_max)
{
    static const struct loop_hooks acceptor = { .has_room = handoff_has_room,
                                                .deal = handoff_deal };
    static const struct loop_hooks adopter = { .made_room = handoff_made_room };
    struct scene *scene = &handoff->scene;
    scene_open(scene, AF_INET, 0);
    scene->listen.backlog = 64;
    handoff->wakes = 0;
    handoff->cfg = scene->cfg;
    handoff->cfg.limits.connections_max = max;
    handoff->cfg.listeners_count = 0;
    const struct loop_options options = { .arrivals_max = arrivals_max,
                                          .hooks = &adopter,
                                          .hooks_context = handoff };
    char why[200] = "";
    assert_int_equal(loop_create(&handoff->cfg, &options, why, sizeof(why), &handoff->adopter), 0);
    scene->options =
        (struct loop_options){ .accept_only = true, .hooks = &acceptor, .hooks_context = handoff };
    scene_start(scene);
}

/* A turn of one of them. */
static bool handoff_turn(struct loop *loop)
{
    bool ends = loop_heed_orders(loop);
    int n = loop->demultiplexer->ops->wait(loop->demultiplexer, 0, loop->events, LOOP_EVENTS_MAX);
    assert_true(n >= 0);
    if (!ends)
        loop_turn(loop, n);
    return !ends && (n > 0 || loop_timeout_ms(loop) == 0);
}

static void handoff_settle(struct handoff *handoff)
{
    for (int turns = 0, busy = 1; busy; turns++) {
        busy = handoff_turn(handoff->scene.loop);
        busy |= handoff_turn(handoff->adopter);
        assert_true(turns < 100);
    }
}

/* The acceptor takes what the other has room for, in the inbox and at all; the rest waits in the
 * kernel, costs nothing, and follows. */
static void test_handoff(void **state)
{
    (void)state;
    struct handoff handoff;
    handoff_begin(&handoff, 5, 4);
    int fds[12];
    for (int i = 0; i < 12; i++)
        fds[i] = client_connect(&handoff.scene);
    while (handoff_turn(handoff.scene.loop))
        continue;
    assert_int_equal(calls.accept, 4);
    assert_int_equal(loop_adopted(handoff.adopter), 4);
    assert_int_equal(loop_timeout_ms(handoff.scene.loop), -1);
    handoff_settle(&handoff);
    assert_int_equal(fake.opened, 5);
    for (int i = 0; i < 12; i++) {
        client_ask(fds[i], "m 7\n");
        handoff_settle(&handoff);
        char answer[7];
        assert_int_equal(read(fds[i], answer, sizeof(answer)), 7);
        close(fds[i]);
        handoff_settle(&handoff);
        assert_int_equal(fake.opened, i < 7 ? 6 + i : 12);
        assert_int_equal(loop_adopted(handoff.adopter), i < 7 ? 5 : 11 - i);
    }
    loop_destroy(handoff.adopter);
    scene_end(&handoff.scene);
}

/* The acceptor ends first; what it had given is served by the other, which ends only then. */
static void test_handoff_drain(void **state)
{
    (void)state;
    struct handoff handoff;
    handoff_begin(&handoff, 5, 4);
    int fd = client_connect(&handoff.scene);
    client_ask(fd, "m 7\n");
    handoff.scene.orders.drain = 1;
    assert_false(loop_heed_orders(handoff.adopter)); /* nothing there, but something may come */
    assert_true(loop_heed_orders(handoff.scene.loop));
    loop_end_adoption(handoff.adopter);
    assert_true(loop_heed_orders(handoff.adopter));
    char answer[8];
    assert_int_equal(read(fd, answer, sizeof(answer)), 7);
    close(fd);
    loop_destroy(handoff.adopter);
    scene_end(&handoff.scene);
}

/* What nobody has looked at is closed with the loop. */
static void test_handoff_left_over(void **state)
{
    (void)state;
    struct handoff handoff;
    handoff_begin(&handoff, 5, 4);
    int fd = client_connect(&handoff.scene);
    while (handoff_turn(handoff.scene.loop))
        continue;
    loop_destroy(handoff.adopter);
    char octet;
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    assert_int_equal(read(fd, &octet, 1), 0);
    close(fd);
    scene_end(&handoff.scene);
}

/* Asked by somebody else, not by the process: this loop alone ends. */
static void test_stop(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    assert_false(loop_heed_orders(scene.loop));
    loop_ask(scene.loop, LOOP_ASK_STOP);
    assert_true(loop_heed_orders(scene.loop));
    scene_end(&scene);
}

static void test_reclaim(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    fake.reclaimable = 1;
    loop_ask(scene.loop, LOOP_ASK_RECLAIM);
    assert_false(loop_heed_orders(scene.loop));
    assert_int_equal(fake.reclaimable, 0);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handoff),           cmocka_unit_test(test_handoff_drain),
        cmocka_unit_test(test_handoff_left_over), cmocka_unit_test(test_stop),
        cmocka_unit_test(test_reclaim),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}

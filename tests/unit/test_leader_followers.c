/* test_leader_followers.c: several threads at one loop: all serve, one failure ends all, and a
 * connection that is closed while an event of it is on its way is nobody's. */
#include "loop_fixture.h"

#include "core/cpus.h"

enum { THREADS = 4 };

static int threads_left; /* pthread_create(3) fails after so many; -1: never */

static int hooked_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*function)(void *), void *context)
{
    if (threads_left == 0)
        return EAGAIN;
    threads_left -= threads_left > 0;
    return pthread_create(thread, attributes, function, context);
}

#define pthread_create(thread, how, what, with) hooked_pthread_create(thread, how, what, with)

#include "core/thread_start.c"
#include "engines/crew.c"
#include "engines/reactor/demultiplexer_oneshot.c"
#include "engines/reactor/leader_followers.c"

static struct engine *make(struct scene *scene, unsigned threads)
{
    char why[200] = "";
    struct engine *engine;
    scene_open(scene, AF_INET, 0);
    scene->config.threads = threads;
    threads_left = -1;
    assert_int_equal(engine_leader_followers.create(&scene->cfg, why, sizeof(why), &engine), 0);
    return engine;
}

static void *run(void *engine)
{
    int res = engine_leader_followers.run(engine);
    return (void *)(intptr_t)res;
}

static void test_thread_that_cannot_be_had(void **state)
{
    (void)state;
    for (int had = 0; had < THREADS - 1; had++) {
        struct scene scene;
        struct engine *engine = make(&scene, THREADS);
        threads_left = had;
        assert_int_equal(engine_leader_followers.run(engine), -EAGAIN);
        engine_leader_followers.destroy(engine);
        listener_close(&scene.listener);
    }
}

/* Each thread that waits is woken by the one before. */
static void test_all_end(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        struct scene scene;
        pthread_t runner;
        void *res;
        struct engine *engine = make(&scene, threads);
        assert_int_equal((pthread_create)(&runner, NULL, run, engine), 0);
        usleep(5000);
        /* the engine's threads read it meanwhile (engine_asked()) */
        __atomic_store_n(&scene.orders.stop, 1, __ATOMIC_RELAXED);
        engine_leader_followers.wake(engine);
        assert_int_equal(pthread_join(runner, &res), 0);
        assert_null(res);
        engine_leader_followers.destroy(engine);
        listener_close(&scene.listener);
    }
}

/* An event names a registration, not the connection that lay at its address. */
static void test_event_of_a_closed_one(void **state)
{
    (void)state;
    char why[200] = "";
    struct demultiplexer *d;
    struct demultiplexer_event event;
    int pair[2];
    assert_int_equal(demultiplexer_oneshot.open(4, why, sizeof(why), &d), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct loop_source source = { 1, pair[0] };
    assert_int_equal(demultiplexer_oneshot.add(d, &source, DEMULTIPLEXER_CONNECTION), 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(demultiplexer_oneshot.wait(d, 0, &event, 1), 0); /* not asked for yet */
    demultiplexer_oneshot.want(d, &source, DEMULTIPLEXER_READ);
    assert_int_equal(demultiplexer_oneshot.wait(d, 0, &event, 1), 1);
    assert_ptr_equal(event.source, &source);
    assert_int_equal(demultiplexer_oneshot.wait(d, 0, &event, 1), 0); /* one shot */
    demultiplexer_oneshot.want(d, &source, DEMULTIPLEXER_READ);
    oneshot_of(d)->entries[pair[0]].registration++; /* as if closed and opened anew meanwhile */
    assert_int_equal(demultiplexer_oneshot.wait(d, 0, &event, 1), 0);
    demultiplexer_oneshot.want(d, &source, DEMULTIPLEXER_READ);
    oneshot_of(d)->entries[pair[0]].source = NULL;
    assert_int_equal(demultiplexer_oneshot.wait(d, 0, &event, 1), 0);
    demultiplexer_oneshot.remove(d, &source, true);
    close(pair[0]);
    close(pair[1]);
    demultiplexer_oneshot.close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_that_cannot_be_had),
        cmocka_unit_test(test_all_end),
        cmocka_unit_test(test_event_of_a_closed_one),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}

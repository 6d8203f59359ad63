/* test_multi_reactor.c: what several loops add to one: shares of the limits, listeners for each,
 * and that all end when one fails or a thread cannot be had. */
#include "loop_fixture.h"

#include "core/cpus.h"

enum { THREADS = 4 };

static struct {
    struct loop *fails; /* its loop_run() fails after a moment */
    int threads_left;   /* pthread_create(3) fails after so many; -1: never */
} fault;

static int hooked_loop_run(struct loop *loop)
{
    if (loop != fault.fails)
        return loop_run(loop);
    usleep(20000);
    return -EIO;
}

static int hooked_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*function)(void *), void *context)
{
    if (fault.threads_left == 0)
        return EAGAIN;
    fault.threads_left -= fault.threads_left > 0;
    return pthread_create(thread, attributes, function, context);
}

#define loop_run(loop)                          hooked_loop_run(loop)
#define pthread_create(thread, how, what, with) hooked_pthread_create(thread, how, what, with)

#include "core/thread_start.c"
#include "engines/crew.c"
#include "engines/reactor/multi_reactor.c"

static const enum accept_mode modes[] = { ACCEPT_HANDOFF, ACCEPT_REUSEPORT, ACCEPT_SHARED };

static struct engine *make(struct scene *scene, enum accept_mode mode, unsigned threads)
{
    static char host[] = "127.0.0.1";
    char why[200] = "";
    struct engine *engine;
    scene_open(scene, AF_INET, 0);
    scene->listen.host = host;
    scene->listen.backlog = 16;
    scene->config.threads = threads;
    scene->config.accept_mode = mode;
    fault.fails = NULL;
    fault.threads_left = -1;
    assert_int_equal(engine_multi_reactor.create(&scene->cfg, why, sizeof(why), &engine), 0);
    return engine;
}

/* The caller's listener is the caller's again. */
static void end(struct scene *scene, struct engine *engine, bool closed)
{
    engine_multi_reactor.destroy(engine);
    assert_null(scene->listener.holders);
    assert_int_equal(scene->listener.fd < 0, closed);
    listener_close(&scene->listener);
}

static void test_too_few_connections(void **state)
{
    (void)state;
    struct scene scene;
    char why[200] = "";
    struct engine *engine = NULL;
    scene_open(&scene, AF_INET, 0);
    scene.config.threads = THREADS;
    scene.cfg.limits.connections_max = THREADS - 1;
    assert_int_equal(engine_multi_reactor.create(&scene.cfg, why, sizeof(why), &engine), -EINVAL);
    assert_null(engine);
    assert_non_null(strstr(why, "connections_max = 3"));
    listener_close(&scene.listener);
}

/* As `gearshift -t` does it: no listener, and it never runs. */
static void test_never_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct scene scene;
        end(&scene, make(&scene, modes[i], THREADS), false);
        scene_open(&scene, AF_INET, 0);
        scene.cfg.listeners_count = 0;
        scene.config.threads = THREADS;
        scene.config.accept_mode = modes[i];
        char why[200] = "";
        struct engine *engine;
        assert_int_equal(engine_multi_reactor.create(&scene.cfg, why, sizeof(why), &engine), 0);
        engine_multi_reactor.destroy(engine);
        listener_close(&scene.listener);
    }
}

/* Whichever fails: the others end, too, and the error is told. */
static void test_one_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        for (unsigned index = 0; index <= THREADS; index++) {
            struct scene scene;
            struct engine *engine = make(&scene, modes[i], THREADS);
            fault.fails = index < THREADS ? engine->reactors[index].loop : engine->acceptor;
            if (fault.fails != NULL)
                assert_int_equal(engine_multi_reactor.run(engine), -EIO);
            end(&scene, engine, false);
        }
    }
}

static void test_no_thread(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        for (int left = 0; left < THREADS - 1; left++) {
            struct scene scene;
            struct engine *engine = make(&scene, modes[i], THREADS);
            fault.threads_left = left;
            assert_int_equal(engine_multi_reactor.run(engine), -EAGAIN);
            end(&scene, engine, false);
        }
    }
}

static void *run_in_thread(void *engine)
{
    return engine_multi_reactor.run(engine) == 0 ? engine : NULL;
}

/* Woken by one call, all of them heed what was asked. */
static void test_stop_and_drain(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(modes); i++) {
        struct scene scene;
        struct engine *engine = make(&scene, modes[i / 2], THREADS);
        bool drain = i % 2 != 0;
        pthread_t thread;
        void *result;
        assert_int_equal(pthread_create(&thread, NULL, run_in_thread, engine), 0);
        usleep(10000);
        __atomic_store_n(drain ? &scene.orders.drain : &scene.orders.stop, 1, __ATOMIC_RELAXED);
        engine_multi_reactor.wake(engine);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_ptr_equal(result, engine);
        end(&scene, engine, drain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {    cmocka_unit_test(test_too_few_connections),
        cmocka_unit_test(test_never_run), cmocka_unit_test(test_one_fails),
        cmocka_unit_test(test_no_thread), cmocka_unit_test(test_stop_and_drain),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}

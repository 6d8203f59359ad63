/* test_reactor.c: the array of engines, and the engine `reactor` through its table. */
#include "loop_fixture.h"

#include "engines/engine.c"
#include "engines/reactor/reactor.c"

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(engine_find("reactor"), &engine_reactor);
    assert_null(engine_find("Reactor"));
    assert_null(engine_find("reactor-"));
    assert_null(engine_find(""));

    size_t count = 0;
    for (; engine_at(count) != NULL; count++) {
        const struct engine_ops *ops = engine_at(count);
        assert_ptr_equal(engine_find(ops->name), ops);
        assert_true(strlen(ops->summary) > 0 && strchr(ops->summary, '\n') == NULL);
        assert_true(ops->probe && ops->create && ops->run && ops->wake && ops->destroy);
    }
    assert_true(count > 0);
    assert_null(engine_at(count + 1));
}

/* Asked of each engine before it is made: those with one loop refuse to have more. */
static void test_threads(void **state)
{
    (void)state;
    static const char *const threads[] = { "threads=0", "threads=1", "threads=2", "threads=64" };
    size_t refusals = 0;
    for (size_t i = 0; engine_at(i) != NULL; i++) {
        bool several = (engine_at(i)->settings & ENGINE_SETTING_THREADS) != 0;
        for (size_t j = 0; j < ARRAY_LEN(threads); j++) {
            const struct config_source source = { .root = "/",
                                                  .settings = &threads[j],
                                                  .settings_count = 1 };
            struct config *config = NULL;
            char why[400] = "";
            assert_int_equal(config_load(&source, why, sizeof(why), &config), 0);
            int res = engine_check_config(engine_at(i), config, why, sizeof(why));
            assert_int_equal(res, several || j < 2 ? 0 : -EINVAL);
            assert_int_equal(strstr(why, "needs multi-reactor") == NULL, res == 0);
            config_free(config);
            refusals += res < 0;
        }
    }
    assert_int_equal(refusals, 2 * 7);
}

static void test_file_io_decides_caps(void **state)
{
    (void)state;
    static const enum file_io ways[] = { FILE_IO_AUTO, FILE_IO_SENDFILE, FILE_IO_READ };
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct scene scene;
        scene_open(&scene, AF_INET, 0);
        scene.config.file_io = ways[i];
        scene_start(&scene);
        assert_int_equal(fake.caps, ways[i] == FILE_IO_READ ? 0 : ENGINE_CAP_FILE_SEGMENT);
        scene_end(&scene);
    }
}

static void *run_in_thread(void *engine)
{
    return engine_reactor.run(engine) == 0 ? engine : NULL;
}

static void test_life(void **state)
{
    (void)state;
    char why[200] = "";
    assert_int_equal(engine_reactor.probe(NULL, why, sizeof(why)), 0);
    struct scene scene;
    scene_open(&scene, AF_INET, 0);
    struct engine *engine;
    assert_int_equal(engine_reactor.create(&scene.cfg, why, sizeof(why), &engine), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_in_thread, engine), 0);

    int fd = client_connect(&scene);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    client_ask(fd, "m 100\n");
    char answer[100];
    assert_int_equal(read(fd, answer, sizeof(answer)), sizeof(answer));

    __atomic_store_n(&scene.orders.drain, 1, __ATOMIC_RELAXED);
    engine_reactor.wake(engine);
    void *result;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, engine);
    assert_int_equal(read(fd, answer, sizeof(answer)), 0);
    engine_reactor.destroy(engine);
    engine_reactor.destroy(NULL);
    close(fd);
    listener_close(&scene.listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_file_io_decides_caps),
        cmocka_unit_test(test_life),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}

/* test_unused.c: settings that the engine in force has no use for, from real configurations: which
 * are told, and which say nothing new. */
#include "process/unused.c"

#include "core/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 6 };

/* What is told of an engine with these settings, a line each. */
static const char *told(const char *engine, unsigned settings_known,
                        const char *const settings[SETTINGS_MAX])
{
    static char all[4096];
    struct config_source source = { .root = "/", .engine = engine, .settings = settings };
    struct choice choice = { .ops = engine_find(engine) };
    char text[512], why[512];
    size_t index = 0;

    while (source.settings_count < SETTINGS_MAX && settings[source.settings_count] != NULL)
        source.settings_count++;
    if (config_load(&source, why, sizeof(why), &choice.config) < 0)
        fail_msg("%s", why);
    if (settings_known != 0)
        choice.by_auto =
            (struct auto_choice){ .ops = choice.ops, .settings_known = settings_known };
    all[0] = '\0';
    while (unused_next(&choice, &index, text, sizeof(text)))
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\n", text);
    choice_free(&choice);
    return all;
}

static void test_told(void **state)
{
    static const char *const settings[SETTINGS_MAX] = { "pin=on",          "accept=shared",
                                                        "workers=3",       "pool_work=file",
                                                        "processor=epoll", "file_jobs=workers" };
    static const char *const shared[SETTINGS_MAX] = { "cache_shared=off" };
    static const char *const queue[SETTINGS_MAX] = { "worker_queue=7" };
    static const char *const batch[SETTINGS_MAX] = { "coalesce_us=8" };
    static const char *const emulated[SETTINGS_MAX] = { "coalesce_us=8", "processor=epoll" };

    (void)state;
    assert_string_equal(
        told("reactor", 0, settings),
        "-o pin: engine reactor has no use for pin; it is for multi-reactor, leader-followers and "
        "proactor\n"
        "-o accept: engine reactor has no use for accept; it is for multi-reactor and proactor\n"
        "-o processor: engine reactor has no use for processor; it is for proactor\n"
        "-o workers: engine reactor has no use for workers; it is for reactor-pool and "
        "thread-pool\n"
        "-o pool_work: engine reactor has no use for pool_work; it is for reactor-pool\n");
    assert_string_equal(told("proactor", 0, settings),
                        "-o workers: engine proactor has no use for workers; it is for "
                        "reactor-pool and thread-pool\n"
                        "-o pool_work: engine proactor has no use for pool_work; it is for "
                        "reactor-pool\n");
    assert_string_equal(told("proactor", 0, queue), "");
    assert_string_equal(told("multi-reactor", 0, shared), "");
    assert_string_equal(told("leader-followers", 0, shared),
                        "-o cache_shared: engine leader-followers has no use for cache_shared; it "
                        "is for multi-reactor and proactor\n");
    assert_string_equal(told("reactor", 0, batch),
                        "-o coalesce_us: engine reactor has no use for coalesce_us; it is for "
                        "proactor\n");
    assert_string_equal(told("proactor", 0, batch), "");
    assert_string_equal(
        told("proactor", 0, emulated),
        "-o coalesce_us: processor = epoll waits for one completion, and has no use "
        "for coalesce_us\n");
    assert_string_equal(told("coroutine", 0, queue),
                        "-o worker_queue: engine coroutine has no use for worker_queue; it is for "
                        "reactor, reactor-pool, multi-reactor, proactor and thread-pool\n");
}

/* Where one is chosen, what is for another one to choose from is right. */
static void test_chosen(void **state)
{
    static const char *const settings[SETTINGS_MAX] = { "pin=on", "workers=3", "processor=epoll" };

    (void)state;
    assert_string_equal(
        told("reactor", ENGINE_SETTING_PIN | ENGINE_SETTING_PROCESSOR, settings),
        "-o workers: engine reactor has no use for workers; it is for reactor-pool and "
        "thread-pool\n");
}

/* The loop reads files itself: workers for that are none, and have no queue. */
static void test_inline(void **state)
{
    static const char *const automatic[SETTINGS_MAX] = { "file_workers=4", "worker_queue=7" };
    static const char *const by_loop[SETTINGS_MAX] = { "file_workers=4", "worker_queue=7",
                                                       "file_jobs=inline" };
    static const char *const by_workers[SETTINGS_MAX] = { "file_workers=4", "worker_queue=7",
                                                          "file_jobs=workers" };
    static const char *const none[SETTINGS_MAX] = { "file_workers=0" };
    static const char *const reactor =
        "-o worker_queue: engine reactor reads files in its event loop, and has no use for "
        "worker_queue: set file_jobs = workers\n"
        "-o file_workers: engine reactor reads files in its event loop, and has no use for "
        "file_workers: set file_jobs = workers\n";

    (void)state;
    assert_string_equal(told("reactor", 0, automatic), reactor);
    assert_string_equal(told("reactor", 0, by_loop), reactor);
    assert_string_equal(told("reactor", 0, by_workers), "");
    assert_string_equal(told("reactor", 0, none), "");
    assert_string_equal(told("multi-reactor", 0, automatic), "");
    assert_non_null(strstr(told("multi-reactor", 0, by_loop), "engine multi-reactor reads files"));
    assert_string_equal(
        told("thread-pool", 0, (const char *const[SETTINGS_MAX]){ "worker_queue=7" }), "");
}

/* Defaults, however they are written, and the one loop that every engine has. */
static void test_nothing_new(void **state)
{
    static const char *const same[SETTINGS_MAX] = { "pin=off", "accept=reuseport", "workers=00",
                                                    "worker_queue=01024", "threads=1" };
    static const char *const zero[SETTINGS_MAX] = { "threads=0" };

    (void)state;
    assert_string_equal(told("iterative", 0, same), "");
    assert_string_equal(told("coroutine", 0, zero), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_nothing_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

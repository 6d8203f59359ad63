/* test_watchdog.c: who answers is left in peace, who does not is aborted, and then killed; time in
 * which nobody looked counts for nobody. */
#include "process/watchdog.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT_MS = 1000, STEP_MS = LIMIT_MS / ASKS };

static struct config config;
static struct worker worker;
static struct generation generation;
static struct pulse_beat beat;

static int set_up(void **state)
{
    (void)state;
    config = (struct config){ .deadlines.watchdog_ms = LIMIT_MS };
    worker_init(&worker, 0);
    worker.pulse = pulse_create(NULL);
    worker.ready = true;
    worker.looked_ms = 1000;
    generation = (struct generation){ .workers = &worker, .workers_count = 1 };
    generation.instance.config = &config;
    worker.pid = fork();
    if (worker.pid == 0) {
        pause();
        _exit(0);
    }
    pulse_join(&beat, worker.pulse);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int status;
    kill(worker.pid, SIGKILL);
    waitpid(worker.pid, &status, 0);
    pulse_destroy(worker.pulse);
    return 0;
}

static void test_well(void **state)
{
    (void)state;
    for (uint64_t now_ms = 1000; now_ms < 10000; now_ms += STEP_MS) {
        watchdog_go_on(&generation, now_ms);
        assert_int_equal(worker.kill_ms, 0);
        assert_true(watchdog_due_ms(&generation) <= now_ms + STEP_MS);
        pulse_turn(&beat);
    }
    assert_int_equal(waitpid(worker.pid, NULL, WNOHANG), 0);
}

static void test_hangs(void **state)
{
    (void)state;
    uint64_t now_ms = 1000 + STEP_MS;
    int status;

    watchdog_go_on(&generation, now_ms);
    assert_int_equal(worker.asked_ms, now_ms);
    for (int i = 0; i < ASKS - 1; i++)
        watchdog_go_on(&generation, now_ms += STEP_MS);
    assert_int_equal(worker.kill_ms, 0);
    now_ms += STEP_MS;
    assert_int_equal(watchdog_due_ms(&generation), now_ms);
    watchdog_go_on(&generation, now_ms);
    assert_int_equal(worker.kill_ms, now_ms + KILL_MS);
    pulse_turn(&beat); /* too late */
    watchdog_go_on(&generation, now_ms + KILL_MS);
    assert_int_equal(worker.kill_ms, UINT64_MAX);
    assert_int_equal(watchdog_due_ms(&generation), UINT64_MAX);
    assert_int_equal(waitpid(worker.pid, &status, 0), worker.pid);
    assert_true(WIFSIGNALED(status));
    worker.pid = 0;
    watchdog_go_on(&generation, now_ms + 100000);
    set_up(NULL);
}

static void test_nobody_looked(void **state)
{
    (void)state;
    watchdog_go_on(&generation, 2000);
    watchdog_go_on(&generation, 2000 + STEP_MS);
    watchdog_go_on(&generation, 90000); /* stopped for long, as the worker perhaps */
    assert_int_equal(worker.kill_ms, 0);
    watchdog_go_on(&generation, 90000 + STEP_MS);
    pulse_turn(&beat);
    watchdog_go_on(&generation, 90000 + 2 * STEP_MS);
    assert_int_equal(worker.asked_ms, 0);
}

static void test_not_watched(void **state)
{
    (void)state;
    worker.ready = false;
    watchdog_go_on(&generation, 1000000);
    assert_int_equal(worker.asked_ms, 0);
    worker.ready = true;
    config.deadlines.watchdog_ms = 0;
    watchdog_go_on(&generation, 1000000);
    assert_int_equal(worker.asked_ms, 0);
    assert_int_equal(watchdog_due_ms(&generation), UINT64_MAX);
    watchdog_go_on(NULL, 0);
    assert_int_equal(watchdog_due_ms(NULL), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hangs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_looked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_watched, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

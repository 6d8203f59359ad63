/* test_signals.c: each signal sets its request and wakes the engine; afterwards none does. */
#include "process/signals.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct engine {
    int wakes;
};

static void count_wake(struct engine *e)
{
    e->wakes++;
    errno = EIO; /* which the interrupted code must not see */
}

static const struct engine_ops counting = { .name = "counting", .wake = count_wake };
static struct engine engine;

static void test_requests(void **state)
{
    (void)state;
    const struct engine_orders *orders = signals_orders();

    signals_install(&counting, &engine, false);
    assert_false(orders->stop || orders->drain || orders->reopen_logs);
    errno = 0;
    raise(SIGUSR1);
    assert_int_equal(orders->reopen_logs, 1);
    raise(SIGUSR1);
    assert_int_equal(orders->reopen_logs, 2);
    assert_false(orders->stop || orders->drain);
    raise(SIGQUIT);
    assert_true(orders->drain && !orders->stop);
    assert_int_equal(engine.wakes, 3);
    static const int stops[] = { SIGTERM, SIGINT, SIGHUP };
    for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
        running.orders.stop = 0;
        raise(stops[i]);
        assert_true(orders->stop);
    }
    assert_int_equal(engine.wakes, 6);
    assert_int_equal(errno, 0);

    signals_ignore();
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        raise(handled[i]);
    assert_int_equal(engine.wakes, 6);
}

static void test_nohup_stays(void **state)
{
    (void)state;
    struct sigaction action;

    signal(SIGHUP, SIG_IGN);
    signals_install(&counting, &engine, false);
    assert_int_equal(sigaction(SIGHUP, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_IGN);
    signals_ignore();
}

static void test_error_log_is_opened_again(void **state)
{
    (void)state;
    static char folder[] = "/tmp/test_signals.XXXXXX", path[64], rotated[64];

    assert_non_null(mkdtemp(folder));
    strcat(strcpy(path, folder), "/error.log");
    strcat(strcpy(rotated, path), ".1");
    assert_int_equal(log_open(path, LOG_INFO), 0);
    signals_install(&counting, &engine, false);
    assert_int_equal(rename(path, rotated), 0);
    raise(SIGUSR1);
    assert_int_equal(access(path, F_OK), 0);

    /* When that fails, the old file says so. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    off_t before = lseek(log_fd(), 0, SEEK_END);
    raise(SIGUSR1);
    assert_true(lseek(log_fd(), 0, SEEK_END) > before);
    signals_ignore();
    assert_int_equal(log_open("stderr", LOG_INFO), 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(unlink(rotated), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    signal(SIGHUP, SIG_DFL); /* under nohup(1), it is ignored */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_nohup_stays),
        cmocka_unit_test(test_error_log_is_opened_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

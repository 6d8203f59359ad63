/* test_retired.c: generations that end: freed when their processes have ended, killed when their
 * time is over; when there is no room for one more the oldest hurries, step by step, and no other.
 */
#include "process/retired.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DRAIN_MS = 1000 };

static struct config config = { .deadlines.drain_ms = DRAIN_MS };
static const struct config_source source = { .file = "server.conf" };
static struct supervisor s;
static int told[2]; /* what children are told: a pipe of signals' numbers */

static void on_signal(int number)
{
    char octet = (char)number;

    (void)!write(told[1], &octet, 1);
}

/* A worker that notes what it is told, and ends for nothing but SIGKILL. */
static pid_t fork_deaf(void)
{
    int ready[2];
    char octet;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGQUIT, on_signal);
        signal(SIGTERM, on_signal);
        close(ready[1]);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    close(ready[1]);
    assert_int_equal(read(ready[0], &octet, 1), 0);
    close(ready[0]);
    return pid;
}

static struct generation *add(unsigned number, pid_t pid, uint64_t now_ms)
{
    struct generation *g = generation_create(number, &source, NULL, 0);

    assert_non_null(g);
    g->workers = calloc(1, sizeof g->workers[0]);
    assert_non_null(g->workers);
    g->workers_count = 1;
    worker_init(&g->workers[0], 0);
    g->workers[0].pid = pid;
    g->instance.config = &config;
    retired_add(&s, g, now_ms);
    return g;
}

/* As workers_reap() notes it. */
static void has_ended(struct generation *g)
{
    g->workers[0].pid = 0;
}

static void kill_and_reap(struct generation *g)
{
    kill(g->workers[0].pid, SIGKILL);
    waitpid(g->workers[0].pid, NULL, 0);
    has_ended(g);
}

/* The next signal that a child was told of. */
static int next_told(void)
{
    char octet = 0;

    assert_int_equal(read(told[0], &octet, 1), 1);
    return octet;
}

static int set_up(void **state)
{
    (void)state;
    s = (struct supervisor){ .retired_count = 0 };
    return pipe(told);
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(s.retired_count, 0);
    close(told[0]);
    close(told[1]);
    return 0;
}

static void test_who_has_ended_is_freed(void **state)
{
    (void)state;
    /* Nobody's time is over here, so that nothing is sent to this process. */
    struct generation *one = add(1, getpid(), 0), *two = add(2, getpid(), 10),
                      *three = add(3, getpid(), 20);

    assert_int_equal(retired_alive(&s), 3);
    assert_int_equal(retired_due_ms(&s), DRAIN_MS + RETIRED_GRACE_MS);
    has_ended(two);
    retired_go_on(&s, 100);
    assert_int_equal(s.retired_count, 2);
    assert_ptr_equal(s.retired[0], one);
    assert_ptr_equal(s.retired[1], three);
    assert_null(s.retired[2]);
    has_ended(one);
    retired_go_on(&s, 100);
    assert_int_equal(retired_due_ms(&s), 20 + DRAIN_MS + RETIRED_GRACE_MS);
    has_ended(three);
    retired_go_on(&s, 100);
    assert_int_equal(retired_due_ms(&s), UINT64_MAX);
}

static void test_whose_time_is_over_is_killed(void **state)
{
    (void)state;
    struct generation *g = add(1, fork_deaf(), 0);
    int status;

    retired_go_on(&s, DRAIN_MS + RETIRED_GRACE_MS - 1);
    assert_int_equal(waitpid(g->workers[0].pid, &status, WNOHANG), 0);
    retired_go_on(&s, DRAIN_MS + RETIRED_GRACE_MS);
    assert_int_equal(waitpid(g->workers[0].pid, &status, 0), g->workers[0].pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(retired_due_ms(&s), UINT64_MAX);
    has_ended(g);
    retired_go_on(&s, DRAIN_MS + RETIRED_GRACE_MS);
}

static void test_the_oldest_hurries(void **state)
{
    (void)state;
    uint64_t now_ms = 0;
    struct generation *oldest = add(1, fork_deaf(), now_ms), *others[RETIRED_MAX] = { NULL };
    int status;

    for (unsigned i = 1; i < RETIRED_MAX; i++) {
        retired_make_room(&s, now_ms); /* there is some: nobody hurries */
        assert_true(retired_have_room(&s));
        others[i] = add(i + 1, fork_deaf(), now_ms);
    }
    assert_int_equal(oldest->hurries, 0);
    assert_false(retired_have_room(&s));
    retired_make_room(&s, now_ms);
    retired_make_room(&s, now_ms); /* is no further step */
    assert_int_equal(next_told(), SIGQUIT);
    assert_int_equal(retired_due_ms(&s), now_ms + 20);
    retired_go_on(&s, now_ms += 20);
    assert_int_equal(next_told(), SIGQUIT);
    retired_go_on(&s, now_ms + 999);
    retired_go_on(&s, now_ms += 1000);
    assert_int_equal(next_told(), SIGTERM);
    assert_int_equal(waitpid(oldest->workers[0].pid, &status, WNOHANG), 0);
    retired_go_on(&s, now_ms += 2000);
    assert_int_equal(waitpid(oldest->workers[0].pid, &status, 0), oldest->workers[0].pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    has_ended(oldest);
    retired_go_on(&s, now_ms);
    assert_true(retired_have_room(&s));
    assert_ptr_equal(s.retired[0], others[1]);
    for (unsigned i = 1; i < RETIRED_MAX; i++) {
        assert_int_equal(others[i]->hurries, 0);
        kill_and_reap(others[i]);
    }
    retired_go_on(&s, now_ms);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_who_has_ended_is_freed),
        TEST(test_whose_time_is_over_is_killed),
        TEST(test_the_oldest_hurries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

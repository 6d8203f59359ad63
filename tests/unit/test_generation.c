/* test_generation.c: what a generation reads and owns, whose connections each of its workers takes
 * over, where its addresses are in the next one, and what its workers are told. Those that end:
 * test_retired.c. */
#include "process/generation.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = -1, FIRST_INBOX = 100 };

static const struct config_source nothing = { .file = "server.conf" };

static struct generation *with_workers(size_t count)
{
    struct generation *g = generation_create(1, &nothing, NULL, 0);

    assert_non_null(g);
    assert_int_equal(make_workers(g, count), STATUS_OK);
    return g;
}

static void test_settings_are_copied(void **state)
{
    static const char *const said[] = { "user=root" };
    static const struct config_source source = { .root = "/",
                                                 .settings = said,
                                                 .settings_count = 1 };
    char asked[] = "engine=coroutine";
    const char *const more[] = { asked };
    struct generation *g = generation_create(7, &source, more, 1);

    (void)state;
    assert_non_null(g);
    memset(asked, 'x', sizeof asked - 1);
    assert_int_equal(g->number, 7);
    assert_int_equal(g->source.settings_count, 2);
    assert_ptr_equal(g->source.settings[0], said[0]);
    assert_string_equal(g->source.settings[1], "engine=coroutine");
    assert_ptr_equal(g->instance.source, &g->source);
    generation_destroy(g);
    generation_destroy(NULL);
}

/* A supervisor cannot be configured away. */
static void test_no_supervisor_is_refused(void **state)
{
    static const char *const none[] = { "processes=0" };
    static const struct config_source source = { .root = "/tmp" };
    struct generation *g = generation_create(2, &source, none, 1);

    (void)state;
    assert_non_null(g);
    assert_int_equal(generation_open(g, NULL, false), STATUS_CONFIG);
    assert_non_null(strstr(g->instance.why, "processes = 0 takes the supervisor away"));
    assert_null(g->workers);
    assert_int_equal(generation_alive(g), 0);
    generation_destroy(g);
}

/* Each predecessor has one successor, however many there are of either. */
static void test_inboxes(void **state)
{
    (void)state;
    for (size_t old = 0; old <= 6; old++) {
        for (size_t new = 1; new <= 6; new ++) {
            struct generation *before = with_workers(old), *g = with_workers(new);
            unsigned seen = 0, dead = old > 3 ? 1u << 3 : 0;
            int inboxes[7];
            for (size_t i = 0; i < old; i++)
                before->workers[i].inbox = dead & 1u << i ? NOBODY : FIRST_INBOX + (int)i;
            for (size_t i = 0; i < new; i++) {
                size_t count = inboxes_of(g, before, i, inboxes);
                assert_true(count <= old / new + 1);
                for (size_t at = 0; at < count; at++) {
                    unsigned bit = 1u << (inboxes[at] - FIRST_INBOX);
                    assert_false(seen & bit);
                    seen |= bit;
                }
            }
            assert_int_equal(seen, ((1u << old) - 1) & ~dead);
            assert_int_equal(inboxes_of(g, NULL, 0, inboxes), 0);
            for (size_t i = 0; i < old; i++)
                before->workers[i].inbox = NOBODY;
            generation_destroy(before);
            generation_destroy(g);
        }
    }
}

/* The same socket, which speaks the same. */
static void test_same_address(void **state)
{
    struct listen_config plain = { .tls = false }, tls = { .tls = true },
                         proxied = { .proxy_protocol = true };
    struct config config = { .listens_count = 3 };
    struct listener after[] = { { .fd = 5, .config = &tls },
                                { .fd = 6, .config = &plain },
                                { .fd = 7, .config = &proxied } };
    const struct instance next = { .config = &config, .listeners = after };
    const struct {
        struct listener before;
        int index;
    } cases[] = {
        { { .fd = 5, .config = &tls }, 0 },      { { .fd = 6, .config = &plain }, 1 },
        { { .fd = 7, .config = &proxied }, 2 },  { { .fd = 5, .config = &plain }, -1 },
        { { .fd = 6, .config = &proxied }, -1 }, { { .fd = 8, .config = &plain }, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(same_address(&next, &cases[i].before), cases[i].index);
}

static void test_who_is_ready(void **state)
{
    struct generation *g = with_workers(3);

    (void)state;
    assert_int_equal(generation_alive(g), 0);
    assert_int_equal(generation_alive(NULL), 0);
    assert_null(generation_find(NULL, 1));
    for (size_t i = 0; i < 3; i++) {
        assert_false(generation_is_ready(g));
        g->workers[i].pid = (pid_t)(1000 + i);
        g->workers[i].ready = true;
    }
    assert_true(generation_is_ready(g));
    assert_int_equal(generation_alive(g), 3);
    assert_ptr_equal(generation_find(g, 1001), &g->workers[1]);
    assert_null(generation_find(g, 1003));
    assert_false(generation_is_accepting(g)); /* without a pulse nobody tells */
    for (size_t i = 0; i < 3; i++)
        g->workers[i].pid = 0;
    generation_destroy(g);
}

static void test_who_accepts(void **state)
{
    struct generation *g = with_workers(2);
    struct pulse_beat beat = { 0 };
    int memory;

    (void)state;
    g->workers[1].pulse = pulse_create(&memory);
    assert_non_null(g->workers[1].pulse);
    g->workers[1].pulse_memory = memory;
    pulse_listen(&beat, g->workers[1].pulse);
    assert_false(generation_is_accepting(g)); /* nobody runs there */
    g->workers[1].pid = getpid();
    assert_true(generation_is_accepting(g));
    pulse_unlisten(&beat);
    assert_false(generation_is_accepting(g));
    g->workers[1].pid = 0;
    generation_destroy(g);
}

static pid_t fork_waiting(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        for (;;)
            pause();
    }
    return pid;
}

static int signal_that_ended(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

/* Who is ready may have accepted somebody; who is not has served nobody. */
static void test_giving_up(void **state)
{
    struct generation *g = with_workers(3);
    pid_t ready = fork_waiting(), starting = fork_waiting();

    (void)state;
    g->workers[0].pid = ready;
    g->workers[0].ready = true;
    g->workers[1].pid = starting;
    generation_give_up(g);
    assert_int_equal(signal_that_ended(ready), SIGUSR2);
    assert_int_equal(signal_that_ended(starting), SIGKILL);
    assert_true(g->workers[0].asked_to_end && g->workers[1].asked_to_end);
    assert_false(g->workers[2].asked_to_end); /* it has no process */
    g->workers[0].pid = g->workers[1].pid = 0;
    generation_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_are_copied),
        cmocka_unit_test(test_no_supervisor_is_refused),
        cmocka_unit_test(test_inboxes),
        cmocka_unit_test(test_same_address),
        cmocka_unit_test(test_who_is_ready),
        cmocka_unit_test(test_who_accepts),
        cmocka_unit_test(test_giving_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_worker.c: what a supervisor takes for a worker's word, and what it is told of its end; whose
 * successor each worker of a generation is. */
#include "process/worker.c"

#include "process/generation.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct worker worker;
static int other_end; /* of its channel */

static int set_up(void **state)
{
    int ends[2];

    (void)state;
    worker_init(&worker, 0);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    worker.channel = ends[0];
    other_end = ends[1];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_channel(&worker);
    if (other_end >= 0)
        close(other_end);
    return 0;
}

static void test_a_report(void **state)
{
    (void)state;
    struct worker_report report = { .news = WORKER_REFUSED, .status = STATUS_ENGINE };

    assert_int_equal(worker_hear(&worker).news, WORKER_SILENT);
    memset(report.why, 'x', sizeof report.why); /* it has no end */
    tell(other_end, &report);
    struct worker_report heard = worker_hear(&worker);
    assert_int_equal(heard.news, WORKER_REFUSED);
    assert_int_equal(heard.status, STATUS_ENGINE);
    assert_int_equal(strlen(heard.why), sizeof heard.why - 1);
    assert_false(worker.ready);
    report.news = WORKER_READY;
    tell(other_end, &report);
    assert_int_equal(worker_hear(&worker).news, WORKER_READY);
    assert_true(worker.ready);
}

/* Another version's, or a fault: it is no word, and the channel stays. */
static void test_a_message_of_another_size(void **state)
{
    (void)state;
    char octets[2 * sizeof(struct worker_report)] = { WORKER_READY };

    assert_int_equal(send(other_end, octets, 3, 0), 3);
    assert_int_equal(worker_hear(&worker).news, WORKER_SILENT);
    assert_false(worker.ready);
    assert_true(worker.channel >= 0);
}

static void test_the_end_of_the_channel(void **state)
{
    (void)state;
    const struct worker_report ready = { .news = WORKER_READY };

    tell(other_end, &ready);
    close(other_end);
    other_end = -1;
    assert_int_equal(worker_hear(&worker).news, WORKER_READY); /* what was said before is heard */
    assert_int_equal(worker_hear(&worker).news, WORKER_SILENT);
    assert_int_equal(worker.channel, -1);
    assert_int_equal(worker_hear(&worker).news, WORKER_SILENT);
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        int status; /* of exit(3), or */
        int signal;
        const char *text;
    } rows[] = {
        { 3, 0, "exited with status 3" },
        { 0, SIGTERM, "was ended by signal 15 (Terminated)" },
        { 0, SIGKILL, "was ended by signal 9 (Killed)" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[160];
        int status;
        worker.pid = fork();
        if (worker.pid == 0 && rows[i].signal == 0)
            _exit(rows[i].status);
        if (worker.pid == 0) {
            signal(rows[i].signal, SIG_DFL);
            raise(rows[i].signal);
            _exit(99);
        }
        worker.ready = true;
        assert_int_equal(waitpid(worker.pid, &status, 0), worker.pid);
        worker_ended(&worker, status, text, sizeof text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(worker.pid, 0);
        assert_false(worker.ready);
        worker_signal(&worker, SIGTERM); /* is sent to nobody */
        assert_false(worker.asked_to_end);
    }
}

/* Each worker of before has one successor, whatever their numbers; one that has given its inbox
 * away has none. */
static void test_successors(void **state)
{
    (void)state;
    enum { MOST = 5 };
    struct worker olds[MOST], news[MOST];
    struct generation before = { .workers = olds }, after = { .workers = news };

    for (before.workers_count = 1; before.workers_count <= MOST; before.workers_count++) {
        for (after.workers_count = 1; after.workers_count <= MOST; after.workers_count++) {
            unsigned seen[MOST] = { 0 };
            for (size_t i = 0; i < before.workers_count; i++)
                olds[i].inbox = i == 3 ? -1 : (int)i;
            for (size_t i = 0; i < after.workers_count; i++) {
                int inboxes[MOST];
                size_t count = inboxes_of(&after, &before, i, inboxes);
                for (size_t j = 0; j < count; j++)
                    seen[inboxes[j]]++;
            }
            for (size_t i = 0; i < before.workers_count; i++)
                assert_int_equal(seen[i], i == 3 ? 0 : 1);
        }
    }
    int none[1];
    assert_int_equal(inboxes_of(&after, NULL, 0, none), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_report),
        TEST(test_a_message_of_another_size),
        TEST(test_the_end_of_the_channel),
        TEST(test_ends),
        cmocka_unit_test(test_successors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_workers.c: tasks go through threads and come back, once each; the queue is bounded; wake-ups
 * and announcements are batched. Fit for ThreadSanitizer: whatever a task touches is unguarded. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_uint writes, signals;

static ssize_t counted_write(int fd, const void *data, size_t len)
{
    writes++;
    return write(fd, data, len);
}

static int counted_signal(pthread_cond_t *cond)
{
    signals++;
    return pthread_cond_signal(cond);
}

#define write(fd, data, len)      counted_write(fd, data, len)
#define pthread_cond_signal(cond) counted_signal(cond)
#include "engines/workers.c"
#undef write
#undef pthread_cond_signal

#include <poll.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { TASKS_MAX = 4096 };

struct job {
    struct worker_task task;
    unsigned runs, value; /* not atomic: who has the task is alone with it */
    bool blocks;          /* until the gate opens */
    bool inline_run;
};

static struct job jobs[TASKS_MAX];
static atomic_uint begun;
static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_cond = PTHREAD_COND_INITIALIZER;
static bool gate_open;

static void set_gate(bool open)
{
    pthread_mutex_lock(&gate_mutex);
    gate_open = open;
    pthread_cond_broadcast(&gate_cond);
    pthread_mutex_unlock(&gate_mutex);
}

static void run_job(struct worker_task *task, struct worker *worker)
{
    struct job *job = container_of(task, struct job, task);
    job->runs++;
    job->value = job->value * 3 + 1;
    job->inline_run = worker == NULL;
    begun++;
    if (!job->blocks)
        return;
    worker_may_block(worker);
    pthread_mutex_lock(&gate_mutex);
    while (!gate_open)
        pthread_cond_wait(&gate_cond, &gate_mutex);
    pthread_mutex_unlock(&gate_mutex);
}

static int setup(void **state)
{
    (void)state;
    memset(jobs, 0, sizeof(jobs));
    for (size_t i = 0; i < TASKS_MAX; i++)
        jobs[i].task.run = run_job;
    begun = writes = signals = 0;
    set_gate(false);
    return 0;
}

static bool is_announced(const struct workers *w, int timeout_ms)
{
    struct pollfd at = { .fd = workers_fd(w), .events = POLLIN };
    return poll(&at, 1, timeout_ms) == 1;
}

/* Waits for announcements until `count` tasks have come back in all; *back counts them. */
static void collect(struct workers *w, unsigned count, unsigned *back)
{
    while (*back < count) {
        assert_true(is_announced(w, 10000));
        uint64_t seen;
        assert_int_equal(read(workers_fd(w), &seen, sizeof(seen)), sizeof(seen));
        struct list done;
        list_init(&done);
        workers_collect(w, &done);
        while (!list_empty(&done)) {
            struct job *job = container_of(done.next, struct job, task.link);
            list_remove(&job->task.link);
            job->value += 5;
            ++*back;
        }
    }
    assert_int_equal(*back, count);
}

static void end(struct workers *w)
{
    struct list unrun;
    list_init(&unrun);
    workers_stop(w, &unrun);
    assert_true(list_empty(&unrun));
    workers_destroy(w);
}

/* Every task is run once and comes back once, whatever the number of threads. */
static void test_round_trips(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 8; threads++) {
        setup(NULL);
        struct workers *w;
        assert_int_equal(workers_create(threads, TASKS_MAX, &w), 0);
        assert_int_equal(workers_start(w), 0);
        for (unsigned round = 1; round <= 20; round++) {
            unsigned back = 0, count = 1 + round * 97 % 300;
            for (unsigned i = 0; i < count; i++) {
                jobs[i].runs = jobs[i].value = 0;
                assert_true(workers_submit(w, &jobs[i].task));
                if (i % 61 == 0)
                    workers_flush(w);
            }
            workers_flush(w);
            collect(w, count, &back);
            for (unsigned i = 0; i < count; i++) {
                assert_int_equal(jobs[i].runs, 1);
                assert_int_equal(jobs[i].value, 6);
                assert_false(jobs[i].inline_run);
            }
        }
        end(w);
    }
}

/* A burst wakes at most one thread by the owner's hand, and few results are announced one by one.
 */
static void test_batches(void **state)
{
    (void)state;
    struct workers *w;
    unsigned back = 0;
    assert_int_equal(workers_create(1, TASKS_MAX, &w), 0);
    assert_int_equal(workers_start(w), 0);
    for (unsigned i = 0; i < 1600; i++)
        assert_true(workers_submit(w, &jobs[i].task));
    assert_int_equal(begun, 0); /* nothing is handed over before the flush */
    workers_flush(w);
    collect(w, 1600, &back);
    assert_true(signals <= 1);
    assert_true(writes <= 1600 / ANNOUNCE_MAX + 1);
    end(w);
}

/* The queue takes so many and no more; what it refuses can be run by the owner. */
static void test_full(void **state)
{
    (void)state;
    static const unsigned maxima[] = { 1, 2, 7, 100 };
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        setup(NULL);
        unsigned max = maxima[i], back = 0;
        struct workers *w;
        assert_int_equal(workers_create(1, max, &w), 0);
        assert_int_equal(workers_start(w), 0);
        jobs[0].blocks = true;
        assert_true(workers_submit(w, &jobs[0].task));
        workers_flush(w);
        while (begun < 1)
            usleep(100);
        for (unsigned k = 1; k <= max; k++)
            assert_true(workers_submit(w, &jobs[k].task));
        assert_false(workers_submit(w, &jobs[max + 1].task));
        workers_flush(w);
        assert_false(workers_submit(w, &jobs[max + 1].task));
        jobs[max + 1].task.run(&jobs[max + 1].task, NULL);
        assert_true(jobs[max + 1].inline_run);
        set_gate(true);
        collect(w, max + 1, &back);
        assert_true(workers_submit(w, &jobs[max + 1].task)); /* there is room again */
        workers_flush(w);
        collect(w, max + 2, &back);
        assert_int_equal(jobs[max + 1].runs, 2);
        end(w);
    }
}

/* A task that blocks holds up neither results that are there already nor tasks taken with it. */
static void test_blocking(void **state)
{
    (void)state;
    struct workers *w;
    unsigned back = 0;
    assert_int_equal(workers_create(2, TASKS_MAX, &w), 0);
    /* All of these are in the queue before a thread takes its share. */
    for (unsigned i = 0; i < 40; i++)
        assert_true(workers_submit(w, &jobs[i].task));
    jobs[3].blocks = true;
    workers_flush(w);
    assert_int_equal(workers_start(w), 0);
    collect(w, 39, &back);
    assert_int_equal(begun, 40);
    assert_false(is_announced(w, 20));
    set_gate(true);
    collect(w, 40, &back);
    end(w);
}

/* As many block at a time as there are threads. */
static void test_all_block(void **state)
{
    (void)state;
    struct workers *w;
    unsigned back = 0;
    assert_int_equal(workers_create(6, TASKS_MAX, &w), 0);
    assert_int_equal(workers_start(w), 0);
    for (unsigned i = 0; i < 20; i++) {
        jobs[i].blocks = true;
        assert_true(workers_submit(w, &jobs[i].task));
    }
    workers_flush(w);
    for (int i = 0; i < 10000 && begun < 6; i++)
        usleep(1000);
    assert_int_equal(begun, 6);
    set_gate(true);
    collect(w, 20, &back);
    end(w);
}

/* Stopping waits for what runs, and gives back what was not begun. */
static void *open_gate_later(void *arg)
{
    (void)arg;
    usleep(30000);
    set_gate(true);
    return NULL;
}

static void test_stop(void **state)
{
    (void)state;
    struct workers *w;
    assert_int_equal(workers_create(2, TASKS_MAX, &w), 0);
    assert_int_equal(workers_start(w), 0);
    for (unsigned i = 0; i < 10; i++) {
        jobs[i].blocks = true;
        assert_true(workers_submit(w, &jobs[i].task));
    }
    workers_flush(w);
    while (begun < 2)
        usleep(100);
    assert_true(workers_submit(w, &jobs[10].task)); /* never handed over */
    pthread_t opener;
    assert_int_equal(pthread_create(&opener, NULL, open_gate_later, NULL), 0);
    struct list unrun, done;
    list_init(&unrun);
    list_init(&done);
    workers_stop(w, &unrun);
    workers_collect(w, &done);
    pthread_join(opener, NULL);
    unsigned counts[2] = { 0, 0 };
    struct list *const lists[] = { &unrun, &done };
    for (size_t i = 0; i < 2; i++) {
        for (const struct list *at = lists[i]->next; at != lists[i]; at = at->next) {
            counts[i]++;
            assert_int_equal(container_of(at, struct job, task.link)->runs, i);
        }
    }
    assert_int_equal(counts[0] + counts[1], 11);
    assert_true(counts[0] >= 1 && counts[1] >= 2);
    workers_destroy(w);
}

/* A pool that never ran gives everything back, too. */
static void test_never_started(void **state)
{
    (void)state;
    struct workers *w;
    struct list unrun;
    assert_int_equal(workers_create(3, 2, &w), 0);
    assert_true(workers_submit(w, &jobs[0].task));
    assert_true(workers_submit(w, &jobs[1].task));
    assert_false(workers_submit(w, &jobs[2].task));
    list_init(&unrun);
    workers_stop(w, &unrun);
    assert_ptr_equal(unrun.next, &jobs[0].task.link);
    assert_ptr_equal(unrun.prev, &jobs[1].task.link);
    assert_int_equal(jobs[0].runs + jobs[1].runs, 0);
    workers_destroy(w);
    workers_destroy(NULL);
}

/* No signal handler runs on a worker. */
static void note_mask(struct worker_task *task, struct worker *worker)
{
    (void)worker;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    container_of(task, struct job, task)->value =
        (unsigned)(sigismember(&mask, SIGTERM) + sigismember(&mask, SIGUSR1));
}

static void test_signals(void **state)
{
    (void)state;
    struct workers *w;
    assert_int_equal(workers_create(1, 1, &w), 0);
    assert_int_equal(workers_start(w), 0);
    jobs[0].task.run = note_mask;
    assert_true(workers_submit(w, &jobs[0].task));
    workers_flush(w);
    unsigned back = 0;
    collect(w, 1, &back);
    assert_int_equal(jobs[0].value, 2 + 5);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round_trips, setup),
        cmocka_unit_test_setup(test_batches, setup),
        cmocka_unit_test_setup(test_full, setup),
        cmocka_unit_test_setup(test_blocking, setup),
        cmocka_unit_test_setup(test_all_block, setup),
        cmocka_unit_test_setup(test_stop, setup),
        cmocka_unit_test_setup(test_never_started, setup),
        cmocka_unit_test_setup(test_signals, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_stats.c: who has which slot, what stays of those that have ended, and the sums. */
#include "core/stats.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { SLOTS = 4, THREADS = 16, COUNTS = 20000 };

static uint64_t sum_of(enum stats_counter counter)
{
    struct stats_sums *sums = malloc(sizeof(*sums));
    assert_non_null(sums);
    stats_read(sums);
    uint64_t sum = sums->counters[counter];
    free(sums);
    return sum;
}

static void *count(void *context)
{
    pthread_barrier_t *barrier = context;
    stats_count(STATS_TURNS); /* takes a slot, while all the others do */
    if (barrier != NULL)
        pthread_barrier_wait(barrier);
    for (int i = 1; i < COUNTS; i++)
        stats_count(STATS_TURNS);
    stats_time(STATS_ANSWER, 1000);
    return NULL;
}

/* More threads than slots: none of their counts is lost, and they outlive the threads. */
static void test_threads_share_what_is_left(void **state)
{
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;

    (void)state;
    uint64_t before = sum_of(STATS_TURNS);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, &barrier), 0);
    while (sum_of(STATS_TURNS) - before < THREADS * COUNTS / 2)
        sched_yield(); /* read while they write */
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(sum_of(STATS_TURNS) - before, THREADS * COUNTS);
    struct stats_sums *sums = malloc(sizeof(*sums));
    stats_read(sums);
    assert_int_equal(histogram_count(&sums->times[STATS_ANSWER]), THREADS);
    assert_int_equal(sums->times[STATS_ANSWER].sum, THREADS * 1000);
    assert_true(sums->cpu_ns > 0);
    free(sums);
}

/* The next thread goes on with the slot of one that has ended. */
static void test_a_slot_is_used_again(void **state)
{
    struct stats_thread threads[SLOTS];

    (void)state;
    for (int i = 0; i < 2 * SLOTS; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, count, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    stats_count(STATS_EVENTS);
    assert_int_equal(stats_threads(threads, SLOTS), 1);
    assert_int_equal(threads[0].process, getpid());
    assert_int_equal(threads[0].thread, gettid());
}

static void test_processes_count_together(void **state)
{
    (void)state;
    uint64_t before = sum_of(STATS_GET);
    stats_count(STATS_GET);
    pid_t child = fork();
    if (child == 0) {
        stats_count(STATS_GET);
        stats_move(STATS_IDLE, STATS_WRITING);
        stats_leave();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(sum_of(STATS_GET) - before, 2);
    assert_int_equal(sum_of(STATS_WRITING), 1);
    assert_int_equal(sum_of(STATS_IDLE), 0); /* -1 */
    stats_move(STATS_WRITING, STATS_IDLE);
    assert_int_equal(sum_of(STATS_WRITING), 0);
}

/* Processes that were killed keep no slot, and their connections are gone. */
static void test_the_killed_leave_their_slots(void **state)
{
    struct stats_thread threads[SLOTS];

    (void)state;
    for (int i = 0; i < 2 * SLOTS; i++) {
        pid_t child = fork();
        if (child == 0) {
            stats_count(STATS_READING);
            stats_count(STATS_HEAD);
            _exit(0);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    assert_int_equal(sum_of(STATS_HEAD), 2 * SLOTS);
    assert_true(sum_of(STATS_READING) <= SLOTS);
    assert_true(stats_threads(threads, SLOTS) <= SLOTS);
}

static void test_servers_and_listens_are_bounded(void **state)
{
    struct stats_sums *sums = malloc(sizeof(*sums));

    (void)state;
    stats_server(1, 10);
    stats_server(STATS_SERVERS + 5, 7);
    stats_server(SIZE_MAX, 7);
    stats_listen(STATS_LISTENS + 1);
    stats_read(sums);
    assert_int_equal(sums->servers[1].body_bytes, 10);
    assert_int_equal(sums->servers[STATS_SERVERS - 1].requests, 2);
    assert_int_equal(sums->servers[STATS_SERVERS - 1].body_bytes, 14);
    assert_int_equal(sums->listens[STATS_LISTENS - 1], 1);
    free(sums);
}

/* Each counter belongs to one family, and each family's are in a row. */
static void test_families_name_all_counters(void **state)
{
    size_t next = 0;

    (void)state;
    for (size_t i = 0; stats_family_at(i) != NULL; i++) {
        const struct stats_family *family = stats_family_at(i);
        assert_int_equal(family->first, next);
        assert_true(family->count > 0 && (family->label != NULL) == (family->values != NULL));
        next += family->count;
    }
    assert_int_equal(next, STATS_COUNTERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_share_what_is_left),
        cmocka_unit_test(test_a_slot_is_used_again),
        cmocka_unit_test(test_processes_count_together),
        cmocka_unit_test(test_the_killed_leave_their_slots),
        cmocka_unit_test(test_servers_and_listens_are_bounded),
        cmocka_unit_test(test_families_name_all_counters),
    };
    stats_count(STATS_GET); /* before there is a region: nowhere */
    if (stats_create(SLOTS) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

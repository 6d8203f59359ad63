/* test_stats.c: who has which slot, what stays of those that have ended, and the sums. */
#include "core/stats.c"

#include "core/stats_read.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        stats_count(STATS_GET);
        for (;;)
            pause();
    }
    assert_true(child > 0);
    while (sum_of(STATS_GET) - before < 3)
        sched_yield();
    assert_int_equal(sum_of(STATS_WRITING), 1);
    assert_int_equal(sum_of(STATS_IDLE), 0); /* -1 */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stats_forget_process(child);
    assert_int_equal(sum_of(STATS_GET) - before, 3);
    assert_int_equal(sum_of(STATS_WRITING), 0);
}

/* Processes that were killed keep no slot, and their connections are closed: whoever waits for them
 * says so, or else the next reader finds out. */
static void test_the_killed_leave_their_slots(void **state)
{
    struct stats_thread threads[SLOTS];
    uint64_t closed = sum_of(STATS_CLOSED), heads = sum_of(STATS_HEAD);

    (void)state;
    for (int i = 0; i < 4 * SLOTS; i++) {
        pid_t child = fork();
        if (child == 0) {
            stats_count(STATS_READING);
            stats_count(STATS_HEAD);
            _exit(0);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
        if (i < 2 * SLOTS)
            stats_forget_process(child);
        else
            assert_int_equal(sum_of(STATS_READING), 0);
    }
    assert_int_equal(sum_of(STATS_HEAD) - heads, 4 * SLOTS);
    assert_int_equal(sum_of(STATS_READING), 0);
    assert_int_equal(sum_of(STATS_CLOSED) - closed, 4 * SLOTS);
    assert_int_equal(stats_threads(threads, SLOTS), 1);
}

static void *open_three(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++)
        stats_count(STATS_IDLE);
    return NULL;
}

/* One thread opens connections, another closes them: what is left in the slot of the first belongs
 * to its process, and goes with it alone. */
static void test_states_are_a_process_s(void **state)
{
    pthread_t thread;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        assert_int_equal(pthread_create(&thread, NULL, open_three, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        stats_count(STATS_TURNS); /* the slot of that thread is free, and is this one's now */
        stats_add(STATS_IDLE, UINT64_MAX);
        assert_int_equal(sum_of(STATS_IDLE), 2);
        stats_leave();
        _exit(stats_slot()->process == (int)getpid() ? 0 : 1);
    }
    assert_true(child > 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    stats_forget_process(child);
    assert_int_equal(sum_of(STATS_IDLE), 0);
}

static uint64_t cpu_ns(void)
{
    struct stats_sums *sums = malloc(sizeof(*sums));
    assert_non_null(sums);
    stats_read(sums);
    uint64_t ns = sums->cpu_ns;
    free(sums);
    return ns;
}

static void burn(uint64_t ns)
{
    while (stats_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < ns)
        ;
}

/* What processes have used stays when they have ended, and never goes down. */
static void test_cpu_time_is_every_process_s(void **state)
{
    enum { NS = 30000000 };
    uint64_t before = cpu_ns();

    (void)state;
    assert_true(before > 0);
    for (int i = 0; i < 3; i++) {
        uint64_t own = stats_clock_ns(CLOCK_PROCESS_CPUTIME_ID), at_start = cpu_ns();
        pid_t child = fork();
        if (child == 0) {
            stats_count(STATS_GET);
            burn(NS);
            stats_tick();
            if (i < 2)
                stats_leave_process();
            _exit(0); /* the last one says nothing */
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
        stats_forget_process(child);
        own = stats_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
        assert_true(cpu_ns() - at_start >= NS);
        assert_true(cpu_ns() - at_start < 20 * (uint64_t)NS + own);
    }
}

/* A name has the same place in every configuration; when all are taken, others count together. */
static void test_places_have_names(void **state)
{
    char name[32];
    struct stats_sums *sums = malloc(sizeof(*sums));

    (void)state;
    assert_null(stats_place_name(STATS_KIND_SERVER, 0));
    stats_name(STATS_KIND_SERVER, 0, "a");
    stats_name(STATS_KIND_SERVER, 1, "b");
    stats_server(1, 5);
    stats_name(STATS_KIND_SERVER, 0, "b"); /* another configuration */
    stats_name(STATS_KIND_SERVER, 1, "c");
    stats_server(0, 6);
    stats_read(sums);
    assert_string_equal(stats_place_name(STATS_KIND_SERVER, 1), "b");
    assert_string_equal(stats_place_name(STATS_KIND_SERVER, 2), "c");
    assert_int_equal(sums->servers[1].body_bytes, 11);
    assert_null(stats_place_name(STATS_KIND_SERVER, STATS_SERVERS - 1));
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "n%d", i);
        stats_name(STATS_KIND_SERVER, 2, name);
    }
    stats_server(2, 7); /* n99 */
    stats_read(sums);
    assert_string_equal(stats_place_name(STATS_KIND_SERVER, STATS_SERVERS - 1), "others");
    assert_int_equal(sums->servers[STATS_SERVERS - 1].body_bytes, 7);
    for (size_t i = 0; i < STATS_SERVERS; i++)
        stats_server_places[i] = (uint8_t)i;
    free(sums);
}

static size_t certificates_in_use(void)
{
    struct stats_validity validity;
    size_t count = 0;

    for (size_t i = 0; i < STATS_CERTIFICATES; i++)
        count += stats_certificate_at(i, &validity);
    return count;
}

static void test_certificates(void **state)
{
    struct stats_validity validity;
    char name[STATS_NAME_MAX];

    (void)state;
    stats_certificates_begin();
    stats_certificate("a.pem", 1, 1000);
    stats_certificate("b.pem", 2, 2000);
    assert_int_equal(certificates_in_use(), 0); /* not before all have been read */
    stats_certificates_end();
    assert_true(stats_certificate_at(1, &validity));
    assert_string_equal(validity.name, "b.pem");
    assert_int_equal(validity.since_s, 2);
    assert_int_equal(validity.until_s, 2000);
    stats_certificates_begin(); /* one cannot be read: all stays */
    stats_certificate("c.pem", 1, 1);
    stats_certificate("a.pem", 1, 1);
    assert_int_equal(certificates_in_use(), 2);
    assert_true(stats_certificate_at(0, &validity));
    assert_int_equal(validity.until_s, 1000);
    stats_certificates_begin(); /* it was renewed, and the other one is not named any more */
    stats_certificate("a.pem", 3, 3000);
    stats_certificates_end();
    assert_int_equal(certificates_in_use(), 1);
    assert_true(stats_certificate_at(0, &validity));
    assert_int_equal(validity.until_s, 3000);
    stats_certificates_begin(); /* more than there is room for: of these the first that ends */
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%d.pem", i);
        stats_certificate(name, 1, 10000 - i);
    }
    stats_certificates_end();
    assert_true(stats_certificate_at(STATS_CERTIFICATES - 1, &validity));
    assert_string_equal(validity.name, "others");
    assert_int_equal(validity.until_s, 9901);
    stats_certificates_begin();
    stats_certificates_end();
    assert_int_equal(certificates_in_use(), 0);
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
    assert_int_equal(sums->servers[1].body_bytes, 21);
    assert_int_equal(sums->servers[STATS_SERVERS - 1].requests, 3);
    assert_int_equal(sums->servers[STATS_SERVERS - 1].body_bytes, 21);
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
        cmocka_unit_test(test_states_are_a_process_s),
        cmocka_unit_test(test_cpu_time_is_every_process_s),
        cmocka_unit_test(test_places_have_names),
        cmocka_unit_test(test_servers_and_listens_are_bounded),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_families_name_all_counters),
    };
    stats_count(STATS_GET); /* before there is a region: nowhere */
    if (stats_create(SLOTS) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

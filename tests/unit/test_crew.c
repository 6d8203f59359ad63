/* test_crew.c: threads start together, carry their names, and end together when one of them fails
 * or cannot be had. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int threads_left; /* pthread_create(3) fails after so many; -1: never */

static int hooked_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*function)(void *), void *context)
{
    if (threads_left == 0)
        return EAGAIN;
    threads_left -= threads_left > 0;
    return pthread_create(thread, attributes, function, context);
}

#define pthread_create(thread, how, what, with) hooked_pthread_create(thread, how, what, with)

#include "engines/crew.c"

enum { COUNT = 4 };

struct work {
    atomic_bool ends;
    atomic_uint served, failed, named;
    int fails; /* this member fails at once; -1: nobody */
    pthread_t caller;
    atomic_bool by_caller[COUNT];
};

static int serve(void *context, unsigned index)
{
    struct work *work = context;
    char name[16], wanted[16];
    sigset_t blocked;
    atomic_store(&work->by_caller[index], pthread_equal(pthread_self(), work->caller) != 0);
    snprintf(wanted, sizeof(wanted), "test-%u", index);
    pthread_getname_np(pthread_self(), name, sizeof(name));
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (strcmp(name, wanted) == 0 && sigismember(&blocked, SIGTERM) == 1)
        atomic_fetch_add(&work->named, 1);
    atomic_fetch_add(&work->served, 1);
    if (work->fails == (int)index)
        return -EIO;
    while (!atomic_load(&work->ends))
        usleep(1000);
    return 0;
}

static void end_all(void *context)
{
    struct work *work = context;
    atomic_fetch_add(&work->failed, 1);
    atomic_store(&work->ends, true);
}

static int here(void *context)
{
    struct work *work = context;
    while (atomic_load(&work->served) < COUNT)
        usleep(1000);
    atomic_store(&work->ends, true);
    return 0;
}

static struct crew_job job_of(struct work *work)
{
    *work = (struct work){ .fails = -1, .caller = pthread_self() };
    threads_left = -1;
    return (struct crew_job){ .name = "test", .serve = serve, .end_all = end_all, .context = work };
}

static void test_all_in_threads(void **state)
{
    (void)state;
    struct work work;
    struct crew_job job = job_of(&work);
    job.stack_size = 1 << 17;
    assert_int_equal(crew_run(&job, COUNT, here), 0);
    assert_int_equal(work.served, COUNT);
    assert_int_equal(work.named, COUNT);
    assert_int_equal(work.failed, 0);
    for (unsigned i = 0; i < COUNT; i++)
        assert_false(work.by_caller[i]);
}

static void test_one_that_fails_ends_all(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct work work;
        struct crew_job job = job_of(&work);
        work.fails = i;
        assert_int_equal(crew_run(&job, COUNT, NULL), -EIO);
        assert_int_equal(work.failed, 1);
        assert_true(work.by_caller[0] || work.served < COUNT);
        assert_false(work.by_caller[1]);
    }
}

static void test_threads_that_cannot_be_had(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT - 1; i++) {
        struct work work;
        struct crew_job job = job_of(&work);
        threads_left = i;
        assert_int_equal(crew_run(&job, COUNT, NULL), -EAGAIN);
        assert_false(work.by_caller[0]); /* nobody serves */
    }
}

static void test_pinned(void **state)
{
    (void)state;
    struct work work;
    struct crew_job job = job_of(&work);
    struct cpus cpus;
    assert_int_equal(cpus_find(&cpus), 0);
    job.pin = &cpus;
    assert_int_equal(crew_run(&job, COUNT, here), 0);
    cpus_free(&cpus);
}

static void *say_stack(void *context)
{
    pthread_attr_t attributes;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (sigismember(&blocked, SIGTERM) == 1 &&
        pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, context);
        pthread_attr_destroy(&attributes);
    }
    return NULL;
}

/* One outside of a crew, with the stack that was wanted; the caller's signals stay as they are. */
static void test_one_alone(void **state)
{
    (void)state;
    const size_t sizes[] = { 0, 1 << 18 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        pthread_t thread;
        size_t size = 0;
        sigset_t blocked;
        threads_left = -1;
        assert_int_equal(crew_start_one(sizes[i], say_stack, &size, &thread), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(size >= sizes[i] && (sizes[i] == 0 ? size > 0 : size < 2 * sizes[i]));
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        assert_int_equal(sigismember(&blocked, SIGTERM), 0);
        threads_left = 0;
        assert_int_equal(crew_start_one(sizes[i], say_stack, &size, &thread), -EAGAIN);
        threads_left = -1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_in_threads),
        cmocka_unit_test(test_one_that_fails_ends_all),
        cmocka_unit_test(test_threads_that_cannot_be_had),
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_one_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_parallel.c: one piece of work for several threads. */
#include "core/parallel.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

struct counted {
    atomic_uint calls, next;
    atomic_uchar done[1000];
};

static void count(void *context)
{
    struct counted *counted = context;
    unsigned index;

    atomic_fetch_add(&counted->calls, 1);
    while ((index = atomic_fetch_add(&counted->next, 1)) < ARRAY_LEN(counted->done))
        atomic_fetch_add(&counted->done[index], 1);
}

static void test_all_is_done_once(void **state)
{
    (void)state;
    static const unsigned threads[] = { 0, 1, 2, PARALLEL_THREADS_MAX };

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        struct counted counted = { 0 };
        parallel_run(threads[i], count, &counted);
        assert_in_range(atomic_load(&counted.calls), 1, threads[i] > 1 ? threads[i] : 1);
        for (size_t j = 0; j < ARRAY_LEN(counted.done); j++)
            assert_int_equal(atomic_load(&counted.done[j]), 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_is_done_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

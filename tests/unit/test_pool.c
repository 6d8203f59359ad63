/* test_pool.c: the limit, the order, the alignment, what a wrong return does, and that objects
 * which were never used cost no memory. */
#include "core/pool.c"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs `act` in a child; does it abort? */
static bool aborts(void (*act)(struct pool *pool), struct pool *pool)
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        assert_non_null(freopen("/dev/null", "w", stderr));
        act(pool);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_limit_and_order(void **state)
{
    (void)state;
    struct pool *pool = NULL;
    void *objects[5];

    assert_int_equal(pool_create("test", 100, 5, &pool), 0);
    for (int i = 0; i < 5; i++) {
        objects[i] = pool_get(pool);
        assert_non_null(objects[i]);
        assert_int_equal((uintptr_t)objects[i] % 16, 0);
        memset(objects[i], i + 1, 100);
        for (int j = 0; j < i; j++)
            assert_true(labs((char *)objects[i] - (char *)objects[j]) >= 100);
    }
    assert_int_equal(pool_used(pool), 5);
    assert_null(pool_get(pool));
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 100; j++)
            assert_int_equal(((char *)objects[i])[j], i + 1);
    }
    /* Last in, first out. */
    pool_put(pool, objects[1]);
    pool_put(pool, objects[3]);
    assert_ptr_equal(pool_get(pool), objects[3]);
    assert_ptr_equal(pool_get(pool), objects[1]);
    assert_null(pool_get(pool));
    for (int i = 0; i < 5; i++)
        pool_put(pool, objects[i]);
    assert_int_equal(pool_used(pool), 0);
    pool_destroy(pool);
    pool_destroy(NULL);
}

static void test_bad_sizes(void **state)
{
    (void)state;
    struct pool *pool = (struct pool *)16;

    assert_int_equal(pool_create("test", 0, 1, &pool), -EINVAL);
    assert_int_equal(pool_create("test", 1, 0, &pool), -EINVAL);
    assert_int_equal(pool_create("test", SIZE_MAX, 1, &pool), -ENOMEM);
    assert_int_equal(pool_create("test", SIZE_MAX / 4, 8, &pool), -ENOMEM);
    assert_int_equal(pool_create("test", (size_t)1 << 60, 1, &pool), -ENOMEM);
    assert_ptr_equal(pool, (struct pool *)16); /* untouched on failure */
}

static size_t resident_pages(const struct pool *pool)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (pool->object_size * pool->count_max + page - 1) / page, resident = 0;
    unsigned char *map = calloc(pages, 1);

    assert_non_null(map);
    assert_int_equal(mincore(pool->base, pages * page, map), 0);
    for (size_t i = 0; i < pages; i++)
        resident += map[i] & 1;
    free(map);
    return resident;
}

static void test_untouched_memory_stays_untouched(void **state)
{
    (void)state;
    struct pool *pool = NULL;
    void *objects[16];

    assert_int_equal(pool_create("test", 4096, 16 * 1024, &pool), 0);
    assert_int_equal(resident_pages(pool), 0);
    /* Handing out and taking back in turn uses one object, not sixteen. */
    for (int i = 0; i < 16; i++) {
        void *object = pool_get(pool);
        memset(object, 1, 4096);
        pool_put(pool, object);
    }
    assert_int_equal(resident_pages(pool), 1);
    for (int i = 0; i < 16; i++)
        memset(objects[i] = pool_get(pool), 1, 4096);
    assert_int_equal(resident_pages(pool), 16);
    for (int i = 0; i < 16; i++)
        pool_put(pool, objects[i]);
    pool_destroy(pool);
}

static void put_inside(struct pool *pool)
{
    pool_put(pool, (char *)pool->base + 8);
}

static void put_never_out(struct pool *pool)
{
    pool_put(pool, pool->base + 3 * pool->object_size);
}

static void put_foreign(struct pool *pool)
{
    pool_put(pool, pool->base - 4096);
}

static void destroy_used(struct pool *pool)
{
    pool_destroy(pool);
}

static void put_none_out(struct pool *pool)
{
    void *object = pool->base;
    pool_put(pool, object);
    pool_put(pool, object);
}

static void test_wrong_returns_abort(void **state)
{
    (void)state;
    struct pool *pool = NULL;

    assert_int_equal(pool_create("test", 64, 4, &pool), 0);
    void *object = pool_get(pool);
    assert_true(aborts(put_inside, pool));
    assert_true(aborts(put_never_out, pool));
    assert_true(aborts(put_foreign, pool));
    assert_true(aborts(destroy_used, pool));
    assert_true(aborts(put_none_out, pool));
    pool_put(pool, object);
    pool_destroy(pool);
}

#ifdef POISON_WORKS
static void put_twice(struct pool *pool)
{
    void *object = pool_get(pool);
    pool_put(pool, object);
    pool_put(pool, object);
}

static void test_poisoned(void **state)
{
    (void)state;
    struct pool *pool = NULL;

    assert_int_equal(pool_create("test", 64, 4, &pool), 0);
    char *kept = pool_get(pool), *object = pool_get(pool);
    assert_false(__asan_address_is_poisoned(object));
    assert_true(__asan_address_is_poisoned(object + 64)); /* never out */
    pool_put(pool, object);
    assert_true(__asan_address_is_poisoned(object));
    assert_true(__asan_address_is_poisoned(object + 63));
    assert_true(aborts(put_twice, pool));
    pool_put(pool, kept);
    pool_destroy(pool);
}
#endif

/* What a burst has needed is given back; what is used again and again is not. */
static void test_trim(void **state)
{
    (void)state;
    enum { COUNT = 16, SIZE = 10 * 4096 + 48, EACH = 8 };
    struct pool *pool = NULL;
    void *objects[COUNT];

    assert_int_equal(pool_create("large", SIZE, COUNT, &pool), 0);
    for (int i = 0; i < COUNT; i++)
        memset(objects[i] = pool_get(pool), 'x', SIZE);
    for (int i = 0; i < COUNT; i++)
        pool_put(pool, objects[i]);
    size_t all = resident_pages(pool);
    assert_true(pool_trim(pool)); /* they were out a moment ago */
    assert_int_equal(resident_pages(pool), all);
    for (int i = 0; i < 3; i++) /* four are needed */
        memset(objects[i] = pool_get(pool), 'y', SIZE);
    memset(objects[3] = pool_get(pool), 'y', SIZE);
    for (int i = 0; i < 4; i++)
        pool_put(pool, objects[i]);
    assert_true(pool_trim(pool));
    size_t left = resident_pages(pool);
    assert_true(left <= all - (COUNT - 4) * EACH);
    assert_true(left >= 4 * EACH);
    assert_false(pool_trim(pool));
    assert_true(resident_pages(pool) <= all - COUNT * EACH);
    assert_false(pool_trim(pool));
    assert_int_equal(resident_pages(pool), 0); /* not even for the links */
    for (int i = 0; i < COUNT; i++)
        memset(objects[i] = pool_get(pool), 'z', SIZE);
    assert_null(pool_get(pool));
    for (int i = 0; i < COUNT; i++)
        pool_put(pool, objects[i]);
    pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_and_order),
        cmocka_unit_test(test_bad_sizes),
        cmocka_unit_test(test_untouched_memory_stays_untouched),
        cmocka_unit_test(test_wrong_returns_abort),
        cmocka_unit_test(test_trim),
#ifdef POISON_WORKS
        cmocka_unit_test(test_poisoned),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

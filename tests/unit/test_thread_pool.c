/* test_thread_pool.c: who is asked to end for whom: nobody, while there is a thread for everybody. */
#include "engines/blocking/thread_pool.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 2, PLACES = 8 };

static void pool_open(struct engine *e)
{
    *e = (struct engine){ .magic = THREAD_POOL_MAGIC, .workers = WORKERS, .queue_max = PLACES };
    e->last = &e->first;
    assert_int_equal(pthread_mutex_init(&e->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&e->filled, NULL), 0);
    int fd = eventfd(0, EFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(places_create(&e->blocking.places, PLACES, 64, fd), 0);
}

static void pool_close(struct engine *e)
{
    int fd = e->blocking.places.wake_fd;
    places_destroy(&e->blocking.places);
    pthread_cond_destroy(&e->filled);
    pthread_mutex_destroy(&e->mutex);
    close(fd);
}

/* A client comes; there is no socket behind it. */
static struct place *come(struct engine *e)
{
    struct place *place = places_take(&e->blocking.places, -1, NULL, &(struct peer){ 0 });
    assert_non_null(place);
    assert_int_equal(enqueue(&e->blocking, place), 0);
    return place;
}

static bool is_crowded(struct engine *e)
{
    return (atomic_load(&e->blocking.asks) & DRIVER_ASK_END) != 0;
}

/* Threads that have not come to wait yet will take what is in the queue, and nobody need go. */
static void test_threads_that_are_still_starting(void **state)
{
    (void)state;
    struct engine e;
    pool_open(&e);
    struct place *first = come(&e);
    atomic_store(&first->idle_since, 1);
    struct place *second = come(&e);
    assert_false(is_crowded(&e));
    assert_int_equal(atomic_load(&first->asks), 0);
    assert_ptr_equal(take(&e, false), first);
    assert_ptr_equal(take(&e, false), second);
    places_give(&e.blocking.places, first);
    places_give(&e.blocking.places, second);
    pool_close(&e);
}

/* All threads have one: those who are served are to end, and the one that is idle is woken. */
static void test_more_clients_than_threads(void **state)
{
    (void)state;
    struct engine e;
    pool_open(&e);
    struct place *places[WORKERS + 1];
    for (int i = 0; i < WORKERS; i++) {
        places[i] = come(&e);
        assert_false(is_crowded(&e));
        assert_ptr_equal(take(&e, false), places[i]);
    }
    atomic_store(&places[0]->idle_since, 1);
    places[WORKERS] = come(&e);
    assert_true(is_crowded(&e));
    assert_int_equal(atomic_load(&places[0]->asks), DRIVER_ASK_END);
    assert_int_equal(atomic_load(&places[1]->asks), 0);
    assert_ptr_equal(take(&e, true), places[WORKERS]); /* the thread that has served it */
    assert_false(is_crowded(&e));
    for (int i = 0; i <= WORKERS; i++)
        places_give(&e.blocking.places, places[i]);
    pool_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_that_are_still_starting),
        cmocka_unit_test(test_more_clients_than_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

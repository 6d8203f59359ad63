/* test_tls_openssl_resume.c: sessions taken up again, by ticket and by id: when, when not, and from
 * several threads. */
#include "core/clock.h"

static uint64_t now_ms = 1000000;

#define clock_monotonic_ms() __atomic_load_n(&now_ms, __ATOMIC_RELAXED)
#include "tls/openssl_tickets.c"
#undef clock_monotonic_ms

#include <openssl/ssl.h>
#include <pthread.h>

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
static const int tickets_new[] = { 1, 2 };
static const int tickets_renewed[] = { 1, 1 };

#include "tls_resume.h"

static void world_begin(void)
{
    world_init(&world, &tls_openssl);
}

/* A client that knows no tickets gets an id all the same. */
static void test_by_id_beside_tickets(void **state)
{
    (void)state;
    struct memory memory = { NULL, 0 };
    SSL_CTX *client = client_create(TLS1_2_VERSION, &memory);

    SSL_CTX_set_options(client, SSL_OP_NO_TICKET);
    for (unsigned size = 0; size <= 100; size += 100) {
        world_begin();
        world.config.tls.session_cache = size;
        world_start(&world);
        assert_false(connect_to(&one, &world, client, "a.test"));
        assert_int_equal(connect_to(&one, &world, client, "a.test"), size > 0);
        world_stop(&world);
        forget(&memory);
    }
    SSL_CTX_free(client);
}

static void *run_client(void *arg)
{
    int version = *(int *)arg;
    struct memory memory = { NULL, 0 };
    struct link *l = calloc(1, sizeof(*l));
    SSL_CTX *client = client_create(version, &memory);
    intptr_t resumed = 0;

    CHECK(l != NULL);
    for (int i = 0; i < 20; i++) {
        if (connect_to(l, &world, client, i % 5 == 4 ? "b.test" : "a.test"))
            resumed++;
        __atomic_fetch_add(&now_ms, 1, __ATOMIC_RELAXED);
    }
    forget(&memory);
    SSL_CTX_free(client);
    free(l);
    return (void *)resumed;
}

/* Threads share the keys, while these rotate, and the cache. */
static void test_threads(void **state)
{
    (void)state;
    static int wanted[] = { TLS1_2_VERSION, TLS1_3_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };
    pthread_t threads[ARRAY_LEN(wanted)];

    for (int tickets = 0; tickets < 2; tickets++) {
        world_begin();
        world.config.tls.tickets = tickets;
        world.config.tls.ticket_key_ms = 10;
        world_start(&world);
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, run_client, &wanted[i]), 0);
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
            void *resumed;
            assert_int_equal(pthread_join(threads[i], &resumed), 0);
            /* Of 20, 8 come after a change of name. */
            assert_true((intptr_t)resumed <= 12);
            if (!tickets && wanted[i] == TLS1_3_VERSION)
                assert_int_equal((intptr_t)resumed, 0);
        }
        world_stop(&world);
    }
}

static int setup(void **state)
{
    (void)state;
    pki_open();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_ticket),
        cmocka_unit_test(test_by_id),
        cmocka_unit_test(test_by_id_beside_tickets),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_bound_to_the_name),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_foreign_ticket),
        cmocka_unit_test(test_lost_connection),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

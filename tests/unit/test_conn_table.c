/* test_conn_table.c: connections counted by client, over threads and processes, and what is left of
 * one that dies. */
#include "core/conn_table.c"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

static const struct client_prefix usual = { 32, 64 };

static struct conn_table *make(uint32_t connections_max)
{
    struct conn_table *table = NULL;

    assert_int_equal(conn_table_create(connections_max, &table), 0);
    conn_table_join(table);
    assert_int_equal(table->mine, 0);
    return table;
}

static uint64_t client(const struct conn_table *table, uint32_t number)
{
    const struct peer peer = { .family = PEER_IPV4,
                               .addr = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                                         (uint8_t)number } };

    return conn_table_client(table, &peer, &usual);
}

static uint64_t total(const struct conn_table *table)
{
    uint64_t sum = 0;

    for (int i = 0; i < CONN_TABLE_PROCESSES; i++)
        for (size_t j = 0; j <= table->line_mask; j++)
            for (unsigned k = 0; k < WAYS; k++)
                sum += part(table, i)[j].words[k] & COUNT_MASK;
    return sum;
}

static void test_up_and_down(void **state)
{
    struct conn_table *table = make(100);
    uint64_t a = client(table, 1), b = client(table, 2);

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++)
            assert_int_equal(conn_table_add(table, a, 5), CONN_COUNTED);
        assert_int_equal(conn_table_add(table, a, 5), CONN_OVER);
        assert_int_equal(conn_table_add(table, b, 5), CONN_COUNTED);
        conn_table_remove(table, a);
        assert_int_equal(conn_table_add(table, a, 5), CONN_COUNTED);
        assert_int_equal(conn_table_add(table, a, 5), CONN_OVER);
        assert_int_equal(total(table), 6);
        for (int i = 0; i < 5; i++)
            conn_table_remove(table, a);
        conn_table_remove(table, b);
        assert_int_equal(total(table), 0);
    }
    conn_table_destroy(table);
}

/* As many clients as there may be connections: nearly all have a place, and none counts wrong. */
static void test_many(void **state)
{
    enum { CLIENTS = 4096 };
    static uint64_t counted[CLIENTS];
    struct conn_table *table = make(CLIENTS);
    unsigned count = 0;

    (void)state;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        uint64_t id = client(table, i);
        enum conn_verdict verdict = conn_table_add(table, id, 1);
        assert_int_not_equal(verdict, CONN_OVER);
        if (verdict == CONN_COUNTED)
            counted[count++] = id;
    }
    assert_in_range(count, CLIENTS * 9 / 10, CLIENTS);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(conn_table_add(table, counted[i], 1), CONN_OVER);
        conn_table_remove(table, counted[i]);
    }
    assert_int_equal(total(table), 0);
    conn_table_destroy(table);
}

static void test_a_process_that_dies(void **state)
{
    struct conn_table *table = make(100);
    uint64_t a = client(table, 1);
    int status = 0;

    (void)state;
    assert_int_equal(conn_table_add(table, a, 3), CONN_COUNTED);
    pid_t child = fork();
    if (child == 0) {
        conn_table_join(table);
        bool right = table->mine == 1 && conn_table_add(table, a, 3) == CONN_COUNTED &&
                     conn_table_add(table, a, 3) == CONN_COUNTED &&
                     conn_table_add(table, a, 3) == CONN_OVER;
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(conn_table_add(table, a, 3), CONN_OVER); /* nobody knows yet */
    conn_table_forget(table, (int)child);
    conn_table_forget(table, (int)child);
    assert_int_equal(total(table), 1);
    assert_int_equal(conn_table_add(table, a, 3), CONN_COUNTED);
    conn_table_destroy(table);
}

static void *come_and_go(void *context)
{
    struct conn_table *table = context;

    for (uint32_t i = 0; i < 20000; i++) {
        uint64_t id = client(table, i % 40);
        if (conn_table_add(table, id, 3) == CONN_COUNTED)
            conn_table_remove(table, id);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct conn_table *table = make(4); /* one line */
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, table), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(total(table), 0);
    conn_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_and_down),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_a_process_that_dies),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_ticket_keys.c: which key encrypts when, and which still decrypts. */
#include "tls/ticket_keys.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LIFETIME_MS = 1000, START_MS = 5000 };

static struct ticket_keys *keys;

static int setup(void **state)
{
    (void)state;
    return ticket_keys_create(LIFETIME_MS, START_MS, &keys);
}

static int teardown(void **state)
{
    (void)state;
    ticket_keys_destroy(keys);
    return 0;
}

static struct ticket_key newest_at(uint64_t now_ms)
{
    struct ticket_key key;

    assert_int_equal(ticket_keys_newest(keys, now_ms, &key), 0);
    return key;
}

static enum ticket_key_use find_at(uint64_t now_ms, const struct ticket_key *of)
{
    struct ticket_key key = { { 0 }, { 0 }, { 0 } };
    enum ticket_key_use use = ticket_keys_find(keys, now_ms, of->name, &key);

    if (use != TICKET_KEY_NONE)
        assert_memory_equal(&key, of, sizeof(key));
    return use;
}

static void test_lifetimes(void **state)
{
    (void)state;
    struct ticket_key first = newest_at(START_MS), second;

    assert_int_equal(find_at(START_MS, &first), TICKET_KEY_NEWEST);
    assert_int_equal(find_at(START_MS + LIFETIME_MS - 1, &first), TICKET_KEY_NEWEST);
    assert_int_equal(find_at(START_MS + LIFETIME_MS, &first), TICKET_KEY_OLD);
    second = newest_at(START_MS + LIFETIME_MS);
    assert_memory_not_equal(second.name, first.name, sizeof(first.name));
    assert_memory_not_equal(second.cipher, first.cipher, sizeof(first.cipher));
    assert_memory_not_equal(second.mac, first.mac, sizeof(first.mac));
    assert_int_equal(find_at(START_MS + 2 * LIFETIME_MS - 1, &first), TICKET_KEY_OLD);
    assert_int_equal(find_at(START_MS + 2 * LIFETIME_MS, &first), TICKET_KEY_NONE);
    assert_int_equal(find_at(START_MS + 2 * LIFETIME_MS, &second), TICKET_KEY_OLD);
}

/* Looked at late, a key has not lived longer. */
static void test_late_look(void **state)
{
    (void)state;
    struct ticket_key first = newest_at(START_MS);

    assert_int_equal(find_at(START_MS + LIFETIME_MS * 3 / 2, &first), TICKET_KEY_OLD);
    assert_int_equal(find_at(START_MS + 2 * LIFETIME_MS, &first), TICKET_KEY_NONE);
}

static void test_long_idle(void **state)
{
    (void)state;
    struct ticket_key first = newest_at(START_MS), later;

    later = newest_at(START_MS + 10 * LIFETIME_MS + 1);
    assert_int_equal(find_at(START_MS + 10 * LIFETIME_MS + 1, &first), TICKET_KEY_NONE);
    /* A lifetime begins when the key is made. */
    assert_int_equal(find_at(START_MS + 11 * LIFETIME_MS, &later), TICKET_KEY_NEWEST);
    assert_int_equal(find_at(START_MS + 11 * LIFETIME_MS + 1, &later), TICKET_KEY_OLD);
}

/* Threads read their clocks at different times. */
static void test_clock_behind(void **state)
{
    (void)state;
    struct ticket_key key = newest_at(START_MS + LIFETIME_MS);

    assert_int_equal(find_at(START_MS, &key), TICKET_KEY_NEWEST);
    assert_int_equal(find_at(0, &key), TICKET_KEY_NEWEST);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lifetimes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clock_behind, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

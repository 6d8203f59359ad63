/* test_rate_table.c: how many are let through, by a clock of the test's own; who is told apart;
 * what strangers by the hundred thousand can do to the table. */
#include "core/rate_table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND RATE_TICKS_A_SECOND

static const struct client_prefix usual = { 32, 64 };
static const uint64_t start = 77 * SECOND;

/* `count` in `seconds`. */
static struct rate_limit limit_of(uint64_t count, uint64_t seconds, uint64_t burst)
{
    uint64_t interval = seconds * SECOND / count;

    return (struct rate_limit){
        .interval = interval, .burst = burst * interval, .delay = UINT64_MAX, .zone = 7
    };
}

static struct rate_table *make(size_t clients)
{
    struct rate_table *table = NULL;

    assert_int_equal(rate_table_create(clients, &table), 0);
    return table;
}

static uint64_t client(const struct rate_table *table, const char *address)
{
    struct peer peer;

    assert_true(peer_parse(span_str(address), &peer));
    return rate_table_client(table, 7, &peer, &usual);
}

/* A client out of many: 10.x.y.z. */
static uint64_t stranger(const struct rate_table *table, uint32_t number)
{
    const struct peer peer = { .family = PEER_IPV4,
                               .addr = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                                         (uint8_t)number } };

    return rate_table_client(table, 7, &peer, &usual);
}

/* How many of `count` at one moment are let through. */
static unsigned pass(struct rate_table *table, uint64_t id, const struct rate_limit *limit,
                     uint64_t now, unsigned count)
{
    unsigned passed = 0;
    uint64_t ticks;

    while (count-- > 0)
        passed += rate_table_take(table, id, limit, now, &ticks) != RATE_REFUSE;
    return passed;
}

static void test_burst_and_rate(void **state)
{
    static const struct {
        uint64_t count, seconds, burst;
    } rows[] = {
        { 10, 1, 0 }, { 10, 1, 20 },    { 1, 1, 5 },  { 30, 60, 30 },   { 1, 3600, 2 },
        { 3, 1, 3 },  { 1000, 1, 100 }, { 7, 60, 1 }, { 100000, 1, 1 }, { 333333, 1, 1000 }
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rate_table *table = make(64);
        struct rate_limit limit = limit_of(rows[i].count, rows[i].seconds, rows[i].burst);
        uint64_t id = client(table, "192.0.2.1"), now = start, ticks = 0;

        /* At once, the burst and one more; then one for each interval, to the tick. */
        assert_int_equal(pass(table, id, &limit, now, (unsigned)rows[i].burst + 5),
                         rows[i].burst + 1);
        for (unsigned j = 0; j < 50; j++) {
            assert_int_equal(pass(table, id, &limit, now + limit.interval - 1, 1), 0);
            now += limit.interval;
            assert_int_equal(pass(table, id, &limit, now, 3), 1);
            assert_int_equal(rate_table_take(table, id, &limit, now, &ticks), RATE_REFUSE);
            assert_int_equal(ticks, limit.interval); /* Retry-After is kept */
        }
        /* After a rest the burst is there again, and no more. */
        now += limit.interval * (rows[i].burst + 100);
        assert_int_equal(pass(table, id, &limit, now, (unsigned)rows[i].burst + 5),
                         rows[i].burst + 1);
        rate_table_destroy(table);
    }
}

/* nginx: burst=8 delay=3: four at once, five wait, each a moment longer, the rest is refused. */
static void test_delay(void **state)
{
    struct rate_table *table = make(64);
    struct rate_limit limit = limit_of(10, 1, 8);
    uint64_t id = client(table, "192.0.2.1"), ticks;

    (void)state;
    limit.delay = 3 * limit.interval;
    for (unsigned i = 0; i < 12; i++) {
        enum rate_verdict verdict = rate_table_take(table, id, &limit, start, &ticks);
        assert_int_equal(verdict, i <= 3 ? RATE_GO : i <= 8 ? RATE_WAIT : RATE_REFUSE);
        if (verdict == RATE_WAIT)
            assert_int_equal(ticks, (i - 3) * limit.interval);
    }
    rate_table_destroy(table);
}

static void test_clients_are_told_apart(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = { { "192.0.2.1", "192.0.2.2", false },
                 { "192.0.2.1", "::ffff:192.0.2.1", true },
                 { "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true },
                 { "2001:db8:0:1::1", "2001:db8:0:2::1", false },
                 { "0.0.0.1", "::1", false } };
    struct rate_table *table = make(64);
    const struct client_prefix wide = { 24, 48 };
    struct peer a, b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(client(table, rows[i].a) == client(table, rows[i].b), rows[i].same);
    assert_true(peer_parse(SPAN_LIT("192.0.2.1"), &a) && peer_parse(SPAN_LIT("192.0.2.77"), &b));
    assert_true(rate_table_client(table, 7, &a, &wide) == rate_table_client(table, 7, &b, &wide));
    assert_false(rate_table_client(table, 7, &a, &wide) == rate_table_client(table, 8, &a, &wide));
    assert_true(peer_parse(SPAN_LIT("192.0.3.1"), &b));
    assert_false(rate_table_client(table, 7, &a, &wide) == rate_table_client(table, 7, &b, &wide));
    rate_table_destroy(table);
}

/* A hundred clients have used up what they may have. Then come, again and again and between their
 * requests, eight times as many strangers as the table has room for. */
static void test_strangers_push_out_strangers(void **state)
{
    enum { CLIENTS = 8192, LIMITED = 100, ROUNDS = 4 };
    struct rate_table *table = make(CLIENTS);
    struct rate_limit limit = limit_of(1, 1, 20);
    uint64_t now = start;
    unsigned passed = 0, refused = 0;
    uint32_t number = LIMITED;

    (void)state;
    for (uint32_t i = 0; i < LIMITED; i++)
        assert_int_equal(pass(table, stranger(table, i), &limit, now, 30), 21);
    for (unsigned round = 0; round < ROUNDS; round++) {
        now += SECOND;
        for (unsigned j = 0; j < 8 * CLIENTS; j++)
            refused += pass(table, stranger(table, number++), &limit, now, 1) == 0;
        for (uint32_t i = 0; i < LIMITED; i++)
            passed += pass(table, stranger(table, i), &limit, now, 30);
    }
    /* One a second each, as before; and nobody who comes once is refused. But for those few who
     * meet somebody with the same tag. */
    assert_in_range(passed, LIMITED * ROUNDS - 5, LIMITED * ROUNDS + 21);
    assert_in_range(refused, 0, 5);
    rate_table_destroy(table);
}

/* What is past 12 days later must not look as if it lay ahead, nor what lies ahead as past where
 * the scale comes round. */
static void test_the_scale_comes_round(void **state)
{
    const uint64_t scale = UINT64_C(1) << MOMENT_BITS;
    struct rate_limit limit = limit_of(10, 1, 20);

    (void)state;
    for (uint64_t days = 1; days < 40; days++) {
        struct rate_table *table = make(64);
        uint64_t id = client(table, "192.0.2.1");
        assert_int_equal(pass(table, id, &limit, start, 30), 21);
        uint64_t later = start + days * 24 * 3600 * SECOND;
        assert_int_equal(pass(table, id, &limit, later, 30), 21);
        uint64_t end = days * scale - limit.interval;
        assert_int_equal(pass(table, id, &limit, end - 100 * SECOND, 30), 21);
        assert_int_equal(pass(table, id, &limit, end, 30), 21);
        assert_int_equal(pass(table, id, &limit, end + 3 * limit.interval, 30), 3);
        rate_table_destroy(table);
    }
}

static void test_all_together(void **state)
{
    struct rate_table *table = make(64);
    struct rate_limit limit = limit_of(100, 1, 9);
    uint64_t ticks, now = start;
    unsigned passed = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++, now += SECOND / 1000)
        passed += rate_table_take_of_all(table, &limit, now, &ticks) == RATE_GO;
    assert_in_range(passed, 109, 110);
    /* Each zone has its own, up to as many as there are places; then nothing is limited. */
    unsigned full = 0;
    for (uint64_t zone = 1000; zone < 1000 + 2 * RATE_TABLE_GROUPS; zone++) {
        limit.zone = zone * UINT64_C(0x9e3779b97f4a7c15);
        passed = 0;
        for (unsigned i = 0; i < 20; i++)
            passed += rate_table_take_of_all(table, &limit, now, &ticks) == RATE_GO;
        assert_true(passed == 10 || passed == 20);
        full += passed == 20;
    }
    assert_in_range(full, 1, 2 * RATE_TABLE_GROUPS - RATE_TABLE_GROUPS / 2);
    /* What has rested for long gives its place to others. */
    limit.zone = 5;
    now += 100 * SECOND;
    for (unsigned i = 0, go = 0; i < 20; i++, assert_true(go <= 10))
        go += rate_table_take_of_all(table, &limit, now, &ticks) == RATE_GO;
    rate_table_destroy(table);
}

/* Processes count together: of four, each of which asks without end. */
static void test_processes_share(void **state)
{
    enum { CHILDREN = 4, EACH = 2000 };
    struct rate_table *table = make(64);
    struct rate_limit limit = limit_of(1, 60, 999);
    uint64_t id = client(table, "192.0.2.1"), ticks = 0;
    int pipes[2], passed = 0;
    unsigned count;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() != 0)
            continue;
        count = 0;
        for (int j = 0; j < EACH; j++)
            count += rate_table_take(table, id, &limit, start, &ticks) == RATE_GO;
        _exit(write(pipes[1], &count, sizeof count) == (ssize_t)sizeof count ? 0 : 1);
    }
    for (int i = 0; i < CHILDREN; i++) {
        assert_int_equal(read(pipes[0], &count, sizeof count), sizeof count);
        passed += (int)count;
        assert_true(wait(NULL) > 0);
    }
    assert_in_range(passed, 1000, 1003); /* who loses a word time after time is let pass */
    rate_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_and_rate),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_clients_are_told_apart),
        cmocka_unit_test(test_strangers_push_out_strangers),
        cmocka_unit_test(test_the_scale_comes_round),
        cmocka_unit_test(test_all_together),
        cmocka_unit_test(test_processes_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_coalesce.c: how many completions a busy loop waits for at once. */
#include "engines/proactor/coalesce.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { CONNECTIONS = 2000, WINDOW = 1024, PAUSE = 64 };

static uint16_t windows[CONNECTIONS];
static const struct coalesce_limits plenty = { .connections = CONNECTIONS,
                                               .batch = 128,
                                               .patience_us = 50 };

/* As many requests as a window has, of `busy` connections in turn. */
static void ask(struct coalesce *c, unsigned busy)
{
    for (unsigned i = 0; i < WINDOW; i++)
        coalesce_note(c, &windows[i % busy]);
}

static struct coalesce known(unsigned busy)
{
    struct coalesce c = { 0 };
    memset(windows, 0, sizeof(windows));
    ask(&c, busy);
    return c;
}

/* The wait after a turn that has sent so many answers. */
static struct processor_batch next(struct coalesce *c, unsigned answers,
                                   const struct coalesce_limits *limits)
{
    for (unsigned i = 0; i < answers; i++)
        coalesce_answer(c);
    return coalesce_next(c, limits);
}

static void assert_none(struct processor_batch batch)
{
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.patience_us, 0);
}

static void test_who_is_busy(void **state)
{
    (void)state;
    struct coalesce c = { 0 };
    memset(windows, 0, sizeof(windows));
    assert_none(next(&c, 10, &plenty)); /* nothing is known */
    for (unsigned i = 0; i + 1 < WINDOW; i++)
        coalesce_note(&c, &windows[i % 90]);
    assert_none(next(&c, 10, &plenty));
    coalesce_note(&c, &windows[0]);
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 8);
    ask(&c, 23); /* the others have become idle */
    assert_none(next(&c, 10, &plenty));
    ask(&c, 24);
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 8);
    for (unsigned i = 0; i < 70000 / WINDOW + 2; i++) /* the number of a window comes again */
        ask(&c, 100);
    assert_int_equal(c.busy, 100);
}

/* Each connection asks but once, so many have asked; but few are there. */
static void test_one_request_each(void **state)
{
    (void)state;
    struct coalesce c = known(WINDOW);
    struct coalesce_limits few = plenty;
    few.connections = 23;
    assert_none(next(&c, 10, &few));
    few.connections = 24;
    assert_int_equal(next(&c, 10, &few).count, 10 + 8);
}

static void test_limits(void **state)
{
    (void)state;
    struct coalesce c = known(90);
    struct coalesce_limits limits = plenty;
    assert_none(next(&c, 0, &plenty));
    assert_none(next(&c, 2, &plenty));
    assert_int_equal(next(&c, 3, &plenty).patience_us, 12);
    assert_int_equal(next(&c, 12, &plenty).patience_us, 48);
    assert_int_equal(next(&c, 30, &plenty).patience_us, 50);
    assert_int_equal(next(&c, 98, &plenty).count, 98 + 8);
    assert_none(next(&c, 99, &plenty)); /* with the thirty that may be waited for, too many */
    limits.batch = 0;                   /* a processor that cannot */
    assert_none(next(&c, 10, &limits));
    limits = plenty;
    limits.patience_us = 0;
    assert_none(next(&c, 10, &limits));
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 8); /* as before */
}

/* One more after each wait that was filled, up to a third of the busy ones; fewer after others. */
static void test_learns(void **state)
{
    (void)state;
    struct coalesce c = known(90);
    for (unsigned aim = 8; aim < 40; aim++) {
        unsigned expected = aim < 30 ? aim : 30;
        assert_int_equal(next(&c, 10, &plenty).count, 10 + expected);
        coalesce_learn(&c, 10 + expected);
    }
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 30);
    coalesce_learn(&c, 10 + 12);
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 21);
    coalesce_learn(&c, 10 + 8);
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 14);
    c = known(1000);
    for (unsigned i = 0; i < 100; i++) {
        struct processor_batch batch = next(&c, 10, &plenty);
        assert_true(batch.count <= 10 + 32);
        coalesce_learn(&c, batch.count);
    }
}

/* What brings little is left alone for a while, and tried again. */
static void test_pauses(void **state)
{
    (void)state;
    struct coalesce c = known(90);
    static const unsigned taken[] = { 0, 9, 10, 17 };
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        assert_int_equal(next(&c, 10, &plenty).count, 10 + 8);
        coalesce_learn(&c, taken[i]);
        for (unsigned turn = 0; turn < PAUSE; turn++) {
            assert_none(next(&c, 10, &plenty));
            coalesce_learn(&c, 200); /* an ordinary wait teaches nothing */
        }
    }
    assert_int_equal(next(&c, 10, &plenty).count, 10 + 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_busy), cmocka_unit_test(test_one_request_each),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_learns),
        cmocka_unit_test(test_pauses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

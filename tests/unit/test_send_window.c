/* test_send_window.c: the minimum rate of sending: who takes enough, by what the socket accepts or
 * by what the peer has taken, is kept; who does not is found out in time. */
#include "http/send_window.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BEGIN_MS = 1000, SEND_MS = 60000, RATE = 100, ENOUGH = RATE * SEND_MS / 1000 };

static const struct http_deadlines deadlines = { .send_ms = SEND_MS, .send_rate_min = RATE };

static struct http_send_window begun(void)
{
    struct http_send_window w = { .begun_ms = 0 };
    http_send_window_begin(&w, &deadlines, BEGIN_MS, 500);
    return w;
}

static bool look(struct http_send_window *w, uint64_t now_ms, int64_t taken)
{
    struct progress progress = { .taken = taken };
    return http_send_window_look(w, &deadlines, now_ms, &progress);
}

/* Looks whenever it is time, with what `taken_at` says that the peer has taken by then. Until when
 * it was kept; `until_ms` if longer. */
static uint64_t kept_until(struct http_send_window *w, int64_t (*taken_at)(uint64_t now_ms),
                           uint64_t until_ms)
{
    uint64_t now_ms = w->look_ms;
    while (now_ms < until_ms && look(w, now_ms, taken_at(now_ms))) {
        assert_true(w->look_ms > now_ms);
        now_ms = w->look_ms;
    }
    return now_ms;
}

static int64_t nothing(uint64_t now_ms)
{
    (void)now_ms;
    return 7;
}

/* One octet a minute. */
static int64_t next_to_nothing(uint64_t now_ms)
{
    return (int64_t)(now_ms / 60000);
}

static int64_t exactly_the_rate(uint64_t now_ms)
{
    return (int64_t)(now_ms * RATE / 1000);
}

/* Much in an instant, then nothing for 45 s, and so on: a player. */
static int64_t in_bursts(uint64_t now_ms)
{
    return (int64_t)(now_ms / 45000) * 10 * ENOUGH;
}

/* Takes what it likes for 20 s, and then nothing. */
static int64_t stops_at_20_s(uint64_t now_ms)
{
    return (int64_t)(now_ms < 20000 ? now_ms : 20000) * 1000;
}

static void test_who_takes_nothing(void **state)
{
    (void)state;
    struct http_send_window w = begun();
    uint64_t end_ms = kept_until(&w, nothing, UINT64_MAX);
    assert_in_range(end_ms, BEGIN_MS + SEND_MS, BEGIN_MS + SEND_MS + SEND_MS / 16);

    w = begun();
    end_ms = kept_until(&w, next_to_nothing, UINT64_MAX);
    assert_in_range(end_ms, BEGIN_MS + SEND_MS, BEGIN_MS + SEND_MS + SEND_MS / 16);
}

static void test_who_takes_enough(void **state)
{
    (void)state;
    struct http_send_window w = begun();
    assert_true(kept_until(&w, exactly_the_rate, 100 * SEND_MS) >= 100 * SEND_MS);
    w = begun();
    assert_true(kept_until(&w, in_bursts, 100 * SEND_MS) >= 100 * SEND_MS);
}

/* The pause counts from when the peer has stopped, to within a look. */
static void test_a_pause_that_is_too_long(void **state)
{
    (void)state;
    struct http_send_window w = begun();
    uint64_t end_ms = kept_until(&w, stops_at_20_s, UINT64_MAX);
    assert_in_range(end_ms, 20000 + SEND_MS, 20000 + SEND_MS + SEND_MS / 16);
}

/* What the socket accepts is progress, too, and then what the peer took before counts no more. */
static void test_the_socket_accepts(void **state)
{
    (void)state;
    struct http_send_window w = begun();
    http_send_window_accepted(&w, &deadlines, BEGIN_MS + 10, 500 + ENOUGH - 1);
    assert_int_equal(w.begun_ms, BEGIN_MS);
    http_send_window_accepted(&w, &deadlines, BEGIN_MS + 20, 500 + ENOUGH);
    assert_int_equal(w.begun_ms, BEGIN_MS + 20);
    assert_true(look(&w, w.look_ms, 0));
    assert_true(w.taken_known);
    http_send_window_accepted(&w, &deadlines, BEGIN_MS + 30000, 500 + 2 * ENOUGH);
    assert_int_equal(w.begun_ms, BEGIN_MS + 30000);
    assert_false(w.taken_known);
    http_send_window_begin(&w, &deadlines, BEGIN_MS + 40000, 9999); /* it has begun */
    assert_int_equal(w.begun_ms, BEGIN_MS + 30000);
}

/* Without a rate an octet is enough, and none is too little; the shortest window still ends. */
static void test_without_a_rate(void **state)
{
    (void)state;
    const struct http_deadlines loose = { .send_ms = 10, .send_rate_min = 0 };
    const struct progress taken[] = { [5] = { .taken = 5 }, [6] = { .taken = 6 } };
    struct http_send_window w = { .begun_ms = 0 };
    http_send_window_begin(&w, &loose, 100, 0);
    assert_true(http_send_window_look(&w, &loose, w.look_ms, &taken[5]));
    assert_true(http_send_window_look(&w, &loose, w.begun_ms + 9, &taken[5]));
    assert_true(http_send_window_look(&w, &loose, w.begun_ms + 9, &taken[6]));
    assert_false(http_send_window_look(&w, &loose, w.begun_ms + 10, &taken[6]));
}

/* A peer with an open window, and all acknowledged that has left, waits for us. A window that is
 * too small for the rate is none. */
static void test_who_offers_to_take(void **state)
{
    (void)state;
    for (uint32_t offered = ENOUGH - 1; offered <= ENOUGH; offered++) {
        const struct progress progress = { .taken = 5, .offered = offered };
        struct http_send_window w = begun();
        bool goes_on = true;
        for (int i = 0; i < 100 && goes_on; i++)
            goes_on = http_send_window_look(&w, &deadlines, w.look_ms, &progress);
        assert_int_equal(goes_on, offered == ENOUGH);
    }
}

/* For a unix socket the scale may begin below 0, and what is taken may seem to shrink. */
static void test_a_scale_below_zero(void **state)
{
    (void)state;
    struct http_send_window w = begun();
    assert_true(look(&w, w.look_ms, -5000));
    uint64_t begun_ms = w.begun_ms;
    assert_true(look(&w, w.look_ms, -9000));
    assert_int_equal(w.begun_ms, begun_ms);
    assert_true(look(&w, w.look_ms, ENOUGH - 5000));
    assert_true(w.begun_ms > begun_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_takes_nothing),        cmocka_unit_test(test_who_takes_enough),
        cmocka_unit_test(test_a_pause_that_is_too_long), cmocka_unit_test(test_the_socket_accepts),
        cmocka_unit_test(test_without_a_rate),           cmocka_unit_test(test_who_offers_to_take),
        cmocka_unit_test(test_a_scale_below_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

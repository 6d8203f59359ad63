/* test_session_out.c: records: how large they are, how plans become them, and what is told of what
 * was sent. */
#include "tests/unit/session_tls_fixture.h"

#include "http/exchange.h"

static size_t largest(const struct fake_view *view)
{
    size_t size = 0;
    for (size_t i = 0; i < view->sizes_count; i++)
        size = view->sizes[i] > size ? view->sizes[i] : size;
    return size;
}

static void test_small_records_first_then_full_ones(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    feed_data(GET("/big"));
    const struct fake_view *view = look();
    size_t ramp = 0, count = 0;
    for (; view->sizes[count] == SESSION_RECORD_SMALL; count++)
        ramp += SESSION_RECORD_SMALL;
    assert_int_equal(ramp, SESSION_RECORD_RAMP);
    assert_int_equal(largest(view), TLS_PLAIN_MAX);
    assert_true(view->sizes_count < count + (FILE_BIG - ramp) / TLS_PLAIN_MAX + 6);

    /* It goes on like that, */
    fix.clock.now_ms += SESSION_RECORD_IDLE_MS;
    feed_data(GET("/f"));
    view = look();
    assert_int_equal(view->sizes[0], TLS_PLAIN_MAX);
    /* until nothing was sent for a while. */
    fix.clock.now_ms += SESSION_RECORD_IDLE_MS + 1;
    feed_data(GET("/f"));
    assert_int_equal(look()->sizes[0], SESSION_RECORD_SMALL);
    end();
}

static void test_head_and_body_share_a_record(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    feed_data(GET("/f"));
    const struct fake_view *view = look();
    const char *body = strstr(view->plain, "\r\n\r\n");
    assert_non_null(body);
    assert_true((size_t)(body + 4 - view->plain) < view->sizes[0]);
    /* The body is whole, though its first octets were copied and the others were not. */
    body += 4;
    assert_int_equal(view->plain_len - (size_t)(body - view->plain), 16384);
    for (size_t i = 0; i < 16384; i++)
        assert_int_equal(body[i], 'a' + (int)((i + i / 251) % 26));
    assert_int_equal(fix.sends, 0);
    end();
}

static void test_a_short_answer_is_one_record(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    feed_data("GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=0-3600\r\n\r\n");
    const struct fake_view *view = look();
    assert_int_equal(view->sizes_count, 1);
    assert_true(view->sizes[0] > SESSION_RECORD_SMALL);
    /* Answers that leave together as well. */
    feed_data(GET("/s") GET("/s") GET("/s"));
    assert_int_equal(fix.sends, 1);
    assert_int_equal(look()->sizes_count, 1);
    end();
}

/* One send takes at least what one READ brings. */
static void test_sends_of_a_large_file(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    feed_data(GET("/big"));
    look();
    feed_data(GET("/big"));
    assert_in_range(fix.sends, 1, (FILE_BIG + HTTP_READ_ENCRYPTED - 1) / HTTP_READ_ENCRYPTED);
    assert_int_equal(largest(look()), TLS_PLAIN_MAX);
    end();
}

/* What the HTTP connection hears is in proportion, never more than has left, and in the end all. */
static void test_progress_is_told_in_proportion(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    ask(GET("/f"));
    look();
    struct send_plan plan;
    session_send_plan(fix.s, &plan);
    size_t cipher = plan.iov[0].iov_len, all = fix.s->tls->out.plain;
    assert_true(cipher > all && all > 16384);
    session_sent(fix.s, -EAGAIN);
    size_t sent = 0;
    for (size_t step = 1; sent + step < cipher; step = step * 2 + 1) {
        session_send_plan(fix.s, &plan);
        assert_int_equal(plan.iov[0].iov_len, cipher - sent);
        session_sent(fix.s, (ssize_t)step);
        sent += step;
        assert_int_equal(fix.s->conn.x->out.sent, all * sent / cipher);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
    }
    uint64_t waiting_ms = session_deadline_ms(fix.s);
    uint64_t look_ms = fix.config->deadlines.send_ms / HTTP_SEND_WINDOW_LOOKS;
    assert_in_range(waiting_ms, fix.clock.now_ms + look_ms, fix.clock.now_ms + look_ms + 1);
    session_send_plan(fix.s, &plan);
    session_sent(fix.s, (ssize_t)(cipher - sent));
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    assert_null(fix.s->conn.x);
    end();
}

static void test_encryption_fails(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 3; nth++) {
        begin(false, 0);
        shake_hands("a");
        fake_tls.send_fails = nth;
        look();
        ask(GET("/f"));
        assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
        assert_false(send_once());
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        end();
    }
}

/* Key updates are answered, and many of them wait for room. */
static void test_what_the_library_has_to_say(void **state)
{
    (void)state;
    enum { UPDATES = 40000 };
    begin(false, 0);
    shake_hands("a");
    look();
    char *octets = malloc(UPDATES * FAKE_HEADER);
    CHECK(octets != NULL);
    for (size_t i = 0; i < UPDATES; i++)
        fake_record(octets + i * FAKE_HEADER, FAKE_KEY_UPDATE, "", 0);
    assert_int_equal(feed(octets, UPDATES * FAKE_HEADER), UPDATES * FAKE_HEADER);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    assert_int_equal(look()->key_updates, UPDATES);
    free(octets);
    end();
}

/* Sends `sent` octets of the next plan, and says that the socket took no more. */
static size_t fill_up(size_t sent)
{
    struct send_plan plan;
    while (session_wants(fix.s) & SESSION_WANT_FILE) {
        file_job_run(session_file_job(fix.s));
        session_file_done(fix.s);
    }
    session_send_plan(fix.s, &plan);
    size_t planned = send_plan_memory(&plan);
    CHECK(sent < planned);
    session_sent(fix.s, sent > 0 ? (ssize_t)sent : -EAGAIN);
    return planned - sent;
}

/* Records are made for as much as the socket takes, and a small one where it takes nothing. */
static void test_records_for_the_room_there_is(void **state)
{
    (void)state;
    static const size_t rooms[] = { 0, 1, 1400, 5000, 17000, 40000 };
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        begin(false, 0);
        shake_hands("a");
        look();
        fix.s->tls->out.ramp = SESSION_RECORD_RAMP;
        fix.s->tls->out.used_ms = fix.clock.now_ms;
        ask(GET("/big"));
        assert_true(session_minds_room(fix.s));
        session_set_room(fix.s, rooms[i]);
        size_t planned = fill_up(0);
        assert_true(planned <= rooms[i] || planned <= SESSION_RECORD_SMALL + TLS_OVERHEAD_MAX);
        assert_true(planned > rooms[i] / 2);
        assert_false(session_minds_room(fix.s)); /* what is encrypted is encrypted */
        look();
        end();
    }
}

/* Neither the file's octets nor the large buffer stay with a connection whose client does not read;
 * and nothing is read for it before there is room. */
static void test_a_full_socket(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    ask(GET("/big"));
    session_set_room(fix.s, 40000);
    struct session_pools *pools = &fix.s->tls->env->pools;
    struct http_env *env = fix.s->conn.env;
    assert_true(pool_used(env->reads) > 0);
    size_t left = fill_up(30000);
    assert_true(left > SESSION_OUT_REST); /* too much for the small one */
    assert_int_equal(pool_used(env->reads), 0);
    assert_int_equal(pool_used(pools->outs), 1);
    left = fill_up(left - 2000);
    assert_int_equal(left, 2000);
    assert_int_equal(pool_used(pools->outs), 0);
    assert_int_equal(pool_used(pools->rests), 1);
    assert_int_equal(pool_used(env->reads), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
        assert_int_equal(fill_up(0), 2000);
    }
    /* Room again: the rest leaves, then it reads. */
    struct send_plan plan;
    session_send_plan(fix.s, &plan);
    session_sent(fix.s, (ssize_t)send_plan_memory(&plan));
    assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
    assert_int_equal(pool_used(pools->rests), 0);
    session_send_plan(fix.s, &plan);
    assert_int_equal(plan.iovcnt, 0);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_FILE);
    assert_int_equal(drive(), SESSION_WANT_RECV);
    look();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_records_first_then_full_ones),
        cmocka_unit_test(test_head_and_body_share_a_record),
        cmocka_unit_test(test_a_short_answer_is_one_record),
        cmocka_unit_test(test_sends_of_a_large_file),
        cmocka_unit_test(test_progress_is_told_in_proportion),
        cmocka_unit_test(test_encryption_fails),
        cmocka_unit_test(test_what_the_library_has_to_say),
        cmocka_unit_test(test_records_for_the_room_there_is),
        cmocka_unit_test(test_a_full_socket),
    };
    return cmocka_run_group_tests(tests, fix_load, fix_unload);
}

/* test_session_tls.c: TLS in a session: the handshake, what is kept, who ends a connection and how.
 * Records and their sizes: test_session_out.c. The kernel's part: test_session_ktls.c. */
#include "tests/unit/session_tls_fixture.h"

static const struct progress no_progress = { .taken = 0 };

static void test_handshake_and_answer_in_one_send(void **state)
{
    (void)state;
    begin(false, 0);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    feed(HELLO_A, sizeof(HELLO_A));
    assert_int_equal(fix.sends, 1);
    assert_int_equal(look()->handshakes, 1);

    /* What is sent with the last flight is answered with ours. */
    char octets[256];
    memcpy(octets, FINISHED, sizeof(FINISHED));
    size_t len = sizeof(FINISHED);
    len += fake_record(octets + len, FAKE_DATA, GET("/s"), strlen(GET("/s")));
    feed(octets, len);
    assert_int_equal(fix.sends, 1);
    const struct fake_view *view = look();
    assert_int_equal(view->handshakes, 1);
    assert_int_equal(view->sizes_count, 1); /* head and body in one record */
    assert_int_equal(count_of(view, "HTTP/1.1 200 OK"), 1);
    assert_int_equal(view->alert, -1);

    feed_data(GET("/s"));
    assert_int_equal(fix.sends, 1);
    assert_int_equal(look()->sizes_count, 1);
    end();
}

static void test_idle_session_has_no_memory(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(drive(), SESSION_WANT_RECV);
        assert_int_equal(pool_used(fix.env->tls->pools.outs), 0);
        assert_int_equal(pool_used(fix.env->tls->pools.records), 0);
        feed_data(GET("/f"));
    }
    /* Nor in the middle of a record. */
    feed("\x17\x00", 2);
    assert_int_equal(pool_used(fix.env->tls->pools.outs), 0);
    assert_int_equal(pool_used(fix.env->tls->pools.records), 0);
    end();
}

static void test_one_octet_at_a_time(void **state)
{
    (void)state;
    begin(false, 0);
    fake_tls.lazy_plain = true;
    fix.send_max = 1;
    char octets[256];
    size_t len = 0;
    memcpy(octets, HELLO_A, sizeof(HELLO_A));
    len += sizeof(HELLO_A);
    memcpy(octets + len, FINISHED, sizeof(FINISHED));
    len += sizeof(FINISHED);
    len += fake_record(octets + len, FAKE_DATA, GET("/s"), strlen(GET("/s")));
    len += fake_record(octets + len, FAKE_DATA, GET("/s"), strlen(GET("/s")));
    assert_int_equal(feed_chopped(octets, len, 1), len);
    const struct fake_view *view = look();
    assert_int_equal(view->handshakes, 2);
    assert_int_equal(count_of(view, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(view->left, 0);
    end();
}

/* More requests than the HTTP connection takes, in few records and one receive: they are kept as
 * ciphertext, the room says how many fit, and all are answered. */
static void test_what_is_not_taken_is_kept(void **state)
{
    (void)state;
    enum { REQUESTS = 6000 };
    begin(false, 0);
    shake_hands("a");
    look();
    char *octets = malloc(REQUESTS * 64);
    CHECK(octets != NULL);
    size_t len = 0;
    for (int i = 0; i < REQUESTS; i += 400) {
        char text[400 * 32] = "";
        size_t text_len = 0;
        for (int j = 0; j < 400; j++) {
            memcpy(text + text_len, GET("/s"), strlen(GET("/s")));
            text_len += strlen(GET("/s"));
        }
        len += fake_record(octets + len, FAKE_DATA, text, text_len);
    }
    size_t at = 0;
    bool kept = false;
    while (at < len) {
        unsigned wants = session_wants(fix.s);
        if ((wants & SESSION_WANT_RECV) == 0) {
            drive();
            continue;
        }
        size_t room = session_recv_room(fix.s), n = len - at < room ? len - at : room;
        assert_true(room > 0 && room <= KEPT_SIZE);
        session_received(fix.s, octets + at, (ssize_t)n);
        at += n;
        kept |= pool_used(fix.env->tls->pools.records) == 1;
        assert_true(pool_used(fix.env->tls->pools.records) <= 1);
    }
    assert_int_equal(drive(), SESSION_WANT_RECV);
    assert_true(kept);
    assert_int_equal(pool_used(fix.env->tls->pools.records), 0);
    assert_int_equal(count_of(look(), "HTTP/1.1 200 OK"), REQUESTS);
    free(octets);
    end();
}

static void test_close_is_told(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    feed_data("GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    const struct fake_view *view = look(); /* which checks that nothing follows the alert */
    assert_int_equal(view->alert, FAKE_CLOSE_NOTIFY);
    assert_int_equal(count_of(view, "HTTP/1.1 200 OK"), 1);
    end();
}

/* A refusal shuts down and lingers; close_notify comes first, and what is received is dropped. */
static void test_lingering(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    feed_data("GET /../ HTTP/1.1\r\n\r\n");
    assert_int_equal(session_wants(fix.s), SESSION_WANT_SHUTDOWN);
    assert_int_equal(look()->alert, FAKE_CLOSE_NOTIFY);
    session_shut_down(fix.s, 0);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    uint64_t linger_ms = fix.config->deadlines.linger_ms;
    assert_int_equal(session_deadline_ms(fix.s), fix.clock.now_ms + linger_ms);
    session_received(fix.s, "no record", 9);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    session_received(fix.s, NULL, 0);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    end();
}

static void test_the_peer_ends(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    look();
    /* What was asked before is answered. */
    char octets[256];
    size_t len = fake_record(octets, FAKE_DATA, GET("/f"), strlen(GET("/f")));
    memcpy(octets + len, CLOSE_NOTIFY, sizeof(CLOSE_NOTIFY));
    len += sizeof(CLOSE_NOTIFY);
    memcpy(octets + len, "rubbish", 7); /* ... and what follows is nobody's */
    feed(octets, len + 7);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    const struct fake_view *view = look();
    assert_int_equal(count_of(view, "HTTP/1.1 200 OK"), 1);
    assert_int_equal(view->alert, FAKE_CLOSE_NOTIFY);
    end();
}

static void test_truncation(void **state)
{
    (void)state;
    for (int established = 0; established < 2; established++) {
        begin(false, 0);
        feed(HELLO_A, sizeof(HELLO_A));
        if (established)
            feed(FINISHED, sizeof(FINISHED));
        look();
        session_received(fix.s, NULL, 0);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        assert_int_equal(look()->alert, -1);
        end();
    }
}

static void test_a_lost_connection_says_why(void **state)
{
    (void)state;
    for (int established = 0; established < 2; established++) {
        begin(false, 0);
        if (established)
            shake_hands("a");
        look();
        feed("\x63\x00\x01x", 4);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_SHUTDOWN);
        assert_int_equal(look()->alert, FAKE_UNEXPECTED);
        session_shut_down(fix.s, 0);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
        session_received(fix.s, "more of it", 10);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
        fix.clock.now_ms = session_deadline_ms(fix.s);
        session_expired(fix.s, &no_progress);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        end();
    }
}

/* The peer's alert needs no answer. */
static void test_the_peer_gives_up(void **state)
{
    (void)state;
    static const char alert[] = { FAKE_ALERT, 0, 2, 2 ^ FAKE_KEY, 48 ^ FAKE_KEY };
    begin(false, 0);
    feed(HELLO_A, sizeof(HELLO_A));
    look();
    feed(alert, sizeof(alert));
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(fix.sent_len, 0);
    end();
}

/* What is lent stays there until it is reported, whatever happens. */
static void test_broken_while_sending(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    ask(GET("/big"));
    struct send_plan plan;
    session_send_plan(fix.s, &plan);
    uint64_t begun_ms = fix.clock.now_ms, send_ms = fix.config->deadlines.send_ms;
    while (session_wants(fix.s) != SESSION_WANT_CLOSE) {
        assert_true(fix.clock.now_ms < begun_ms + 2 * send_ms);
        fix.clock.now_ms = session_deadline_ms(fix.s); /* the minimum rate */
        session_expired(fix.s, &no_progress);
    }
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(pool_used(fix.env->tls->pools.outs), 1);
    session_sent(fix.s, 1000);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(pool_used(fix.env->tls->pools.outs), 0);
    end();

    begin(false, 0);
    shake_hands("a");
    ask(GET("/big"));
    session_send_plan(fix.s, &plan);
    session_sent(fix.s, -EPIPE);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    end();
}

static void test_deadlines(void **state)
{
    (void)state;
    begin(false, 0);
    uint64_t opened_ms = fix.clock.now_ms;
    assert_int_equal(session_deadline_ms(fix.s), opened_ms + HTTP_CONN_SILENT_MS);
    assert_false(session_is_idle(fix.s)); /* its handshake may be on its way */
    fix.clock.now_ms += HTTP_CONN_SILENT_MS;
    session_expired(fix.s, &no_progress);
    assert_true(session_is_idle(fix.s));
    assert_int_equal(session_deadline_ms(fix.s), opened_ms + 5000);
    fix.clock.now_ms = opened_ms + 4000;
    feed(HELLO_A, sizeof(HELLO_A));
    assert_int_equal(session_deadline_ms(fix.s), opened_ms + 5000); /* for all of it */
    assert_false(session_is_idle(fix.s));
    feed(FINISHED, sizeof(FINISHED));
    look();
    uint64_t secured_ms = fix.clock.now_ms;
    assert_int_equal(session_deadline_ms(fix.s), secured_ms + HTTP_CONN_SILENT_MS);
    assert_false(session_is_idle(fix.s));
    fix.clock.now_ms += HTTP_CONN_SILENT_MS;
    session_expired(fix.s, &no_progress);
    assert_true(session_is_idle(fix.s));
    assert_int_equal(session_deadline_ms(fix.s), secured_ms + 7000); /* header_timeout */
    fix.clock.now_ms = secured_ms + 7000;
    session_expired(fix.s, &no_progress);
    assert_int_equal(drive(), SESSION_WANT_CLOSE);
    assert_int_equal(look()->alert, FAKE_CLOSE_NOTIFY);
    end();

    begin(false, 0);
    feed(HELLO_A, sizeof(HELLO_A));
    look();
    fix.clock.now_ms += 5000;
    session_expired(fix.s, &no_progress);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(session_deadline_ms(fix.s), UINT64_MAX);
    end();
}

/* close_notify that nobody takes does not keep a connection for ever. */
static void test_deadline_of_the_farewell(void **state)
{
    (void)state;
    begin(false, 0);
    shake_hands("a");
    session_drain(fix.s);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
    uint64_t deadline_ms = fix.clock.now_ms + fix.config->deadlines.linger_ms;
    assert_int_equal(session_deadline_ms(fix.s), deadline_ms);
    fix.clock.now_ms = deadline_ms;
    session_expired(fix.s, &no_progress);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    end();
}

static void test_plain_http_is_refused_in_http(void **state)
{
    (void)state;
    begin(false, 0);
    char text[] = GET("/s");
    session_received(fix.s, text, sizeof(text) - 1);
    assert_int_equal(drive(), SESSION_WANT_SHUTDOWN);
    assert_memory_equal(fix.sent, "HTTP/1.1 400 ", 13);
    assert_int_equal(fake_tls.closed, 1);
    session_shut_down(fix.s, 0);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    end();

    /* In pieces, too; the rest is not TLS's any more. */
    begin(false, 0);
    session_received(fix.s, text, 1);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
    session_received(fix.s, text + 1, sizeof(text) - 2);
    assert_int_equal(drive(), SESSION_WANT_SHUTDOWN);
    assert_memory_equal(fix.sent, "HTTP/1.1 400 ", 13);
    end();

    /* A letter later on is no request. */
    begin(false, 0);
    session_received(fix.s, HELLO_A, 1);
    session_received(fix.s, "G", 1);
    assert_non_null(fix.s->tls);
    end();
}

static void test_host_and_name_select_the_same_server(void **state)
{
    (void)state;
    static const struct {
        const char *name, *request, *answer;
    } rows[] = {
        { "a", "GET /s HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 " },
        { "b", "GET /s HTTP/1.1\r\nHost: B.:443\r\n\r\n", "HTTP/1.1 200 " },
        { "a", "GET /s HTTP/1.1\r\nHost: b\r\n\r\n", "HTTP/1.1 421 " },
        { "b", "HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 421 " },
        { "b", "GET http://a/s HTTP/1.1\r\nHost: b\r\n\r\n", "HTTP/1.1 421 " },
        { "a", "GET /s HTTP/1.1\r\nHost: nobody\r\n\r\n", "HTTP/1.1 200 " }, /* the default */
        { "b", "GET /s HTTP/1.1\r\nHost: nobody\r\n\r\n", "HTTP/1.1 421 " },
        { "nobody", "GET /s HTTP/1.1\r\nHost: b\r\n\r\n", "HTTP/1.1 421 " },
        { "", "GET /s HTTP/1.1\r\nHost: b\r\n\r\n", "HTTP/1.1 200 " },
        { "b", "GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 " },
        { "b", "POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 421 " },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(false, 0);
        shake_hands(rows[i].name);
        for (int again = 0; again < 2; again++) { /* the connection goes on */
            look();
            feed_data(rows[i].request);
            const struct fake_view *view = look();
            if (strncmp(view->plain, rows[i].answer, strlen(rows[i].answer)) != 0)
                fail_msg("%s, %s: %s", rows[i].name, rows[i].request, view->plain);
            assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
        }
        end();
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    fake_tls.open_res = -ENOMEM;
    begin(false, 0);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(session_deadline_ms(fix.s), UINT64_MAX);
    session_received(fix.s, HELLO_A, sizeof(HELLO_A)); /* a receive was under way */
    end();
}

static void test_drain(void **state)
{
    (void)state;
    begin(false, 0);
    feed(HELLO_A, sizeof(HELLO_A));
    session_drain(fix.s);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    end();

    begin(false, 0);
    shake_hands("a");
    look();
    session_drain(fix.s);
    assert_int_equal(drive(), SESSION_WANT_CLOSE);
    assert_int_equal(look()->alert, FAKE_CLOSE_NOTIFY);
    end();

    begin(false, 0); /* an answer in progress is finished */
    shake_hands("a");
    look();
    char request[128];
    size_t len = fake_record(request, FAKE_DATA, GET("/big"), strlen(GET("/big")));
    session_received(fix.s, request, (ssize_t)len);
    session_drain(fix.s);
    assert_int_equal(drive(), SESSION_WANT_CLOSE);
    const struct fake_view *view = look();
    assert_true(view->plain_len > FILE_BIG);
    assert_int_equal(view->alert, FAKE_CLOSE_NOTIFY);
    end();
}

static int lock_depth;

static void leave_lock(void *context)
{
    (void)context;
    assert_int_equal(lock_depth--, 1);
}

static void enter_lock(void *context)
{
    (void)context;
    assert_int_equal(lock_depth++, 0);
}

static void check_unlocked(void)
{
    assert_int_equal(lock_depth, 0);
}

/* The library works outside the lock, and may be called by who has made the answer. */
static void test_shared_environment(void **state)
{
    (void)state;
    static const struct session_lock lock = { leave_lock, enter_lock, NULL };
    begin(false, 0);
    close_session();
    session_env_share(fix.env, &lock);
    open_session();
    lock_depth = 1;
    fake_tls.busy = check_unlocked;
    shake_hands("a");
    look();
    ask(GET("/s"));
    unsigned sends = fake_tls.sends;
    session_prepare(fix.s);
    assert_int_equal(fake_tls.sends, sends + 1);
    drive();
    assert_int_equal(fake_tls.sends, sends + 1);
    assert_int_equal(count_of(look(), "HTTP/1.1 200 OK"), 1);
    assert_int_equal(lock_depth, 1);
    end();
}

/* The libraries of those that were busy last keep memory at hand, and no others. */
static void test_memory_at_hand(void **state)
{
    (void)state;
    enum { OTHERS = SESSION_TLS_WARM_MAX };
    uint32_t connections_max = fix.config->connections_max;
    fix.config->connections_max = OTHERS + 1;
    begin(false, 0);
    struct session *first = fix.s, *others[OTHERS];
    shake_hands("a");
    for (size_t i = 0; i < OTHERS; i++) {
        open_session();
        shake_hands("a");
        others[i] = fix.s;
    }
    assert_int_equal(fake_tls.trims, 1);
    assert_ptr_equal(fake_tls.trimmed, first->tls->tls);
    /* Who is busy again takes the place of the one that was not for longest. */
    fix.s = first;
    feed_data(GET("/s"));
    assert_int_equal(fake_tls.trims, 2);
    assert_ptr_equal(fake_tls.trimmed, others[0]->tls->tls);
    feed_data(GET("/s"));
    assert_int_equal(fake_tls.trims, 2);
    /* Who has closed has no place. */
    fix.s = others[1];
    close_session();
    fix.s = others[0];
    feed_data(GET("/s"));
    assert_int_equal(fake_tls.trims, 2);
    for (size_t i = 0; i < OTHERS; i++) {
        fix.s = others[i];
        if (i != 1)
            close_session();
    }
    assert_int_equal(fix.env->tls->warm_count, 1);
    fix.s = first;
    end();
    fix.config->connections_max = connections_max;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake_and_answer_in_one_send),
        cmocka_unit_test(test_idle_session_has_no_memory),
        cmocka_unit_test(test_memory_at_hand),
        cmocka_unit_test(test_one_octet_at_a_time),
        cmocka_unit_test(test_what_is_not_taken_is_kept),
        cmocka_unit_test(test_close_is_told),
        cmocka_unit_test(test_lingering),
        cmocka_unit_test(test_the_peer_ends),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_a_lost_connection_says_why),
        cmocka_unit_test(test_the_peer_gives_up),
        cmocka_unit_test(test_broken_while_sending),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_deadline_of_the_farewell),
        cmocka_unit_test(test_plain_http_is_refused_in_http),
        cmocka_unit_test(test_host_and_name_select_the_same_server),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_shared_environment),
    };
    return cmocka_run_group_tests(tests, fix_load, fix_unload);
}

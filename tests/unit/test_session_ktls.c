/* test_session_ktls.c: when the kernel is asked to encrypt, and what changes when it does. */
#include "tests/unit/session_tls_fixture.h"

/* As an engine does it. */
static void offload(int res)
{
    unsigned char info[SESSION_OFFLOAD_MAX];
    assert_int_equal(session_wants(fix.s), SESSION_WANT_OFFLOAD); /* alone */
    assert_int_equal(session_offload(fix.s, info, sizeof(info)), fake_tls.offload_size);
    fix.offloaded = res == 0;
    session_offloaded(fix.s, res);
}

/* A handshake whose last flight comes with a request. */
static void shake_hands_and_ask(const char *request)
{
    char octets[512];
    feed(HELLO_A, sizeof(HELLO_A));
    memcpy(octets, FINISHED, sizeof(FINISHED));
    size_t len = sizeof(FINISHED);
    len += fake_record(octets + len, FAKE_DATA, request, strlen(request));
    session_received(fix.s, octets, (ssize_t)len);
}

static void test_the_kernel_takes_over_after_the_handshake(void **state)
{
    (void)state;
    begin(true, ENGINE_CAP_FILE_SEGMENT);
    shake_hands_and_ask(GET("/big"));
    /* What the library has to say goes first, and only that. */
    assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
    assert_int_equal(drive(), SESSION_WANT_OFFLOAD);
    const struct fake_view *view = look();
    assert_int_equal(view->handshakes, 2);
    assert_int_equal(view->plain_len, 0);
    offload(0);
    assert_int_equal(drive(), SESSION_WANT_RECV);
    assert_int_equal(fake_tls.sends, 0);
    assert_int_equal(fix.with_file, 1); /* from the descriptor */
    view = look();
    assert_int_equal(count_of(view, "HTTP/1.1 200 OK"), 1);
    assert_true(view->plain_len > FILE_BIG);
    assert_int_equal(pool_used(fix.env->tls->pools.outs), 0);

    /* The alert is the session's, and has a type of its own. */
    feed_data("GET /s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    view = look();
    assert_int_equal(count_of(view, "HTTP/1.1 200 OK"), 1);
    assert_int_equal(view->alert, FAKE_CLOSE_NOTIFY);
    end();
}

static void test_without_file_segments(void **state)
{
    (void)state;
    begin(true, 0);
    shake_hands_and_ask(GET("/big"));
    drive();
    offload(0);
    assert_int_equal(drive(), SESSION_WANT_RECV);
    assert_int_equal(fix.with_file, 0);
    assert_int_equal(fake_tls.sends, 0);
    assert_true(look()->plain_len > FILE_BIG);
    end();
}

static void test_refused_for_this_connection(void **state)
{
    (void)state;
    static const struct {
        int res;
        size_t size; /* 0: the library has nothing to give */
        bool again;  /* the next connection is asked */
    } rows[] = {
        { -EBUSY, 40, true },   { -EINVAL, 40, true }, { -EOPNOTSUPP, 0, true },
        { -ENOENT, 40, false }, { -EPERM, 40, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(true, ENGINE_CAP_FILE_SEGMENT);
        fake_tls.offload_size = rows[i].size;
        shake_hands_and_ask(GET("/big"));
        assert_int_equal(drive(), SESSION_WANT_OFFLOAD);
        offload(rows[i].res);
        assert_int_equal(drive(), SESSION_WANT_RECV);
        assert_true(fake_tls.sends > 0);
        assert_int_equal(fix.with_file, 0);
        assert_true(look()->plain_len > FILE_BIG);
        close_session();
        open_session();
        shake_hands_and_ask(GET("/s"));
        assert_int_equal(drive(), rows[i].again ? SESSION_WANT_OFFLOAD : SESSION_WANT_RECV);
        end();
    }
}

static void test_not_asked(void **state)
{
    (void)state;
    begin(false, ENGINE_CAP_FILE_SEGMENT);
    shake_hands_and_ask(GET("/s"));
    assert_int_equal(drive(), SESSION_WANT_RECV);
    end();

    fix.config->listens[0].kind = LISTEN_UNIX;
    begin(true, ENGINE_CAP_FILE_SEGMENT);
    shake_hands_and_ask(GET("/s"));
    assert_int_equal(drive(), SESSION_WANT_RECV);
    fix.config->listens[0].kind = LISTEN_IPV4;
    end();
}

/* The library cannot write any more: what it would have to answer ends the connection. */
static void test_key_update_ends_it(void **state)
{
    (void)state;
    static const char *const records[] = { "\x18\0\0", "\x63\0\0" };
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        begin(true, ENGINE_CAP_FILE_SEGMENT);
        shake_hands("a");
        offload(0);
        look();
        feed(records[i], 3);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        assert_int_equal(fix.sent_len, 0);
        end();
    }
}

static void test_close_notify_finds_no_room(void **state)
{
    (void)state;
    begin(true, 0);
    shake_hands("a");
    offload(0);
    session_drain(fix.s);
    struct send_plan plan;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(session_wants(fix.s), SESSION_WANT_SEND);
        session_send_plan(fix.s, &plan);
        assert_int_equal(plan.record_type, 21);
        assert_int_equal(plan.iovcnt, 1);
        assert_memory_equal(plan.iov[0].iov_base, "\1\0", 2);
        session_sent(fix.s, i == 0 ? -EAGAIN : -EPIPE);
    }
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    end();
}

static void test_drain_before_it_begins(void **state)
{
    (void)state;
    begin(true, 0);
    shake_hands("a");
    assert_int_equal(session_wants(fix.s), SESSION_WANT_OFFLOAD);
    look();
    session_drain(fix.s);
    assert_int_equal(drive(), SESSION_WANT_CLOSE);
    assert_int_equal(look()->alert, FAKE_CLOSE_NOTIFY);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kernel_takes_over_after_the_handshake),
        cmocka_unit_test(test_without_file_segments),
        cmocka_unit_test(test_refused_for_this_connection),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_key_update_ends_it),
        cmocka_unit_test(test_close_notify_finds_no_room),
        cmocka_unit_test(test_drain_before_it_begins),
    };
    return cmocka_run_group_tests(tests, fix_load, fix_unload);
}

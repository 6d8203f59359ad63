/* test_session_front.c: a session at an address for proxies, seen by its engine: what it wants, its
 * deadline and its place among the idle ones until the header is complete, and that nothing behind
 * it is lost, with TLS and without. */
#include "session_tls_fixture.h"

static const char HEADER[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
enum { HEADER_LEN = sizeof(HEADER) - 1, HEADER_MS = 7000 };

static void begin_proxied(bool tls, bool trusted)
{
    static const uint32_t borders[] = { 0x7f000001, 0x7f000002 };

    fix.config->listens[0].tls = tls;
    fix.config->listens[0].proxy_protocol = true;
    fix.config->trusted = (struct address_set){ .ipv4 = borders, .ipv4_count = trusted ? 2 : 0 };
    begin(false, 0);
}

static void end_proxied(void)
{
    assert_int_equal(pool_used(fix.env->proxy->kept), 1 * (fix.s->proxy != NULL));
    session_close(fix.s);
    assert_int_equal(pool_used(fix.env->proxy->kept), 0);
    free(fix.s);
    assert_int_equal(fake_tls.opened, fake_tls.closed);
    session_env_destroy(fix.env);
    free(fix.view.plain);
    memset(&fix.view, 0, sizeof(fix.view));
    memset(&fake_tls, 0, sizeof(fake_tls));
    fix.config->listens[0].proxy_protocol = false;
    fix.config->listens[0].tls = true;
}

static uint64_t refused(enum session_proxy_refusal refusal)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < SESSION_PROXY_REFUSALS; i++)
        all += fix.env->proxy->refusals[i];
    assert_int_equal(all, fix.env->proxy->refusals[refusal]);
    return all;
}

static void expire(void)
{
    const struct progress *progress = NULL;

    fix.clock.now_ms = session_deadline_ms(fix.s);
    session_expired(fix.s, progress);
}

/* All that an engine sees is a connection that waits for its first request. */
static void test_waits(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        begin_proxied(tls, true);
        uint64_t begun_ms = fix.clock.now_ms;

        assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
        assert_true(session_recv_room(fix.s) > PROXY_HEADER_V1_MAX);
        assert_true(session_recv_room(fix.s) <= SESSION_TLS_RECV_MAX);
        assert_false(session_is_idle(fix.s)); /* for a moment it is on its way */
        assert_int_equal(fake_tls.opened, 0); /* a handshake is nothing to begin with */
        expire();
        assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
        assert_true(session_is_idle(fix.s));
        session_received(fix.s, HEADER, 10);
        assert_false(session_is_idle(fix.s));
        assert_int_equal(session_wants(fix.s), SESSION_WANT_RECV);
        assert_int_equal(session_deadline_ms(fix.s), begun_ms + HEADER_MS);
        expire();
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        assert_int_equal(refused(SESSION_PROXY_LATE), 1);
        session_received(fix.s, HEADER + 10, HEADER_LEN - 10); /* was in flight */
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        end_proxied();
    }
}

/* Plain: header and requests, chopped in every way; the client is known, and the deadline of the
 * first request begins behind the header. */
static void test_plain(void **state)
{
    (void)state;
    char input[512];
    int len = snprintf(input, sizeof(input), "%s%s%s", HEADER, GET("/s"), GET("/s"));

    for (size_t max = 1; max <= (size_t)len; max++) {
        begin_proxied(false, true);
        assert_int_equal(feed_chopped(input, (size_t)len, max), len);
        assert_int_equal(fix.sent_len > 400, true);
        assert_memory_equal(fix.sent, "HTTP/1.1 200 ", 13);
        assert_int_equal(http_conn_peer(&fix.s->conn)->addr[3], 1);
        assert_int_equal(http_conn_peer(&fix.s->conn)->port, 56324);
        assert_true(session_is_idle(fix.s));
        end_proxied();
    }
    begin_proxied(false, true);
    fix.clock.now_ms += HEADER_MS - 1;
    session_received(fix.s, HEADER, HEADER_LEN);
    fix.clock.now_ms += HTTP_CONN_SILENT_MS;
    session_expired(fix.s, NULL);
    assert_int_equal(session_deadline_ms(fix.s),
                     fix.clock.now_ms - HTTP_CONN_SILENT_MS + HEADER_MS);
    end_proxied();
}

/* TLS: the handshake and the request in the segment of the header, as much as there is room for. */
static void test_tls(void **state)
{
    (void)state;
    char input[SESSION_TLS_RECV_MAX];

    memcpy(input, HEADER, HEADER_LEN);
    size_t len = HEADER_LEN;
    memcpy(input + len, HELLO_A, sizeof(HELLO_A));
    len += sizeof(HELLO_A);
    memcpy(input + len, FINISHED, sizeof(FINISHED));
    len += sizeof(FINISHED);
    unsigned requests = 0;
    for (; len + 100 < sizeof(input); requests++)
        len += fake_record(input + len, FAKE_DATA, GET("/s"), strlen(GET("/s")));

    for (size_t max = 1; max <= len; max = max * 3 + 1) {
        begin_proxied(true, true);
        if (max * 3 + 1 > len)
            max = len;
        assert_int_equal(feed_chopped(input, len, max), len);
        assert_int_equal(count_of(look(), "HTTP/1.1 200 "), requests);
        assert_int_equal(fake_tls.opened, 1);
        end_proxied();
    }
}

/* Whoever is not trusted is closed before anything is received, and costs nothing. */
static void test_untrusted(void **state)
{
    (void)state;
    begin_proxied(true, false);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(session_deadline_ms(fix.s), UINT64_MAX);
    assert_int_equal(refused(SESSION_PROXY_UNTRUSTED), 1);
    session_received(fix.s, HEADER, HEADER_LEN);
    assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
    assert_int_equal(fake_tls.opened, 0);
    assert_int_equal(refused(SESSION_PROXY_UNTRUSTED), 1);
    end_proxied();
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        enum session_proxy_refusal refusal;
    } rows[] = {
        { GET("/s"), SESSION_PROXY_MISSING },
        { "PROXY TCP4 1.2.3.4\r\n", SESSION_PROXY_WRONG },
        { "PROXY UNKNOWN "
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          "xxxxxxxxxxxxxxxxxxxxxxxx",
          SESSION_PROXY_LONG },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].octets);
        for (size_t max = 1; max <= len; max += len - 1) {
            begin_proxied(i == 1, true);
            feed_chopped(rows[i].octets, len, max);
            assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
            assert_int_equal(fix.sent_len, 0);
            assert_int_equal(refused(rows[i].refusal), 1);
            end_proxied();
        }
    }
}

/* The peer goes before its header is complete: a fault only when it had begun. */
static void test_ended(void **state)
{
    (void)state;
    for (size_t len = 0; len < 3; len++) {
        for (int res = 0; res >= -ECONNRESET; res -= ECONNRESET) {
            begin_proxied(true, true);
            if (len > 0)
                session_received(fix.s, HEADER, (ssize_t)len);
            session_received(fix.s, "", res);
            assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
            assert_int_equal(refused(SESSION_PROXY_CUT), len > 0);
            end_proxied();
        }
        begin_proxied(true, true);
        if (len > 0)
            session_received(fix.s, HEADER, (ssize_t)len);
        session_drain(fix.s);
        assert_int_equal(session_wants(fix.s), SESSION_WANT_CLOSE);
        assert_int_equal(refused(SESSION_PROXY_CUT), 0); /* it was us */
        end_proxied();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),   cmocka_unit_test(test_plain),
        cmocka_unit_test(test_tls),     cmocka_unit_test(test_untrusted),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_ended),
    };
    return cmocka_run_group_tests(tests, fix_load, fix_unload);
}

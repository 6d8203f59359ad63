/* tls_connection.h: connections as every library has to make them, with OpenSSL as their client:
 * waiting for room, names, ALPN, endings. The program that includes it has included the library's
 * file, and defined LIBRARY (the table) and versions[] (of TLS, the ones that it speaks). */
#ifndef TESTS_UNIT_TLS_CONNECTION_H
#define TESTS_UNIT_TLS_CONNECTION_H

#include "tls_fixture.h"

static struct world world;
static SSL_CTX *clients[ARRAY_LEN(versions)]; /* one a version */
static struct link one;

static void fill(char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 7 + i / 251);
}

/* No room for the certificate: the handshake waits, and goes on. */
static void test_waits_for_room(void **state)
{
    (void)state;
    char data[4096];

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        link_open(&one, &world, clients[i], "a.test");
        one.out.cap = TLS_HANDSHAKE_ROOM - 1;
        assert_int_equal(SSL_do_handshake(one.client), -1);
        int len = BIO_read(one.from_client, data, sizeof(data));
        struct span in = span_make(data, (size_t)len);
        assert_int_equal(LIBRARY.receive(one.tls, &in, &one.plain, &one.out), TLS_WANT_ROOM);
        assert_int_equal(in.len, len);
        one.out.cap = sizeof(one.out_data);
        link_feed(&one, in.ptr, in.len);
        link_deliver(&one);
        assert_true(link_handshake(&one));

        /* Plaintext comes in pieces when it has to. */
        assert_int_equal(SSL_write(one.client, "0123456789", 10), 10);
        one.plain.cap = 4;
        link_turn(&one);
        assert_int_equal(one.result, TLS_WANT_ROOM);
        assert_memory_equal(one.plain.data, "0123", 4);
        assert_true(LIBRARY.pending(one.tls));
        one.plain.cap = sizeof(one.plain_data);
        link_feed(&one, "", 0);
        assert_int_equal(one.result, TLS_WANT_INPUT);
        assert_memory_equal(one.plain.data, "0123456789", 10);
        assert_false(LIBRARY.pending(one.tls));
        link_close(&one);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *want_peer, *want_name;
    } cases[] = {
        { "a.test", "ec", "a.test" },
        { "b.test", "b.test", "b.test" },
        { "B.TeSt", "b.test", "b.test" },
        { "x.w.test", "w.test", "x.w.test" },
        { "x.y.w.test", "w.test", "x.y.w.test" },
        { "w.test", "ec", "w.test" },
        { "unknown", "ec", "unknown" },
        { NULL, "ec", "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(versions); i++) {
        char name[64];
        size_t n = i / ARRAY_LEN(versions);
        link_open(&one, &world, clients[i % ARRAY_LEN(versions)], cases[n].name);
        assert_true(link_handshake(&one));
        assert_string_equal(link_peer_name(&one, name, sizeof(name)), cases[n].want_peer);
        assert_true(span_eq(LIBRARY.server_name(one.tls), span_str(cases[n].want_name)));
        link_close(&one);
    }
}

static void test_alpn(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        size_t len;
        bool want;
    } cases[] = {
        { "\x08http/1.1", 9, true },
        { "\x02h2\x08http/1.1", 12, true },
        { "\x02h2", 3, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(versions); i++) {
        size_t n = i / ARRAY_LEN(versions);
        const unsigned char *chosen;
        unsigned chosen_len;
        link_open(&one, &world, clients[i % ARRAY_LEN(versions)], "a.test");
        assert_int_equal(SSL_set_alpn_protos(one.client, (const unsigned char *)cases[n].offered,
                                             (unsigned)cases[n].len),
                         0);
        ERR_clear_error();
        assert_int_equal(link_handshake(&one), cases[n].want);
        SSL_get0_alpn_selected(one.client, &chosen, &chosen_len);
        if (cases[n].want) {
            assert_true(span_eq(span_make((const char *)chosen, chosen_len), SPAN_LIT("http/1.1")));
        } else {
            /* The client has got the alert (RFC 7301 section 3.2). */
            assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()),
                             SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
            assert_int_equal(one.result, TLS_FAILED);
        }
        ERR_clear_error();
        link_close(&one);
    }
}

static void test_no_renegotiation(void **state)
{
    (void)state;

    link_open(&one, &world, clients[0], "a.test");
    assert_true(link_handshake(&one));
    assert_int_equal(SSL_renegotiate(one.client), 1);
    assert_int_equal(SSL_do_handshake(one.client), -1);
    link_turn(&one);
    /* A warning, and the session goes on as it was (RFC 5246 section 7.2.2). OpenSSL's client takes
     * it for fatal. */
    assert_int_equal(one.result, TLS_WANT_INPUT);
    assert_int_equal(SSL_do_handshake(one.client), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    assert_int_equal(LIBRARY.send(one.tls, "x", 1, &one.out), 0);
    link_close(&one);
}

static void test_endings(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        char data[1];
        /* The server ends: once. */
        link_open(&one, &world, clients[i], "a.test");
        LIBRARY.shutdown(one.tls, &one.out);
        assert_true(buf_empty(&one.out)); /* there is nothing to end yet */
        assert_true(link_handshake(&one));
        LIBRARY.shutdown(one.tls, &one.out);
        size_t len = buf_len(&one.out);
        assert_true(len > 0 && len < 64);
        LIBRARY.shutdown(one.tls, &one.out);
        assert_int_equal(buf_len(&one.out), len);
        link_deliver(&one);
        assert_int_equal(SSL_read(one.client, data, 1), 0);
        assert_int_equal(SSL_get_error(one.client, 0), SSL_ERROR_ZERO_RETURN);
        link_upload(&one, "still", 5);
        link_close(&one);

        /* The client ends; the server's answer still gets there. */
        link_open(&one, &world, clients[i], "a.test");
        assert_true(link_handshake(&one));
        assert_int_equal(SSL_write(one.client, "last", 4), 4);
        assert_int_equal(SSL_shutdown(one.client), 0);
        link_turn(&one);
        assert_int_equal(one.result, TLS_CLOSED);
        assert_memory_equal(one.plain.data, "last", 4);
        link_feed(&one, "", 0);
        assert_int_equal(one.result, TLS_CLOSED);
        link_download(&one, "answer", 6);
        LIBRARY.shutdown(one.tls, &one.out);
        assert_false(buf_empty(&one.out));
        link_close(&one);
    }
}

static int setup(void **state)
{
    (void)state;
    pki_open();
    world_init(&world, &LIBRARY);
    if (ARRAY_LEN(versions) == 1)
        world.config.tls.protocols = TLS_PROTOCOL_1_2;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        clients[i] = client_ctx_create(versions[i]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        SSL_CTX_free(clients[i]);
    world_stop(&world);
    pki_close();
    return 0;
}

#endif

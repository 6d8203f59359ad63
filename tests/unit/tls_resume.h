/* tls_resume.h: sessions taken up again, as every library has to do it. The program that includes
 * it has defined versions[] (those that it speaks), now_ms (the clock of the
 * tickets' keys), tickets_new[] and tickets_renewed[] (how many tickets a client of each version
 * gets with a full handshake, and when its key is the old one), and world_begin(). */
#ifndef TESTS_UNIT_TLS_RESUME_H
#define TESTS_UNIT_TLS_RESUME_H

#include "tls_fixture.h"

static struct world world;
static struct link one;

/* A configuration for the versions that the library speaks. */
static void world_begin(void);

/* Keeps the newest session in SSL_CTX_get_app_data(), a SSL_SESSION **, and counts. */
struct memory {
    SSL_SESSION *session;
    int count;
};

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct memory *memory = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    SSL_SESSION_free(memory->session);
    memory->session = session;
    memory->count++;
    return 1; /* taken */
}

static SSL_CTX *client_create(int version, struct memory *memory)
{
    SSL_CTX *client = client_ctx_create(version);

    SSL_CTX_set_app_data(client, memory);
    SSL_CTX_sess_set_new_cb(client, on_session);
    return client;
}

static void forget(struct memory *memory)
{
    SSL_SESSION_free(memory->session);
    *memory = (struct memory){ NULL, 0 };
}

/* A ticket that came with a resumption of TLS 1.2 is not reported: it is in the session. */
static void look_for_new_ticket(struct memory *memory, SSL *client)
{
    const unsigned char *old_ticket, *ticket;
    size_t old_len, len;
    SSL_SESSION *session = SSL_get1_session(client);

    SSL_SESSION_get0_ticket(memory->session, &old_ticket, &old_len);
    SSL_SESSION_get0_ticket(session, &ticket, &len);
    if (len != old_len || (len > 0 && memcmp(ticket, old_ticket, len) != 0)) {
        SSL_SESSION_free(memory->session);
        memory->session = session;
        memory->count++;
    } else {
        SSL_SESSION_free(session);
    }
}

/* Connects to `name` with the session remembered, if any; counts the new ones. Resumed? */
static bool connect_to(struct link *l, struct world *w, SSL_CTX *client, const char *name)
{
    struct memory *memory = SSL_CTX_get_app_data(client);

    memory->count = 0;
    link_open(l, w, client, name);
    if (memory->session != NULL)
        CHECK(SSL_set_session(l->client, memory->session));
    if (!link_handshake(l))
        fail_msg("%s", w->ops->error(l->tls));
    link_upload(l, "hello", 5);
    link_download(l, "world", 5);
    bool resumed = SSL_session_reused(l->client);
    if (resumed && SSL_version(l->client) == TLS1_2_VERSION)
        look_for_new_ticket(memory, l->client);
    link_close(l);
    return resumed;
}

static void test_by_ticket(void **state)
{
    (void)state;
    struct memory memory = { NULL, 0 };

    world_begin();
    world.config.tls.session_cache = 0;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        bool is_1_3 = versions[i] == TLS1_3_VERSION;
        SSL_CTX *client = client_create(versions[i], &memory);
        assert_false(connect_to(&one, &world, client, "b.test"));
        assert_int_equal(memory.count, tickets_new[i]);
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(memory.session), HOUR_MS / 1000);
        for (int again = 0; again < 3; again++) {
            assert_true(connect_to(&one, &world, client, "b.test"));
            assert_int_equal(memory.count, is_1_3 ? 1 : 0);
        }
        SSL_CTX_free(client);
        forget(&memory);
    }
    world_stop(&world);
}

/* Only TLS 1.2 has it, and only where there are no tickets. */
static void test_by_id(void **state)
{
    (void)state;
    struct memory memory = { NULL, 0 };
    SSL_CTX *client = client_create(TLS1_2_VERSION, &memory);
    SSL_SESSION *first;

    world_begin();
    world.config.tls.tickets = false;
    world.config.tls.session_cache = 2;
    world_start(&world);
    assert_false(connect_to(&one, &world, client, "a.test"));
    assert_false(SSL_SESSION_has_ticket(memory.session));
    assert_true(connect_to(&one, &world, client, "a.test"));

    /* It is bounded: two new ones push the first one out. */
    first = memory.session;
    for (int i = 0; i < 2; i++) {
        memory.session = NULL;
        assert_false(connect_to(&one, &world, client, "a.test"));
        if (i == 0)
            SSL_SESSION_free(memory.session);
    }
    assert_true(connect_to(&one, &world, client, "a.test"));
    SSL_SESSION_free(memory.session);
    memory.session = first;
    assert_false(connect_to(&one, &world, client, "a.test"));
    world_stop(&world);
    forget(&memory);
    SSL_CTX_free(client);
}

static void test_off(void **state)
{
    (void)state;
    struct memory memory = { NULL, 0 };

    world_begin();
    world.config.tls.tickets = false;
    world.config.tls.session_cache = 0;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        SSL_CTX *client = client_create(versions[i], &memory);
        assert_false(connect_to(&one, &world, client, "a.test"));
        assert_int_equal(memory.session != NULL && SSL_SESSION_has_ticket(memory.session), 0);
        assert_false(connect_to(&one, &world, client, "a.test"));
        SSL_CTX_free(client);
        forget(&memory);
    }
    world_stop(&world);
}

/* A session is for the name that it was made for (RFC 6066 section 3), and for its server. */
static void test_bound_to_the_name(void **state)
{
    (void)state;
    static const bool tickets[] = { true, false };
    static const struct {
        const char *first, *second;
        bool want;
    } cases[] = {
        { "a.test", "b.test", false },
        { "b.test", "a.test", false },
        { "x.w.test", "y.w.test", false },
        { "x.w.test", "X.W.test", true },
        { "a.test", NULL, false },
        { NULL, "a.test", false },
        { NULL, NULL, true },
        { "unknown", "a.test", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(tickets) * ARRAY_LEN(versions); i++) {
        int version = versions[i % ARRAY_LEN(versions)];
        if (version == TLS1_3_VERSION && !tickets[i / ARRAY_LEN(versions)])
            continue;
        world_begin();
        world.config.tls.tickets = tickets[i / ARRAY_LEN(versions)];
        world_start(&world);
        for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
            struct memory memory = { NULL, 0 };
            SSL_CTX *client = client_create(version, &memory);
            assert_false(connect_to(&one, &world, client, cases[n].first));
            /* The client would not offer it for another name, unless it is made to. */
            SSL_SESSION_set1_hostname(memory.session, cases[n].second);
            if (connect_to(&one, &world, client, cases[n].second) != cases[n].want)
                fail_msg("case %zu, version %x", n, (unsigned)version);
            forget(&memory);
            SSL_CTX_free(client);
        }
        world_stop(&world);
    }
}

/* In its key's second lifetime a ticket is good still, and may be replaced; in the third it is good
 * no more. */
static void test_rotation(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct memory memory = { NULL, 0 };
        SSL_CTX *client = client_create(versions[i], &memory);
        world_begin();
        world.config.tls.session_cache = 0;
        world_start(&world);
        assert_false(connect_to(&one, &world, client, "a.test"));
        now_ms += HOUR_MS - 1;
        SSL_SESSION *old = memory.session;
        SSL_SESSION_up_ref(old);
        assert_true(connect_to(&one, &world, client, "a.test"));
        now_ms += HOUR_MS;
        assert_true(connect_to(&one, &world, client, "a.test"));
        assert_int_equal(memory.count, tickets_renewed[i]);
        now_ms += HOUR_MS;
        assert_int_equal(connect_to(&one, &world, client, "a.test"), tickets_renewed[i]);
        forget(&memory);
        memory.session = old;
        assert_false(connect_to(&one, &world, client, "a.test"));
        world_stop(&world);
        forget(&memory);
        SSL_CTX_free(client);
    }
}

/* A ticket of another process, or one that was tampered with: a full handshake. */
static void test_foreign_ticket(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct memory memory = { NULL, 0 };
        SSL_CTX *client = client_create(versions[i], &memory);
        world_begin();
        world_start(&world);
        assert_false(connect_to(&one, &world, client, "a.test"));
        world_stop(&world);
        world_start(&world);
        assert_false(connect_to(&one, &world, client, "a.test"));
        assert_true(connect_to(&one, &world, client, "a.test"));
        world_stop(&world);
        forget(&memory);
        SSL_CTX_free(client);
    }
}

/* The client's failure after its handshake ends the session (RFC 5246 section 7.2.2); leaving
 * without a word does not. */
static void test_lost_connection(void **state)
{
    (void)state;
    struct memory memory = { NULL, 0 };
    SSL_CTX *client = client_create(TLS1_2_VERSION, &memory);

    world_begin();
    world.config.tls.tickets = false;
    world_start(&world);
    assert_false(connect_to(&one, &world, client, "a.test"));
    link_open(&one, &world, client, "a.test");
    CHECK(SSL_set_session(one.client, memory.session));
    assert_true(link_handshake(&one));
    assert_true(SSL_session_reused(one.client));
    link_feed(&one, "\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37);
    assert_int_equal(one.result, TLS_FAILED);
    link_close(&one);
    assert_false(connect_to(&one, &world, client, "a.test"));
    world_stop(&world);
    forget(&memory);
    SSL_CTX_free(client);
}

static int teardown(void **state)
{
    (void)state;
    pki_close();
    return 0;
}

#endif

/* session_tls_fixture.h: a session on an address with TLS, driven octet by octet, over the library
 * of fake_tls.h and a real site. Includes the session's .c files, so that a test can look inside.
 *
 * Two servers: "a" (the default; /f is 16384 octets, /big 300000, /s 100) and "b". */
#ifndef TESTS_UNIT_SESSION_TLS_FIXTURE_H
#define TESTS_UNIT_SESSION_TLS_FIXTURE_H

#include "session/session.c"
#include "session/session_out.c"
#include "session/session_tls.c"

#include "config/config_load.h"
#include "config/config_roots.h"
#include "tests/unit/fake_tls.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { OCTETS_MAX = 4 << 20, FILE_BIG = 300000 };

static struct {
    char root[64];
    struct config *config;
    struct clock clock;
    struct tls_server server;
    unsigned caps;
    struct session_env *env;
    struct session *s;
    char *sent; /* what the peer has received; OCTETS_MAX */
    size_t sent_len;
    unsigned sends;     /* plans that were carried out */
    size_t send_max;    /* octets that a send takes at most */
    bool offloaded;     /* "the kernel" encrypts */
    unsigned with_file; /* plans that ended in a range of a file */
    struct fake_view view;
} fix;

static const char HELLO_A[] = { FAKE_HANDSHAKE, 0, 1, 'a' ^ FAKE_KEY };
static const char FINISHED[] = { FAKE_HANDSHAKE, 0, 1, 0 };
static const char CLOSE_NOTIFY[] = { FAKE_ALERT, 0, 2, 1 ^ FAKE_KEY, FAKE_KEY };

static void fix_write(const char *name, size_t len)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fix.root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    char *octets = malloc(len);
    CHECK(fd >= 0 && octets != NULL);
    for (size_t i = 0; i < len; i++)
        octets[i] = (char)('a' + (i + i / 251) % 26);
    CHECK(write(fd, octets, len) == (ssize_t)len && close(fd) == 0);
    free(octets);
}

static int fix_load(void **state)
{
    (void)state;
    snprintf(fix.root, sizeof(fix.root), "/tmp/gearshift-tls-XXXXXX");
    CHECK(mkdtemp(fix.root) != NULL);
    fix_write("f", 16384);
    fix_write("big", FILE_BIG);
    fix_write("s", 100);
    char path[128], text[1024], why[512];
    snprintf(text, sizeof(text),
             "server \"a\" { listen = {\"127.0.0.1:1\"} root = \"%s\" }\n"
             "server \"b\" { listen = {\"127.0.0.1:1\"} root = \"%s\" }\n"
             "access_log = \"off\"\nconnections_max = 4\nheader_timeout = 7s\n",
             fix.root, fix.root);
    snprintf(path, sizeof(path), "%s/conf", fix.root);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) > 0 && close(fd) == 0);
    const struct config_source source = { .file = path };
    int res = config_load(&source, why, sizeof(why), &fix.config);
    if (res == 0)
        res = config_roots_open(fix.config, why, sizeof(why));
    if (res < 0)
        fail_msg("%s", why);
    fix.config->listens[0].tls = true; /* without certificates: the library wants none */
    fix.config->tls.handshake_ms = 5000;
    fix.sent = malloc(OCTETS_MAX);
    CHECK(fix.sent != NULL);
    return 0;
}

static int fix_unload(void **state)
{
    (void)state;
    static const char *const names[] = { "f", "big", "s", "conf" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", fix.root, names[i]);
        CHECK(unlink(path) == 0);
    }
    CHECK(rmdir(fix.root) == 0);
    config_free(fix.config);
    free(fix.sent);
    return 0;
}

static void open_session(void)
{
    const struct peer peer = { .family = PEER_IPV4, .addr = { 127, 0, 0, 1 }, .port = 1 };
    void *mem = malloc(session_size());
    CHECK(mem != NULL);
    fix.s = session_open(mem, fix.env, &fix.config->listens[0], &peer);
    fix.sent_len = fix.sends = fix.with_file = 0;
    fix.offloaded = false;
}

static void close_session(void)
{
    session_close(fix.s);
    free(fix.s);
}

/* An environment and a session in it. */
static void begin(bool ktls, unsigned caps)
{
    char why[256];
    fix.clock = (struct clock){ .now_ms = 1000000, .wall_s = 1790000000 };
    memcpy(fix.clock.http_date, "Mon, 21 Sep 2026 14:13:20 GMT", 30);
    fix.server = (struct tls_server){ .ops = &fake_tls_ops, .ktls = ktls };
    fix.send_max = SIZE_MAX;
    const struct session_limits limits = session_limits_of(fix.config);
    CHECK(session_env_create(fix.config, &limits, &fix.server, &fix.clock, caps, why, sizeof(why),
                             &fix.env) == 0);
    open_session();
}

/* Everything must have come back. */
static inline void end(void)
{
    close_session();
    assert_int_equal(pool_used(fix.env->tls->pools.outs), 0);
    assert_int_equal(pool_used(fix.env->tls->pools.records), 0);
    assert_int_equal(fake_tls.opened, fake_tls.closed);
    session_env_destroy(fix.env);
    free(fix.view.plain);
    memset(&fix.view, 0, sizeof(fix.view));
    memset(&fake_tls, 0, sizeof(fake_tls));
    fake_tls.offload_size = 40;
}

static void deliver(const char *octets, size_t len)
{
    CHECK(fix.sent_len + len <= OCTETS_MAX);
    memcpy(fix.sent + fix.sent_len, octets, len);
    fix.sent_len += len;
}

/* As the kernel does it. */
static void encrypt_and_deliver(int type, const char *octets, size_t len)
{
    char record[FAKE_HEADER + TLS_PLAIN_MAX];
    for (size_t n; len > 0; octets += n, len -= n) {
        n = len < TLS_PLAIN_MAX ? len : TLS_PLAIN_MAX;
        deliver(record, fake_record(record, type, octets, n));
    }
}

/* Carries out one plan. False: it was empty. */
static bool send_once(void)
{
    struct send_plan plan;
    session_send_plan(fix.s, &plan);
    size_t left = fix.send_max, sent = 0;
    if (plan.iovcnt == 0 && plan.file_len == 0)
        return false;
    fix.sends++;
    for (int i = 0; i < plan.iovcnt && left > 0; i++) {
        size_t n = plan.iov[i].iov_len < left ? plan.iov[i].iov_len : left;
        if (fix.offloaded)
            encrypt_and_deliver(plan.record_type != 0 ? plan.record_type : FAKE_DATA,
                                plan.iov[i].iov_base, n);
        else
            deliver(plan.iov[i].iov_base, n);
        left -= n;
        sent += n;
    }
    if (plan.file_len > 0) {
        fix.with_file++;
        char *octets = malloc(plan.file_len);
        CHECK(octets != NULL &&
              pread(plan.file_fd, octets, plan.file_len, plan.file_off) == (ssize_t)plan.file_len);
        CHECK(fix.offloaded && left >= plan.file_len);
        encrypt_and_deliver(FAKE_DATA, octets, plan.file_len);
        sent += plan.file_len;
        free(octets);
    }
    session_sent(fix.s, (ssize_t)sent);
    return true;
}

/* Jobs and sends, until something else is wanted. Returns what. */
static unsigned drive(void)
{
    for (;;) {
        unsigned wants = session_wants(fix.s);
        assert_int_not_equal(wants, 0);
        if (wants & SESSION_WANT_FILE) {
            file_job_run(session_file_job(fix.s));
            session_file_done(fix.s);
        } else if (wants & SESSION_WANT_SEND) {
            (void)send_once();
        } else {
            return wants;
        }
    }
}

/* Gives it the octets as it takes them, at most `max` at once, and drives it. Returns how many were
 * taken. */
static size_t feed_chopped(const char *octets, size_t len, size_t max)
{
    size_t at = 0;
    while (at < len && (drive() & SESSION_WANT_RECV) != 0) {
        size_t room = session_recv_room(fix.s), n = len - at;
        assert_true(room > 0);
        n = n < room ? n : room;
        n = n < max ? n : max;
        /* Exactly these octets, and only for the call. */
        char *lent = malloc(n);
        CHECK(lent != NULL);
        memcpy(lent, octets + at, n);
        session_received(fix.s, lent, (ssize_t)n);
        memset(lent, 0, n);
        free(lent);
        at += n;
    }
    drive();
    return at;
}

static size_t feed(const char *octets, size_t len)
{
    return feed_chopped(octets, len, SIZE_MAX);
}

/* One record of data. */
static inline void feed_data(const char *text)
{
    char record[FAKE_HEADER + TLS_PLAIN_MAX];
    size_t len = fake_record(record, FAKE_DATA, text, strlen(text));
    assert_int_equal(feed(record, len), len);
}

static inline void shake_hands(const char *name)
{
    char hello[128];
    size_t len = fake_record(hello, FAKE_HANDSHAKE, name, strlen(name));
    assert_int_equal(feed(hello, len), len);
    assert_int_equal(feed(FINISHED, sizeof(FINISHED)), sizeof(FINISHED));
}

/* Takes apart what has come since the last call. */
static const struct fake_view *look(void)
{
    free(fix.view.plain);
    fake_view(fix.sent, fix.sent_len, &fix.view);
    fix.view.plain[fix.view.plain_len] = '\0';
    fix.sent_len = fix.sends = 0;
    return &fix.view;
}

/* A status line, a number of times. */
static inline unsigned count_of(const struct fake_view *view, const char *text)
{
    unsigned count = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= view->plain_len; i++)
        count += memcmp(view->plain + i, text, len) == 0;
    return count;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* The client sends a request in one record, and the jobs that it brings are done. */
static inline void ask(const char *text)
{
    char request[128];
    size_t len = fake_record(request, FAKE_DATA, text, strlen(text));

    session_received(fix.s, request, (ssize_t)len);
    while (session_wants(fix.s) & SESSION_WANT_FILE) {
        file_job_run(session_file_job(fix.s));
        session_file_done(fix.s);
    }
}

#endif

/* session_tls.c: TLS between the seam and the HTTP connection. See session_tls.h.
 *
 *   HELLO -> HANDSHAKE -> OPEN -> LOST
 *                |         |        ^
 *                `---------`-> ALERT -> LINGER
 *
 * Plaintext is made only while the HTTP connection takes it: what comes in excess stays ciphertext,
 * here (`kept`) or, beyond that, with the engine. All that is to be sent before something else is
 * asked for lies in `out`. When nothing is under way neither has memory. */
#include "session/session_tls.h"

#include "core/check.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "config/server_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_SIZE = SESSION_TLS_RECV_MAX, TLS_ALERT_RECORD = 21 };

static uint64_t now(const struct session_tls *t)
{
    return t->env->clock->now_ms;
}

struct session_tls *session_tls_open(struct session_tls_env *env, struct http_conn *conn,
                                     const struct listen_config *listen)
{
    struct session_tls *t = pool_get(env->states);
    CHECK(t != NULL); /* there is one for each connection */
    *t = (struct session_tls){ .magic = SESSION_TLS_MAGIC,
                               .phase = SESSION_TLS_HELLO,
                               .env = env,
                               .conn = conn,
                               .listen = listen };
    list_init(&t->warm);
    t->out.room = SIZE_MAX;
    t->deadline_ms = now(t) + env->config->tls.handshake_ms;
    if (env->server->ops->open(env->server->ctx, listen, &t->tls) < 0) {
        log_fault("no memory for a connection with TLS; it is closed", ENOMEM);
        t->phase = SESSION_TLS_LOST;
        t->deadline_ms = UINT64_MAX;
    }
    return t;
}

static void drop_kept(struct session_tls *t)
{
    if (t->kept.data != NULL)
        pool_put(t->env->pools.records, t->kept.data);
    buf_init(&t->kept, NULL, 0);
}

void session_tls_close(struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    CHECK(!t->out.lent);
    session_tls_leave_warm(t);
    session_out_drop(&t->out, &t->env->pools);
    drop_kept(t);
    if (t->tls != NULL)
        t->env->server->ops->close(t->tls);
    t->magic = 0;
    pool_put(t->env->states, t);
}

/* ---- the end ---- */

/* What is lent is given back when the engine reports it. */
static void close_now(struct session_tls *t)
{
    t->phase = SESSION_TLS_LOST;
    t->deadline_ms = UINT64_MAX;
    session_out_drop(&t->out, &t->env->pools);
    drop_kept(t);
}

/* The peer is gone, or is to be left alone. */
static void break_off(struct session_tls *t)
{
    http_conn_broken(t->conn);
    close_now(t);
}

/* A line about the peer. Anybody can cause as many as he likes, so they are no news. */
static void tell(const struct session_tls *t, const char *what, const char *why)
{
    char address[PEER_TEXT_MAX];
    peer_format(http_conn_peer(t->conn), address);
    log_debug("TLS: %s, client %s: %s", what, address, why);
}

/* A client without the certificate that it needs: an operator looks for the reason here, since the
 * client may have been told no more than that there was one. */
static void tell_refused(const struct session_tls *t)
{
    char address[PEER_TEXT_MAX];
    const struct tls_ops *ops = t->env->server->ops;
    struct span name = ops->server_name(t->tls);

    peer_format(http_conn_peer(t->conn), address);
    log_repeated(LOG_INFO, "a client's certificate is refused", EACCES,
                 "TLS: client %s of \"%.*s\": its certificate is refused: %s", address,
                 (int)(name.len < 255 ? name.len : 255), name.ptr, ops->error(t->tls));
}

/* The library has given the connection up. Why is sent, if it can be. */
static void fail(struct session_tls *t)
{
    bool refused = t->env->server->ops->client_refused(t->tls);
    if (refused)
        tell_refused(t);
    if (t->phase == SESSION_TLS_HANDSHAKE || refused)
        stats_count(t->peer_closed ? STATS_TLS_FAILED_CLOSED
                    : refused      ? STATS_TLS_FAILED_CERTIFICATE
                                   : STATS_TLS_FAILED_PROTOCOL);
    tell(t, t->phase == SESSION_TLS_HANDSHAKE ? "handshake failed" : "connection lost",
         t->env->server->ops->error(t->tls));
    if (session_out_empty(&t->out) || t->offload == SESSION_OFFLOAD_DONE) {
        break_off(t);
        return;
    }
    http_conn_broken(t->conn);
    drop_kept(t);
    t->phase = SESSION_TLS_ALERT;
    t->deadline_ms = now(t) + t->env->config->deadlines.linger_ms;
}

/* Nothing of a farewell is left to be sent: the deadlines are the HTTP connection's again. */
static void farewell_sent(struct session_tls *t)
{
    if (t->phase == SESSION_TLS_OPEN)
        t->deadline_ms = UINT64_MAX;
}

/* The HTTP connection has ended well: our close_notify, so that the peer knows that nothing was cut
 * off (RFC 8446 section 6.1). */
static void begin_close(struct session_tls *t)
{
    t->close_begun = true;
    t->deadline_ms = now(t) + t->env->config->deadlines.linger_ms;
    drop_kept(t);
    if (t->offload == SESSION_OFFLOAD_DONE) {
        t->notify_due = true;
        return;
    }
    t->offload = SESSION_OFFLOAD_NEVER;
    session_out_attach(&t->out, &t->env->pools);
    t->env->server->ops->shutdown(t->tls, &t->out.buf);
    if (session_out_empty(&t->out))
        farewell_sent(t);
}

/* ---- input ---- */

static void handshake_done(struct session_tls *t)
{
    struct span name = t->env->server->ops->server_name(t->tls);
    const struct tls_ops *ops = t->env->server->ops;
    bool resumed = ops->resumed != NULL && ops->resumed(t->tls);
    stats_count(resumed ? STATS_TLS_RESUMED : STATS_TLS_FULL);
    t->phase = SESSION_TLS_OPEN;
    t->deadline_ms = UINT64_MAX;
    if (t->env->ktls && t->listen->kind != LISTEN_UNIX)
        t->offload = SESSION_OFFLOAD_WANTED;
    t->known = (struct http_tls){ .server_name = name, .certificate = ops->client(t->tls) };
    ops->agreed(t->tls, &t->known.protocol, &t->known.cipher);
    http_conn_set_tls(t->conn, &t->known);
    http_conn_secured(t->conn, name.len > 0 ? server_find(t->listen, name) : NULL);
}

/* Is there somebody to take plaintext, or a handshake to go on with? Before the kernel takes over
 * nothing is taken, so that all that is sent from then on is its work. */
static bool takes_input(const struct session_tls *t)
{
    if (session_out_room(&t->out) < TLS_HANDSHAKE_ROOM)
        return false;
    if (t->phase != SESSION_TLS_OPEN)
        return t->phase == SESSION_TLS_HANDSHAKE;
    return !t->peer_closed && t->offload != SESSION_OFFLOAD_WANTED &&
           (http_conn_wants(t->conn) & HTTP_CONN_WANT_RECV) != 0;
}

/* One step of the library: takes ciphertext from `in`, gives the HTTP connection what comes of it.
 */
static void receive_once(struct session_tls *t, struct span *in)
{
    struct session_pools *pools = &t->env->pools;
    const struct tls_ops *ops = t->env->server->ops;
    size_t room = http_conn_recv_room(t->conn);
    struct buf plain;
    char *record = pool_get(pools->records);
    CHECK(record != NULL);
    buf_init(&plain, record, room < TLS_PLAIN_MAX ? room : TLS_PLAIN_MAX);
    session_out_attach(&t->out, pools);
    session_tls_leave_warm(t);

    session_unlock(pools);
    enum tls_result result = ops->receive(t->tls, in, &plain, &t->out.buf);
    session_relock(pools);

    if (t->phase == SESSION_TLS_HANDSHAKE && ops->established(t->tls))
        handshake_done(t);
    bool some = !buf_empty(&plain);
    if (some) {
        CHECK(t->phase == SESSION_TLS_OPEN);
        http_conn_received(t->conn, plain.data + plain.start, buf_len(&plain));
    }
    pool_put(pools->records, record);
    t->held = result == TLS_WANT_ROOM || (result == TLS_OK && ops->pending(t->tls));
    /* Else it would be asked again and again. */
    CHECK(result != TLS_WANT_ROOM || some || buf_room(&t->out.buf) < TLS_HANDSHAKE_ROOM);
    t->peer_closed |= result == TLS_CLOSED;
    if (result == TLS_FAILED || (t->peer_closed && t->phase == SESSION_TLS_HANDSHAKE)) {
        fail(t);
    } else if (t->offload == SESSION_OFFLOAD_DONE && !session_out_empty(&t->out)) {
        /* An answer to a KeyUpdate (RFC 8446 section 4.6.3): the kernel has the keys. */
        tell(t, "connection lost", "the peer asked for new keys, and the kernel encrypts");
        break_off(t);
    }
}

/* Decrypts as long as there is something to decrypt and somebody to take it. */
static void take_input(struct session_tls *t, struct span *in)
{
    while (takes_input(t) && (in->len > 0 || t->held))
        receive_once(t, in);
}

static void take_kept(struct session_tls *t)
{
    struct span in = buf_span(&t->kept);
    size_t len = in.len;
    take_input(t, &in);
    if (t->kept.data == NULL) /* nothing, or dropped */
        return;
    buf_consume(&t->kept, len - in.len);
    if (buf_empty(&t->kept))
        drop_kept(t);
}

static void keep(struct session_tls *t, struct span in)
{
    if (in.len == 0 || t->peer_closed || t->phase == SESSION_TLS_LOST ||
        t->phase == SESSION_TLS_ALERT)
        return;
    if (t->kept.data == NULL) {
        char *data = pool_get(t->env->pools.records);
        CHECK(data != NULL);
        buf_init(&t->kept, data, KEPT_SIZE);
    }
    buf_compact(&t->kept);
    MUST(buf_append_span(&t->kept, in));
}

/* The first octet of a connection: 22 for a record of the handshake, a letter for a request. */
static bool is_request(char octet)
{
    return octet >= 'A' && octet <= 'Z';
}

static void input_ended(struct session_tls *t, int res)
{
    if (res < 0) {
        break_off(t);
        return;
    }
    if (t->phase == SESSION_TLS_HANDSHAKE)
        stats_count(STATS_TLS_FAILED_CLOSED);
    if (t->phase == SESSION_TLS_HANDSHAKE)
        tell(t, "handshake failed", "the peer has closed");
    else if (t->phase == SESSION_TLS_OPEN && !t->close_begun && !t->peer_closed)
        tell(t, "truncated", "the peer has closed without close_notify");
    http_conn_received_end(t->conn);
    close_now(t);
}

bool session_tls_received(struct session_tls *t, const void *data, ssize_t res)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    if (t->phase == SESSION_TLS_LOST)
        return true;
    if (res <= 0) {
        input_ended(t, (int)res);
        return true;
    }
    if (t->phase == SESSION_TLS_HELLO) {
        if (is_request(*(const char *)data)) {
            stats_count(STATS_TLS_FAILED_PLAIN);
            return false;
        }
        t->phase = SESSION_TLS_HANDSHAKE;
    }
    if (t->close_begun || t->phase == SESSION_TLS_LINGER)
        return true; /* nobody listens any more */
    struct span in = { data, (size_t)res };
    if (buf_empty(&t->kept))
        take_input(t, &in);
    keep(t, in);
    session_tls_advance(t);
    return true;
}

void session_tls_peer_left(struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    break_off(t);
    session_tls_advance(t);
}

void session_tls_advance(struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    if (t->phase == SESSION_TLS_OPEN && http_conn_is_broken(t->conn))
        close_now(t);
    if (t->phase == SESSION_TLS_HANDSHAKE || t->phase == SESSION_TLS_OPEN)
        take_kept(t);
    if (t->phase == SESSION_TLS_OPEN) {
        if (t->peer_closed && (http_conn_wants(t->conn) & HTTP_CONN_WANT_RECV) != 0)
            http_conn_received_end(t->conn);
        const unsigned ends = HTTP_CONN_WANT_SHUTDOWN | HTTP_CONN_WANT_CLOSE;
        if (http_conn_is_broken(t->conn) || (t->out.plain > 0 && http_conn_wants(t->conn) & ends))
            close_now(t); /* it gave up in the middle */
        else if (!t->close_begun && (http_conn_wants(t->conn) & ends) != 0)
            begin_close(t);
    }
    session_out_release(&t->out, &t->env->pools);
    session_tls_join_warm(t);
}

/* ---- wants ---- */

unsigned session_tls_wants(const struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    bool empty = session_out_empty(&t->out);
    switch ((enum session_tls_phase)t->phase) {
    case SESSION_TLS_HELLO:
    case SESSION_TLS_HANDSHAKE:
        return empty ? SESSION_WANT_RECV : SESSION_WANT_SEND;
    case SESSION_TLS_ALERT:
        return empty ? SESSION_WANT_SHUTDOWN : SESSION_WANT_SEND;
    case SESSION_TLS_LINGER:
        return SESSION_WANT_RECV;
    case SESSION_TLS_LOST:
        return SESSION_WANT_CLOSE;
    case SESSION_TLS_OPEN:
        break;
    }
    /* Where the masks are the same (session.c asserts it). */
    unsigned wants = http_conn_wants(t->conn);
    if (!empty)
        return SESSION_WANT_SEND | (wants & HTTP_CONN_WANT_FILE);
    if (t->notify_due)
        return SESSION_WANT_SEND;
    return t->offload == SESSION_OFFLOAD_WANTED ? (unsigned)SESSION_WANT_OFFLOAD : wants;
}

size_t session_tls_recv_room(const struct session_tls *t)
{
    if (t->phase == SESSION_TLS_HELLO) { /* it may be the HTTP connection that takes it */
        size_t room = http_conn_recv_room(t->conn);
        return room < KEPT_SIZE ? room : KEPT_SIZE;
    }
    return KEPT_SIZE - buf_len(&t->kept);
}

bool session_tls_is_idle(const struct session_tls *t)
{
    if (t->phase == SESSION_TLS_HELLO)
        return t->silent;
    if (t->phase == SESSION_TLS_LINGER)
        return true;
    return t->phase == SESSION_TLS_OPEN && !t->held && buf_empty(&t->kept) &&
           session_out_empty(&t->out) && !t->notify_due && t->offload != SESSION_OFFLOAD_WANTED &&
           http_conn_is_idle(t->conn);
}

bool session_tls_is_busy(const struct session_tls *t)
{
    return t->phase == SESSION_TLS_OPEN && http_conn_is_busy(t->conn);
}

/* Is its handshake still to be thought to be on its way? Else it is only waited for. */
static bool is_new(const struct session_tls *t)
{
    return t->phase == SESSION_TLS_HELLO && !t->silent &&
           t->env->config->tls.handshake_ms > HTTP_CONN_SILENT_MS;
}

uint64_t session_tls_deadline_ms(const struct session_tls *t)
{
    if (is_new(t))
        return t->deadline_ms - t->env->config->tls.handshake_ms + HTTP_CONN_SILENT_MS;
    if (t->phase != SESSION_TLS_OPEN)
        return t->deadline_ms;
    uint64_t http_ms = http_conn_deadline_ms(t->conn);
    return http_ms < t->deadline_ms ? http_ms : t->deadline_ms;
}

/* ---- output ---- */

void session_tls_prepare(struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    if (t->phase != SESSION_TLS_OPEN || t->offload != SESSION_OFFLOAD_NEVER || t->close_begun ||
        t->out.plain > 0 || (http_conn_wants(t->conn) & HTTP_CONN_WANT_SEND) == 0)
        return;
    struct send_plan plan;
    http_conn_plan(t->conn, &plan);
    if (plan.iovcnt == 0)
        return; /* it waits for room before it reads */
    session_tls_leave_warm(t);
    if (session_out_encrypt(&t->out, &t->env->pools, t->env->server->ops, t->tls, &plan, now(t)) <
        0) {
        tell(t, "connection lost", t->env->server->ops->error(t->tls));
        break_off(t);
    }
}

/* The close_notify alert (RFC 8446 section 6), for the kernel to encrypt. */
static void plan_notify(struct session_tls *t, struct send_plan *ret_plan)
{
    static const unsigned char close_notify[] = { 1, 0 };
    *ret_plan = (struct send_plan){ .file_fd = -1, .record_type = TLS_ALERT_RECORD };
    ret_plan->iov[ret_plan->iovcnt++] = (struct iovec){ .iov_base = (void *)(uintptr_t)close_notify,
                                                        .iov_len = sizeof(close_notify) };
    t->notify_lent = true;
}

void session_tls_plan(struct session_tls *t, struct send_plan *ret_plan)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    CHECK(!t->out.lent && !t->notify_lent);
    if (t->notify_due) {
        plan_notify(t, ret_plan);
        return;
    }
    if (session_out_empty(&t->out))
        http_conn_has_room(t->conn);
    if (t->offload == SESSION_OFFLOAD_DONE) {
        http_conn_plan(t->conn, ret_plan);
        return;
    }
    session_tls_prepare(t);
    *ret_plan = (struct send_plan){ .file_fd = -1, .more = t->out.more };
    if (session_out_empty(&t->out))
        return;
    struct span octets = buf_span(&t->out.buf);
    ret_plan->iov[ret_plan->iovcnt++] =
        (struct iovec){ .iov_base = (void *)(uintptr_t)octets.ptr, .iov_len = octets.len };
    t->out.lent = true;
}

static void notify_sent(struct session_tls *t, ssize_t res)
{
    t->notify_lent = false;
    if (t->phase == SESSION_TLS_LOST || res == -EAGAIN)
        return;
    t->notify_due = false;
    if (res > 0)
        farewell_sent(t);
    else
        break_off(t);
}

/* A client that does not read holds no memory but for what was encrypted for it. */
static void stall(struct session_tls *t)
{
    const struct tls_ops *ops = t->env->server->ops;
    http_conn_stalled(t->conn);
    session_out_stall(&t->out, &t->env->pools);
    if (t->phase == SESSION_TLS_OPEN && ops->trim != NULL) {
        session_tls_leave_warm(t);
        ops->trim(t->tls);
    }
}

bool session_tls_minds_room(const struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    return t->phase == SESSION_TLS_OPEN && t->offload == SESSION_OFFLOAD_NEVER &&
           session_out_empty(&t->out) && !t->notify_due &&
           http_conn_sends_more(t->conn, TLS_PLAIN_MAX);
}

void session_tls_sent(struct session_tls *t, ssize_t res, bool full)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    t->out.lent = false;
    if (t->notify_lent) {
        notify_sent(t, res);
    } else if (t->phase == SESSION_TLS_LOST || res == -EAGAIN) {
        /* Nothing has changed. */
    } else if (res <= 0) {
        break_off(t);
    } else if (t->offload == SESSION_OFFLOAD_DONE) {
        http_conn_sent(t->conn, (size_t)res);
    } else {
        size_t len = session_out_sent(&t->out, (size_t)res);
        if (len > 0)
            http_conn_sent(t->conn, len);
        if (session_out_empty(&t->out))
            farewell_sent(t);
    }
    session_tls_advance(t);
    if (full && !t->out.lent)
        stall(t);
}

/* ---- other reports ---- */

void session_tls_shut_down(struct session_tls *t, int res)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    if (t->phase == SESSION_TLS_LOST)
        return;
    if (res < 0) {
        break_off(t);
    } else if (t->phase == SESSION_TLS_ALERT) {
        t->phase = SESSION_TLS_LINGER;
        t->deadline_ms = now(t) + t->env->config->deadlines.linger_ms;
    } else {
        http_conn_shut_down(t->conn);
    }
    session_tls_advance(t);
}

void session_tls_expired(struct session_tls *t, const struct progress *progress)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    if (t->deadline_ms <= now(t)) {
        if (t->phase == SESSION_TLS_HELLO || t->phase == SESSION_TLS_HANDSHAKE)
            stats_count(STATS_TLS_FAILED_TIMEOUT);
        if (t->phase == SESSION_TLS_HELLO || t->phase == SESSION_TLS_HANDSHAKE)
            tell(t, "handshake failed", "it has taken longer than tls_handshake_timeout");
        break_off(t);
        return;
    }
    if (is_new(t)) {
        t->silent = true;
        return;
    }
    http_conn_expired(t->conn, progress);
    session_tls_advance(t);
}

void session_tls_drain(struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    http_conn_drain(t->conn);
    if (t->phase == SESSION_TLS_HELLO || t->phase == SESSION_TLS_HANDSHAKE)
        close_now(t);
    session_tls_advance(t);
}

void session_tls_make_way(struct session_tls *t)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    http_conn_make_way(t->conn);
    if (t->phase == SESSION_TLS_LINGER)
        close_now(t);
    session_tls_drain(t);
}

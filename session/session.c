/* session.c: one client as an engine drives it. See session.h. With session_*.c the only file that
 * sees http/ and tls/. Plain HTTP passes straight through to the connection, TLS by way of
 * session_tls.c, and a proxy's header before either ends in session_proxy.c; this file keeps the
 * seam's rules, and the connection the protocol's. */
#include "session/session.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/conn_table.h"
#include "core/log_repeat.h"
#include "core/probe.h"
#include "core/stats.h"
#include "session/session_env.h"
#include "session/session_fault.h"
#include "session/session_proxy.h"
#include "session/session_tls.h"
#include "http/conn.h"
#include "http/conn_count.h"

#include <errno.h>

#define SESSION_MAGIC 0x5e551055u

/* The masks are the same, so that a plain session's wants are its connection's. */
_Static_assert((int)SESSION_WANT_RECV == (int)HTTP_CONN_WANT_RECV, "masks");
_Static_assert((int)SESSION_WANT_SEND == (int)HTTP_CONN_WANT_SEND, "masks");
_Static_assert((int)SESSION_WANT_FILE == (int)HTTP_CONN_WANT_FILE, "masks");
_Static_assert((int)SESSION_WANT_SHUTDOWN == (int)HTTP_CONN_WANT_SHUTDOWN, "masks");
_Static_assert((int)SESSION_WANT_CLOSE == (int)HTTP_CONN_WANT_CLOSE, "masks");
_Static_assert((int)SESSION_WANT_WAIT == (int)HTTP_CONN_WANT_WAIT, "masks");

/* Where received octets go first. */
enum front {
    FRONT_HTTP,  /* the HTTP connection */
    FRONT_TLS,   /* session_tls.c */
    FRONT_PROXY, /* session_proxy.c, until a proxy's header is complete. The HTTP connection waits
                    meanwhile: its wants and its deadline are the session's */
};

struct session {
    unsigned magic;
    uint8_t front; /* enum front */
    bool named;    /* the client is whom a proxy's header has named */
    struct session_env *env;
    size_t planned;                   /* octets of the plan that is out; 0: none */
    int planned_fd;                   /* the file of its range; -1: none */
    uint64_t sent;                    /* octets that were sent */
    uint64_t client;                  /* by whom it is counted (conn_table.h); 0: by nobody */
    uint64_t job_ns;                  /* when the job in flight was begun; 0: none is */
    struct session_tls *tls;          /* with FRONT_TLS, else NULL */
    struct session_proxy_kept *proxy; /* what has come of a proxy's header; mostly NULL */
    struct http_conn conn;
};

size_t session_size(void)
{
    return (sizeof(struct session) + 15) & ~(size_t)15;
}

static void begin_content(struct session *s)
{
    const struct listen_config *listen = http_conn_listen(&s->conn);

    s->front = listen->tls ? FRONT_TLS : FRONT_HTTP;
    if (listen->tls)
        s->tls = session_tls_open(s->env->tls, &s->conn, listen);
}

/* Counts the connection as one of its client's, as soon as that is known. False: it has too many. */
static bool count_client(struct session *s, uint32_t max)
{
    const struct config *config = s->env->http->config;
    const struct peer *peer = http_conn_peer(&s->conn);

    if (config->clients == NULL || peer->family == PEER_UNIX ||
        address_set_has(&config->limit_exempt, peer))
        return true;
    uint64_t client = conn_table_client(config->clients, peer, &config->client_prefix);
    enum conn_verdict verdict = conn_table_add(config->clients, client, max);
    if (verdict == CONN_COUNTED)
        s->client = client;
    if (verdict == CONN_COUNTED && s->env->counted != NULL)
        atomic_store(s->env->counted, client);
    return verdict != CONN_OVER;
}

static void uncount_client(struct session *s)
{
    if (s->client == 0)
        return;
    if (s->env->counted != NULL)
        atomic_store(s->env->counted, 0);
    conn_table_remove(s->env->http->config->clients, s->client);
    s->client = 0;
}

/* Closed before a byte of it is read: an answer, and the handshake before it, would cost what the
 * limit is to save. */
static void refuse_client(struct session *s)
{
    char address[PEER_TEXT_MAX];

    peer_format(http_conn_peer(&s->conn), address);
    stats_count(STATS_LIMIT_CONNECTIONS);
    log_repeated(LOG_WARN, "limit_connections", 0,
                 "client %s has as many connections as limit_connections allows; one more is closed",
                 address);
    http_conn_broken(&s->conn);
}

static void begin_client(struct session *s)
{
    if (count_client(s, s->env->http->config->limit_connections))
        begin_content(s);
    else
        refuse_client(s);
}

static void refuse_proxy(struct session *s, enum session_proxy_refusal refusal)
{
    session_proxy_refuse(s->env->proxy, refusal, http_conn_listen(&s->conn),
                         http_conn_peer(&s->conn));
    http_conn_broken(&s->conn);
}

/* Before its first octet: neither a proxy's header nor TLS has begun, and nobody has counted it. */
static struct session *session_make(void *mem, struct session_env *env,
                                    const struct listen_config *listen, const struct peer *peer)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    struct session *s = mem;
    memset(s, 0, sizeof(*s) - sizeof(s->conn)); /* which is the last member */
    s->magic = SESSION_MAGIC;
    s->env = env;
    http_conn_open(&s->conn, env->http, listen, peer);
    env->sessions++;
    return s;
}

static void await_proxy_header(struct session *s)
{
    s->front = FRONT_PROXY;
    if (!address_set_has(s->env->proxy->trusted, http_conn_peer(&s->conn)))
        refuse_proxy(s, SESSION_PROXY_UNTRUSTED);
}

struct session *session_open(void *mem, struct session_env *env, const struct listen_config *listen,
                             const struct peer *peer)
{
    struct session *s = session_make(mem, env, listen, peer);
    if (listen->proxy_protocol)
        await_proxy_header(s);
    else
        begin_client(s);
    http_count_opened(&s->conn, false);
    return s;
}

bool session_is_tls(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->tls != NULL || (s->front == FRONT_PROXY && http_conn_listen(&s->conn)->tls);
}

bool session_can_move(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return !session_is_tls(s) && s->proxy == NULL && s->planned == 0 &&
           http_conn_can_move(&s->conn);
}

void session_move(const struct session *s, struct session_moved *ret_moved)
{
    CHECK(session_can_move(s));
    *ret_moved =
        (struct session_moved){ .listen = s->conn.listen,
                                .peer = *http_conn_peer(&s->conn),
                                .requests = s->conn.requests,
                                .since_ms = s->conn.since_ms,
                                .flags = (s->front == FRONT_PROXY ? SESSION_MOVED_HEADER_DUE : 0) |
                                         (s->named ? SESSION_MOVED_NAMED : 0) };
}

struct session *session_open_moved(void *mem, struct session_env *env,
                                   const struct session_moved *moved)
{
    CHECK(!moved->listen->tls);
    struct session *s = session_make(mem, env, moved->listen, &moved->peer);
    s->named = (moved->flags & SESSION_MOVED_NAMED) != 0;
    if (s->named)
        http_conn_introduced(&s->conn, &moved->peer);
    http_conn_moved(&s->conn, moved->requests, moved->since_ms);
    if (moved->flags & SESSION_MOVED_HEADER_DUE)
        await_proxy_header(s); /* whom this configuration trusts */
    else
        (void)count_client(s, UINT32_MAX);
    http_count_opened(&s->conn, true);
    return s;
}

void session_left(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    http_count_left(&s->conn);
    uncount_client(s);
}

void session_close(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    CHECK(s->planned == 0);
    if (s->tls != NULL)
        session_tls_close(s->tls);
    if (s->proxy != NULL)
        session_proxy_drop(s->env->proxy, &s->proxy);
    uncount_client(s);
    http_count_closed(&s->conn);
    http_conn_close(&s->conn);
    s->env->sessions--;
    s->magic = 0;
}

unsigned session_wants(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->tls != NULL ? session_tls_wants(s->tls) : http_conn_wants(&s->conn);
}

bool session_is_idle(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    if (s->tls != NULL)
        return session_tls_is_idle(s->tls);
    return http_conn_is_idle(&s->conn) && s->proxy == NULL;
}

/* What comes behind a proxy's header goes to TLS or HTTP at once, so both must have room. */
static size_t recv_room_of_front(const struct session *s)
{
    size_t room = http_conn_recv_room(&s->conn);

    if (s->front == FRONT_TLS)
        return session_tls_recv_room(s->tls);
    return room < SESSION_TLS_RECV_MAX ? room : SESSION_TLS_RECV_MAX;
}

bool session_is_busy(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->tls != NULL ? session_tls_is_busy(s->tls) : http_conn_is_busy(&s->conn);
}

size_t session_recv_room(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->front != FRONT_HTTP ? recv_room_of_front(s) : http_conn_recv_room(&s->conn);
}

/* A client that speaks HTTP where TLS is spoken is told so, in HTTP. */
static void fall_back(struct session *s)
{
    session_tls_close(s->tls);
    s->tls = NULL;
    s->front = FRONT_HTTP;
    http_conn_refuse_plain(&s->conn);
}

/* The connection ended before a proxy's header was complete. One of which nothing has come is a
 * look whether somebody listens, which is no fault. */
static void proxy_ended(struct session *s, int res)
{
    if (s->proxy != NULL)
        session_proxy_refuse(s->env->proxy, SESSION_PROXY_CUT, http_conn_listen(&s->conn),
                             http_conn_peer(&s->conn));
    if (res < 0)
        http_conn_broken(&s->conn);
    else
        http_conn_received_end(&s->conn);
}

/* Takes octets of a proxy's header, and returns how many: with what is left the client begins. */
static size_t proxy_received(struct session *s, const char *data, size_t len)
{
    struct proxy_header header;
    size_t used = len;

    switch (session_proxy_take(s->env->proxy, &s->proxy, data, len, &header, &used)) {
    case PROXY_HEADER_DONE:
        session_proxy_drop(s->env->proxy, &s->proxy);
        http_conn_introduced(&s->conn, header.has_client ? &header.client : NULL);
        s->named = header.has_client;
        s->front = FRONT_HTTP;
        begin_client(s);
        return used;
    case PROXY_HEADER_MORE:
        return len;
    case PROXY_HEADER_MISSING:
        refuse_proxy(s, SESSION_PROXY_MISSING);
        return len;
    case PROXY_HEADER_WRONG:
        refuse_proxy(s, SESSION_PROXY_WRONG);
        return len;
    case PROXY_HEADER_LONG:
        refuse_proxy(s, SESSION_PROXY_LONG);
        return len;
    }
    UNREACHABLE();
}

/* Takes what comes to another front than HTTP. False: `*data` and `*res` are left for HTTP. */
static bool front_received(struct session *s, const char **data, ssize_t *res)
{
    if (s->front == FRONT_PROXY) {
        if ((session_wants(s) & SESSION_WANT_CLOSE) != 0)
            return true; /* refused */
        if (*res <= 0) {
            proxy_ended(s, (int)*res);
            return true;
        }
        size_t used = proxy_received(s, *data, (size_t)*res);
        *data += used;
        *res -= (ssize_t)used;
        if (*res == 0)
            return true;
    }
    if (s->front == FRONT_HTTP)
        return false;
    if (session_tls_received(s->tls, *data, *res))
        return true;
    fall_back(s);
    /* It was at most what TLS has room for. */
    CHECK((size_t)*res <= http_conn_recv_room(&s->conn));
    return false;
}

static void take_received(struct session *s, const void *octets, ssize_t res)
{
    const char *data = octets;

    CHECK((session_wants(s) & (SESSION_WANT_RECV | SESSION_WANT_CLOSE)) != 0);
    session_fault_socket("cannot receive from a client", res);
    if (s->front != FRONT_HTTP && front_received(s, &data, &res))
        return;
    if (res > 0)
        http_conn_received(&s->conn, data, (size_t)res);
    else if (res == 0)
        http_conn_received_end(&s->conn);
    else
        http_conn_broken(&s->conn);
}

void session_received(struct session *s, const void *octets, ssize_t res)
{
    if (res > 0)
        stats_add(STATS_BYTES_IN, (uint64_t)res);
    take_received(s, octets, res);
    http_count_state(&s->conn);
}

bool session_minds_room(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->tls != NULL && session_tls_minds_room(s->tls);
}

void session_set_room(struct session *s, size_t room)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    if (s->tls != NULL)
        session_tls_set_room(s->tls, room);
}

void session_prepare(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    CHECK(s->planned == 0);
    if (s->tls != NULL)
        session_tls_prepare(s->tls);
}

void session_send_plan(struct session *s, struct send_plan *ret_plan)
{
    CHECK(s->planned == 0 && (session_wants(s) & SESSION_WANT_SEND) != 0);
    if (s->tls != NULL) {
        session_tls_plan(s->tls, ret_plan);
    } else {
        http_conn_has_room(&s->conn);
        http_conn_plan(&s->conn, ret_plan);
    }
    size_t planned = send_plan_memory(ret_plan) + ret_plan->file_len;
    CHECK(planned > 0 || s->tls != NULL || (session_wants(s) & SESSION_WANT_FILE) != 0);
    s->planned = planned;
    s->planned_fd = ret_plan->file_fd;
}

static void take_sent(struct session *s, ssize_t res)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    CHECK(s->planned > 0 && res <= (ssize_t)s->planned);
    bool full = res == -EAGAIN || (res > 0 && (size_t)res < s->planned);
    s->planned = 0;
    if (res == 0)
        http_conn_file_ended(&s->conn);
    session_fault_sent(s->planned_fd, res);
    if (res > 0)
        s->sent += (uint64_t)res;
    if (s->tls != NULL) {
        session_tls_sent(s->tls, res, full);
        return;
    }
    if (full)
        http_conn_stalled(&s->conn);
    if (res > 0)
        http_conn_sent(&s->conn, (size_t)res);
    else if (res != -EAGAIN)
        http_conn_broken(&s->conn);
}

void session_sent(struct session *s, ssize_t res)
{
    if (res > 0)
        stats_add(STATS_BYTES_OUT, (uint64_t)res);
    take_sent(s, res);
    http_count_state(&s->conn);
}

uint64_t session_sent_total(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->sent;
}

struct file_job *session_file_job(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    struct file_job *job = http_conn_job(&s->conn);
    if (s->job_ns == 0) {
        s->job_ns = clock_monotonic_ns();
        PROBE3(file__job__start, &s->conn, job->kind, job->path);
    }
    return job;
}

void session_file_done(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    struct file_job *job = http_conn_job(&s->conn);
    session_fault_job(job);
    stats_count(STATS_JOB_OPEN + job->kind);
    uint64_t ns = clock_monotonic_ns() - s->job_ns;
    stats_add(STATS_JOB_NS_OPEN + job->kind, ns);
    PROBE3(file__job__done, &s->conn, job->kind, ns);
    s->job_ns = 0;
    http_conn_job_done(&s->conn);
    if (s->tls != NULL)
        session_tls_advance(s->tls);
    http_count_state(&s->conn);
}

void session_peer_left(struct session *s)
{
    CHECK((session_wants(s) & SESSION_WANT_FILE) != 0);
    if (s->tls != NULL)
        session_tls_peer_left(s->tls);
    else
        http_conn_broken(&s->conn);
}

void session_shut_down(struct session *s, int res)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    session_fault_socket("cannot end the sending side of a connection", res);
    if (s->tls != NULL)
        session_tls_shut_down(s->tls, res);
    else if (res < 0)
        http_conn_broken(&s->conn);
    else
        http_conn_shut_down(&s->conn);
    http_count_state(&s->conn);
}

size_t session_offload(struct session *s, void *info, size_t size)
{
    CHECK((session_wants(s) & SESSION_WANT_OFFLOAD) != 0);
    return session_tls_offload(s->tls, info, size);
}

void session_offloaded(struct session *s, int res)
{
    CHECK((session_wants(s) & SESSION_WANT_OFFLOAD) != 0);
    session_tls_offloaded(s->tls, res);
}

uint64_t session_deadline_ms(const struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    return s->tls != NULL ? session_tls_deadline_ms(s->tls) : http_conn_deadline_ms(&s->conn);
}

static void take_expired(struct session *s, const struct progress *progress)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    if (s->tls != NULL) {
        session_tls_expired(s->tls, progress);
        return;
    }
    http_conn_expired(&s->conn, progress);
    if (s->front == FRONT_PROXY && (session_wants(s) & SESSION_WANT_CLOSE) != 0)
        session_proxy_refuse(s->env->proxy, SESSION_PROXY_LATE, http_conn_listen(&s->conn),
                             http_conn_peer(&s->conn));
}

void session_expired(struct session *s, const struct progress *progress)
{
    enum stats_counter kind = http_count_deadline(&s->conn);
    unsigned wants = session_wants(s);
    take_expired(s, progress);
    if (session_wants(s) != wants && kind < STATS_COUNTERS)
        stats_count(kind);
    http_count_state(&s->conn);
}

void session_retire(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    http_conn_retire(&s->conn);
    http_count_state(&s->conn);
}

void session_drain(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    if (s->tls != NULL)
        session_tls_drain(s->tls);
    else
        http_conn_drain(&s->conn);
    http_count_state(&s->conn);
}

void session_make_way(struct session *s)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    if (s->tls != NULL)
        session_tls_make_way(s->tls);
    else
        http_conn_make_way(&s->conn);
    http_count_state(&s->conn);
}

/* proactor_conn.c: drives one connection: asks its session what it wants and begins what is not in
 * flight; completions report what came of it, and drive it again.
 *
 * The one place where completions meet the seam (session.h), and how a connection ends. */
#include "engines/proactor/proactor_internal.h"

#include "config/config.h"
#include "engines/ktls.h"
#include "core/stats.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* `moved`: it was another process's; else NULL. */
static void conn_open(struct proactor *p, int fd, const struct listen_config *listen,
                      const struct peer *peer, const struct session_moved *moved)
{
    struct proactor_conn *conn = pool_get(p->pool);
    CHECK(conn != NULL);
    proactor_publish_full(p);
    *conn =
        (struct proactor_conn){ .magic = PROACTOR_CONN_MAGIC, .fd = fd, .shared = moved != NULL };
    proactor_op_init(&conn->recv, PROACTOR_OP_RECV);
    proactor_op_init(&conn->send, PROACTOR_OP_SEND);
    proactor_op_init(&conn->room, PROACTOR_OP_ROOM);
    list_push_back(&p->conns, &conn->all);
    list_init(&conn->run);
    list_init(&conn->idle);
    timer_node_init(&conn->timer);
    struct session *s = moved != NULL ? session_open_moved(conn + 1, p->env, moved)
                                      : session_open(conn + 1, p->env, listen, peer);
    CHECK(s == proactor_session(conn));
    proactor_conn_drive(p, conn);
}

void proactor_conn_open(struct proactor *p, int fd, const struct listen_config *listen,
                        const struct peer *peer)
{
    conn_open(p, fd, listen, peer, NULL);
}

void proactor_conn_open_moved(struct proactor *p, const struct handover_conn *moved)
{
    conn_open(p, moved->fd, NULL, NULL, &moved->state);
}

/* shutdown(2) does not block, and IORING_OP_SHUTDOWN always goes through another thread. */
static void shut_down(struct proactor_conn *conn)
{
    stats_count(STATS_CALL_SHUTDOWN);
    int res = shutdown(conn->fd, SHUT_WR) == 0 ? 0 : -errno;
    session_shut_down(proactor_session(conn), res);
}

/* The kernel is to encrypt from now on, if it can. A receive that is armed is not touched by it. */
static void offload(struct proactor_conn *conn)
{
    struct session *s = proactor_session(conn);
    unsigned char info[SESSION_OFFLOAD_MAX];
    CHECK(!conn->send.in_flight && conn->file == NULL);
    size_t size = session_offload(s, info, sizeof(info));
    session_offloaded(s, ktls_begin(conn->fd, info, size));
    explicit_bzero(info, sizeof(info));
}

/* A deadline that has moved away, as it does with every request, costs one comparison. */
static void arm_deadline(struct proactor *p, struct proactor_conn *conn)
{
    uint64_t deadline_ms = session_deadline_ms(proactor_session(conn));
    if (conn->timer.armed_ms == 0 || deadline_ms < conn->timer.armed_ms)
        timer_arm(&p->timers, &conn->timer, deadline_ms);
}

/* Jobs come first, so that what waits for them begins to wait; sends come before receives, so that
 * octets go before more are taken. */
static enum proactor_step step(struct proactor *p, struct proactor_conn *conn, unsigned wants,
                               size_t *turn_left)
{
    enum proactor_step result = PROACTOR_WAITS;
    if ((wants & SESSION_WANT_FILE) != 0)
        result = conn->file == NULL ? proactor_file_begin(p, conn) : proactor_file_resume(p, conn);
    if (result == PROACTOR_WAITS && (wants & SESSION_WANT_SEND) != 0 && !conn->send.in_flight)
        return proactor_send(p, conn, turn_left);
    if (result != PROACTOR_WAITS)
        return result;
    if ((wants & SESSION_WANT_SHUTDOWN) != 0) {
        shut_down(conn);
        return PROACTOR_DONE;
    }
    if ((wants & SESSION_WANT_OFFLOAD) != 0) {
        offload(conn);
        return PROACTOR_DONE;
    }
    if ((wants & SESSION_WANT_RECV) != 0) {
        if (proactor_recv_push(p, conn))
            return PROACTOR_DONE;
        proactor_recv_arm(p, conn);
    }
    return PROACTOR_WAITS;
}

void proactor_conn_drive(struct proactor *p, struct proactor_conn *conn)
{
    CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
    const struct session *s = proactor_session(conn);
    size_t turn_left = p->config->send_turn;
    enum proactor_step result = conn->closing ? PROACTOR_WAITS : PROACTOR_DONE;
    p->active = true;

    for (int i = 0; i < PROACTOR_STEPS_MAX && result == PROACTOR_DONE; i++) {
        unsigned wants = session_wants(s);
        CHECK(wants != 0);
        if ((wants & SESSION_WANT_CLOSE) != 0) {
            CHECK(wants == SESSION_WANT_CLOSE);
            conn->closing = true;
            break;
        }
        result = step(p, conn, wants, &turn_left);
    }
    /* Who makes way says farewell, if the socket takes that now. */
    conn->closing |= conn->leaving && conn->full;
    if (conn->closing) {
        proactor_conn_close(p, conn);
        return;
    }
    if (result != PROACTOR_WAITS)
        proactor_queue(p, conn);
    else if (p->retires && p->drain == PROACTOR_SERVES)
        proactor_part(p, conn);
    else
        proactor_idle_begin(p, conn);
    arm_deadline(p, conn);
}

/* A receive or a watch for room that is armed keeps the socket open, without a FIN, until its last
 * completion; so both are asked to end before the descriptor is closed. That is done by close(2)
 * here and not by an operation: the number is free at once for who waits for one, and it measured
 * no dearer. A job cannot be called back from a disk; it ends by itself. */
void proactor_conn_close(struct proactor *p, struct proactor_conn *conn)
{
    CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
    conn->closing = true;
    proactor_idle_end(conn);
    timer_disarm(&p->timers, &conn->timer);
    bool later = !proactor_cancel(p, &conn->recv, conn->fd) ||
                 !proactor_cancel(p, &conn->room, conn->fd) ||
                 !proactor_cancel(p, &conn->send, conn->fd);
    if (conn->file != NULL && proactor_file_resume(p, conn) == PROACTOR_YIELD)
        later = true;
    if (later)
        proactor_queue(p, conn);
    if (later || conn->send.in_flight || conn->file != NULL)
        return;
    if (conn->fd >= 0) {
        if (conn->shared)
            processor_leave(p->processor, conn->fd);
        else
            processor_forget(p->processor, conn->fd);
        stats_count(STATS_CALL_CLOSE);
        close(conn->fd);
    }
    conn->fd = -1;
    if (conn->recv.in_flight || conn->room.in_flight)
        return;
    list_remove(&conn->all);
    list_remove(&conn->run);
    list_push_back(&p->closed, &conn->run);
}

void proactor_free_closed(struct proactor *p)
{
    if (list_empty(&p->closed))
        return;
    while (!list_empty(&p->closed)) {
        struct proactor_conn *conn = container_of(p->closed.next, struct proactor_conn, run);
        CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
        CHECK(!conn->recv.in_flight && !conn->send.in_flight && !conn->room.in_flight &&
              conn->file == NULL);
        list_remove(&conn->run);
        p->leaving -= conn->leaving;
        session_close(proactor_session(conn));
        proactor_recv_discard(p, conn);
        proactor_pipe_give(p, conn);
        conn->magic = 0;
        pool_put(p->pool, conn);
    }
    proactor_publish_full(p);
    p->accept_retry_ms = 0; /* what has run out may have been among it */
}

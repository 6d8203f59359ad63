/* loop_conn.c: drives one connection: asks its session what it wants, does what the socket allows
 * and reports the result.
 *
 * The one place where a readiness loop meets the seam (session.h): receive, send, file job,
 * shutdown and close each have one function here. An engine with helpers changes conn_run_job(). */
#include "engines/loop_internal.h"

#include "core/check.h"
#include "core/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int loop_conn_open(struct loop *loop, int fd, const struct listen_config *listen,
                   const struct peer *peer)
{
    struct loop_conn *conn = pool_get(loop->pool);
    CHECK(conn != NULL);

    /* Registered once and for all: what the flags below remember, epoll need not be asked for. */
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = conn };
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        int error = errno;
        pool_put(loop->pool, conn);
        close(fd);
        return -error;
    }

    *conn = (struct loop_conn){ .source = { LOOP_CONN_MAGIC, fd }, .writable = true };
    list_push_back(&loop->conns, &conn->all);
    list_init(&conn->run);
    timer_node_init(&conn->timer);
    struct session *s = session_open(conn + 1, loop->env, listen, peer);
    CHECK(s == loop_conn_session(conn));
    timer_arm(&loop->timers, &conn->timer, session_deadline_ms(s));
    return 0;
}

void loop_conn_note(struct loop_conn *conn, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        conn->ended = true;
        conn->readable = true;
    }
    if (events & EPOLLIN)
        conn->readable = true;
    /* A reset is found by whichever of receive and send the session wants. */
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        conn->writable = true;
}

static void conn_receive(struct loop *loop, struct loop_conn *conn)
{
    struct session *s = loop_conn_session(conn);
    size_t room = session_recv_room(s);
    CHECK(room > 0);
    if (room > sizeof(loop->scratch))
        room = sizeof(loop->scratch);

    ssize_t n = recv(conn->source.fd, loop->scratch, room, 0);
    if (n < 0) {
        int error = errno;
        if (error == EAGAIN)
            conn->readable = false;
        if (error == EAGAIN || error == EINTR)
            return;
        n = -error;
    }
    /* After a short count it is empty, and an edge announces what comes next, unless the last edge
     * has been seen. After the end there is nothing more. */
    if (n <= 0 || ((size_t)n < room && !conn->ended))
        conn->readable = false;
    session_received(s, loop->scratch, n);
}

/* How far a plan's file range goes within `len` octets. */
static off_t plan_file_end(const struct send_plan *plan, size_t len)
{
    return plan->file_off + (off_t)(plan->file_len < len ? plan->file_len : len);
}

/* Is the piece of a file that comes next in the page cache? Asked once a LOOP_PROBE_SPAN; on a miss
 * the kernel is told to read that much, and the answer is no once: the others go first, then the
 * piece is sent, and blocks for what has not come by then. A probe costs about 0.5 us (cachestat(2)
 * over 256 KiB 2.9 us), sending a span about 90 us. */
static bool conn_file_warm(struct loop *loop, struct loop_conn *conn, const struct send_plan *plan)
{
    size_t turn = loop->cfg.config->send_turn;
    if (plan_file_end(plan, turn) <= conn->warm_end)
        return true;
    conn->warm_end = plan_file_end(plan, turn > LOOP_PROBE_SPAN ? turn : LOOP_PROBE_SPAN);
    if (loop_file_cached(plan->file_fd, conn->warm_end))
        return true;
    posix_fadvise(plan->file_fd, plan->file_off, conn->warm_end - plan->file_off,
                  POSIX_FADV_WILLNEED);
    return false;
}

/* Takes what was sent off `*turn_left`. False when the connection is to queue behind the others
 * first. Every plan is given back by one session_sent(): -EAGAIN says that nothing was sent. */
static bool conn_send(struct loop *loop, struct loop_conn *conn, size_t *turn_left)
{
    struct session *s = loop_conn_session(conn);
    struct send_plan plan;
    session_send_plan(s, &plan);
    bool large = plan.file_fd >= 0 && plan.file_len > LOOP_PROBE_MIN;
    if (large && !conn_file_warm(loop, conn, &plan)) {
        session_sent(s, -EAGAIN);
        return false;
    }

    bool full;
    ssize_t n = loop_send_plan(conn->source.fd, &plan, *turn_left, &full);
    if (full)
        conn->writable = false;
    if (n == -EINTR)
        n = -EAGAIN; /* with `writable` as it is: at once again */
    if (n > 0) {
        *turn_left -= (size_t)n < *turn_left ? (size_t)n : *turn_left;
        if (conn->warm_end != 0 && (size_t)n == loop_plan_memory(&plan) + plan.file_len)
            conn->warm_end = 0; /* the range is complete; the next may be another file's */
    }
    session_sent(s, n);
    return true;
}

/* This engine has no helper: a job blocks the loop for as long as it takes, so the time is read
 * anew behind it. */
static void conn_run_job(struct loop *loop, struct loop_conn *conn)
{
    struct session *s = loop_conn_session(conn);
    struct file_job *job = session_file_job(s);
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    file_job_run(job);
    clock_update(&loop->clock);
    session_file_done(s);
}

static void conn_shut_down(struct loop_conn *conn)
{
    int res = shutdown(conn->source.fd, SHUT_WR) == 0 ? 0 : -errno;
    session_shut_down(loop_conn_session(conn), res);
}

/* A deadline that has moved away, as it does with every request, costs one comparison. */
static void conn_arm(struct loop *loop, struct loop_conn *conn)
{
    uint64_t deadline_ms = session_deadline_ms(loop_conn_session(conn));
    if (conn->timer.armed_ms == 0 || deadline_ms < conn->timer.armed_ms)
        timer_arm(&loop->timers, &conn->timer, deadline_ms);
}

void loop_conn_drive(struct loop *loop, struct loop_conn *conn)
{
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    const struct session *s = loop_conn_session(conn);
    size_t turn_left = loop->cfg.config->send_turn;
    bool waits = false; /* for an edge */
    loop->active = true;

    /* Jobs come first, so that the answers they complete leave in one send with those before them;
     * sends come before receives, so that octets go before more are taken. */
    for (int step = 0; step < LOOP_STEPS_MAX && !waits; step++) {
        unsigned wants = session_wants(s);
        CHECK(wants != 0);
        if (wants & SESSION_WANT_CLOSE) {
            CHECK(wants == SESSION_WANT_CLOSE);
            loop_conn_close(loop, conn);
            return;
        }
        if (wants & SESSION_WANT_FILE) {
            conn_run_job(loop, conn);
        } else if ((wants & SESSION_WANT_SEND) && conn->writable) {
            if (turn_left == 0 || !conn_send(loop, conn, &turn_left))
                break;
        } else if (wants & SESSION_WANT_SHUTDOWN) {
            conn_shut_down(conn);
        } else if ((wants & SESSION_WANT_RECV) && conn->readable) {
            conn_receive(loop, conn);
        } else {
            waits = true;
        }
    }

    if (!waits && list_empty(&conn->run))
        list_push_back(&loop->run_queue, &conn->run);
    conn_arm(loop, conn);
}

void loop_conn_close(struct loop *loop, struct loop_conn *conn)
{
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    conn->source.magic = LOOP_CLOSED_MAGIC;
    close(conn->source.fd); /* which deregisters it: nobody else holds the socket */
    conn->source.fd = -1;
    timer_disarm(&loop->timers, &conn->timer);
    list_remove(&conn->all);
    list_remove(&conn->run);
    list_push_back(&loop->closed, &conn->run);
}

void loop_free_closed(struct loop *loop)
{
    if (list_empty(&loop->closed))
        return;
    while (!list_empty(&loop->closed)) {
        struct loop_conn *conn = container_of(loop->closed.next, struct loop_conn, run);
        CHECK_OBJ(&conn->source, LOOP_CLOSED_MAGIC);
        list_remove(&conn->run);
        session_close(loop_conn_session(conn));
        conn->source.magic = 0;
        pool_put(loop->pool, conn);
    }
    loop->accept_retry_ms = 0; /* what has run out may have been among it */
}

/* loop_conn.c: drives one connection: asks its session what it wants, does what the socket allows
 * and reports the result.
 *
 * The one place where a readiness loop meets the seam (session.h): receive, send, file job,
 * shutdown and close each have one function here. Where the loop has workers, what may block, and
 * perhaps what was received, goes to them (loop_offload.c): the connection is away then, and left
 * alone until it comes back. */
#include "engines/reactor/loop_internal.h"

#include "core/check.h"
#include "core/file_job.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "engines/file_range.h"
#include "engines/ktls.h"
#include "engines/peer_left.h"
#include "engines/plan_send.h"
#include "engines/socket_room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first request has often come with the connection, and where it is the only one, the
 * demultiplexer never hears of either. `moved`: it was another process's; else NULL. */
static void conn_open(struct loop *loop, int fd, const struct listen_config *listen,
                      const struct peer *peer, const struct session_moved *moved)
{
    /* One that moves was idle a moment ago: to register it tells if something has come since. */
    bool readable = moved == NULL;
    struct loop_conn *conn = pool_get(loop->pool);
    CHECK(conn != NULL);
    loop_publish_full(loop);
    *conn = (struct loop_conn){ .source = { LOOP_CONN_MAGIC, fd },
                                .readable = readable,
                                .writable = true,
                                .shared = moved != NULL };
    list_push_back(&loop->conns, &conn->all);
    list_push_back(&loop->run_queue, &conn->run);
    list_init(&conn->idle);
    timer_node_init(&conn->timer);
    loop_enter(loop);
    struct session *s = moved != NULL ? session_open_moved(conn + 1, loop->env, moved)
                                      : session_open(conn + 1, loop->env, listen, peer);
    loop_leave(loop);
    CHECK(s == loop_conn_session(conn));
    if (loop->routines != NULL)
        loop_routine_begin(loop, conn);
    timer_arm(&loop->timers, &conn->timer, session_deadline_ms(s));
}

void loop_conn_open(struct loop *loop, int fd, const struct listen_config *listen,
                    const struct peer *peer)
{
    conn_open(loop, fd, listen, peer, NULL);
}

void loop_conn_open_moved(struct loop *loop, const struct handover_conn *moved)
{
    conn_open(loop, moved->fd, NULL, NULL, &moved->state);
}

/* Once and for all: what the flags of the connection remember, the demultiplexer need not be asked
 * for. What the connection waits for may have come by now: that is an edge, too, or has to be
 * looked for. */
static bool conn_register(struct loop *loop, struct loop_conn *conn)
{
    const struct demultiplexer_ops *ops = loop->demultiplexer->ops;
    int error = -ops->add(loop->demultiplexer, &conn->source, DEMULTIPLEXER_CONNECTION);
    conn->registered = error == 0;
    if (!conn->registered)
        log_repeated(LOG_ERROR, "demultiplexer", error,
                     "demultiplexer = %s: %s; a connection is dropped%s", ops->name,
                     strerror(error),
                     error == ENOSPC ? "; raise the sysctl fs.epoll.max_user_watches" : "");
    return conn->registered;
}

/* It waits for what the session wants and the socket has not allowed. Who waits for a time alone
 * (SESSION_WANT_WAIT) waits for nothing of the socket: that its peer is gone, which is told to
 * those who ask for nothing as well, would come again and again. */
static void conn_want(struct loop *loop, struct loop_conn *conn)
{
    unsigned wants = session_wants(loop_conn_session(conn));
    if ((wants & (SESSION_WANT_RECV | SESSION_WANT_SEND)) == 0)
        return;
    demultiplexer_want(loop->demultiplexer, &conn->source,
                       (wants & SESSION_WANT_RECV ? DEMULTIPLEXER_READ : 0u) |
                           (wants & SESSION_WANT_SEND ? DEMULTIPLEXER_WRITE : 0u));
}

void loop_conn_note(struct loop_conn *conn, uint32_t events)
{
    if (events & (DEMULTIPLEXER_PEER_ENDED | DEMULTIPLEXER_HANGUP | DEMULTIPLEXER_ERROR)) {
        conn->ended = true;
        conn->readable = true;
    }
    if (events & DEMULTIPLEXER_READ)
        conn->readable = true;
    /* A reset is found by whichever of receive and send the session wants. */
    if (events & (DEMULTIPLEXER_WRITE | DEMULTIPLEXER_HANGUP | DEMULTIPLEXER_ERROR))
        conn->writable = true;
}

ssize_t loop_conn_recv(struct loop *loop, struct loop_conn *conn, void *mem, size_t room)
{
    loop_io_begin(loop);
    stats_count(STATS_CALL_RECV);
    ssize_t n = recv(conn->source.fd, mem, room, 0);
    int error = n < 0 ? errno : 0;
    loop_io_end(loop);
    if (error == EAGAIN) /* nor has the peer ended, whatever a hint said */
        conn->readable = conn->ended = false;
    if (error == EAGAIN || error == EINTR)
        return -EAGAIN;
    /* After a short count it is empty, and an edge announces what comes next, unless the last edge
     * has been seen. After the end there is nothing more. */
    if (n <= 0 || ((size_t)n < room && !conn->ended))
        conn->readable = false;
    return n < 0 ? -error : n;
}

static size_t conn_room(struct loop_conn *conn, size_t room_max)
{
    size_t room = session_recv_room(loop_conn_session(conn));
    CHECK(room > 0);
    return room < room_max ? room : room_max;
}

static void conn_report_received(struct loop *loop, struct loop_conn *conn, const void *data,
                                 ssize_t n)
{
    loop_idle_end(conn);
    loop_enter(loop);
    session_received(loop_conn_session(conn), data, n);
    loop_leave(loop);
}

static void conn_receive(struct loop *loop, struct loop_conn *conn)
{
    ssize_t n = loop_conn_recv(loop, conn, loop->scratch, conn_room(conn, sizeof(loop->scratch)));
    if (n != -EAGAIN)
        conn_report_received(loop, conn, loop->scratch, n);
}

/* Several threads cannot share the loop's. */
static void conn_receive_by_turns(struct loop *loop, struct loop_conn *conn)
{
    unsigned char scratch[LOOP_HANDOFF_SIZE];
    ssize_t n = loop_conn_recv(loop, conn, scratch, conn_room(conn, sizeof(scratch)));
    if (n != -EAGAIN)
        conn_report_received(loop, conn, scratch, n);
}

/* Receives for a worker: what the session makes of octets is not the loop's work. That there are no
 * more is no work. */
static void conn_receive_for_worker(struct loop *loop, struct loop_conn *conn)
{
    struct loop_task *task = loop_task_begin(loop, conn, LOOP_TASK_RECEIVED);
    ssize_t n = loop_conn_recv(loop, conn, task->data, conn_room(conn, LOOP_HANDOFF_SIZE));
    if (n > 0) {
        loop_idle_end(conn);
        task->len = (size_t)n;
        loop_task_submit(loop, task);
        return;
    }
    loop_task_drop(loop, task);
    if (n != -EAGAIN)
        conn_report_received(loop, conn, NULL, n);
}

static void conn_report_sent(struct loop *loop, struct loop_conn *conn, ssize_t n)
{
    loop_enter(loop);
    session_sent(loop_conn_session(conn), n);
    loop_leave(loop);
}

/* Is the piece of a file that comes next in the page cache? Asked once a LOOP_PROBE_SPAN; the
 * answer is no once: the caller sees to it that it gets there. A probe costs about 0.5 us
 * (cachestat(2) over 256 KiB 2.9 us), sending a span about 90 us. Where a miss costs the others
 * nothing, both ends of a long piece are looked at: memory that ran short takes the oldest pages
 * first, the front ones. */
static bool conn_file_warm(struct loop *loop, struct loop_conn *conn, const struct send_plan *plan)
{
    size_t turn = loop->cfg.config->send_turn;
    if (send_plan_file_end(plan, turn) <= conn->warm_end)
        return true;
    conn->warm_end = send_plan_file_end(plan, turn > LOOP_PROBE_SPAN ? turn : LOOP_PROBE_SPAN);
    loop_io_begin(loop);
    bool cached = file_range_cached(plan->file_fd, conn->warm_end - 1) &&
                  (loop->workers == NULL || conn->warm_end - plan->file_off <= LOOP_PROBE_MIN ||
                   file_range_cached(plan->file_fd, plan->file_off));
    loop_io_end(loop);
    return cached;
}

/* Gets the piece behind a plan, up to warm_end, into the page cache. With workers the connection is
 * away meanwhile, and so is the plan. Without, the kernel is told to read, the others go first, and
 * then it blocks for what has not come by then. */
static void conn_warm_up(struct loop *loop, struct loop_conn *conn, const struct send_plan *plan)
{
    if (loop->workers == NULL) {
        loop_io_begin(loop);
        posix_fadvise(plan->file_fd, plan->file_off, conn->warm_end - plan->file_off,
                      POSIX_FADV_WILLNEED);
        loop_io_end(loop);
        conn_report_sent(loop, conn, -EAGAIN);
        return;
    }
    struct loop_task *task = loop_task_begin(loop, conn, LOOP_TASK_PIECE);
    task->file_fd = plan->file_fd;
    task->off = plan->file_off;
    task->len = (size_t)(conn->warm_end - plan->file_off);
    loop_task_submit(loop, task);
}

/* Before something is encrypted, here or by a worker. */
static void conn_tell_room(struct loop *loop, struct loop_conn *conn)
{
    struct session *s = loop_conn_session(conn);
    if (!session_minds_room(s))
        return;
    size_t room = socket_room(conn->source.fd);
    loop_enter(loop);
    session_set_room(s, room);
    loop_leave(loop);
}

/* Takes what was sent off `*turn_left`. False when the connection is to queue behind the others
 * first. Every plan is given back by one session_sent(): -EAGAIN says that nothing was sent. */
static bool conn_send(struct loop *loop, struct loop_conn *conn, size_t *turn_left)
{
    struct session *s = loop_conn_session(conn);
    struct send_plan plan;
    conn_tell_room(loop, conn);
    loop_enter(loop);
    session_send_plan(s, &plan);
    loop_leave(loop);
    if (plan.iovcnt == 0 && plan.file_len == 0)
        return true; /* it was lost over encrypting, or reads first */
    size_t unprobed_max = loop->workers == NULL ? LOOP_PROBE_MIN : 0;
    bool probed = plan.file_fd >= 0 && plan.file_len > unprobed_max;
    if (probed && !conn_file_warm(loop, conn, &plan)) {
        conn_warm_up(loop, conn, &plan);
        return false;
    }

    bool full;
    bool corked = conn->corked; /* nothing of `conn` is written without the lock */
    loop_io_begin(loop);
    ssize_t n = plan_send(conn->source.fd, &plan, *turn_left, &corked, &full);
    loop_io_end(loop);
    conn->corked = corked;
    if (full)
        conn->writable = false;
    if (n == -EINTR)
        n = -EAGAIN; /* with `writable` as it is: at once again */
    if (n > 0) {
        *turn_left -= (size_t)n < *turn_left ? (size_t)n : *turn_left;
        if (conn->warm_end != 0 && (size_t)n == send_plan_memory(&plan) + plan.file_len)
            conn->warm_end = 0; /* the range is complete; the next may be another file's */
    }
    conn_report_sent(loop, conn, n);
    return true;
}

/* Another thread minds the loop, should it take long. */
static void conn_run_job_by_turns(struct loop *loop, struct file_job *job)
{
    if (!file_job_try(job)) {
        loop_turns_promote(loop);
        loop_io_begin(loop);
        file_job_run(job);
        loop_io_end(loop);
    }
    clock_update(&loop->clock);
}

static void conn_report_left(struct loop *loop, struct loop_conn *conn)
{
    loop_enter(loop);
    session_peer_left(loop_conn_session(conn));
    loop_leave(loop);
}

/* Is the job one that this thread executes whatever it takes, there being nobody else to wait? */
static bool conn_waits_itself(struct loop *loop, const struct file_job *job)
{
    return loop->workers == NULL && !loop->options.turns &&
           !(job->remote && loop_remote_begin(loop));
}

/* Executes the session's job, if that takes no waiting or there is nobody else to wait. False: it
 * is for a worker. */
static bool conn_run_job(struct loop *loop, struct loop_conn *conn)
{
    struct session *s = loop_conn_session(conn);
    struct file_job *job = session_file_job(s);
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    if (peer_left_slice(conn->source.fd, job)) {
        conn_report_left(loop, conn);
        return true;
    }
    if (loop->options.turns) {
        conn_run_job_by_turns(loop, job);
    } else if (conn_waits_itself(loop, job)) {
        file_job_run(job);
        clock_update(&loop->clock); /* it may have taken long */
    } else if (loop_reads_pass_cache(loop, job) || !file_job_try(job)) {
        return false;
    }
    loop_report_job(loop, s);
    return true;
}

/* Is the job, which this thread itself is to execute, one piece of many, of a long listing? One
 * that is a worker's takes no turn of anybody's, and must not be put off before it is handed over.
 */
static bool conn_has_piece(struct loop *loop, struct loop_conn *conn)
{
    const struct file_job *job = session_file_job(loop_conn_session(conn));
    return conn_waits_itself(loop, job) && file_job_is_piece(job);
}

static void conn_shut_down(struct loop *loop, struct loop_conn *conn)
{
    stats_count(STATS_CALL_SHUTDOWN);
    int res = shutdown(conn->source.fd, SHUT_WR) == 0 ? 0 : -errno;
    loop_enter(loop);
    session_shut_down(loop_conn_session(conn), res);
    loop_leave(loop);
}

/* The kernel is to encrypt from now on, if it can. */
static void conn_offload(struct loop *loop, struct loop_conn *conn)
{
    struct session *s = loop_conn_session(conn);
    unsigned char info[SESSION_OFFLOAD_MAX];
    loop_enter(loop);
    size_t size = session_offload(s, info, sizeof(info));
    session_offloaded(s, ktls_begin(conn->source.fd, info, size));
    loop_leave(loop);
    explicit_bzero(info, sizeof(info));
}

/* A deadline that has moved away, as it does with every request, costs one comparison. */
static void conn_arm(struct loop *loop, struct loop_conn *conn)
{
    uint64_t deadline_ms = session_deadline_ms(loop_conn_session(conn));
    if (conn->timer.armed_ms == 0 || deadline_ms < conn->timer.armed_ms)
        timer_arm(&loop->timers, &conn->timer, deadline_ms);
}

/* The drain began while a thread drove it: now that it has nothing else to do, it looks once more,
 * since a request that had come by then is answered, and is asked to end then. False: that is done.
 */
static bool conn_drain_late(struct loop *loop, struct loop_conn *conn)
{
    if (!loop->options.turns || loop->drain_end_ms == 0 || conn->drained == 2)
        return false;
    if (++conn->drained == 1)
        conn->readable = true;
    else
        loop_drain_session(loop, conn);
    return true;
}

/* After a turn: it waits for an event, or gets another turn behind the others. */
static void conn_settle(struct loop *loop, struct loop_conn *conn, bool waits)
{
    if (waits && !conn->registered) {
        if (!conn_register(loop, conn)) {
            loop_conn_close(loop, conn);
            return;
        }
        if (loop->demultiplexer->ops->looks_once) {
            /* The last bytes may have come, and the end with them, since the socket was empty. */
            conn->readable = conn->writable = conn->ended = true;
            waits = false;
        }
    }
    if (waits && !loop->demultiplexer->ops->edges)
        conn_want(loop, conn);
    if (loop->retire_end_ms != 0 && loop->drain_end_ms == 0 && waits)
        loop_part(loop, conn);
    else if (waits || conn->waits_for_worker)
        loop_idle_begin(loop, conn); /* as it may be: nothing is known to have come */
    else if (list_empty(&conn->run))
        list_push_back(&loop->run_queue, &conn->run);
    conn_arm(loop, conn);
}

static void conn_resume(struct loop *loop, struct loop_conn *conn)
{
    enum loop_routine_state state = loop_routine_resume(loop, conn);
    if (state == LOOP_ROUTINE_ENDED)
        loop_conn_close(loop, conn);
    else if (!conn->away)
        conn_settle(loop, conn, state == LOOP_ROUTINE_WAITS);
}

void loop_conn_drive(struct loop *loop, struct loop_conn *conn)
{
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    CHECK(!conn->away && !conn->driven);
    conn->waits_for_worker = false;
    const struct session *s = loop_conn_session(conn);
    size_t turn_left = loop->cfg.config->send_turn;
    bool job_for_worker = loop->locked; /* or it was tried in vain */
    bool waits = false;                 /* for an edge */
    loop->active = true;
    if (loop->options.turns) {
        conn->driven = true;
        loop_idle_end(conn);
    }
    if (loop->routines != NULL) {
        conn_resume(loop, conn);
        return;
    }

    /* Jobs come first, so that the answers they complete leave in one send with those before them,
     * but not those that take a worker; sends come before receives, so that octets go before more
     * are taken. */
    for (int step = 0; step < LOOP_STEPS_MAX && !waits && !conn->away; step++) {
        unsigned wants = session_wants(s);
        CHECK(wants != 0);
        if (wants & SESSION_WANT_CLOSE) {
            CHECK(wants == SESSION_WANT_CLOSE);
            loop_conn_close(loop, conn);
            return;
        }
        if ((wants & SESSION_WANT_FILE) && !job_for_worker) {
            uint64_t begun_ms = loop->clock.now_ms;
            bool piece = conn_has_piece(loop, conn);
            if (piece && loop->pieces_left == 0)
                break; /* in the next turn: the others go first */
            loop->pieces_left -= piece;
            job_for_worker = !conn_run_job(loop, conn);
            if (piece || loop->clock.now_ms > begun_ms + 1)
                break; /* it took long: likewise */
        } else if ((wants & SESSION_WANT_SEND) && conn->writable) {
            if (turn_left == 0 || !conn_send(loop, conn, &turn_left))
                break;
        } else if (wants & SESSION_WANT_FILE) {
            conn_tell_room(loop, conn);
            loop_task_submit(loop, loop_task_begin(loop, conn, LOOP_TASK_JOB));
            job_for_worker = loop->locked;
        } else if (wants & SESSION_WANT_SHUTDOWN) {
            conn_shut_down(loop, conn);
        } else if (wants & SESSION_WANT_OFFLOAD) {
            conn_offload(loop, conn);
        } else if ((wants & SESSION_WANT_RECV) && conn->readable) {
            if (loop->options.turns)
                conn_receive_by_turns(loop, conn);
            else if (loop->locked && loop_offload_wait(loop, conn))
                break;
            else if (loop->locked)
                conn_receive_for_worker(loop, conn);
            else
                conn_receive(loop, conn);
        } else {
            waits = !conn_drain_late(loop, conn);
        }
    }

    conn->driven = false;
    if (!conn->away)
        conn_settle(loop, conn, waits);
}

void loop_conn_close(struct loop *loop, struct loop_conn *conn)
{
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    CHECK(!conn->away);
    if (loop->routines != NULL)
        loop_routine_end(loop, conn);
    conn->source.magic = LOOP_CLOSED_MAGIC;
    if (conn->registered)
        loop->demultiplexer->ops->remove(loop->demultiplexer, &conn->source, !conn->shared);
    stats_count(STATS_CALL_CLOSE);
    close(conn->source.fd);
    conn->source.fd = -1;
    timer_disarm(&loop->timers, &conn->timer);
    list_remove(&conn->all);
    list_remove(&conn->run);
    loop_idle_end(conn);
    list_push_back(&loop->closed, &conn->run);
}

void loop_free_closed(struct loop *loop)
{
    if (list_empty(&loop->closed))
        return;
    unsigned count = 0;
    for (; !list_empty(&loop->closed); count++) {
        struct loop_conn *conn = container_of(loop->closed.next, struct loop_conn, run);
        CHECK_OBJ(&conn->source, LOOP_CLOSED_MAGIC);
        list_remove(&conn->run);
        if (loop->routines == NULL) { /* else it has closed it itself */
            loop_enter(loop);
            session_close(loop_conn_session(conn));
            loop_leave(loop);
        }
        conn->source.magic = 0;
        pool_put(loop->pool, conn);
    }
    loop_publish_full(loop);
    loop_adopted_freed(loop, count);
    loop->accept_retry_ms = 0; /* what has run out may have been among it */
}

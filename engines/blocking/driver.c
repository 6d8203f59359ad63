/* driver.c: see driver.h. What loop_conn_drive() is for readiness, as a function that waits.
 *
 * The order is the loop's: jobs first, so that the answers that they complete leave in one send
 * with those before them; then sends, so that octets go before more are taken; then receives. The
 * environment is held from step to step, and let go for system calls alone: two pairs a request. */
#include "engines/blocking/driver.h"

#include "core/check.h"
#include "core/file_job.h"
#include "core/stats.h"
#include "engines/file_range.h"
#include "engines/ktls.h"
#include "engines/peer_left.h"
#include "engines/plan_send.h"
#include "engines/progress.h"
#include "engines/socket_room.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
    STEPS_MAX = 16, /* steps without a wait before others get their turn, and deadlines are heeded
                     */
    LOOKS_MAX = 16, /* receives of a connection that is asked to end and always has more */
};

static void enter(struct driver *d)
{
    d->ops->enter(d);
}

static void leave(struct driver *d)
{
    d->ops->leave(d);
}

static void expire(struct driver *d)
{
    struct progress progress = progress_of(d->fd, d->session);
    session_expired(d->session, &progress);
}

static bool has_expired(const struct driver *d)
{
    return session_deadline_ms(d->session) <= d->clock->now_ms;
}

static void run_job(struct driver *d)
{
    struct file_job *job = session_file_job(d->session);
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    leave(d);
    bool left = peer_left_slice(d->fd, job);
    bool piece = file_job_is_piece(job);
    if (!left)
        d->ops->run_job(d, job);
    enter(d);
    if (left)
        session_peer_left(d->session);
    else
        session_file_done(d->session);
    if (piece)
        d->steps = STEPS_MAX; /* as long as many steps */
}

/* Before something is encrypted. */
static void tell_room(struct driver *d)
{
    if (session_minds_room(d->session))
        session_set_room(d->session, socket_room(d->fd));
}

/* Every plan is given back by one session_sent(); an empty one is not. */
static void send_some(struct driver *d)
{
    struct send_plan plan;
    bool full;

    tell_room(d);
    session_send_plan(d->session, &plan);
    if (plan.iovcnt == 0 && plan.file_len == 0)
        return; /* it was lost over encrypting, or reads first */
    leave(d);
    if (plan.file_fd >= 0 && plan.file_len > 0 && d->ops->before_file != NULL)
        d->ops->before_file(d, &plan);
    ssize_t n = plan_send(d->fd, &plan, d->send_turn, &d->corked, &full);
    enter(d);
    d->full = full;
    session_sent(d->session, n == -EINTR ? -EAGAIN : n);
}

static void shut_down(struct driver *d)
{
    stats_count(STATS_CALL_SHUTDOWN);
    session_shut_down(d->session, shutdown(d->fd, SHUT_WR) == 0 ? 0 : -errno);
}

/* The kernel is to encrypt from now on, if it can. */
static void offload(struct driver *d)
{
    unsigned char info[SESSION_OFFLOAD_MAX];
    size_t size = session_offload(d->session, info, sizeof(info));

    session_offloaded(d->session, ktls_begin(d->fd, info, size));
    explicit_bzero(info, sizeof(info));
}

/* Octets have come, and it is asked to end. A drain that has begun while the rest of a request
 * came: whether the wake-up or the octets were first is chance, and the answer says in either case
 * that it is the last one (Connection: close). Who makes way for others is told so, too, or his
 * next request would meet the end of the connection. */
static void end_with_request(struct driver *d)
{
    unsigned asks = d->ops->asks(d);

    if (d->ending)
        return;
    if ((asks & DRIVER_ASK_DRAIN) && session_is_busy(d->session)) {
        session_drain(d->session);
        d->ending = true;
    } else if (asks & DRIVER_ASK_END) {
        session_retire(d->session);
    }
}

/* False: nothing has come. */
static bool receive(struct driver *d, uint64_t until_ms, unsigned heeds)
{
    size_t room = session_recv_room(d->session);

    CHECK(room > 0);
    leave(d);
    ssize_t n =
        d->ops->receive(d, room < d->scratch_size ? room : d->scratch_size, until_ms, heeds);
    enter(d);
    if (n == -EAGAIN || n == -EINTR)
        return false;
    d->heard = true;
    if (n > 0)
        end_with_request(d);
    session_received(d->session, d->scratch, n);
    return true;
}

/* It is asked to end, and has nothing to do at the moment. What has come already is answered
 * first. Who only makes way for others does so when it is idle, or sends: else a handshake may be
 * on its way, or a request. True: something was done about it. */
static bool end_if_asked(struct driver *d, unsigned wants, unsigned asks)
{
    bool drains = (asks & DRIVER_ASK_DRAIN) != 0;
    bool may = drains || session_is_idle(d->session) || (wants & SESSION_WANT_SEND) ||
               d->looks >= LOOKS_MAX;

    if (d->ending && !((asks & DRIVER_ASK_END) && session_is_idle(d->session)))
        return false; /* or it lingers by now, and its place is needed */
    if (!(asks & (DRIVER_ASK_DRAIN | DRIVER_ASK_END)) || !may)
        return false;
    if ((wants & SESSION_WANT_RECV) && d->looks < LOOKS_MAX) {
        d->looks++;
        if (receive(d, 0, 0))
            return true;
    }
    if (asks & DRIVER_ASK_END)
        session_make_way(d->session);
    else
        session_drain(d->session);
    d->ending = true;
    return true;
}

/* The server retires: the connection goes to the successor, if it can now. What never can is told
 * to end. True: something was done about it. */
static bool move_if_asked(struct driver *d, unsigned asks)
{
    if (!(asks & DRIVER_ASK_MOVE) || d->stays || d->ending)
        return false;
    if (session_can_move(d->session)) {
        leave(d);
        d->moved = d->ops->move(d);
        enter(d);
        if (d->moved)
            return true;
    } else if (!session_is_tls(d->session)) {
        return false; /* later */
    }
    session_retire(d->session);
    d->stays = true;
    return true;
}

/* Nothing can be done without waiting: for octets, for room, or for the deadline alone. */
static void await(struct driver *d, unsigned wants, unsigned asks)
{
    uint64_t until_ms = session_deadline_ms(d->session);
    unsigned heeds = DRIVER_ASK_STOP;

    if (session_is_idle(d->session))
        heeds |= DRIVER_ASK_END;
    if (!d->ending)
        heeds |= DRIVER_ASK_DRAIN;
    if (!d->stays && (session_can_move(d->session) || session_is_tls(d->session)))
        heeds |= DRIVER_ASK_MOVE; /* TLS is told to end with its next answer */
    if (until_ms <= d->clock->now_ms)
        until_ms = 0;
    CHECK(wants & (SESSION_WANT_RECV | SESSION_WANT_SEND | SESSION_WANT_WAIT));
    d->steps = 0;
    d->looks += (asks & DRIVER_ASK_END) != 0 && d->heard;
    if (!(wants & (SESSION_WANT_SEND | SESSION_WANT_WAIT))) {
        receive(d, until_ms, heeds);
        return;
    }
    unsigned what = (wants & SESSION_WANT_SEND ? DRIVER_WRITABLE : 0u) |
                    (wants & SESSION_WANT_RECV ? DRIVER_READABLE : 0u);
    leave(d);
    unsigned ready = d->ops->wait(d, what, until_ms, heeds);
    enter(d);
    if (ready & DRIVER_WRITABLE)
        d->full = false;
    if (ready & DRIVER_READABLE)
        receive(d, 0, heeds);
}

static void give_way(struct driver *d)
{
    d->steps = 0;
    leave(d);
    if (d->ops->give_way != NULL)
        d->ops->give_way(d);
    enter(d);
    if (has_expired(d))
        expire(d);
}

/* One step. `wants` is not CLOSE. */
static void step(struct driver *d, unsigned wants, unsigned asks)
{
    if (++d->steps > STEPS_MAX)
        give_way(d);
    else if (wants & SESSION_WANT_FILE)
        run_job(d);
    else if ((wants & SESSION_WANT_SEND) && !d->full)
        send_some(d);
    else if (wants & SESSION_WANT_SHUTDOWN)
        shut_down(d);
    else if (wants & SESSION_WANT_OFFLOAD)
        offload(d);
    else if (has_expired(d))
        expire(d);
    else if (!move_if_asked(d, asks) && !end_if_asked(d, wants, asks))
        await(d, wants, asks);
}

void driver_run(struct driver *d)
{
    enter(d);
    for (;;) {
        unsigned wants = session_wants(d->session);
        unsigned asks = d->ops->asks(d);
        CHECK(wants != 0);
        if ((wants & SESSION_WANT_CLOSE) || (asks & DRIVER_ASK_STOP) || d->moved)
            break;
        step(d, wants, asks);
    }
    if (d->moved)
        session_left(d->session);
    session_close(d->session);
    leave(d);
}

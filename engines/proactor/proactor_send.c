/* proactor_send.c: carries out send plans.
 *
 * Memory is sent by a SEND. Not with MSG_WAITALL, which would come back once, when all is sent: a
 * session is to hear of every octet that a slow reader takes. And with MSG_DONTWAIT: a full socket
 * is waited for by proactor_room.c, which says why.
 *
 * A range of a file is sent by sendfile(2) from this thread, piece by piece, which measured best
 * for what is in the page cache; what is not is read into it by an asynchronous READ first, so that
 * a disk stalls only those who need it. */
#include "engines/proactor/proactor_internal.h"

#include "config/config.h"
#include "engines/file_range.h"
#include "engines/file_send.h"
#include "engines/ktls.h"
#include "engines/socket_room.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static enum proactor_step send_memory(struct proactor *p, struct proactor_conn *conn,
                                      const struct send_plan *plan)
{
    const struct operation operation = { OPERATION_SEND, .fd = conn->fd,
                                         .send = { .iov = plan->iov,
                                                   .iovcnt = plan->iovcnt,
                                                   .more = plan->file_len > 0 || plan->more } };
    if (!proactor_begin(p, &conn->send, PROACTOR_OP_SEND, &operation)) {
        session_sent(proactor_session(conn), -EAGAIN);
        return PROACTOR_YIELD;
    }
    proactor_room_watch(conn);
    conn->send_len = send_plan_memory(plan);
    return PROACTOR_WAITS;
}

/* Fewer octets than offered: the socket is full, and tells of room once there is some; there is no
 * need to hear EAGAIN first (plan_send() does the same). */
static void memory_sent(struct proactor_conn *conn, int res)
{
    if (res == -EAGAIN || (res >= 0 && (size_t)res < conn->send_len))
        proactor_room_lacks(conn);
    session_sent(proactor_session(conn), res == -ECANCELED || res == -EINTR ? -EAGAIN : res);
}

/* An alert, where the kernel encrypts: two octets, and the last of a connection. An operation would
 * need a place for the control message that outlives this call. */
static enum proactor_step send_record(struct proactor_conn *conn, const struct send_plan *plan)
{
    ssize_t n = ktls_send_record(conn->fd, plan);
    conn->full = n == -EAGAIN;
    session_sent(proactor_session(conn), n == -EINTR ? -EAGAIN : n);
    return PROACTOR_DONE;
}

/* Looks once a PROACTOR_PROBE_SPAN, at both ends of it: about 1 us, where sending it takes 90. */
static bool is_warm(struct proactor_conn *conn, const struct send_plan *plan)
{
    if (plan->file_off < conn->warm_end)
        return true;
    off_t end = send_plan_file_end(plan, PROACTOR_PROBE_SPAN);
    if (!file_range_cached(plan->file_fd, end - 1) ||
        !file_range_cached(plan->file_fd, plan->file_off)) {
        /* The end of a span says nothing of its beginning: a piece of it may be there. */
        end = send_plan_file_end(plan, PROACTOR_PIECE);
        if (!file_range_cached(plan->file_fd, end - 1) ||
            !file_range_cached(plan->file_fd, plan->file_off))
            return false;
    }
    conn->warm_end = end;
    return true;
}

/* Has the next piece read into the page cache. */
static enum proactor_step warm(struct proactor *p, struct proactor_conn *conn,
                               const struct send_plan *plan)
{
    off_t end = send_plan_file_end(plan, PROACTOR_PIECE);
    const struct operation operation = { OPERATION_WARM, .fd = plan->file_fd,
                                         .read = { .len = (unsigned)(end - plan->file_off),
                                                   .off = plan->file_off } };
    if (!proactor_begin(p, &conn->send, PROACTOR_OP_WARM, &operation)) {
        session_sent(proactor_session(conn), -EAGAIN);
        return PROACTOR_YIELD;
    }
    conn->warm_end = plan->file_off;
    return PROACTOR_WAITS;
}

static void warmed(struct proactor_conn *conn, int res)
{
    if (res > 0)
        conn->warm_end += res;
    else if (res == 0)
        conn->warm_end++; /* truncated: sendfile(2) says so */
    /* An error of the disk would come again from sendfile(2), blocking. */
    session_sent(proactor_session(conn),
                 res < 0 && res != -ECANCELED && res != -EINTR ? res : -EAGAIN);
}

static enum proactor_step send_file(struct proactor *p, struct proactor_conn *conn,
                                    const struct send_plan *plan, size_t *turn_left)
{
    if (!is_warm(conn, plan))
        return warm(p, conn, plan);
    size_t len = (size_t)(conn->warm_end - plan->file_off);
    if (len > plan->file_len)
        len = plan->file_len;
    if (len > *turn_left)
        len = *turn_left;
    file_range_cork(conn->fd, plan, len, &conn->corked);
    ssize_t n = file_send(conn->fd, plan, len, &conn->full);
    if (n < 0) {
        if (n == -EINTR)
            n = -EAGAIN;
    } else {
        *turn_left -= (size_t)n;
        if ((size_t)n == plan->file_len) {
            conn->warm_end = 0; /* the next range may be another file's */
            file_range_uncork(conn->fd, &conn->corked);
        }
    }
    session_sent(proactor_session(conn), n);
    return PROACTOR_DONE;
}

enum proactor_step proactor_send(struct proactor *p, struct proactor_conn *conn, size_t *turn_left)
{
    CHECK(!conn->send.in_flight);
    if (conn->full)
        return proactor_room_await(p, conn); /* no plan is held meanwhile */
    if (*turn_left == 0)
        return PROACTOR_YIELD;
    struct session *s = proactor_session(conn);
    struct send_plan plan;
    if (session_minds_room(s))
        session_set_room(s, socket_room(conn->fd));
    session_send_plan(s, &plan);
    if (plan.iovcnt == 0 && plan.file_len == 0)
        return PROACTOR_DONE; /* it was lost over encrypting, or reads first */
    if (plan.record_type != 0)
        return send_record(conn, &plan);
    if (send_plan_memory(&plan) > 0)
        return send_memory(p, conn, &plan);
    CHECK(plan.file_fd >= 0 && plan.file_len > 0);
    if (p->config->file_io == FILE_IO_SPLICE &&
        !file_send_refused(FILE_SEND_SPLICE, plan.file_fd) && proactor_pipe_take(p, conn))
        return proactor_splice(p, conn, &plan);
    return send_file(p, conn, &plan, turn_left);
}

void proactor_sent(struct proactor *p, struct proactor_conn *conn, int res)
{
    CHECK(!conn->send.in_flight);
    switch (conn->send.kind) {
    case PROACTOR_OP_SEND:
        memory_sent(conn, res);
        break;
    case PROACTOR_OP_WARM:
        warmed(conn, res);
        break;
    case PROACTOR_OP_SPLICE_IN:
    case PROACTOR_OP_SPLICE_OUT:
        proactor_spliced(p, conn, res);
        break;
    default:
        UNREACHABLE();
    }
    if (list_empty(&conn->run)) /* else its turn comes */
        proactor_conn_drive(p, conn);
}

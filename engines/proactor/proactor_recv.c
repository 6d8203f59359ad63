/* proactor_recv.c: receives.
 *
 * The first receive is for one delivery: a connection that asks but once has nothing to be called
 * back when it closes. The second is armed for the life of the connection and delivers into the
 * processor's buffers, whether the session has room or not. What it has no room for is copied and
 * kept, so that the buffer goes back at once: who asks for much and reads little must not hold the
 * buffers of all. When much is kept, the receive is stopped, and TCP's flow control slows the
 * client down. */
#include "engines/proactor/proactor_internal.h"

#include "core/log_repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void proactor_recv_arm(struct proactor *p, struct proactor_conn *conn)
{
    if (conn->recv.in_flight || conn->ended || conn->kept != NULL || p->ending || conn->parting)
        return;
    const struct operation operation = { OPERATION_RECV, .lasting = conn->received,
                                         .fd = conn->fd };
    if (!proactor_begin(p, &conn->recv, PROACTOR_OP_RECV, &operation))
        proactor_queue(p, conn);
}

/* Gives the session as much as it takes now. Returns how much that was. */
static size_t push(struct proactor_conn *conn, const unsigned char *data, size_t len)
{
    struct session *s = proactor_session(conn);
    size_t pushed = 0;
    while (pushed < len && (session_wants(s) & SESSION_WANT_RECV) != 0) {
        size_t n = session_recv_room(s);
        CHECK(n > 0);
        if (n > len - pushed)
            n = len - pushed;
        session_received(s, data + pushed, (ssize_t)n);
        pushed += n;
    }
    return pushed;
}

/* False: too much is kept already, or there is no memory. */
static bool keep(struct proactor *p, struct proactor_conn *conn, const unsigned char *data,
                 size_t len)
{
    struct proactor_kept *kept = NULL;
    if (p->kept_len + len <= PROACTOR_KEPT_MAX)
        kept = malloc(sizeof(*kept) + len);
    if (kept == NULL) {
        log_fault("no room for what a client sends ahead; it is dropped", ENOMEM);
        return false;
    }
    *kept = (struct proactor_kept){ .len = len };
    memcpy(kept->data, data, len);
    if (conn->kept == NULL)
        conn->kept = kept;
    else
        conn->newest->next = kept;
    conn->newest = kept;
    conn->kept_len += len;
    p->kept_len += len;
    return true;
}

static void drop_oldest(struct proactor *p, struct proactor_conn *conn)
{
    struct proactor_kept *kept = conn->kept;
    conn->kept = kept->next;
    conn->kept_len -= kept->len - kept->off;
    p->kept_len -= kept->len - kept->off;
    free(kept);
}

void proactor_recv_discard(struct proactor *p, struct proactor_conn *conn)
{
    while (conn->kept != NULL)
        drop_oldest(p, conn);
    CHECK(conn->kept_len == 0);
}

bool proactor_recv_push(struct proactor *p, struct proactor_conn *conn)
{
    if (conn->kept != NULL) {
        struct proactor_kept *kept = conn->kept;
        size_t n = push(conn, kept->data + kept->off, kept->len - kept->off);
        kept->off += n;
        conn->kept_len -= n;
        p->kept_len -= n;
        if (kept->off == kept->len)
            drop_oldest(p, conn);
        return true;
    }
    if (!conn->ended || conn->told)
        return false;
    conn->told = true;
    session_received(proactor_session(conn), "", conn->end_res);
    return true;
}

/* Octets have come. False: the connection is to be closed. */
static bool take_octets(struct proactor *p, struct proactor_conn *conn, const unsigned char *data,
                        size_t len)
{
    size_t pushed = conn->kept == NULL ? push(conn, data, len) : 0;
    if (pushed == len)
        return true;
    if (!keep(p, conn, data + pushed, len - pushed))
        return false;
    if (conn->kept_len > PROACTOR_KEPT_SOFT)
        (void)proactor_cancel(p, &conn->recv, conn->fd); /* else when the next octets come */
    return true;
}

void proactor_received(struct proactor *p, struct proactor_conn *conn, int res, unsigned flags)
{
    bool fits = true;
    conn->received |= res > 0;
    if (res > 0) {
        proactor_idle_end(conn);
        coalesce_note(&p->coalesce, &conn->window);
    }
    if (conn->parting && res > 0)
        proactor_part_end(p, conn);
    if ((flags & COMPLETION_BUFFER) != 0) {
        unsigned id = completion_buffer(flags);
        if (res > 0 && !conn->closing)
            fits = take_octets(p, conn, processor_buffer(p->processor, id), (size_t)res);
        processor_give_back(p->processor, id);
    }
    /* ENOBUFS: no buffer was left; they have been given back since, so it is armed
     * again. ECANCELED: we have asked for it. */
    bool again = res == -ENOBUFS || res == -ECANCELED || res == -EINTR || res == -EAGAIN;
    if (res <= 0 && !again) {
        conn->ended = true;
        conn->end_res = res;
        if (conn->parting)
            proactor_part_end(p, conn);
    }
    if (conn->closing || !fits)
        proactor_conn_close(p, conn);
    else if (list_empty(&conn->run)) /* else its turn comes */
        proactor_conn_drive(p, conn);
}

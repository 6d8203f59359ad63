/* loop_handover.c: connections that come from a loop's predecessor in another process, and those
 * that leave for its successor (engines/handover.h).
 *
 * Coming: the inboxes are watched as listeners are. A message is acknowledged before anything is
 * read; what there is no room for is refused, and stays the predecessor's. A loop that is full lets
 * others of its process look first.
 *
 * Leaving: while the loop retires, who has nothing to do waits in loop.parting, not in loop.idle,
 * and is sent before the next wait. It leaves the demultiplexer before: its socket lives on, and
 * would tell of events for ever. */
#include "engines/reactor/loop_internal.h"

#include "core/log.h"

#include <errno.h>
#include <unistd.h>

enum { MESSAGES_MAX = 8 /* of one predecessor before others get their turn */ };

/* ---- coming ---- */

int loop_watch_inboxes(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.inboxes_count; i++) {
        struct loop_predecessor *from = &loop->predecessors[i];
        *from = (struct loop_predecessor){
            .source = { LOOP_PREDECESSOR_MAGIC, loop->cfg.inboxes[i] },
        };
        list_init(&from->ready);
        int res = loop->demultiplexer->ops->add(loop->demultiplexer, &from->source,
                                                DEMULTIPLEXER_LISTENER);
        if (res < 0)
            return res;
        from->watched = true;
    }
    return 0;
}

void loop_inbox_told(struct loop *loop, struct loop_predecessor *from)
{
    if (list_empty(&from->ready))
        list_push_back(&loop->told_inboxes, &from->ready);
}

void loop_inboxes_look(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.inboxes_count; i++) {
        if (loop->predecessors[i].watched)
            loop_inbox_told(loop, &loop->predecessors[i]);
    }
}

bool loop_expects_moved(const struct loop *loop)
{
    if (loop->retire_end_ms != 0 && loop->clock.now_ms >= loop->quiet_ms)
        return false;
    for (size_t i = 0; i < loop->cfg.inboxes_count; i++) {
        if (loop->predecessors[i].watched)
            return true;
    }
    return false;
}

static unsigned room_for_moved(const struct loop *loop)
{
    if (loop->drain_end_ms != 0)
        return 0;
    if (loop->options.accept_only)
        return loop->hooks.room != NULL ? loop->hooks.room(loop->options.hooks_context) : 0;
    return loop->cfg.limits.connections_max - (unsigned)pool_used(loop->pool);
}

/* Full, while another loop of this process is not: that one is asked to look, once. */
static bool lets_others_look(struct loop *loop, struct loop_predecessor *from)
{
    if (from->yielded || loop->hooks.all_full == NULL || loop->hooks.blocked == NULL ||
        loop->hooks.all_full(loop->options.hooks_context))
        return false;
    from->yielded = true;
    loop->inbox_retry_ms = loop->clock.now_ms + HANDOVER_RETRY_MS;
    loop->hooks.blocked(loop->options.hooks_context, loop);
    return true;
}

static void adopt(struct loop *loop, const struct handover_conn *conns, unsigned count)
{
    loop->quiet_ms = loop->clock.now_ms + HANDOVER_QUIET_MS;
    for (unsigned i = 0; i < count; i++) {
        if (loop->options.accept_only)
            loop->hooks.deal_moved(loop->options.hooks_context, &conns[i]);
        else
            loop_conn_open_moved(loop, &conns[i]);
    }
}

/* No more will come. */
static void forget(struct loop *loop, struct loop_predecessor *from)
{
    loop->demultiplexer->ops->remove(loop->demultiplexer, &from->source, false);
    from->watched = false;
}

/* Takes at most `messages`. False: more may wait. */
static bool take_from(struct loop *loop, struct loop_predecessor *from, unsigned messages)
{
    struct handover_conn conns[HANDOVER_MAX];
    for (unsigned i = 0; i < messages; i++) {
        unsigned room = room_for_moved(loop);
        if (room == 0 && lets_others_look(loop, from))
            return false;
        int res = handover_receive(from->source.fd, loop->cfg.config, room, true, conns);
        if (res >= 0) {
            adopt(loop, conns, (unsigned)res);
            continue;
        }
        from->yielded = false;
        if (res == -EAGAIN)
            demultiplexer_want(loop->demultiplexer, &from->source, DEMULTIPLEXER_READ);
        else
            forget(loop, from);
        return true;
    }
    return false;
}

void loop_take_moved(struct loop *loop, bool all)
{
    struct list told;
    if (list_empty(&loop->told_inboxes) || (!all && loop->inbox_retry_ms > loop->clock.now_ms))
        return;
    loop->inbox_retry_ms = 0;
    list_init(&told);
    list_splice_back(&told, &loop->told_inboxes);
    while (!list_empty(&told)) {
        struct loop_predecessor *from = container_of(told.next, struct loop_predecessor, ready);
        CHECK_OBJ(&from->source, LOOP_PREDECESSOR_MAGIC);
        list_remove(&from->ready);
        if (!take_from(loop, from, all ? UINT32_MAX : MESSAGES_MAX))
            loop_inbox_told(loop, from);
    }
}

/* ---- leaving ---- */

static void stays(struct loop *loop, struct loop_conn *conn)
{
    loop_enter(loop);
    session_retire(loop_conn_session(conn));
    loop_leave(loop);
}

void loop_part(struct loop *loop, struct loop_conn *conn)
{
    const struct session *s = loop_conn_session(conn);
    if (session_is_tls(s) || loop->handover_over)
        stays(loop, conn);
    else if (list_empty(&conn->idle) && session_can_move(s))
        list_push_back(&loop->parting, &conn->idle);
}

/* Nobody has taken it: it is looked at, and waits anew. */
static void keep(struct loop *loop, struct loop_conn *conn)
{
    conn->readable = conn->writable = true;
    if (list_empty(&conn->run))
        list_push_back(&loop->run_queue, &conn->run);
}

/* Takes connections out of loop.parting and of the demultiplexer. Their number. */
static unsigned collect(struct loop *loop, struct loop_conn **ret_conns,
                        struct handover_conn *ret_batch)
{
    const struct handover *out = loop->cfg.out;
    unsigned n = 0;
    while (n < HANDOVER_MAX && !list_empty(&loop->parting)) {
        struct loop_conn *conn = container_of(loop->parting.next, struct loop_conn, idle);
        CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
        CHECK(!conn->away && !conn->driven);
        loop_idle_end(conn);
        struct handover_conn *moved = &ret_batch[n];
        moved->fd = conn->source.fd;
        session_move(loop_conn_session(conn), &moved->state);
        if (!handover_has_address(out, loop->cfg.config, moved->state.listen)) {
            stays(loop, conn);
            continue;
        }
        if (conn->registered)
            loop->demultiplexer->ops->remove(loop->demultiplexer, &conn->source, false);
        conn->registered = false;
        conn->shared = true; /* if it is not taken, the successor closes its copy when it likes */
        ret_conns[n++] = conn;
    }
    return n;
}

/* The successor is gone, or takes nothing more. */
static void end_handover(struct loop *loop)
{
    loop->handover_over = true;
    for (struct list *at = loop->conns.next; at != &loop->conns; at = at->next) {
        struct loop_conn *conn = container_of(at, struct loop_conn, all);
        if (conn->away || conn->driven)
            continue; /* when it waits again */
        loop_idle_end(conn);
        stays(loop, conn);
    }
}

void loop_hand_over(struct loop *loop)
{
    struct loop_conn *conns[HANDOVER_MAX];
    struct handover_conn batch[HANDOVER_MAX];
    bool refused = false;
    if (loop->handover_retry_ms > loop->clock.now_ms)
        return;
    loop->handover_retry_ms = 0;
    if (list_empty(&loop->parting))
        return;
    while (!list_empty(&loop->parting) && !refused && !loop->handover_over) {
        uint64_t taken = 0;
        unsigned count = collect(loop, conns, batch);
        int res =
            count > 0 ? handover_send(loop->cfg.out, loop->cfg.config, batch, count, &taken) : 0;
        for (unsigned i = 0; i < count; i++) {
            if (taken >> i & 1) {
                session_left(loop_conn_session(conns[i]));
                loop_conn_close(loop, conns[i]);
            } else {
                keep(loop, conns[i]);
            }
            refused |= !(taken >> i & 1);
        }
        if (res < 0)
            end_handover(loop);
    }
    clock_update(&loop->clock); /* it may have taken long */
    loop_free_closed(loop);
    if (!refused || loop->handover_over)
        return;
    if (++loop->refusals > HANDOVER_REFUSALS_MAX)
        end_handover(loop);
    else
        loop->handover_retry_ms = loop->clock.now_ms + HANDOVER_RETRY_MS;
}

void loop_begin_retire(struct loop *loop)
{
    loop->retire_end_ms = loop->clock.now_ms + loop->cfg.config->deadlines.drain_ms;
    loop->quiet_ms = loop->clock.now_ms + HANDOVER_QUIET_MS;
    loop_inboxes_look(loop);
    loop_take_moved(loop, true);
    loop_unlisten(loop);
    for (struct list *at = loop->conns.next; at != &loop->conns; at = at->next) {
        struct loop_conn *conn = container_of(at, struct loop_conn, all);
        if (conn->away || conn->driven)
            continue; /* when it waits again */
        loop_idle_end(conn);
        loop_part(loop, conn);
    }
}

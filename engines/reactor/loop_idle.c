/* loop_idle.c: which connections wait for a request, in the order in which they began to, so that
 * the one that has been idle for longest can make way where a new client finds no place, or no
 * descriptor. Each of them costs two links of a list, and one that makes way O(1).
 *
 * Who waits for its first request is idle, too: else those who never send one would shut out all
 * others; and who lingers, which has its last answer. Who is in the midst of a request, of an
 * answer or of a TLS handshake is not. */
#include "engines/reactor/loop_internal.h"

#include "engines/acceptor.h"

void loop_idle_begin(struct loop *loop, struct loop_conn *conn)
{
    if (list_empty(&conn->idle) && session_is_idle(loop_conn_session(conn)))
        list_push_back(&loop->idle, &conn->idle);
}

/* TLS says farewell, if the socket takes that now. */
static void make_way(struct loop *loop, struct loop_conn *conn)
{
    loop_enter(loop);
    session_make_way(loop_conn_session(conn));
    loop_leave(loop);
    list_remove(&conn->run);
    loop_conn_drive(loop, conn);
    if (conn->source.magic != LOOP_CLOSED_MAGIC && !conn->away)
        loop_conn_close(loop, conn);
    loop_free_closed(loop);
}

bool loop_make_way(struct loop *loop)
{
    while (!list_empty(&loop->idle)) {
        struct loop_conn *conn = container_of(loop->idle.next, struct loop_conn, idle);
        CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
        CHECK(!conn->away);
        loop_idle_end(conn);
        if (!acceptor_has_input(conn->source.fd)) {
            make_way(loop, conn);
            return true;
        }
        conn->readable = true; /* an edge may be on its way, and finds nothing then */
        if (list_empty(&conn->run))
            list_push_back(&loop->run_queue, &conn->run);
    }
    return false;
}

static bool publish(atomic_bool *told, bool is)
{
    if (atomic_load_explicit(told, memory_order_relaxed) == is)
        return false;
    atomic_store(told, is);
    return true;
}

void loop_publish_full(struct loop *loop)
{
    publish(&loop->full, pool_used(loop->pool) >= loop->cfg.limits.connections_max);
}

void loop_publish_idle(struct loop *loop)
{
    if (loop->options.hooks == NULL)
        return;
    bool has_idle = !list_empty(&loop->idle);
    if (publish(&loop->has_idle, has_idle) && has_idle && loop->inbox != NULL &&
        loop->hooks.made_room != NULL)
        loop->hooks.made_room(loop->options.hooks_context);
}

bool loop_is_full(const struct loop *loop)
{
    return atomic_load(&loop->full);
}

bool loop_has_idle(const struct loop *loop)
{
    return atomic_load(&loop->has_idle);
}

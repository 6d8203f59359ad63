/* proactor_idle.c: which connections wait for a request, in the order in which they began to, so
 * that the one that has been idle for longest can make way where a new client finds no place, or no
 * descriptor (loop_idle.c is the same for event loops).
 *
 * Who waits for its first request is idle, too: else those who never send one would shut out all
 * others; and who lingers, which has its last answer. Who is in the midst of a request, of an
 * answer or of a TLS handshake is not. */
#include "engines/proactor/proactor_internal.h"

#include "engines/acceptor.h"

void proactor_idle_begin(struct proactor *p, struct proactor_conn *conn)
{
    if (list_empty(&conn->idle) && conn->kept == NULL && !conn->ended && !conn->leaving &&
        session_is_idle(proactor_session(conn)))
        list_push_back(&p->idle, &conn->idle);
}

bool proactor_make_way(struct proactor *p)
{
    while (!list_empty(&p->idle)) {
        struct proactor_conn *conn = container_of(p->idle.next, struct proactor_conn, idle);
        CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
        CHECK(!conn->closing);
        proactor_idle_end(conn);
        if (acceptor_has_input(conn->fd))
            continue; /* a completion will say so, and then it is not idle */
        conn->leaving = true;
        p->leaving++;
        list_remove(&conn->run);
        session_make_way(proactor_session(conn));
        proactor_conn_drive(p, conn);
        return true;
    }
    return false;
}

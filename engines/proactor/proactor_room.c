/* proactor_room.c: waits until a socket that was found full has room again.
 *
 * No send waits inside the kernel: all of them are made with MSG_DONTWAIT, or on a descriptor that
 * is O_NONBLOCK, and a full socket is waited for here. A SEND that waits by itself, and a POLL_ADD
 * for one completion, ask for POLLRDHUP too, whether told to or not. Once the peer has ended its
 * side, that is always there: the POLL_ADD completes at once for ever, and the SEND is given to a
 * kernel thread, which then waits for as long as the peer does not read.
 *
 * A lasting (multishot) POLL_ADD is edge-triggered: it completes for what is there when it is
 * armed, and then for each change, as EPOLLET does. It is armed when the connection has to wait for
 * the first time, and stays: a socket that is never full again wakes nobody (a TCP socket tells of
 * room only to those who found none). */
#include "engines/proactor/proactor_internal.h"

#include <poll.h>

enum proactor_step proactor_room_await(struct proactor *p, struct proactor_conn *conn)
{
    CHECK(conn->full);
    if (conn->room.in_flight)
        return PROACTOR_WAITS;
    const struct operation watch = { OPERATION_POLL, .lasting = true, .fd = conn->fd,
                                     .poll.events = POLLOUT };
    return proactor_begin(p, &conn->room, PROACTOR_OP_ROOM, &watch) ? PROACTOR_WAITS
                                                                    : PROACTOR_YIELD;
}

void proactor_room_told(struct proactor *p, struct proactor_conn *conn, int res)
{
    if (conn->closing) {
        proactor_conn_close(p, conn);
        return;
    }
    /* POLLRDHUP alone is no room. An error is found by the next send. */
    bool has_room = res < 0 || (res & (POLLOUT | POLLERR | POLLHUP)) != 0;
    conn->roomy |= has_room;
    if (conn->parting) { /* nothing is to be sent: this is what it has waited for */
        proactor_part(p, conn);
        return;
    }
    if (!conn->full || (!has_room && conn->room.in_flight))
        return;
    conn->full = !has_room;
    if (list_empty(&conn->run)) /* else its turn comes */
        proactor_conn_drive(p, conn);
}

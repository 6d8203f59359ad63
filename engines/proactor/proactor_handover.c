/* proactor_handover.c: connections that come from a predecessor in another process, and those that
 * leave for the successor (engines/handover.h); loop_handover.c is the same for event loops.
 *
 * A receive that is armed would take octets which are the successor's. So who is to leave waits
 * until the last completions of its receive and of its watch for room have come, which drive it:
 * then it is in proactor.parted. What a receive has brought meanwhile makes it busy, and it leaves
 * another time. No list is searched for who has come so far: there may be many thousands. */
#include "engines/proactor/proactor_internal.h"

#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* ---- coming ---- */

static void watch(struct proactor *p, struct proactor_inbox *inbox)
{
    const struct operation watch = { OPERATION_POLL, .fd = inbox->fd, .poll.events = POLLIN };
    (void)proactor_begin(p, &inbox->op, PROACTOR_OP_INBOX, &watch); /* else in the next turn */
}

void proactor_inboxes_arm(struct proactor *p)
{
    for (size_t i = 0; i < p->inboxes_count && !p->ending; i++) {
        struct proactor_inbox *inbox = &p->inboxes[i];
        if (inbox->op.in_flight || inbox->ended || inbox->retry_ms > p->clock.now_ms)
            continue;
        inbox->retry_ms = 0;
        watch(p, inbox);
    }
}

bool proactor_inboxes_end(struct proactor *p)
{
    bool ended = true;
    for (size_t i = 0; i < p->inboxes_count; i++) {
        (void)proactor_cancel(p, &p->inboxes[i].op, p->inboxes[i].fd);
        ended = ended && !p->inboxes[i].op.in_flight;
    }
    return ended;
}

bool proactor_expects_moved(const struct proactor *p)
{
    if (p->retires && p->clock.now_ms >= p->quiet_ms)
        return false;
    for (size_t i = 0; i < p->inboxes_count; i++) {
        if (!p->inboxes[i].ended)
            return true;
    }
    return false;
}

static unsigned room_for_moved(const struct proactor *p)
{
    if (p->drain_end_ms != 0 || p->ending)
        return 0;
    return p->limits.connections_max - (unsigned)pool_used(p->pool);
}

/* Full, while another proactor is not: that one, which watches, too, gets some time. */
static bool lets_others_look(struct proactor *p, struct proactor_inbox *inbox)
{
    if (inbox->yielded || p->shared->all_full == NULL ||
        p->shared->all_full(p->shared->wake_context))
        return false;
    inbox->yielded = true;
    inbox->retry_ms = p->clock.now_ms + HANDOVER_RETRY_MS;
    return true;
}

static void take_from(struct proactor *p, struct proactor_inbox *inbox)
{
    struct handover_conn conns[HANDOVER_MAX];
    int res;
    do {
        unsigned room = room_for_moved(p);
        if (room == 0 && lets_others_look(p, inbox))
            return;
        inbox->yielded = false;
        res = handover_receive(inbox->fd, p->config, room, true, conns);
        if (res > 0)
            p->quiet_ms = p->clock.now_ms + HANDOVER_QUIET_MS;
        for (int i = 0; i < res; i++)
            proactor_conn_open_moved(p, &conns[i]);
    } while (res >= 0);
    inbox->ended = res != -EAGAIN;
}

void proactor_inbox_told(struct proactor *p, struct proactor_op *op)
{
    struct proactor_inbox *inbox = container_of(op, struct proactor_inbox, op);
    if (!p->ending)
        take_from(p, inbox);
}

int proactor_inboxes_timeout_ms(const struct proactor *p, int timeout_ms)
{
    for (size_t i = 0; i < p->inboxes_count; i++)
        timeout_ms = timer_until(timeout_ms, p->clock.now_ms, p->inboxes[i].retry_ms);
    return timeout_ms;
}

/* ---- leaving ---- */

/* Does nothing in the kernel wait for it any more? */
static bool is_free(const struct proactor_conn *conn)
{
    return !conn->recv.in_flight && !conn->room.in_flight && !conn->send.in_flight &&
           conn->file == NULL;
}

/* One that is in no list, and parting. False: the kernel could not be asked now. */
static bool part_on(struct proactor *p, struct proactor_conn *conn)
{
    bool asked = proactor_cancel(p, &conn->recv, conn->fd);
    asked = proactor_cancel(p, &conn->room, conn->fd) && asked;
    if (is_free(conn))
        list_push_back(&p->parted, &conn->idle);
    else if (!asked)
        list_push_back(&p->parting, &conn->idle);
    return asked;
}

void proactor_part(struct proactor *p, struct proactor_conn *conn)
{
    struct session *s = proactor_session(conn);
    if (session_is_tls(s) || p->handover_over) {
        session_retire(s);
        return;
    }
    if (conn->parting && list_empty(&conn->idle))
        (void)part_on(p, conn); /* it was asked for, and has ended perhaps */
    if (!session_can_move(s) || conn->kept != NULL || conn->ended || conn->leaving || conn->parting)
        return;
    conn->parting = true;
    (void)part_on(p, conn);
}

/* It stays, or something has come: it goes on. */
void proactor_part_end(struct proactor *p, struct proactor_conn *conn)
{
    conn->parting = false;
    list_remove(&conn->idle);
    proactor_queue(p, conn);
}

static void stays(struct proactor *p, struct proactor_conn *conn)
{
    session_retire(proactor_session(conn));
    proactor_part_end(p, conn);
}

static void end_handover(struct proactor *p)
{
    p->handover_over = true;
    for (struct list *at = p->conns.next; at != &p->conns; at = at->next) {
        struct proactor_conn *conn = container_of(at, struct proactor_conn, all);
        if (!conn->closing)
            stays(p, conn);
    }
}

/* Goes on where there was no place for what the kernel is asked. */
static void part_the_rest(struct proactor *p)
{
    bool asked = true;
    while (asked && !list_empty(&p->parting)) {
        struct proactor_conn *conn = container_of(p->parting.next, struct proactor_conn, idle);
        list_remove(&conn->idle);
        asked = part_on(p, conn);
    }
}

/* Takes connections out of p->parted. Their number. */
static unsigned collect(struct proactor *p, struct proactor_conn **ret_conns,
                        struct handover_conn *ret_batch)
{
    unsigned n = 0;
    while (!list_empty(&p->parted) && n < HANDOVER_MAX) {
        struct proactor_conn *conn = container_of(p->parted.next, struct proactor_conn, idle);
        CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
        CHECK(is_free(conn));
        ret_batch[n].fd = conn->fd;
        session_move(proactor_session(conn), &ret_batch[n].state);
        if (!handover_has_address(p->shared->out, p->config, ret_batch[n].state.listen)) {
            stays(p, conn);
            continue;
        }
        list_remove(&conn->idle);
        processor_leave(p->processor, conn->fd);
        conn->shared = true; /* if it is not taken, the successor closes its copy when it likes */
        ret_conns[n++] = conn;
    }
    return n;
}

static void report(struct proactor *p, struct proactor_conn **conns, unsigned count, uint64_t taken)
{
    for (unsigned i = 0; i < count; i++) {
        list_remove(&conns[i]->run);
        if (taken >> i & 1) {
            session_left(proactor_session(conns[i]));
            proactor_conn_close(p, conns[i]);
        } else {
            proactor_part_end(p, conns[i]);
        }
    }
}

static void hand_over(struct proactor *p)
{
    struct proactor_conn *conns[HANDOVER_MAX];
    struct handover_conn batch[HANDOVER_MAX];
    unsigned count;
    bool refused = false;
    if (p->handover_retry_ms > p->clock.now_ms)
        return;
    p->handover_retry_ms = 0;
    part_the_rest(p);
    if (list_empty(&p->parted))
        return;
    while (!refused && !p->handover_over && (count = collect(p, conns, batch)) > 0) {
        uint64_t taken = 0, all = count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
        int res = handover_send(p->shared->out, p->config, batch, count, &taken);
        report(p, conns, count, taken);
        refused = (taken & all) != all;
        if (res < 0)
            end_handover(p);
    }
    clock_update(&p->clock); /* it may have taken long */
    proactor_free_closed(p);
    if (!refused || p->handover_over)
        return;
    if (++p->refusals > HANDOVER_REFUSALS_MAX)
        end_handover(p);
    else
        p->handover_retry_ms = p->clock.now_ms + HANDOVER_RETRY_MS;
}

static void begin(struct proactor *p)
{
    p->quiet_ms = p->clock.now_ms + HANDOVER_QUIET_MS;
    for (size_t i = 0; i < p->inboxes_count; i++) {
        if (!p->inboxes[i].ended)
            take_from(p, &p->inboxes[i]);
    }
    for (struct list *at = p->conns.next; at != &p->conns; at = at->next) {
        struct proactor_conn *conn = container_of(at, struct proactor_conn, all);
        if (conn->closing)
            continue;
        proactor_idle_end(conn);
        proactor_part(p, conn);
    }
}

bool proactor_go_on_retiring(struct proactor *p)
{
    if (p->retire_end_ms == 0)
        p->retire_end_ms = p->clock.now_ms + p->config->deadlines.drain_ms;
    if (!p->retires && proactor_unlisten(p)) {
        p->retires = true;
        begin(p);
    }
    if (p->retires)
        hand_over(p);
    return p->clock.now_ms >= p->retire_end_ms ||
           (p->retires && list_empty(&p->conns) && !proactor_expects_moved(p));
}

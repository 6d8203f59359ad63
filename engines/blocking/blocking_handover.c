/* blocking_handover.c: connections that come from a predecessor in another process, and those that
 * leave for the successor (engines/handover.h), for engines that block.
 *
 * Each connection is handed over by the thread, or the process, that serves it, when it has nothing
 * to do. Who waits in recv(2) then has to be woken, and not by shutdown(2), which would be the
 * successor's loss: a signal without SA_RESTART interrupts the call. One that comes between the
 * look at what is asked and the call interrupts nothing; so who waits is poked again and again. */
#include "engines/blocking/blocking.h"

#include "core/log.h"
#include "engines/handover.h"
#include "engines/timer.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { POKE_BEHIND = 4, POKE_MS = 10, POKE_SELDOM_MS = 100 };

/* ---- coming ---- */

bool blocking_expects_moved(const struct blocking *b)
{
    if (b->retire_end_ms != 0 && clock_monotonic_ms() >= b->quiet_ms)
        return false;
    for (size_t i = 0; i < b->cfg.inboxes_count; i++) {
        if (b->inboxes[i] >= 0)
            return true;
    }
    return false;
}

nfds_t blocking_poll_inboxes(const struct blocking *b, struct pollfd *ret_polled)
{
    for (size_t i = 0; i < b->cfg.inboxes_count; i++)
        ret_polled[i] = (struct pollfd){ .fd = b->inboxes[i], .events = POLLIN };
    return (nfds_t)b->cfg.inboxes_count;
}

static unsigned room_for_moved(struct blocking *b)
{
    if (b->drain_end_ms != 0 || (atomic_load(&b->asks) & DRIVER_ASK_STOP) || b->held != NULL)
        return 0;
    unsigned free = b->places.count - places_used(&b->places);
    unsigned room = b->ops->room != NULL ? b->ops->room(b) : UINT_MAX;
    if (room != UINT_MAX) /* those that are not started yet have theirs */
        room = room > b->moved_count ? room - b->moved_count : 0;
    return room < free ? room : free;
}

static void adopt(struct blocking *b, const struct handover_conn *conn)
{
    struct place *place = places_take(&b->places, conn->fd, conn->state.listen, &conn->state.peer);
    CHECK(place != NULL);
    place->requests = conn->state.requests;
    place->since_ms = conn->state.since_ms;
    place->flags = conn->state.flags;
    place->moved = true;
    *b->moved_end = place;
    b->moved_end = &place->next;
    b->moved_count++;
}

struct place *blocking_next_moved(struct blocking *b)
{
    struct place *place = b->moved;
    if (place == NULL)
        return NULL;
    b->moved = place->next;
    if (b->moved == NULL)
        b->moved_end = &b->moved;
    place->next = NULL;
    b->moved_count--;
    return place;
}

void blocking_take_moved(struct blocking *b)
{
    struct handover_conn conns[HANDOVER_MAX];
    for (size_t i = 0; i < b->cfg.inboxes_count; i++) {
        int res = b->inboxes[i] >= 0 ? 0 : -EPIPE;
        while (res >= 0) {
            res = handover_receive(b->inboxes[i], b->cfg.config, room_for_moved(b), false, conns);
            if (res > 0)
                b->quiet_ms = clock_monotonic_ms() + HANDOVER_QUIET_MS;
            for (int at = 0; at < res; at++)
                adopt(b, &conns[at]);
        }
        if (res != -EAGAIN)
            b->inboxes[i] = -1; /* no more will come */
    }
}

/* ---- leaving ---- */

/* Offers it, at most so many times: the successor may have no place for it just now. True: it is
 * his. */
static bool hand_over(struct blocking *b, int fd, const struct session_moved *state, int offers)
{
    const struct handover_conn conn = { .fd = fd, .state = *state };
    if (!handover_has_address(b->cfg.out, b->cfg.config, state->listen))
        return false;
    for (int i = 0; i < offers; i++) {
        uint64_t taken = 0;
        if (i > 0)
            poll(NULL, 0, HANDOVER_RETRY_MS);
        if (handover_send(b->cfg.out, b->cfg.config, &conn, 1, &taken) < 0)
            return false;
        if (taken == 1)
            return true;
    }
    return false;
}

bool blocking_conn_move(struct driver *d)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    struct session_moved state;
    if (atomic_load(&conn->place->shut)) /* to wake us: its receiving side has ended for good */
        return false;
    session_move(d->session, &state);
    return hand_over(conn->b, d->fd, &state, 1 + HANDOVER_REFUSALS_MAX);
}

bool blocking_hand_over_unserved(struct blocking *b, struct place *place)
{
    bool due = !place->moved && place->listen->proxy_protocol; /* it is as it was accepted */
    const struct session_moved state = { .listen = place->listen,
                                         .peer = place->peer,
                                         .requests = place->requests,
                                         .since_ms =
                                             place->moved ? place->since_ms : clock_monotonic_ms(),
                                         .flags = due ? SESSION_MOVED_HEADER_DUE : place->flags };
    if (place->listen->tls || !hand_over(b, place->fd, &state, 1))
        return false;
    close(places_give(&b->places, place));
    return true;
}

static int poke_signal(void)
{
    return SIGRTMIN + POKE_BEHIND; /* the C library takes the first ones, signal-driven I/O one */
}

static void on_poke(int number)
{
    (void)number; /* it has interrupted a call: that is all */
}

void blocking_heed_pokes(void)
{
    sigset_t poke;
    sigemptyset(&poke);
    sigaddset(&poke, poke_signal());
    MUST(pthread_sigmask(SIG_UNBLOCK, &poke, NULL) == 0);
}

void blocking_prepare_pokes(void)
{
    struct sigaction action = { .sa_handler = on_poke }; /* no SA_RESTART */
    sigfillset(&action.sa_mask);
    MUST(sigaction(poke_signal(), &action, NULL) == 0);
}

/* Threads that have ended by now, and whose number is another's, are no harm. */
static bool poke_waiting(const struct blocking *b)
{
    bool some = false;
    for (unsigned i = 0; i < b->places.fresh; i++) {
        struct place *place = &b->places.all[i];
        if (!atomic_load(&place->waits))
            continue;
        some = true;
        if (b->ops->poke != NULL)
            b->ops->poke(place);
        else
            (void)syscall(SYS_tgkill, getpid(), atomic_load(&place->tid),
                          poke_signal()); /* musl has no tgkill() */
    }
    return some;
}

void blocking_poke(struct blocking *b, uint64_t now_ms)
{
    if (b->retire_end_ms == 0 || b->poke_ms > now_ms)
        return;
    b->poke_ms = now_ms + (poke_waiting(b) ? POKE_MS : POKE_SELDOM_MS);
}

void blocking_begin_retire(struct blocking *b, uint64_t now_ms)
{
    b->retire_end_ms = now_ms + b->cfg.config->deadlines.drain_ms;
    b->quiet_ms = now_ms + HANDOVER_QUIET_MS;
    blocking_take_moved(b);
    blocking_unlisten(b);
    atomic_fetch_or(&b->asks, DRIVER_ASK_MOVE);
    if (b->ops->retire != NULL)
        b->ops->retire(b);
    blocking_poke(b, now_ms);
}

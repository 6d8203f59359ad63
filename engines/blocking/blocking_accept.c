/* blocking_accept.c: the thread that accepts for an engine whose connections have a thread or a
 * process each: poll(2) over the listeners and an eventfd, then accept4(2).
 *
 * What cannot be served is not accepted: at connections_max clients wait in the kernel's backlog,
 * and the connection that has been idle for longest is asked to make way. When a thread or a
 * process cannot be made, the one connection that was accepted for it is kept and tried again, when
 * another one ends or after BLOCKING_RETRY_MS; the others wait in the backlog meanwhile. */
#include "engines/blocking/blocking.h"

#include "config/config.h"
#include "core/advice.h"
#include "core/check.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "engines/acceptor.h"
#include "engines/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPT_MAX = 64, MOVED_MAX = 4, POLLED_LISTENERS = 2 };

int blocking_accept_one(struct blocking *b, const struct listener *listener,
                        struct place **ret_place)
{
    struct sockaddr_storage address;
    socklen_t address_len = sizeof(address);
    struct peer peer;

    stats_count(STATS_CALL_ACCEPT);
    int fd = accept4(listener->fd, (struct sockaddr *)&address, &address_len, SOCK_CLOEXEC);
    if (fd < 0)
        return -errno;
    acceptor_peer(&address, &peer);
    *ret_place = places_take(&b->places, fd, listener->config, &peer);
    if (*ret_place != NULL)
        return 0;
    close(fd);
    return -ENOBUFS;
}

/* Nothing is accepted, or started, until a place is given back, or for a while. */
static void pause_accepting(struct blocking *b)
{
    b->retry_ms = clock_monotonic_ms() + BLOCKING_RETRY_MS;
    places_await(&b->places);
}

/* One for each that comes, though it may take longer to end than the next look: until it has given
 * its place back, or a second, nobody else is asked. False: nobody can make way. */
static bool make_way(struct blocking *b)
{
    uint64_t now_ms = clock_monotonic_ms();
    if (b->way_ms > now_ms)
        return true;
    struct place *place = places_longest_idle(&b->places);
    if (place == NULL)
        return false;
    b->way_ms = now_ms + BLOCKING_WAY_MS;
    b->ops->ask(&b->places, place, DRIVER_ASK_END);
    return true;
}

/* A place was given back. */
static void room_made(struct blocking *b)
{
    b->retry_ms = 0;
    b->way_ms = 0;
}

static bool has_room(struct blocking *b)
{
    return places_used(&b->places) < b->places.count &&
           (b->ops->has_room == NULL || b->ops->has_room(b));
}

/* Is a client who waits another process's? Not where something else than connections_max is what
 * there is none left of: there may be none in the others, either. */
static bool is_left(struct blocking *b, const struct listener *listener)
{
    return places_used(&b->places) >= b->places.count &&
           acceptor_others_have_room(listener, b->cfg.config);
}

static void complain_full(struct blocking *b, bool makes_way)
{
    if (places_used(&b->places) < b->places.count ||
        !log_is_due(&b->full_log_ms, clock_monotonic_ms()))
        return;
    log_warn("connections_max = %u reached; %s", b->places.count,
             makes_way ? "the longest idle ones are closed for new ones"
                       : "clients wait until a connection closes");
}

static void complain_accept(const struct listener *listener, int error)
{
    log_repeated(LOG_ERROR, "accept", error,
                 "accept on %s: %s; clients wait until a connection closes%s",
                 listener->config->text, strerror(error), advice_on(error));
}

/* Has a connection served. False: it is held, and tried again. */
static bool start(struct blocking *b, struct place *place)
{
    int res = b->ops->start(b, place);

    b->held = res < 0 ? place : NULL;
    if (res == 0)
        return true;
    log_repeated(LOG_ERROR, "start", -res,
                 "a %s for a connection cannot be started: %s; clients wait until another one "
                 "ends%s",
                 b->ops->what, strerror(-res),
                 res == -EAGAIN || res == -ENOMEM
                     ? "; raise the limit of processes (ulimit -u, TasksMax= of systemd, pids.max "
                       "of the control group), or lower connections_max"
                     : "");
    make_way(b);
    pause_accepting(b);
    return false;
}

/* Takes those who wait at one listener. False: something has run out. */
static bool accept_some(struct blocking *b, const struct listener *listener)
{
    for (int i = 0; i < ACCEPT_MAX; i++) {
        struct place *place;
        if (!has_room(b)) {
            if (acceptor_has_caller(listener->fd)) {
                if (!is_left(b, listener))
                    complain_full(b, make_way(b));
                pause_accepting(b);
            }
            return false;
        }
        int error = -blocking_accept_one(b, listener, &place);
        if (error == EAGAIN)
            return true;
        if (acceptor_lost_one(error))
            continue;
        bool lacks_descriptor = error == EMFILE || error == ENFILE;
        if (lacks_descriptor && !acceptor_has_caller(listener->fd))
            return true; /* accept(2) looks for a descriptor first, and for a client then */
        if (lacks_descriptor && blocking_reclaim(b) > 0)
            continue;
        if (error != 0) {
            if (!lacks_descriptor || !make_way(b))
                complain_accept(listener, error);
            pause_accepting(b);
            return false;
        }
        if (!start(b, place))
            return false;
    }
    return true;
}

void blocking_unlisten(struct blocking *b)
{
    for (size_t i = 0; i < b->cfg.listeners_count; i++) {
        struct listener *listener = &b->cfg.listeners[i];
        struct place *place;
        while (listener->fd >= 0 && b->held == NULL && has_room(b)) {
            int res = blocking_accept_one(b, listener, &place);
            if (acceptor_lost_one(-res))
                continue;
            if (res < 0 || !start(b, place))
                break;
        }
        if (b->retire_end_ms != 0)
            listener_leave(listener);
        else
            listener_close(listener);
    }
    pulse_unlisten(&b->beat);
}

void blocking_start_moved(struct blocking *b)
{
    for (int i = 0; i < MOVED_MAX && b->held == NULL && b->retry_ms == 0; i++) {
        struct place *place = blocking_next_moved(b);
        if (place == NULL)
            return;
        if (b->retire_end_ms != 0 && blocking_hand_over_unserved(b, place))
            continue;
        if (!start(b, place))
            return;
    }
}

/* Gives up a connection that could not be started. */
static void drop_held(struct blocking *b)
{
    struct place *place;
    while ((place = blocking_next_moved(b)) != NULL)
        close(places_give(&b->places, place));
    if (b->held != NULL)
        close(places_give(&b->places, b->held));
    b->held = NULL;
}

/* Waits, for listeners only if somebody can be taken now. As blocking_poll(). */
static int wait_for_some(struct blocking *b, bool listens, uint64_t now_ms)
{
    struct pollfd *polled = b->polled;
    nfds_t count = POLLED_LISTENERS;

    polled[0] = (struct pollfd){ .fd = b->wake_fd, .events = POLLIN };
    polled[1] = (struct pollfd){ .fd = b->collect_fd, .events = POLLIN };
    for (size_t i = 0; i < b->cfg.listeners_count; i++)
        polled[count++] =
            (struct pollfd){ .fd = listens ? b->cfg.listeners[i].fd : -1, .events = POLLIN };
    count += blocking_poll_inboxes(b, polled + count);
    stats_count(STATS_CALL_WAIT);
    return blocking_poll(polled, count, blocking_timeout_ms(b, now_ms));
}

static void accept_from_all(struct blocking *b)
{
    for (size_t i = 0; i < b->cfg.listeners_count; i++) {
        if (b->polled[POLLED_LISTENERS + i].revents != 0 && !accept_some(b, &b->cfg.listeners[i]))
            return;
    }
}

/* A turn with what a wait has told. */
static void turn(struct blocking *b, bool listens)
{
    if (b->polled[0].revents != 0) {
        blocking_woken(b);
        if (!places_awaited(&b->places))
            room_made(b);
    }
    if (b->polled[1].revents != 0) {
        b->ops->collect(b);
        room_made(b);
    }
    if (b->retry_ms != 0 && clock_monotonic_ms() >= b->retry_ms)
        b->retry_ms = 0;
    if (b->held != NULL && b->retry_ms == 0 && !start(b, b->held))
        return;
    blocking_take_moved(b);
    blocking_start_moved(b);
    if (listens && b->retry_ms == 0)
        accept_from_all(b);
}

/* Everybody was asked to stop: waits until all have. */
static void await_all(struct blocking *b)
{
    drop_held(b);
    for (;;) {
        if (places_await(&b->places) == 0)
            return;
        if (wait_for_some(b, false, clock_monotonic_ms()) > 0)
            turn(b, false);
        blocking_turn(b, clock_monotonic_ms());
    }
}

int blocking_serve(struct blocking *b)
{
    int res = 0;

    pulse_join(&b->beat, b->cfg.pulse);
    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        if (blocking_turn(b, now_ms))
            break;
        bool drains = b->drain_end_ms != 0 || b->retire_end_ms != 0;
        if (drains && places_await(&b->places) == 0 &&
            (b->retire_end_ms == 0 || !blocking_expects_moved(b)))
            break;
        bool listens = !drains && b->held == NULL && b->retry_ms == 0;
        res = wait_for_some(b, listens, now_ms);
        if (res < 0) {
            log_error("poll: %s", strerror(-res));
            blocking_ask_all(b, DRIVER_ASK_STOP);
            break;
        }
        turn(b, listens);
    }
    await_all(b);
    pulse_leave(&b->beat);
    return res < 0 ? res : 0;
}

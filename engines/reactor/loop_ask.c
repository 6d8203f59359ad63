/* loop_ask.c: what other threads ask of a loop, and give to it: the only part of a loop, besides
 * loop_wake(), that is called from outside of its thread.
 *
 * Whoever asks leaves it in an atomic and wakes the loop, which looks before each wait. Connections
 * that were given count as the loop's from that moment on, so the giver knows whether another one
 * has a place. */
#include "engines/reactor/loop_internal.h"

#include "core/check.h"
#include "config/config.h"
#include "core/log.h"

#include <string.h>

void loop_ask(struct loop *loop, unsigned asks)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    atomic_fetch_or(&loop->asks, asks);
    loop_wake(loop);
}

unsigned loop_adopted(const struct loop *loop)
{
    return atomic_load(&loop->adopted);
}

bool loop_can_adopt(const struct loop *loop)
{
    return loop_adopted(loop) < loop->cfg.limits.connections_max &&
           loop_inbox_has_room(loop->inbox);
}

void loop_adopt(struct loop *loop, int fd, const struct listen_config *listen,
                const struct peer *peer)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    CHECK(loop_can_adopt(loop));
    const struct loop_arrival arrival = { .fd = fd, .listen = listen, .peer = *peer };
    atomic_fetch_add(&loop->adopted, 1);
    if (loop_inbox_give(loop->inbox, &arrival))
        loop_wake(loop);
}

unsigned loop_room(const struct loop *loop)
{
    unsigned adopted = loop_adopted(loop), max = loop->cfg.limits.connections_max;
    unsigned room = adopted < max ? max - adopted : 0, waits = loop_inbox_room(loop->inbox);
    return room < waits ? room : waits;
}

void loop_adopt_moved(struct loop *loop, const struct handover_conn *moved)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    CHECK(loop_can_adopt(loop));
    const struct loop_arrival arrival = { .fd = moved->fd,
                                          .listen = moved->state.listen,
                                          .peer = moved->state.peer,
                                          .moved = true,
                                          .requests = moved->state.requests,
                                          .flags = moved->state.flags,
                                          .since_ms = moved->state.since_ms };
    atomic_fetch_add(&loop->adopted, 1);
    if (loop_inbox_give(loop->inbox, &arrival))
        loop_wake(loop);
}

void loop_end_adoption(struct loop *loop)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    loop_inbox_end(loop->inbox);
    loop_wake(loop);
}

bool loop_expects_arrivals(const struct loop *loop)
{
    return loop->inbox != NULL && !loop_inbox_ended(loop->inbox);
}

void loop_adopted_freed(struct loop *loop, unsigned count)
{
    if (loop->inbox == NULL)
        return;
    atomic_fetch_sub(&loop->adopted, count);
    if (loop->hooks.made_room != NULL)
        loop->hooks.made_room(loop->options.hooks_context);
}

static void open_moved(struct loop *loop, const struct loop_arrival *arrival)
{
    const struct handover_conn moved = { .fd = arrival->fd,
                                         .state = { .listen = arrival->listen,
                                                    .peer = arrival->peer,
                                                    .requests = arrival->requests,
                                                    .since_ms = arrival->since_ms,
                                                    .flags = arrival->flags } };
    loop_conn_open_moved(loop, &moved);
}

static bool take_arrivals(struct loop *loop)
{
    struct loop_arrival arrival;
    bool taken = false;
    while (loop_inbox_take(loop->inbox, &arrival)) {
        taken = true;
        if (arrival.moved)
            open_moved(loop, &arrival);
        else
            loop_conn_open(loop, arrival.fd, arrival.listen, &arrival.peer);
    }
    if (taken && loop->hooks.made_room != NULL)
        loop->hooks.made_room(loop->options.hooks_context);
    return taken;
}

/* Gives descriptors back: of files that nobody reads, else of a client that has nothing to do. */
static void reclaim(struct loop *loop)
{
    bool some = loop_env_reclaim(loop) > 0 || loop_make_way(loop);
    if (some && loop->inbox != NULL && loop->hooks.made_room != NULL)
        loop->hooks.made_room(loop->options.hooks_context);
}

unsigned loop_heed_asks(struct loop *loop)
{
    unsigned asks = 0;
    if (loop->inbox != NULL && take_arrivals(loop))
        asks = LOOP_TOOK_ARRIVALS;
    if (atomic_load_explicit(&loop->asks, memory_order_relaxed) == 0)
        return asks;
    asks |= atomic_exchange(&loop->asks, 0);
    if (asks & LOOP_ASK_ACCEPT) {
        loop_accept_look(loop);
        loop_inboxes_look(loop);
        if (loop->options.accept_only)
            loop->accept_retry_ms = 0; /* a loop has given something back */
    }
    if (asks & LOOP_ASK_RECLAIM)
        reclaim(loop);
    if (asks & LOOP_ASK_MAKE_WAY)
        (void)loop_make_way(loop);
    return asks;
}

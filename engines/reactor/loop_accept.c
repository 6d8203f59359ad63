/* loop_accept.c: takes connections from listening sockets.
 *
 * Listeners are edge-triggered too: an edge puts one into the accept queue, EAGAIN takes it out. So
 * a loop that cannot accept (connections_max, or no descriptor left) leaves it in the queue, where
 * it costs nothing: no event repeats itself, and new connections wait in the kernel's backlog.
 *
 * A listener that several loops hold is registered with EPOLLEXCLUSIVE, where there is epoll: an
 * edge wakes one of those that sleep, and is noted by those that do not. If the one that it wakes
 * cannot accept, the others sleep on beside a client that waits. So a loop that finds itself unable
 * stands back: it takes its registration away, so that the next edge goes to somebody else, and has
 * the others look at what waits already. They look each time one of them begins to stand back, and
 * who can accept again looks by itself: as long as one of them is able, no client waits for
 * nothing.
 *
 * At connections_max, or without a descriptor, the connection that has been idle for longest makes
 * way (loop_idle.c) for a client that waits. Of several loops that share a listener, only when none
 * of them has room; the acceptor, which has no connections, has one of the others do it. Likewise
 * of several processes, which do not wake each other: a loop that leaves a client to them looks
 * again in a while. */
#include "engines/reactor/loop_internal.h"

#include "engines/acceptor.h"
#include "engines/listen.h"

#include "core/advice.h"
#include "core/check.h"
#include "config/config.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/peer.h"
#include "core/stats.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A connection that waits already is an edge, too. */
static int listener_register(struct loop *loop, struct loop_listener *listener)
{
    int res = loop->demultiplexer->ops->add(loop->demultiplexer, &listener->source,
                                            listener->shared ? DEMULTIPLEXER_SHARED_LISTENER
                                                             : DEMULTIPLEXER_LISTENER);
    listener->registered = res == 0;
    return res;
}

/* `closes`: its descriptor is about to be closed by whoever holds it alone. */
static void listener_deregister(struct loop *loop, struct loop_listener *listener, bool closes)
{
    loop->demultiplexer->ops->remove(loop->demultiplexer, &listener->source, closes);
    listener->registered = false;
}

/* Nobody waits in its backlog: it leaves the accept queue. */
static void listener_wait(struct loop *loop, struct loop_listener *listener)
{
    if (listener->registered)
        demultiplexer_want(loop->demultiplexer, &listener->source, DEMULTIPLEXER_READ);
}

int loop_listen(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        *listener = (struct loop_listener){
            .source = { LOOP_LISTENER_MAGIC, loop->cfg.listeners[i].fd },
            .config = loop->cfg.listeners[i].config,
            .shared = loop->cfg.listeners[i].holders != NULL,
        };
        list_init(&listener->ready);
        int res = listener_register(loop, listener);
        if (res < 0)
            return res;
    }
    return 0;
}

void loop_accept_look(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        if (listener->source.fd >= 0 && list_empty(&listener->ready))
            list_push_back(&loop->accept_queue, &listener->ready);
    }
}

/* Leaves the listeners that it shares to the others. */
static void accept_stand_back(struct loop *loop)
{
    bool begins = false;
    if (!loop->demultiplexer->ops->shares)
        return; /* an event wakes them all */
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        if (listener->shared && listener->registered) {
            listener_deregister(loop, listener, false);
            begins = true;
        }
    }
    if (begins && loop->hooks.blocked != NULL)
        loop->hooks.blocked(loop->options.hooks_context, loop);
}

/* Ends that. What has come meanwhile may have been left to this loop: it looks. */
static int accept_step_forward(struct loop *loop)
{
    bool ends = false;
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        if (listener->registered)
            continue;
        int res = listener_register(loop, listener);
        if (res < 0)
            return res;
        ends = true;
    }
    if (ends)
        loop_accept_look(loop);
    return 0;
}

/* The kernel wakes the first of those that sleep, always in the same order: who has had its share
 * goes to the end. */
static int accept_let_others(struct loop *loop, struct loop_listener *listener)
{
    if (!listener->shared || !loop->demultiplexer->ops->shares ||
        ++listener->taken % LOOP_SHARED_MAX != 0)
        return 0;
    listener_deregister(loop, listener, false);
    return listener_register(loop, listener);
}

static void accept_pause(struct loop *loop, const struct loop_listener *listener, int error)
{
    loop->accept_retry_ms = loop->clock.now_ms + LOOP_ACCEPT_RETRY_MS;
    loop->active = true; /* what is left out is told by a tick */
    log_repeated(LOG_ERROR, "accept", error,
                 "accept on %s: %s; clients wait until a connection closes%s",
                 listener->config->text, strerror(error), advice_on(error));
}

static bool is_full(const struct loop *loop)
{
    if (loop->options.accept_only)
        return !loop->hooks.has_room(loop->options.hooks_context);
    return pool_used(loop->pool) >= loop->cfg.limits.connections_max;
}

/* Are clients who wait at this listener another process's, which has room? */
static bool is_left(const struct loop *loop, const struct loop_listener *listener)
{
    size_t index = (size_t)(listener - loop->listeners);
    return acceptor_others_have_room(&loop->cfg.listeners[index], loop->cfg.config);
}

/* May somebody here make way for a client of this listener? */
static bool can_make_way(const struct loop *loop, const struct loop_listener *listener)
{
    if (list_empty(&loop->idle) || is_left(loop, listener))
        return false;
    return !listener->shared || loop->hooks.all_full == NULL ||
           loop->hooks.all_full(loop->options.hooks_context);
}

static bool can_take(const struct loop *loop, const struct loop_listener *listener)
{
    return !is_full(loop) || can_make_way(loop, listener);
}

static void complain_full(struct loop *loop, bool makes_way)
{
    if (!log_is_due(&loop->full_log_ms, loop->clock.now_ms))
        return;
    const char *what = makes_way ? "the longest idle ones are closed for new ones"
                                 : "clients wait until a connection closes";
    if (loop->options.accept_only)
        log_warn("no reactor takes a further connection; clients wait until one closes");
    else
        log_warn("connections_max = %u reached%s; %s", loop->cfg.limits.connections_max,
                 loop->options.hooks != NULL ? " by one of the threads, its share" : "", what);
}

/* Gives descriptors back that are only kept for later, or that of a client that has nothing to do.
 * False: none is left here; the other loops are asked, and accept_pause() gives them time. */
static bool accept_reclaim(struct loop *loop)
{
    if (loop_env_reclaim(loop) > 0 || loop_make_way(loop))
        return true;
    if (loop->hooks.starved != NULL)
        loop->hooks.starved(loop->options.hooks_context, loop);
    return false;
}

/* Takes one connection. 0, -EAGAIN when none waits, or another -errno. */
static int accept_one(struct loop *loop, const struct loop_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t address_len = sizeof(address);
    stats_count(STATS_CALL_ACCEPT);
    int fd = accept4(listener->source.fd, (struct sockaddr *)&address, &address_len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct peer peer;
    acceptor_peer(&address, &peer);
    if (loop->options.accept_only)
        loop->hooks.deal(loop->options.hooks_context, fd, listener->config, &peer);
    else
        loop_conn_open(loop, fd, listener->config, &peer);
    return 0;
}

/* Takes connections from one listener until none waits: false; or a limit is reached: true. */
static bool accept_some(struct loop *loop, struct loop_listener *listener)
{
    for (int i = 0; i < LOOP_ACCEPT_MAX; i++) {
        if (is_full(loop)) {
            bool makes_way = can_make_way(loop, listener);
            if (makes_way && !acceptor_has_caller(listener->source.fd))
                return false;
            if (makes_way || !is_left(loop, listener))
                complain_full(loop, makes_way);
            if (!makes_way || !loop_make_way(loop))
                return true;
        }
        int error = -accept_one(loop, listener);
        if (error == EAGAIN)
            return false;
        if (acceptor_lost_one(error))
            continue;
        bool lacks_descriptor = error == EMFILE || error == ENFILE;
        if (lacks_descriptor && !acceptor_has_caller(listener->source.fd))
            return false; /* accept(2) looks for a descriptor first, and for a client then */
        if (lacks_descriptor && accept_reclaim(loop))
            continue;
        if (error == 0)
            error = -accept_let_others(loop, listener);
        if (error != 0) {
            accept_pause(loop, listener, error);
            return true;
        }
    }
    return true;
}

/* While a client waits, or may wait, the listener stays in the accept queue, at its end. */
static void accept_from(struct loop *loop, struct loop_listener *listener)
{
    if (accept_some(loop, listener))
        list_push_back(&loop->accept_queue, &listener->ready);
    else
        listener_wait(loop, listener);
}

/* The acceptor of several loops is full: somebody is to make way, if a client waits indeed. If none
 * does, the next one is to be told of. */
static void accept_ask_way(struct loop *loop)
{
    if (loop->hooks.make_way == NULL || !is_full(loop))
        return;
    for (struct list *at = loop->accept_queue.next; at != &loop->accept_queue; at = at->next) {
        struct loop_listener *listener = container_of(at, struct loop_listener, ready);
        if (acceptor_has_caller(listener->source.fd)) {
            if (is_left(loop, listener)) { /* since a moment ago */
                loop->left_ms = loop->clock.now_ms + LOOP_ACCEPT_RETRY_MS;
                continue;
            }
            loop->hooks.make_way(loop->options.hooks_context);
            return;
        }
        listener_wait(loop, listener);
    }
}

/* It is full. Who waits is left to other processes as long as they have room; whether they have
 * taken him, or are full by now, too, is looked at again. */
static void accept_leave(struct loop *loop)
{
    struct list *next;
    for (struct list *at = loop->accept_queue.next; at != &loop->accept_queue; at = next) {
        struct loop_listener *listener = container_of(at, struct loop_listener, ready);
        next = at->next;
        if (!is_left(loop, listener))
            continue;
        if (acceptor_has_caller(listener->source.fd)) {
            loop->left_ms = loop->clock.now_ms + LOOP_ACCEPT_RETRY_MS;
        } else {
            list_remove(&listener->ready);
            listener_wait(loop, listener);
        }
    }
}

/* It cannot accept, and clients may wait. */
static void accept_is_blocked(struct loop *loop)
{
    if (is_full(loop))
        accept_leave(loop);
    accept_stand_back(loop);
    accept_ask_way(loop);
}

void loop_accept(struct loop *loop)
{
    loop_publish_idle(loop);
    loop->left_ms = 0;
    if (loop_accept_timeout_ms(loop) != 0) {
        if (!list_empty(&loop->accept_queue))
            accept_is_blocked(loop);
        return;
    }
    loop->accept_retry_ms = 0;
    if (accept_step_forward(loop) < 0) {
        loop->accept_retry_ms = loop->clock.now_ms + LOOP_ACCEPT_RETRY_MS;
        return;
    }
    struct list batch;
    list_init(&batch);
    list_splice_back(&batch, &loop->accept_queue);
    while (!list_empty(&batch)) {
        struct loop_listener *listener = container_of(batch.next, struct loop_listener, ready);
        CHECK_OBJ(&listener->source, LOOP_LISTENER_MAGIC);
        list_remove(&listener->ready);
        accept_from(loop, listener);
    }
    if (!list_empty(&loop->accept_queue) && loop_accept_timeout_ms(loop) != 0)
        accept_is_blocked(loop);
}

/* Clients whose connection the kernel has made already are not to be lost. */
static void accept_rest(struct loop *loop, const struct loop_listener *listener)
{
    int taken = 0;
    while (taken < listener->config->backlog && !is_full(loop)) {
        int res = accept_one(loop, listener);
        if (acceptor_lost_one(-res))
            continue;
        if (res < 0)
            break;
        taken++;
    }
}

void loop_unlisten(struct loop *loop)
{
    for (size_t i = 0; i < loop->cfg.listeners_count; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        list_remove(&listener->ready);
        accept_rest(loop, listener);
        if (listener->registered) /* other threads or processes may hold it, too */
            listener_deregister(loop, listener, false);
        if (loop->retire_end_ms != 0)
            listener_leave(&loop->cfg.listeners[i]);
        else
            listener_close(&loop->cfg.listeners[i]);
        listener->source.fd = -1;
    }
    pulse_unlisten(&loop->beat);
}

static bool can_take_some(const struct loop *loop)
{
    for (struct list *at = loop->accept_queue.next; at != &loop->accept_queue; at = at->next) {
        if (can_take(loop, container_of(at, struct loop_listener, ready)))
            return true;
    }
    return false;
}

int loop_accept_timeout_ms(const struct loop *loop)
{
    if (!can_take_some(loop))
        return -1;
    uint64_t now_ms = loop->clock.now_ms;
    return loop->accept_retry_ms > now_ms ? (int)(loop->accept_retry_ms - now_ms) : 0;
}

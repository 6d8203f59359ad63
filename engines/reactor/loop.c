/* loop.c: the reactor: waits for readiness, dispatches it, and keeps what readiness does not bring:
 * the run queue, deadlines, and requests from outside.
 *
 * A turn: events, run queue, deadlines, the closed are freed, new connections are accepted. While a
 * queue holds work the wait is a poll; with nothing to do the loop sleeps without a timeout. */
#include "engines/reactor/loop_internal.h"

#include "core/check.h"
#include "config/config.h"
#include "core/log.h"
#include "core/stats.h"
#include "engines/files/file_executor.h"
#include "engines/progress.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The descriptors that a loop waits for, at most: its connections, its listeners and inboxes, two
 * eventfds. */
static size_t loop_sources_max(const struct loop *loop)
{
    size_t conns = loop->options.accept_only ? 0 : loop->cfg.limits.connections_max;
    return conns + loop->cfg.listeners_count + loop->cfg.inboxes_count + 3;
}

static int loop_register(struct loop *loop, struct loop_source *source,
                         enum demultiplexer_role role)
{
    return loop->demultiplexer->ops->add(loop->demultiplexer, source, role);
}

static int loop_open_descriptors(struct loop *loop, char *why, size_t why_size)
{
    const struct demultiplexer_ops *ops = loop->options.turns
                                              ? &demultiplexer_oneshot
                                              : demultiplexer_of(loop->cfg.config->demultiplexer);
    int res = ops->open(loop_sources_max(loop), why, why_size, &loop->demultiplexer);
    if (res < 0)
        return res;
    if (loop->options.turns)
        demultiplexer_oneshot_share(loop->demultiplexer, &loop->env_lock);
    res = loop_register(loop, &loop->wake, DEMULTIPLEXER_WAKE);
    if (res == 0 && loop->workers != NULL) {
        loop->done = (struct loop_source){ LOOP_DONE_MAGIC, workers_fd(loop->workers) };
        res = loop_register(loop, &loop->done, DEMULTIPLEXER_RESULTS);
    }
    if (res == 0)
        res = loop_listen(loop);
    if (res == 0)
        res = loop_watch_inboxes(loop);
    if (res < 0)
        snprintf(why, why_size, "demultiplexer = %s takes no descriptor: %s", ops->name,
                 strerror(-res));
    return res;
}

static void loop_check_config(const struct engine_config *cfg)
{
    CHECK(cfg->orders != NULL);
    CHECK(cfg->config->send_turn > 0);
    CHECK(cfg->limits.connections_max > 0);
    struct sigaction action;
    MUST(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
}

/* What works with other loops, in other threads. */
static int loop_join_others(struct loop *loop, const struct loop_options *options)
{
    loop->options = *options;
    if (options->hooks != NULL)
        loop->hooks = *options->hooks;
    CHECK(!options->turns || options->workers == 0);
    CHECK(!options->accept_only || (loop->hooks.has_room != NULL && loop->hooks.deal != NULL));
    return options->arrivals_max == 0 ? 0 : loop_inbox_create(options->arrivals_max, &loop->inbox);
}

/* What keeps connections: the session environment, helpers, the pool. */
static int loop_prepare_conns(struct loop *loop, char *why, size_t why_size)
{
    const struct config *config = loop->cfg.config;
    bool by_segments = config->file_io != FILE_IO_READ && !file_executor_is_direct(config);
    unsigned caps = by_segments ? ENGINE_CAP_FILE_SEGMENT : 0;
    int res = loop_env_create(loop, caps, why, why_size);
    if (res == 0)
        res = loop_offload_create(loop, why, why_size);
    if (res < 0)
        return res;
    if (loop->options.routines)
        res = loop_routines_create(loop, why, why_size);
    if (res < 0)
        return res;
    res = pool_create("connections",
                      sizeof(struct loop_conn) + session_size() +
                          (loop->options.routines ? loop_routine_size() : 0),
                      loop->cfg.limits.connections_max, &loop->pool);
    if (res < 0)
        snprintf(why, why_size, "no memory for connections_max = %u connections: %s",
                 loop->cfg.limits.connections_max, strerror(-res));
    return res;
}

int loop_create(const struct engine_config *cfg, const struct loop_options *options, char *why,
                size_t why_size, struct loop **ret_loop)
{
    loop_check_config(cfg);
    struct loop *loop = calloc(1, sizeof(*loop));
    struct loop_listener *listeners = calloc(cfg->listeners_count + 1, sizeof(*listeners));
    struct loop_predecessor *predecessors = calloc(cfg->inboxes_count + 1, sizeof(*predecessors));
    if (loop == NULL || listeners == NULL || predecessors == NULL) {
        free(predecessors);
        free(listeners);
        free(loop);
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    loop->magic = LOOP_MAGIC;
    loop->wake.fd = -1;
    loop->cfg = *cfg;
    loop->listeners = listeners;
    loop->predecessors = predecessors;
    loop->reopens_done = engine_asked(&cfg->orders->reopen_logs);
    list_init(&loop->conns);
    list_init(&loop->run_queue);
    list_init(&loop->unread);
    list_init(&loop->closed);
    list_init(&loop->idle);
    list_init(&loop->accept_queue);
    list_init(&loop->parting);
    list_init(&loop->told_inboxes);
    loop->watched_until_ms = UINT64_MAX;
    clock_update(&loop->clock);
    timer_wheel_init(&loop->timers, loop->clock.now_ms);

    int res = loop_join_others(loop, options);
    if (res < 0) {
        snprintf(why, why_size, "out of memory");
        goto fail;
    }
    /* First of all, since the workers need one, too, and could not say that it was refused. */
    loop->wake = (struct loop_source){ LOOP_WAKE_MAGIC, wake_fd_open(EFD_NONBLOCK) };
    if (loop->wake.fd < 0) {
        res = loop->wake.fd;
        wake_fd_explain(res, why, why_size);
        goto fail;
    }
    if (!options->accept_only) {
        res = loop_prepare_conns(loop, why, why_size);
        if (res < 0)
            goto fail;
    }
    res = loop_open_descriptors(loop, why, why_size);
    if (res < 0)
        goto fail;
    if (cfg->listeners_count > 0)
        pulse_listen(&loop->beat, cfg->pulse);
    *ret_loop = loop;
    return 0;

fail:
    loop_destroy(loop);
    return res;
}

unsigned loop_file_workers(const struct config *config, enum file_jobs by_default)
{
    enum file_jobs by = config->file_jobs;
    if (by == FILE_JOBS_AUTO) /* nobody waits in a loop for a password, or for a hash */
        by = config->has_auth || config->has_etag_content ? FILE_JOBS_WORKERS : by_default;
    return by == FILE_JOBS_INLINE ? 0 : config->file_workers;
}

void loop_wake(struct loop *loop)
{
    wake_fd_wake(loop->wake.fd);
}

static void loop_close_all(struct loop *loop)
{
    while (!list_empty(&loop->conns))
        loop_conn_close(loop, container_of(loop->conns.next, struct loop_conn, all));
    loop_free_closed(loop);
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    CHECK_OBJ(loop, LOOP_MAGIC);
    loop_close_all(loop);
    loop_inbox_destroy(loop->inbox);
    loop_offload_destroy(loop);
    pool_destroy(loop->pool);
    loop_routines_destroy(loop);
    loop_env_destroy(loop);
    if (loop->wake.fd >= 0)
        close(loop->wake.fd);
    if (loop->demultiplexer != NULL)
        loop->demultiplexer->ops->close(loop->demultiplexer); /* and with it what is registered */
    free(loop->predecessors);
    free(loop->listeners);
    loop->magic = 0;
    free(loop);
}

void loop_drain_session(struct loop *loop, struct loop_conn *conn)
{
    loop_enter(loop);
    session_drain(loop_conn_session(conn));
    loop_leave(loop);
}

/* For a connection that may be in the run queue: it gets its turn now, and none there. */
static void loop_drive_now(struct loop *loop, struct loop_conn *conn)
{
    list_remove(&conn->run);
    loop_conn_drive(loop, conn);
}

static void loop_drain_sessions(struct loop *loop)
{
    struct list *at = loop->conns.next;
    while (at != &loop->conns) {
        struct loop_conn *conn = container_of(at, struct loop_conn, all);
        at = at->next;
        if (conn->away || conn->driven)
            continue; /* when it comes back */
        /* A request that has come already is answered, though no edge may have told of it yet. */
        conn->readable = true;
        loop_drive_now(loop, conn);
        if (conn->away || conn->source.magic == LOOP_CLOSED_MAGIC)
            continue;
        loop_drain_session(loop, conn);
        loop_drive_now(loop, conn);
    }
    loop_free_closed(loop);
    loop_offload_flush(loop);
}

static void loop_begin_drain(struct loop *loop)
{
    /* not clock.now_ms: the signal came since, and what it is measured by is its time */
    loop->drain_end_ms = clock_monotonic_ms() + loop->cfg.config->deadlines.drain_ms;
    loop_unlisten(loop);
    loop_drain_sessions(loop);
}

/* True when nothing is left, here or on its way. */
static bool loop_go_on_retiring(struct loop *loop)
{
    if (loop->retire_end_ms == 0)
        loop_begin_retire(loop);
    loop_hand_over(loop);
    return (list_empty(&loop->conns) && !loop_expects_arrivals(loop) &&
            !loop_expects_moved(loop)) ||
           loop->clock.now_ms >= loop->retire_end_ms;
}

bool loop_heed_orders(struct loop *loop)
{
    const struct engine_orders *orders = loop->cfg.orders;
    sig_atomic_t reopens = engine_asked(&orders->reopen_logs);
    pulse_turn(&loop->beat);
    if (reopens != loop->reopens_done) {
        loop->reopens_done = reopens;
        loop->active |= loop_env_tick(loop, true);
    }
    unsigned heeded = loop_heed_asks(loop);
    if (engine_asked(&orders->stop) || (heeded & LOOP_ASK_STOP))
        return true;
    loop_take_moved(loop, false);
    bool retires = engine_asked(&orders->retire) != 0;
    if (!engine_asked(&orders->drain) && !(retires && loop->cfg.out == NULL))
        return retires && loop_go_on_retiring(loop);
    if (loop->drain_end_ms == 0)
        loop_begin_drain(loop);
    else if (heeded & LOOP_TOOK_ARRIVALS)
        loop_drain_sessions(loop);
    return (list_empty(&loop->conns) && !loop_expects_arrivals(loop)) ||
           loop->clock.now_ms >= loop->drain_end_ms;
}

int loop_timeout_ms(const struct loop *loop)
{
    int accept_ms = loop_accept_timeout_ms(loop);
    bool inbox_waits = !list_empty(&loop->told_inboxes) && loop->inbox_retry_ms == 0;
    if (!list_empty(&loop->run_queue) || accept_ms == 0 || inbox_waits ||
        loop_offload_can_admit(loop))
        return 0;
    uint64_t now_ms = loop->clock.now_ms;
    int timeout_ms = timer_timeout_ms(&loop->timers, now_ms);
    if (loop->executor != NULL)
        timeout_ms = loop_reads_timeout_ms(loop, timeout_ms);
    if (accept_ms > 0)
        timeout_ms = timer_until(timeout_ms, now_ms, loop->accept_retry_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, loop->left_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, loop->tick_due_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, loop->sweep_due_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, loop->inbox_retry_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, loop->handover_retry_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, loop->retire_end_ms);
    if (loop->retire_end_ms != 0 && loop->quiet_ms > now_ms)
        timeout_ms = timer_until(timeout_ms, now_ms, loop->quiet_ms);
    return timer_until(timeout_ms, now_ms, loop->drain_end_ms);
}

/* An eventfd is read so that it can tell again. */
static void loop_read_eventfd(struct loop *loop, struct loop_source *source)
{
    wake_fd_clear(source->fd);
    demultiplexer_want(loop->demultiplexer, source, DEMULTIPLEXER_READ);
}

void loop_dispatch(struct loop *loop, const struct demultiplexer_event *event)
{
    const struct demultiplexer_ops *ops = loop->demultiplexer->ops;
    struct loop_source *source = event->source;
    switch (source->magic) {
    case LOOP_CONN_MAGIC: {
        struct loop_conn *conn = container_of(source, struct loop_conn, source);
        /* Of two signals that have gathered, the second may have told of the end. */
        bool gathered = ops->looks_once && conn->readable;
        loop_conn_note(conn, event->events | (gathered ? DEMULTIPLEXER_PEER_ENDED : 0u));
        if (!conn->away && !conn->driven && list_empty(&conn->run)) /* else its turn comes */
            loop_conn_drive(loop, conn);
        break;
    }
    case LOOP_CLOSED_MAGIC:
        break;
    case LOOP_LISTENER_MAGIC: {
        struct loop_listener *listener = container_of(source, struct loop_listener, source);
        if (list_empty(&listener->ready))
            list_push_back(&loop->accept_queue, &listener->ready);
        break;
    }
    case LOOP_PREDECESSOR_MAGIC:
        loop_inbox_told(loop, container_of(source, struct loop_predecessor, source));
        break;
    case LOOP_WAKE_MAGIC:
        loop_read_eventfd(loop, source);
        break;
    case LOOP_DONE_MAGIC:
        if (!ops->edges || ops->reads_results) /* before collecting: what comes later tells again */
            loop_read_eventfd(loop, source);
        loop_offload_collect(loop);
        break;
    default:
        UNREACHABLE();
    }
}

/* A node was armed for its session's deadline or earlier; most have moved away since. */
static void loop_fire(struct timer_node *node, void *context)
{
    struct loop *loop = context;
    CHECK_OBJ(loop, LOOP_MAGIC);
    struct loop_conn *conn = container_of(node, struct loop_conn, timer);
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    if (conn->away || conn->driven || conn->waits_for_worker)
        return; /* armed again when it comes back; what it has been sent may lie in its socket */
    struct session *s = loop_conn_session(conn);
    uint64_t deadline_ms = session_deadline_ms(s);
    if (deadline_ms > loop->clock.now_ms) {
        if (loop->routines != NULL)
            deadline_ms = loop_routine_rest(loop, conn, deadline_ms);
        timer_arm(&loop->timers, node, deadline_ms);
        return;
    }
    struct progress progress = progress_of(conn->source.fd, s);
    loop_enter(loop);
    session_expired(s, &progress);
    loop_leave(loop);
    loop_drive_now(loop, conn);
}

/* What is kept open is looked through a second after something happened, and then when it says; an
 * idle loop that keeps nothing is not woken for it. */
static void loop_sweep(struct loop *loop)
{
    uint64_t now_ms = loop->clock.now_ms;
    if (timer_has_come(&loop->sweep_due_ms, now_ms)) {
        uint64_t due_ms = loop_env_sweep(loop);
        loop->sweep_due_ms = due_ms == UINT64_MAX ? 0 : due_ms;
    }
    if (loop->active)
        timer_bring_forward(&loop->sweep_due_ms, now_ms + LOOP_TICK_MS);
}

/* Logs are written out a second after something happened, so an idle loop is not woken for them. */
static void loop_tick(struct loop *loop)
{
    uint64_t now_ms = loop->clock.now_ms;
    if (timer_has_come(&loop->tick_due_ms, now_ms))
        loop->active |= loop_env_tick(loop, false);
    if (loop->active)
        timer_bring_forward(&loop->tick_due_ms, now_ms + LOOP_TICK_MS);
    loop->active = false;
}

void loop_end_turn(struct loop *loop)
{
    timer_advance(&loop->timers, loop->clock.now_ms, loop_fire, loop);
    loop_free_closed(loop);
    loop_accept(loop);
    loop_sweep(loop);
    loop_tick(loop);
}

/* One turn with the events of a wait. Events come first, then, once each, those who were in the run
 * queue before: who joins it in this turn gets the next one. */
static void loop_turn(struct loop *loop, int events)
{
    struct list queued;
    list_init(&queued);
    list_splice_back(&queued, &loop->run_queue);
    clock_update(&loop->clock);
    loop->pieces_left = LOOP_PIECES_MAX;
    for (int i = 0; i < events; i++)
        loop_dispatch(loop, &loop->events[i]);
    while (!list_empty(&queued))
        loop_drive_now(loop, container_of(queued.next, struct loop_conn, run));
    if (loop_offload_has_results(loop))
        loop_offload_collect(loop);
    if (loop_offload_can_admit(loop))
        loop_offload_admit(loop);
    loop_end_turn(loop);
    loop_offload_flush(loop);
}

int loop_run(struct loop *loop)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    struct demultiplexer *d = loop->demultiplexer;
    int res = loop_offload_start(loop);
    if (res == 0 && d->ops->start != NULL) {
        res = d->ops->start(d);
        if (res < 0)
            log_error("demultiplexer = %s: %s", d->ops->name, strerror(-res));
    }
    pulse_join(&loop->beat, loop->cfg.pulse);
    while (res == 0 && !loop_heed_orders(loop)) {
        int n = d->ops->wait(d, loop_timeout_ms(loop), loop->events, LOOP_EVENTS_MAX);
        stats_turn(n);
        if (n < 0 && n != -EINTR) {
            res = n;
            log_error("%s: %s", d->ops->call, strerror(-res));
            break;
        }
        loop_turn(loop, n > 0 ? n : 0);
    }
    pulse_leave(&loop->beat);
    loop_offload_stop(loop);
    loop_close_all(loop);
    return res;
}

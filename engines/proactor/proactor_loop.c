/* proactor_loop.c: one thread's proactor: waits for completions and dispatches them, and keeps what
 * completions do not bring: the run queue, deadlines, and requests from outside.
 *
 * A turn: completions, run queue, deadlines, the closed are freed, accepts are armed. All that the
 * turn has begun is submitted by the wait that follows: one system call for both. */
#include "engines/proactor/proactor_internal.h"

#include "core/stats.h"

#include "config/config.h"
#include "core/log.h"
#include "engines/progress.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { OWN_DESCRIPTORS = 3 }; /* on which an operation waits: the wake-up's, and two of workers */

static const struct engine_orders *orders(const struct proactor *p)
{
    return p->shared->orders;
}

bool proactor_begin(struct proactor *p, struct proactor_op *op, enum proactor_op_kind kind,
                    const struct operation *operation)
{
    CHECK_OBJ(op, PROACTOR_OP_MAGIC);
    CHECK(!op->in_flight);
    if (!processor_begin(p->processor, operation, op)) {
        p->starved = true;
        return false;
    }
    if (kind == PROACTOR_OP_SEND)
        coalesce_answer(&p->coalesce);
    op->kind = (uint8_t)kind;
    op->in_flight = true;
    op->cancelled = false;
    return true;
}

bool proactor_cancel(struct proactor *p, struct proactor_op *op, int fd)
{
    CHECK_OBJ(op, PROACTOR_OP_MAGIC);
    if (!op->in_flight || op->cancelled)
        return true;
    op->cancelled = processor_cancel(p->processor, fd, op);
    p->starved |= !op->cancelled;
    return op->cancelled;
}

/* ---- making and ending ---- */

static int open_rest(struct proactor *p, char *why, size_t why_size)
{
    unsigned caps = p->config->file_io == FILE_IO_READ ? 0 : ENGINE_CAP_FILE_SEGMENT;
    int res = session_env_create(p->config, &p->limits, p->shared->tls, &p->clock, caps, why,
                                 why_size, &p->env);
    if (res < 0)
        return res;
    uint32_t connections_max = p->limits.connections_max;
    res = pool_create("connections", sizeof(struct proactor_conn) + session_size(), connections_max,
                      &p->pool);
    if (res == 0)
        res = pool_create("file jobs", proactor_file_size(), connections_max, &p->files);
    if (res < 0) {
        snprintf(why, why_size, "no memory for connections_max = %u connections: %s",
                 connections_max, strerror(-res));
        return res;
    }
    p->wake_fd = wake_fd_open(EFD_NONBLOCK);
    if (p->wake_fd < 0) {
        wake_fd_explain(p->wake_fd, why, why_size);
        return p->wake_fd;
    }
    res = workers_create(1, p->config->worker_queue, &p->workers);
    if (res < 0) {
        snprintf(why, why_size, "cannot set up the thread for directory listings: %s",
                 strerror(-res));
        return res;
    }
    const struct processor_ops *processor = p->shared->processor;
    size_t descriptors_max =
        connections_max + p->listeners_count + p->inboxes_count + OWN_DESCRIPTORS;
    res = processor->open(&p->shared->options, descriptors_max, why, why_size, &p->processor);
    return res < 0 ? -EOPNOTSUPP : 0;
}

int proactor_create(struct proactor_shared *shared, const struct session_limits *limits,
                    struct listener *listeners, size_t count, char *why, size_t why_size,
                    struct proactor **ret_proactor)
{
    struct sigaction action;
    MUST(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    CHECK(limits->connections_max > 0);
    struct proactor *p = calloc(1, sizeof(*p));
    struct proactor_listener *accepts = calloc(count + 1, sizeof(*accepts));
    struct proactor_inbox *inboxes = calloc(shared->inboxes_count + 1, sizeof(*inboxes));
    if (p == NULL || accepts == NULL || inboxes == NULL) {
        free(inboxes);
        free(p);
        free(accepts);
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    p->magic = PROACTOR_MAGIC;
    p->shared = shared;
    p->config = shared->config;
    p->limits = *limits;
    p->wake_fd = -1;
    p->listeners_count = count;
    p->accepts = accepts;
    p->inboxes = inboxes;
    p->inboxes_count = shared->inboxes_count;
    p->reopens_done = engine_asked(&orders(p)->reopen_logs);
    proactor_op_init(&p->wake, PROACTOR_OP_WAKE);
    proactor_op_init(&p->workers_op, PROACTOR_OP_WORKERS);
    proactor_op_init(&p->remote_op, PROACTOR_OP_WORKERS);
    for (size_t i = 0; i < count; i++) {
        proactor_op_init(&accepts[i].op, PROACTOR_OP_ACCEPT);
        accepts[i].listener = &listeners[i];
        p->accept_margin += 2 * (size_t)listeners[i].config->backlog;
    }
    for (size_t i = 0; i < p->inboxes_count; i++) {
        proactor_op_init(&inboxes[i].op, PROACTOR_OP_INBOX);
        inboxes[i].fd = shared->inboxes[i];
    }
    list_init(&p->conns);
    list_init(&p->parting);
    list_init(&p->parted);
    list_init(&p->run_queue);
    list_init(&p->closed);
    list_init(&p->idle);
    list_init(&p->pipes);
    clock_update(&p->clock);
    timer_wheel_init(&p->timers, p->clock.now_ms);
    int res = open_rest(p, why, why_size);
    if (res < 0) {
        proactor_destroy(p);
        return res;
    }
    if (count > 0)
        pulse_listen(&p->beat, shared->pulse);
    *ret_proactor = p;
    return 0;
}

void proactor_destroy(struct proactor *p)
{
    if (p == NULL)
        return;
    CHECK_OBJ(p, PROACTOR_MAGIC);
    if (p->lost)
        return;
    CHECK(list_empty(&p->conns) && list_empty(&p->closed));
    processor_close(p->processor);
    proactor_pipes_close(p);
    workers_destroy(p->workers);
    workers_destroy(p->remote);
    pool_destroy(p->files);
    pool_destroy(p->pool);
    session_env_destroy(p->env);
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    free(p->inboxes);
    free(p->accepts);
    p->magic = 0;
    free(p);
}

void proactor_wake(struct proactor *p)
{
    wake_fd_wake(p->wake_fd);
}

/* ---- requests ---- */

void proactor_ask_reclaim(struct proactor *p)
{
    if (p->reclaim_next_ms > p->clock.now_ms)
        return;
    p->reclaim_next_ms = p->clock.now_ms + PROACTOR_ACCEPT_RETRY_MS;
    atomic_fetch_add(&p->shared->reclaims, 1);
    p->shared->wake_all(p->shared->wake_context);
}

static void drain_all(struct proactor *p)
{
    struct list *at = p->conns.next;
    while (at != &p->conns) {
        struct proactor_conn *conn = container_of(at, struct proactor_conn, all);
        at = at->next;
        if (conn->closing)
            continue;
        session_drain(proactor_session(conn));
        proactor_conn_drive(p, conn);
    }
}

/* The next step of a drain. True when it has come to its end. */
static bool go_on_draining(struct proactor *p)
{
    switch (p->drain) {
    case PROACTOR_SERVES:
        p->drain_end_ms = clock_monotonic_ms() + p->config->deadlines.drain_ms;
        p->drain = PROACTOR_UNLISTENS;
        /* fall through */
    case PROACTOR_UNLISTENS:
        if (proactor_unlisten(p))
            p->drain = PROACTOR_LOOKS;
        break;
    case PROACTOR_LOOKS:
        p->looks += p->taken < PROACTOR_TAKE_MAX;
        if (p->taken > 0 && p->looks < PROACTOR_LOOKS_MAX)
            break;
        p->drain = PROACTOR_DRAINS;
        drain_all(p);
        break;
    case PROACTOR_DRAINS:
        break;
    }
    return p->clock.now_ms >= p->drain_end_ms ||
           (p->drain == PROACTOR_DRAINS && list_empty(&p->conns));
}

/* Does what is asked for. True when the loop is to end. */
static bool heed_orders(struct proactor *p)
{
    sig_atomic_t reopens = engine_asked(&orders(p)->reopen_logs);
    pulse_turn(&p->beat);
    if (reopens != p->reopens_done) {
        p->reopens_done = reopens;
        p->active |= session_env_tick(p->env, true);
    }
    unsigned reclaims = atomic_load_explicit(&p->shared->reclaims, memory_order_relaxed);
    if (reclaims != p->reclaims_done) {
        p->reclaims_done = reclaims;
        if (session_env_reclaim(p->env) == 0)
            (void)proactor_make_way(p);
    }
    if (engine_asked(&orders(p)->stop) ||
        atomic_load_explicit(&p->shared->failed, memory_order_relaxed))
        return true;
    bool retires = engine_asked(&orders(p)->retire) != 0;
    if (engine_asked(&orders(p)->drain) || (retires && p->shared->out == NULL))
        return go_on_draining(p);
    return retires && proactor_go_on_retiring(p);
}

/* ---- a turn ---- */

static int timeout_ms_of(const struct proactor *p)
{
    int accept_ms = proactor_accept_timeout_ms(p);
    if (!list_empty(&p->run_queue) || accept_ms == 0 || p->starved || p->drain == PROACTOR_LOOKS)
        return 0;
    uint64_t now_ms = p->clock.now_ms;
    int timeout_ms = timer_timeout_ms(&p->timers, now_ms);
    if (accept_ms > 0)
        timeout_ms = timer_until(timeout_ms, now_ms, p->accept_retry_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, p->tick_due_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, p->sweep_due_ms);
    timeout_ms = proactor_inboxes_timeout_ms(p, timeout_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, p->handover_retry_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, p->retire_end_ms);
    if (p->retires && p->quiet_ms > now_ms)
        timeout_ms = timer_until(timeout_ms, now_ms, p->quiet_ms);
    return timer_until(timeout_ms, now_ms, p->drain_end_ms);
}

/* The kernel may complete as many receives as are waited for before it looks for more, so those of
 * one wait must leave buffers for others. */
static int wait(struct proactor *p)
{
    const struct processor_options *options = &p->shared->options;
    int timeout_ms = timeout_ms_of(p);
    const struct coalesce_limits limits = {
        .connections = pool_used(p->pool),
        .batch = options->min_wait ? options->buffers / 2 : 0,
        .patience_us = timeout_ms != 0 ? p->config->coalesce_us : 0,
    };
    struct processor_batch batch = coalesce_next(&p->coalesce, &limits);
    return processor_wait_batch(p->processor, timeout_ms, batch);
}

/* The watches over the eventfd and over the worker's results are armed as long as the loop runs. */
static void arm_wake(struct proactor *p)
{
    if (p->wake.in_flight || p->ending)
        return;
    const struct operation watch = { OPERATION_POLL, .fd = p->wake_fd, .poll.events = POLLIN };
    (void)proactor_begin(p, &p->wake, PROACTOR_OP_WAKE, &watch);
}

static void dispatch(struct proactor *p, const struct completion *completion)
{
    struct proactor_op *op = completion->token;
    CHECK_OBJ(op, PROACTOR_OP_MAGIC);
    CHECK(op->in_flight);
    op->in_flight = (completion->flags & COMPLETION_MORE) != 0;
    switch ((enum proactor_op_kind)op->kind) {
    case PROACTOR_OP_WAKE:
        wake_fd_clear(p->wake_fd);
        break;
    case PROACTOR_OP_WORKERS:
        proactor_workers_collect(p);
        break;
    case PROACTOR_OP_ACCEPT:
        proactor_accepted(p, op, completion->res, completion->flags);
        break;
    case PROACTOR_OP_CALLER:
        proactor_called(p, op, completion->res);
        break;
    case PROACTOR_OP_INBOX:
        proactor_inbox_told(p, op);
        break;
    case PROACTOR_OP_RECV: {
        struct proactor_conn *conn = container_of(op, struct proactor_conn, recv);
        CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
        proactor_received(p, conn, completion->res, completion->flags);
        break;
    }
    case PROACTOR_OP_SEND:
    case PROACTOR_OP_WARM:
    case PROACTOR_OP_SPLICE_IN:
    case PROACTOR_OP_SPLICE_OUT: {
        struct proactor_conn *conn = container_of(op, struct proactor_conn, send);
        CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
        proactor_sent(p, conn, completion->res);
        break;
    }
    case PROACTOR_OP_ROOM: {
        struct proactor_conn *conn = container_of(op, struct proactor_conn, room);
        CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
        proactor_room_told(p, conn, completion->res);
        break;
    }
    case PROACTOR_OP_FILE:
        proactor_file_completed(p, op, completion->res);
        break;
    }
}

/* A node was armed for its session's deadline or earlier; most have moved away since. */
static void fire(struct timer_node *node, void *context)
{
    struct proactor *p = context;
    CHECK_OBJ(p, PROACTOR_MAGIC);
    struct proactor_conn *conn = container_of(node, struct proactor_conn, timer);
    CHECK_OBJ(conn, PROACTOR_CONN_MAGIC);
    struct session *s = proactor_session(conn);
    uint64_t deadline_ms = session_deadline_ms(s);
    if (deadline_ms > p->clock.now_ms) {
        timer_arm(&p->timers, node, deadline_ms);
        return;
    }
    struct progress progress = progress_of(conn->fd, s);
    session_expired(s, &progress);
    list_remove(&conn->run);
    proactor_conn_drive(p, conn);
}

/* What is kept open is looked through a second after something happened, and then when it says; an
 * idle loop that keeps nothing is not woken for it. */
static void sweep(struct proactor *p)
{
    uint64_t now_ms = p->clock.now_ms;
    if (timer_has_come(&p->sweep_due_ms, now_ms)) {
        uint64_t due_ms = session_env_sweep(p->env);
        p->sweep_due_ms = due_ms == UINT64_MAX ? 0 : due_ms;
    }
    if (p->active)
        timer_bring_forward(&p->sweep_due_ms, now_ms + PROACTOR_TICK_MS);
}

/* Logs are written out a second after something happened, so an idle loop is not woken for them. */
static void tick(struct proactor *p)
{
    uint64_t now_ms = p->clock.now_ms;
    if (timer_has_come(&p->tick_due_ms, now_ms))
        p->active |= session_env_tick(p->env, false);
    if (p->active)
        timer_bring_forward(&p->tick_due_ms, now_ms + PROACTOR_TICK_MS);
    p->active = false;
}

/* Completions come first, then, once each, those who were in the run queue before: who joins it in
 * this turn gets the next one. */
static void turn(struct proactor *p)
{
    struct list queued;
    list_init(&queued);
    list_splice_back(&queued, &p->run_queue);
    p->starved = false;
    clock_update(&p->clock);
    p->taken = processor_take(p->processor, p->completions, PROACTOR_TAKE_MAX);
    coalesce_learn(&p->coalesce, p->taken);
    for (unsigned i = 0; i < p->taken; i++)
        dispatch(p, &p->completions[i]);
    while (!list_empty(&queued)) {
        struct proactor_conn *conn = container_of(queued.next, struct proactor_conn, run);
        list_remove(&conn->run);
        proactor_conn_drive(p, conn);
    }
    if (proactor_workers_have_results(p)) /* not behind all that the ring has */
        proactor_workers_collect(p);
    timer_advance(&p->timers, p->clock.now_ms, fire, p);
    proactor_free_closed(p);
    proactor_accept(p);
    proactor_inboxes_arm(p);
    arm_wake(p);
    proactor_workers_arm(p);
    proactor_workers_flush(p);
    sweep(p);
    tick(p);
    stats_turn((int)p->taken);
}

/* Nothing more is begun; everything in flight is asked to end, and awaited: what it writes to is
 * the processor's until then. */
static int end_all(struct proactor *p)
{
    p->ending = true;
    for (;;) {
        struct list *at = p->conns.next;
        while (at != &p->conns) {
            struct proactor_conn *conn = container_of(at, struct proactor_conn, all);
            at = at->next;
            list_remove(&conn->run);
            proactor_conn_close(p, conn);
        }
        bool unlistened = proactor_unlisten(p);
        unlistened = proactor_inboxes_end(p) && unlistened;
        (void)proactor_cancel(p, &p->wake, p->wake_fd);
        bool unwatched = list_empty(&p->conns) && proactor_workers_unwatch(p);
        if (unwatched && unlistened && !p->wake.in_flight)
            return 0;
        int res = processor_wait(p->processor, p->starved || !list_empty(&p->run_queue) ? 0 : -1);
        if (res < 0)
            return res;
        turn(p);
    }
}

/* What is in flight cannot be awaited: the memory stays the processor's until the process ends. */
static int give_up(struct proactor *p, int res)
{
    p->lost = true;
    log_error("%s: %s", p->shared->processor->wait_call, strerror(-res));
    return res;
}

int proactor_run(struct proactor *p)
{
    CHECK_OBJ(p, PROACTOR_MAGIC);
    int res = processor_enable(p->processor);
    if (res == 0)
        res = workers_start(p->workers);
    if (res < 0) {
        log_error("the processor (%s), or a thread beside it, does not start: %s",
                  p->shared->processor->name, strerror(-res));
        return res;
    }
    clock_update(&p->clock);
    proactor_accept(p);
    proactor_inboxes_arm(p);
    arm_wake(p);
    proactor_workers_arm(p);
    pulse_join(&p->beat, p->shared->pulse);
    while (res >= 0 && !heed_orders(p)) {
        res = wait(p);
        if (res >= 0)
            turn(p);
    }
    pulse_leave(&p->beat);
    if (res < 0)
        return give_up(p, res);
    res = end_all(p);
    bool all_run = proactor_workers_stop(p);
    CHECK(all_run || res < 0);
    return res < 0 ? give_up(p, res) : 0;
}

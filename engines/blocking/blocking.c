/* blocking.c: the environment of an engine that blocks, and what is asked of it from outside. See
 * blocking.h. */
#include "engines/blocking/blocking.h"

#include "core/check.h"
#include "engines/env_lock.h"
#include "engines/timer.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int fail(int res, const char *what, char *why, size_t why_size)
{
    snprintf(why, why_size, "%s: %s", what, strerror(-res));
    return res;
}

int blocking_probe(const struct config *config, char *why, size_t why_size)
{
    (void)config;
    int fd = wake_fd_open(EFD_NONBLOCK);
    if (fd < 0) {
        wake_fd_explain(fd, why, why_size);
        return fd;
    }
    close(fd);
    return 0;
}

static int create_env(struct blocking *b, char *why, size_t why_size)
{
    unsigned caps = b->cfg.config->file_io == FILE_IO_READ ? 0 : ENGINE_CAP_FILE_SEGMENT;
    int res = env_lock_init(&b->mutex, &b->lock);
    if (res < 0)
        return fail(res, "cannot make a mutex", why, why_size);
    clock_update(&b->clock);
    struct session_limits limits = b->cfg.limits;
    if (!b->shared)
        limits.connections_max = 1; /* pools that lie close together: fewer page tables a process */
    res = session_env_create(b->cfg.config, &limits, b->cfg.tls, &b->clock, caps, why, why_size,
                             &b->env);
    if (res == 0 && b->shared)
        session_env_share(b->env, &b->lock);
    return res;
}

int blocking_create(struct blocking *b, const struct engine_config *cfg,
                    const struct blocking_ops *ops, bool shared, unsigned places_count, char *why,
                    size_t why_size)
{
    *b = (struct blocking){
        .cfg = *cfg, .ops = ops, .shared = shared, .wake_fd = -1, .collect_fd = -1
    };
    b->reopens_done = engine_asked(&cfg->orders->reopen_logs);
    b->wake_fd = wake_fd_open(EFD_NONBLOCK);
    if (b->wake_fd < 0) {
        wake_fd_explain(b->wake_fd, why, why_size);
        return b->wake_fd;
    }
    b->polled = calloc(cfg->listeners_count + cfg->inboxes_count + 3, sizeof(b->polled[0]));
    b->inboxes = calloc(cfg->inboxes_count + 1, sizeof(b->inboxes[0]));
    if (b->polled == NULL || b->inboxes == NULL)
        return fail(-ENOMEM, "cannot make the engine", why, why_size);
    for (size_t i = 0; i < cfg->inboxes_count; i++)
        b->inboxes[i] = cfg->inboxes[i];
    b->moved_end = &b->moved;
    int res = places_create(&b->places, places_count, sizeof(struct blocking_conn) + session_size(),
                            b->wake_fd);
    if (res < 0)
        return fail(res, "cannot make the table of connections", why, why_size);
    res = create_env(b, why, why_size);
    if (res == 0)
        pulse_listen(&b->beat, cfg->pulse);
    return res;
}

void blocking_destroy(struct blocking *b)
{
    if (b->env != NULL) {
        session_env_destroy(b->env);
        MUST(pthread_mutex_destroy(&b->mutex) == 0);
    }
    places_destroy(&b->places);
    if (b->wake_fd >= 0)
        close(b->wake_fd);
    free(b->inboxes);
    free(b->polled);
}

void blocking_wake(struct blocking *b)
{
    wake_fd_wake(b->wake_fd);
}

void blocking_woken(struct blocking *b)
{
    wake_fd_clear(b->wake_fd);
}

static void lock(struct blocking *b)
{
    if (b->shared)
        MUST(pthread_mutex_lock(&b->mutex) == 0);
    clock_update(&b->clock);
}

static void unlock(struct blocking *b)
{
    if (b->shared)
        MUST(pthread_mutex_unlock(&b->mutex) == 0);
}

size_t blocking_reclaim(struct blocking *b)
{
    lock(b);
    size_t closed = session_env_reclaim(b->env);
    unlock(b);
    return closed;
}

/* What is kept open is looked through a second after something happened, and then when it says;
 * logs are written out a second after, and an idle engine is woken for neither. */
void blocking_tick(struct blocking *b, uint64_t now_ms, bool reopen)
{
    bool ticks = timer_has_come(&b->tick_due_ms, now_ms);
    bool again = false;
    if (timer_has_come(&b->sweep_due_ms, now_ms)) {
        lock(b);
        uint64_t due_ms = session_env_sweep(b->env);
        unlock(b);
        b->sweep_due_ms = due_ms == UINT64_MAX ? 0 : due_ms;
    }
    if (ticks)
        atomic_store(&b->active, false); /* before: what comes now tells again */
    if (ticks || reopen) {
        lock(b);
        again = session_env_tick(b->env, reopen);
        unlock(b);
    }
    if (again || (!ticks && atomic_load(&b->active))) {
        timer_bring_forward(&b->tick_due_ms, now_ms + BLOCKING_TICK_MS);
        timer_bring_forward(&b->sweep_due_ms, now_ms + BLOCKING_TICK_MS);
    }
}

void blocking_ask_all(struct blocking *b, unsigned asks)
{
    atomic_fetch_or(&b->asks, asks);
    places_ask_all(&b->places, asks, b->ops->ask);
}

static void begin_drain(struct blocking *b)
{
    b->drain_end_ms = clock_monotonic_ms() + b->cfg.config->deadlines.drain_ms;
    blocking_ask_all(b, DRIVER_ASK_DRAIN); /* who finds nobody listening knows that it has begun */
    blocking_unlisten(b);
}

bool blocking_turn(struct blocking *b, uint64_t now_ms)
{
    const struct engine_orders *orders = b->cfg.orders;
    sig_atomic_t reopens = engine_asked(&orders->reopen_logs);
    bool reopen = reopens != b->reopens_done;

    b->reopens_done = reopens;
    pulse_turn(&b->beat);
    if (reopen && b->ops->reopen != NULL)
        b->ops->reopen(b);
    blocking_tick(b, now_ms, reopen);
    if (atomic_load(&b->asks) & DRIVER_ASK_STOP)
        return true;
    bool stops = engine_asked(&orders->stop);
    bool retires = engine_asked(&orders->retire) != 0;
    bool drains = engine_asked(&orders->drain) || (retires && b->cfg.out == NULL);
    if (!stops && drains && b->drain_end_ms == 0)
        begin_drain(b);
    else if (!stops && retires && !drains && b->retire_end_ms == 0)
        blocking_begin_retire(b, now_ms);
    blocking_poke(b, now_ms);
    if (stops || (b->drain_end_ms != 0 && now_ms >= b->drain_end_ms) ||
        (b->retire_end_ms != 0 && now_ms >= b->retire_end_ms))
        blocking_ask_all(b, DRIVER_ASK_STOP);
    return (atomic_load(&b->asks) & DRIVER_ASK_STOP) != 0;
}

int blocking_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    int told = poll(polled, count, timeout_ms);
    int error = told < 0 ? errno : 0;
    for (nfds_t i = 0; told <= 0 && i < count; i++)
        polled[i].revents = 0;
    if (error == ENOMEM) {
        const struct timespec pause = { .tv_nsec = BLOCKING_PAUSE_MS * 1000000l };
        nanosleep(&pause, NULL);
    }
    return error == 0 ? told : error == ENOMEM || error == EINTR ? 0 : -error;
}

int blocking_timeout_ms(const struct blocking *b, uint64_t now_ms)
{
    if (b->moved != NULL && b->held == NULL && b->retry_ms == 0)
        return 0;
    int timeout_ms = timer_until(-1, now_ms, b->tick_due_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, b->sweep_due_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, b->retry_ms);
    if (atomic_load(&b->asks) & DRIVER_ASK_STOP)
        return timeout_ms;
    timeout_ms = timer_until(timeout_ms, now_ms, b->poke_ms);
    timeout_ms = timer_until(timeout_ms, now_ms, b->retire_end_ms);
    if (b->retire_end_ms != 0 && b->quiet_ms > now_ms)
        timeout_ms = timer_until(timeout_ms, now_ms, b->quiet_ms);
    return timer_until(timeout_ms, now_ms, b->drain_end_ms);
}

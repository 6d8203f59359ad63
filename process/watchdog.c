/* watchdog.c: see watchdog.h.
 *
 * Time in which the supervisor itself did not run (it was stopped, or all of its control group was
 * frozen) counts for nobody. */
#include "process/watchdog.h"

#include "core/log.h"
#include "core/pulse.h"

#include <signal.h>

enum {
    ASKS = 4,       /* so often in the time that a loop has */
    KILL_MS = 2000, /* from SIGABRT to SIGKILL */
    LATE_MS = 1000  /* more than that, and the supervisor did not run */
};

static uint32_t limit_of(const struct generation *g)
{
    return g->instance.config->deadlines.watchdog_ms;
}

static bool is_watched(const struct worker *worker)
{
    return worker->pid != 0 && worker->ready && worker->pulse != NULL;
}

static void ask(struct worker *worker, uint64_t now_ms)
{
    pulse_ask(worker->pulse);
    worker_signal(worker, SIGURG);
    worker->asked_ms = worker->looked_ms = now_ms;
}

static void end(struct worker *worker, uint32_t limit_ms, uint64_t now_ms)
{
    if (worker->kill_ms == 0) {
        log_error(
            "worker %u, process %d: an event loop has made no turn for %u ms (watchdog); it is "
            "ended",
            worker->index, (int)worker->pid, (unsigned)limit_ms);
        worker_signal(worker, SIGABRT);
        worker->kill_ms = now_ms + KILL_MS;
    } else if (now_ms >= worker->kill_ms) { /* it was stopped, or dumps its core for long */
        worker_signal(worker, SIGKILL);
        worker->kill_ms = UINT64_MAX;
    }
}

static void look_at(struct worker *worker, uint32_t limit_ms, uint64_t now_ms)
{
    if (worker->asked_ms == 0 && worker->kill_ms == 0) {
        if (now_ms >= worker->looked_ms + limit_ms / ASKS)
            ask(worker, now_ms);
        return;
    }
    if (now_ms - worker->looked_ms > limit_ms / ASKS + LATE_MS)
        worker->asked_ms += now_ms - worker->looked_ms;
    worker->looked_ms = now_ms;
    if (worker->kill_ms == 0 && pulse_is_answered(worker->pulse))
        worker->asked_ms = 0;
    else if (worker->kill_ms != 0 || now_ms >= worker->asked_ms + limit_ms)
        end(worker, limit_ms, now_ms);
}

void watchdog_go_on(struct generation *g, uint64_t now_ms)
{
    for (size_t i = 0; g != NULL && limit_of(g) > 0 && i < g->workers_count; i++) {
        if (is_watched(&g->workers[i]))
            look_at(&g->workers[i], limit_of(g), now_ms);
    }
}

static uint64_t due_of(const struct worker *worker, uint32_t limit_ms)
{
    uint64_t look_ms = worker->looked_ms + limit_ms / ASKS;

    if (worker->kill_ms != 0)
        return worker->kill_ms;
    if (worker->asked_ms != 0 && worker->asked_ms + limit_ms < look_ms)
        return worker->asked_ms + limit_ms;
    return look_ms;
}

uint64_t watchdog_due_ms(const struct generation *g)
{
    uint64_t due_ms = UINT64_MAX;

    for (size_t i = 0; g != NULL && limit_of(g) > 0 && i < g->workers_count; i++) {
        if (!is_watched(&g->workers[i]))
            continue;
        uint64_t of_worker_ms = due_of(&g->workers[i], limit_of(g));
        due_ms = of_worker_ms < due_ms ? of_worker_ms : due_ms;
    }
    return due_ms;
}

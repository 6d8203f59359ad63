/* supervisor_workers.c: what a supervisor's workers inherit, say, and leave behind: who ends
 * without being asked is replaced, later and later. */
#include "process/supervisor_internal.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/stats.h"
#include "process/limit_table.h"
#include "process/log_files.h"
#include "tls/ticket_keys.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RESTART_FIRST_MS = 100, /* a worker that died is replaced after so long; doubled each time, */
    RESTART_MAX_MS = 10000, /* up to this; */
    RESTART_REFUSED_MS = 1000, /* after a fork, or a root, that could not be had */
    STEADY_MS = 60000,         /* one that has lived so long has begun anew */
    ABANDON_MS = 5000          /* so long after SIGKILL a worker is waited for */
};

static bool is_inherited(const struct worker_heritage *heritage, int fd)
{
    for (size_t i = 0; i < heritage->inboxes_count; i++) {
        if (heritage->inboxes[i] == fd)
            return true;
    }
    return false;
}

static bool has_worker(const struct generation *g, const struct worker *worker)
{
    for (size_t i = 0; i < g->workers_count; i++) {
        if (&g->workers[i] == worker)
            return true;
    }
    return false;
}

/* In a worker that was just forked. */
void workers_forget(const struct worker_heritage *heritage, const struct worker *forked)
{
    struct supervisor *s = heritage->context;

    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct generation *g = supervisor_generation(s, i);
        for (size_t j = 0; g != NULL && j < g->workers_count; j++) {
            struct worker *worker = &g->workers[j];
            if (worker->channel >= 0)
                close(worker->channel);
            if (worker != forked)
                worker_forget_memory(worker);
            if (worker->inbox >= 0 && worker != forked && !is_inherited(heritage, worker->inbox))
                close(worker->inbox);
            if (worker != forked)
                last_words_close(&worker->words);
        }
        if (g != NULL && !has_worker(g, forked))
            log_files_close_slots(&g->instance);
    }
    if (s->pid_file.fd >= 0)
        close(s->pid_file.fd);
    if (s->upgrade.old_binary >= 0)
        close(s->upgrade.old_binary);
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct generation *g = supervisor_generation(s, i);
        if (g != NULL)
            ticket_keys_forget_memory(g->instance.tls.ticket_keys);
    }
    stats_forget_memory();
    control_forget(s->control);
    close(s->signal_fd);
}

/* It serves, or did, and nobody has asked it to end. */
static void plan_restart(struct worker *worker, const char *how, pid_t pid)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t delay_ms = RESTART_FIRST_MS;

    worker->crashes = now_ms - worker->started_ms >= STEADY_MS ? 0 : worker->crashes + 1;
    for (unsigned i = 1; i < worker->crashes && delay_ms < RESTART_MAX_MS; i++)
        delay_ms *= 2;
    delay_ms = delay_ms < RESTART_MAX_MS ? delay_ms : RESTART_MAX_MS;
    worker->restart_ms = now_ms + delay_ms;
    log_error("worker %u, process %d, %s; a new one starts in %llu ms", worker->index, (int)pid,
              how, (unsigned long long)delay_ms);
}

static void take_end(struct supervisor *s, pid_t pid, int wait_status)
{
    char how[160], text[256];

    if (upgrade_take_end(s, pid, wait_status))
        return;
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct generation *g = supervisor_generation(s, i);
        struct worker *worker = generation_find(g, pid);
        if (worker == NULL)
            continue;
        struct worker_report report = worker_hear(worker); /* its last words */
        worker_ended(worker, wait_status, how, sizeof how);
        if (WIFSIGNALED(wait_status))
            last_words_tell(&worker->words, worker->index, pid);
        last_words_close(&worker->words);
        if (g == s->next && !s->failed && supervisor_ends(s)) {
            reload_drop(s);
        } else if (g == s->next && !s->failed) {
            snprintf(text, sizeof text, "worker %u %s before it was ready", worker->index, how);
            reload_fail(s, report.news == WORKER_REFUSED ? report.status : STATUS_RUNTIME,
                        report.news == WORKER_REFUSED && report.why[0] != '\0' ? report.why : text);
        } else if (g == s->current && !supervisor_ends(s)) {
            if (report.news == WORKER_REFUSED && report.why[0] != '\0')
                log_line(LOG_ERROR, report.why);
            plan_restart(worker, how, pid);
        } else if (g != s->next && (!worker->asked_to_end || WIFSIGNALED(wait_status))) {
            log_warn("worker %u, process %d, %s while it ended", worker->index, (int)pid, how);
        }
        return;
    }
    /* Somebody else's child: process 1 of a container has them. */
}

void workers_reap(struct supervisor *s)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        stats_forget_process(pid);
        limit_table_forget(pid);
        take_end(s, pid, wait_status);
    }
}

/* When a worker that was killed is no longer waited for; UINT64_MAX: it was not, or has ended. */
static uint64_t abandon_ms(const struct worker *worker)
{
    return worker->pid != 0 && worker->killed_ms != 0 ? worker->killed_ms + ABANDON_MS : UINT64_MAX;
}

/* The kernel ends a process when its threads have come back from their calls, and some it does not
 * interrupt: a file that a FUSE's process has been asked for, a disk that is gone. */
static void abandon(struct supervisor *s, const struct worker *worker)
{
    log_error(
        "worker %u, process %d, was killed and has not ended: it waits for a storage that does "
        "not answer (/proc/%d/task/*/stack tells); the server goes on without it",
        worker->index, (int)worker->pid, (int)worker->pid);
    take_end(s, worker->pid, SIGKILL); /* as wait(2) will have it */
}

void workers_abandon(struct supervisor *s, uint64_t now_ms)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct generation *g = supervisor_generation(s, i);
        for (size_t j = 0; g != NULL && j < g->workers_count; j++) {
            if (now_ms >= abandon_ms(&g->workers[j]))
                abandon(s, &g->workers[j]);
        }
    }
}

uint64_t workers_abandon_due_ms(const struct supervisor *s)
{
    uint64_t due_ms = UINT64_MAX;

    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct generation *g = supervisor_generation(s, i);
        for (size_t j = 0; g != NULL && j < g->workers_count; j++) {
            if (abandon_ms(&g->workers[j]) < due_ms)
                due_ms = abandon_ms(&g->workers[j]);
        }
    }
    return due_ms;
}

void workers_restart(struct supervisor *s, uint64_t now_ms)
{
    struct generation *g = s->current;

    if (g == NULL || supervisor_ends(s))
        return;
    for (size_t i = 0; i < g->workers_count; i++) {
        struct worker *worker = &g->workers[i];
        char why[256];
        if (worker->pid != 0 || worker->restart_ms == 0 || now_ms < worker->restart_ms)
            continue;
        if (g->adopted) { /* only a whole generation can take its place */
            worker->restart_ms = now_ms + RESTART_MAX_MS;
            if (!reload_is_busy(s))
                (void)reload_ask(s, false, g->settings + g->borrowed_count,
                                 g->source.settings_count - g->borrowed_count);
            continue;
        }
        if (generation_restart(g, worker, &s->heritage, why, sizeof why) < 0) {
            log_line(LOG_ERROR, why);
            worker->restart_ms = now_ms + RESTART_REFUSED_MS;
        }
    }
}

/* What workers have to say. */
void workers_hear(struct supervisor *s, struct generation *g)
{
    for (size_t i = 0; g != NULL && i < g->workers_count; i++) {
        struct worker_report report = worker_hear(&g->workers[i]);
        last_words_hear(&g->workers[i].words);
        if (report.news == WORKER_READY && g->workers[i].started_ms <= s->reopened_ms)
            worker_signal(&g->workers[i], SIGUSR1);
        if (report.news == WORKER_READY && g == s->current)
            log_info("worker %u serves again: process %d", g->workers[i].index,
                     (int)g->workers[i].pid);
        if (report.news == WORKER_REFUSED && g == s->next && !s->failed)
            reload_fail(s, report.status, report.why);
        else if (report.news == WORKER_REFUSED && report.why[0] != '\0')
            log_line(LOG_ERROR, report.why);
    }
}

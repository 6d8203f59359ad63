/* supervisor.c: what comes in (signals, the ends of workers, orders), and the end. */
#include "process/supervisor.h"

#include "core/check.h"
#include "core/inherited.h"
#include "core/clock.h"
#include "core/log.h"
#include "process/life.h"
#include "process/log_files.h"
#include "process/notify.h"
#include "process/succession.h"
#include "process/supervisor_internal.h"
#include "process/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { STOP_MS = 5000 /* for workers that are stopped at once */ };

static const int heeded[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };

struct generation *supervisor_generation(const struct supervisor *s, size_t index)
{
    CHECK(index < GENERATIONS_MAX);
    if (index == 0)
        return s->current;
    return index == 1 ? s->next : s->retired[index - 2];
}

static void signal_all(struct supervisor *s, int number)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        generation_signal(supervisor_generation(s, i), number);
}

/* ---- orders ---- */

void supervisor_stop(struct supervisor *s)
{
    if (s->stops)
        return;
    s->end_ms = clock_monotonic_ms() + STOP_MS;
    s->drains = s->stops = true;
    notify_stopping();
    reload_forget(s);
    upgrade_forget(s);
    signal_all(s, SIGTERM);
}

enum exit_status supervisor_reopen_logs(struct supervisor *s)
{
    enum exit_status result = STATUS_OK;

    s->reopened_ms = clock_monotonic_ms();
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        struct generation *g = supervisor_generation(s, i);
        if (g == NULL || g->instance.log_slots == NULL)
            continue;
        enum exit_status status = log_files_reopen(&g->instance);
        result = status != STATUS_OK ? status : result;
    }
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        if (supervisor_generation(s, i) != s->next) /* its workers are told when they are ready */
            generation_signal(supervisor_generation(s, i), SIGUSR1);
    }
    return result;
}

bool supervisor_ends(const struct supervisor *s)
{
    return s->stops || drain_has_begun(s);
}

void supervisor_ready(struct supervisor *s)
{
    struct life life = life_of(&s->current->instance);

    if (supervisor_ends(s))
        return; /* it was asked to while it started, and its listening sockets may be closed */
    life_log_ready(&life);
    life_announce(&life);
    supervisor_tell_manager(s);
}

void supervisor_tell_manager(const struct supervisor *s)
{
    char text[1024], whole[1100];
    const struct life life = life_of(&s->current->instance);

    if (s->request.ticket != 0 || s->upgrade.ticket != 0 || s->stops || s->drains)
        return; /* it goes on reloading, or ends */
    life_describe(&life, text, sizeof text);
    snprintf(whole, sizeof whole, "%s%s", text,
             s->failed ? "; the last change was refused, see the log" : "");
    notify_ready(whole);
}

/* Says that the loop turns, as often as the service manager wants to hear it. */
static void tell_watchdog(struct supervisor *s, uint64_t now_ms)
{
    uint32_t each_ms = notify_watchdog_ms();

    if (each_ms == 0 || now_ms < s->watchdog_ms)
        return;
    notify_watchdog();
    s->watchdog_ms = now_ms + each_ms;
}

/* Its name without SIG; those alone that the supervisor takes. sigabbrev_np(3) is glibc's. */
static const char *signal_name(uint32_t number)
{
    static const struct {
        uint32_t number;
        const char *name;
    } names[] = { { SIGTERM, "TERM" }, { SIGINT, "INT" },   { SIGQUIT, "QUIT" }, { SIGHUP, "HUP" },
                  { SIGUSR1, "USR1" }, { SIGUSR2, "USR2" }, { SIGCHLD, "CHLD" } };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].number == number)
            return names[i].name;
    }
    return "?";
}

static void tell_signal(const char *what, const struct signalfd_siginfo *info)
{
    if (info->ssi_code == SI_USER || info->ssi_code == SI_QUEUE)
        log_info("%s: SIG%s from process %u of user %u", what, signal_name(info->ssi_signo),
                 info->ssi_pid, info->ssi_uid);
    else
        log_info("%s: SIG%s from the terminal, or the kernel", what, signal_name(info->ssi_signo));
}

static void take_signal(struct supervisor *s, const struct signalfd_siginfo *info)
{
    bool by_process = info->ssi_code == SI_USER || info->ssi_code == SI_QUEUE;
    bool drains_on_term =
        s->current != NULL && s->current->instance.config->stop_signal == STOP_SIGNAL_DRAIN;
    unsigned number =
        info->ssi_signo == SIGTERM && drains_on_term ? SIGQUIT : (unsigned)info->ssi_signo;

    switch (number) {
    case SIGCHLD:
        break; /* workers_reap() is called anyhow */
    case SIGUSR1:
        (void)supervisor_reopen_logs(s);
        break;
    case SIGUSR2:
        tell_signal("upgrading", info);
        if (!s->drains)
            (void)upgrade_ask(s);
        break;
    case SIGQUIT:
        if (!s->stops && !drain_has_begun(s))
            tell_signal(drain_sentence(s), info);
        drain_ask(s);
        break;
    case SIGHUP:
        if (by_process) {
            tell_signal("reloading", info);
            (void)reload_ask(s, true, NULL, 0);
            break;
        } /* the terminal is gone */
        if (s->stays_without_terminal)
            break;
        __attribute__((fallthrough));
    default:
        if (!s->stops)
            tell_signal("stopping: everything is closed at once", info);
        supervisor_stop(s);
    }
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        take_signal(s, &info);
}

/* ---- the loop ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int timeout_of(const struct supervisor *s)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t due_ms = least(reload_due_ms(s), control_due_ms(s->control));

    for (size_t i = 0; !s->stops && i < GENERATIONS_MAX; i++) {
        if (supervisor_generation(s, i) != s->next)
            due_ms = least(due_ms, watchdog_due_ms(supervisor_generation(s, i)));
    }
    due_ms = least(due_ms, drain_due_ms(s));
    due_ms = least(due_ms, workers_abandon_due_ms(s));
    due_ms = least(due_ms, upgrade_due_ms(s));
    due_ms = least(due_ms, watch_due_ms(s));
    due_ms = least(due_ms, expiry_due_ms(s));
    if (notify_watchdog_ms() != 0)
        due_ms = least(due_ms, s->watchdog_ms);
    for (size_t i = 0; s->current != NULL && i < s->current->workers_count; i++) {
        const struct worker *worker = &s->current->workers[i];
        if (worker->pid == 0 && worker->restart_ms != 0)
            due_ms = least(due_ms, worker->restart_ms);
    }
    if (due_ms == UINT64_MAX)
        return -1;
    return due_ms > now_ms ? (int)least(due_ms - now_ms, 60000) : 0;
}

static size_t poll_workers(const struct generation *g, struct pollfd *entries)
{
    size_t count = 0;

    for (size_t i = 0; g != NULL && i < g->workers_count; i++) {
        if (g->workers[i].channel >= 0)
            entries[count++] = (struct pollfd){ .fd = g->workers[i].channel, .events = POLLIN };
        if (g->workers[i].words.fd >= 0)
            entries[count++] = (struct pollfd){ .fd = g->workers[i].words.fd, .events = POLLIN };
    }
    return count;
}

static size_t workers_of(const struct generation *g)
{
    return g != NULL ? g->workers_count : 0;
}

/* Room for all that is waited for. */
static struct pollfd *make_entries(struct supervisor *s)
{
    size_t count = 2 + CONTROL_POLL_MAX;

    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        count += 2 * workers_of(supervisor_generation(s, i));
    if (count > s->entries_room) {
        struct pollfd *entries = realloc(s->entries, count * sizeof entries[0]);
        CHECK(entries != NULL);
        s->entries = entries;
        s->entries_room = count;
    }
    return s->entries;
}

static void wait_for_news(struct supervisor *s)
{
    struct pollfd *entries = make_entries(s);
    size_t count = 1;

    entries[0] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
    size_t of_control = control_poll(s->control, entries + count);
    count += of_control;
    count += upgrade_poll(s, entries + count);
    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        count += poll_workers(supervisor_generation(s, i), entries + count);
    if (poll(entries, (nfds_t)count, timeout_of(s)) < 0)
        CHECK(errno == EINTR || errno == ENOMEM);
    take_signals(s);
    upgrade_hear(s);
    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        workers_hear(s, supervisor_generation(s, i));
    workers_reap(s);
    control_go_on(s->control, entries + 1, of_control, clock_monotonic_ms());
}

static size_t alive(const struct supervisor *s)
{
    return generation_alive(s->current) + generation_alive(s->next) + retired_alive(s);
}

static void kill_what_is_left(struct supervisor *s)
{
    log_warn("%zu worker%s did not end in time and %s killed", alive(s), alive(s) == 1 ? "" : "s",
             alive(s) == 1 ? "is" : "are");
    signal_all(s, SIGKILL);
    listen_set_end(&s->sockets); /* of one that cannot be killed they would stay open */
    s->end_ms = UINT64_MAX;
}

static void run(struct supervisor *s)
{
    while (!s->stops || alive(s) > 0) {
        if (drain_has_begun(s) && alive(s) == 0)
            break;
        wait_for_news(s);
        uint64_t now_ms = clock_monotonic_ms();
        tell_watchdog(s, now_ms);
        workers_abandon(s, now_ms);
        workers_restart(s, now_ms);
        reload_go_on(s, now_ms);
        for (size_t i = 0; !s->stops && i < GENERATIONS_MAX; i++) {
            if (supervisor_generation(s, i) != s->next)
                watchdog_go_on(supervisor_generation(s, i), now_ms);
        }
        upgrade_go_on(s, now_ms);
        watch_go_on(s, now_ms);
        expiry_go_on(s, now_ms);
        drain_go_on(s, now_ms);
        if (s->status != STATUS_OK && s->end_ms == 0) /* the start failed */
            supervisor_stop(s);
        if (s->end_ms != 0 && now_ms >= s->end_ms && alive(s) > 0)
            kill_what_is_left(s);
    }
}

/* ---- the start ---- */

static void take_over_signals(struct supervisor *s)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(heeded); i++) {
        struct sigaction old;
        MUST(sigaction(heeded[i], NULL, &old) == 0);
        if (heeded[i] == SIGHUP && old.sa_handler == SIG_IGN) { /* nohup(1) */
            s->stays_without_terminal = true; /* a process's reloads all the same */
            MUST(signal(SIGHUP, SIG_DFL) != SIG_ERR);
        }
        if (heeded[i] == SIGUSR1 || heeded[i] == SIGUSR2)
            MUST(signal(heeded[i], SIG_DFL) != SIG_ERR);
        MUST(sigaddset(&set, heeded[i]) == 0);
    }
    MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    MUST(s->signal_fd >= 0);
}

static enum exit_status create_pid_file(struct supervisor *s, const struct config *config)
{
    if (config->pid_file == NULL)
        return STATUS_OK;
    int error =
        pid_file_create(config->pid_file, config->log_owner, s->why, s->why_size, &s->pid_file);
    if (error < 0)
        return error == -EBUSY ? STATUS_RUNTIME : STATUS_CONFIG;
    return STATUS_OK;
}

/* One of its own choosing may be another server's, or have no place: that is no reason to end. */
static enum exit_status open_control(struct supervisor *s, const struct config *config)
{
    bool automatic = strcmp(config->control, "auto") == 0;
    char path[128], why[512];

    if (!control_path(config->control, path, sizeof path)) {
        if (automatic)
            log_info("there is no control socket: %s (control = PATH names another one)",
                     CONTROL_NO_PLACE);
        return STATUS_OK;
    }
    int error = control_open(path, automatic, orders_take, s, why, sizeof why, &s->control);
    if (error == 0)
        return STATUS_OK;
    if (automatic) {
        log_warn("there is no control socket: %s; name another one (control = PATH), or none "
                 "(control = off)",
                 why);
        return STATUS_OK;
    }
    snprintf(s->why, s->why_size, "%s: control %s: %s", config_place(config, "control"), path, why);
    return STATUS_RUNTIME;
}

static enum exit_status start(struct supervisor *s)
{
    take_over_signals(s);
    if (succession_waits())
        return succession_take(s);
    enum exit_status status = reload_first_open(s);
    if (status != STATUS_OK)
        return status;
    const struct config *config = s->next->instance.config;
    s->kept_pid_file = strdup(config->pid_file != NULL ? config->pid_file : "none");
    s->kept_control = strdup(config->control);
    status = create_pid_file(s, config);
    if (status == STATUS_OK)
        status = open_control(s, config);
    if (status == STATUS_OK)
        reload_first_start(s);
    return status;
}

static void tell_end(const struct supervisor *s)
{
    const struct generation *g = s->current != NULL ? s->current : s->next;
    const struct life life = life_of(&g->instance);

    life_log_end(&life, s->stops ? LIFE_STOPPED : LIFE_DRAINED, s->drain_ms);
}

enum exit_status supervise(struct instance *instance)
{
    struct supervisor s = {
        .source = instance->source,
        .pid_file.fd = -1,
        .upgrade = { .out = -1, .old_binary = -1 },
        .why = instance->why,
        .why_size = sizeof instance->why,
        .started_ms = clock_monotonic_ms(),
    };

    instance->why[0] = '\0';
    s.heritage = (struct worker_heritage){ .forget = workers_forget, .context = &s };
    listen_set_init(&s.sockets);
    s.status =
        config_texts_copy(&s.texts, instance->source->texts) == 0 ? start(&s) : STATUS_RUNTIME;
    inherited_close_rest();
    if (s.status == STATUS_OK)
        run(&s);
    if (s.current != NULL || (s.status == STATUS_OK && s.next != NULL))
        tell_end(&s);
    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        generation_destroy(supervisor_generation(&s, i));
    config_texts_free(&s.texts);
    config_texts_free(&s.next_texts);
    pid_file_remove(&s.pid_file);
    control_done(s.control, CONTROL_THE_END, s.status, "the server has ended");
    control_close(s.control);
    close(s.signal_fd);
    free(s.entries);
    free(s.kept_pid_file);
    free(s.kept_control);
    return s.status;
}

/* reload.c: one generation of workers takes over from another.
 *
 *   asked -> next: opened, forked -> all ready: it is `current`, and the one before it
 *   is told to retire -> it accepts no more: who asked is answered, and it is the next request's
 *   turn. Those that have retired end meanwhile (retired.c)
 *
 * Whatever fails before all are ready ends the new
 * one, and the one that serves has noticed nothing. */
#include "process/supervisor_internal.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "process/life.h"
#include "process/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TELL_MS = 1000, /* who asked is answered by then, though an old worker may still accept */
    LOOK_MS = 2     /* so often it is asked whether one does */
};

static void request_clear(struct reload_request *request)
{
    for (size_t i = 0; i < request->settings_count; i++)
        free(request->settings[i]);
    *request = (struct reload_request){ 0 };
}

unsigned reload_ask(struct supervisor *s, bool reads, const char *const *settings, size_t count)
{
    struct reload_request *request = &s->request;
    struct reload_request new = { .ticket = request->ticket, .reads = request->reads || reads };

    if (new.ticket == 0)
        new.ticket = ++s->tickets;
    for (size_t i = 0; i < count && i < CONTROL_WORDS_MAX; i++) {
        char *copy = strdup(settings[i]);
        CHECK(copy != NULL);
        new.settings[new.settings_count++] = copy;
    }
    if (count == 0) { /* those of a shift that waits stay */
        memcpy(new.settings, request->settings, sizeof new.settings);
        new.settings_count = request->settings_count;
        request->settings_count = 0;
    }
    request_clear(request);
    *request = new;
    if (s->upgrade.old_binary < 0) /* else the other one has said so */
        notify_reloading();
    return new.ticket;
}

void reload_forget(struct supervisor *s)
{
    if (s->request.ticket != 0)
        control_done(s->control, s->request.ticket, STATUS_RUNTIME, "the server ends");
    request_clear(&s->request);
}

/* Makes and opens s->next. */
static enum exit_status open_next(struct supervisor *s, const struct reload_request *request,
                                  const char **ret_why)
{
    struct config_source source = *s->source;

    *ret_why = "out of memory";
    if (!request->reads && config_texts_copy(&s->next_texts, &s->texts) < 0)
        return STATUS_RUNTIME;
    source.texts = &s->next_texts;
    s->next = generation_create(s->generations + 1, &source, (const char *const *)request->settings,
                                request->settings_count);
    if (s->next == NULL)
        return STATUS_RUNTIME;
    *ret_why = s->next->instance.why;
    if (s->current != NULL)
        s->next->instance.tls_before = &s->current->instance.tls;
    return generation_open(s->next, &s->sockets, s->current == NULL);
}

static void start_next(struct supervisor *s)
{
    struct instance *instance = &s->next->instance;

    if (generation_start(s->next, s->current, &s->heritage) < 0)
        reload_fail(s, STATUS_RUNTIME, instance->why);
    else
        s->next->deadline_ms = clock_monotonic_ms() + instance->config->deadlines.start_ms;
}

enum exit_status reload_first_open(struct supervisor *s)
{
    const struct reload_request request = { .reads = false };
    const char *why = "";

    enum exit_status status = open_next(s, &request, &why);
    if (status != STATUS_OK)
        snprintf(s->why, s->why_size, "%s", why);
    return status;
}

void reload_first_start(struct supervisor *s)
{
    start_next(s);
}

/* Its workers end; those that are ready have accepted already, and finish that. What is left in the
 * queues of sockets that it alone has, they take before they close them. */
static void give_up(struct generation *g)
{
    const struct config *config = g->instance.config;

    instance_give_up_sockets(&g->instance);
    generation_give_up(g);
    g->deadline_ms =
        clock_monotonic_ms() + RETIRED_GRACE_MS + (config != NULL ? config->deadlines.drain_ms : 0);
}

void reload_fail(struct supervisor *s, enum exit_status status, const char *how)
{
    char text[1200];

    if (s->current == NULL) { /* it was the start */
        s->status = status;
        snprintf(s->why, s->why_size, "%s", how);
        s->failed = true;
        return;
    }
    if (upgrade_fail(s, status, how)) {
        s->failed = true;
        if (s->next != NULL)
            give_up(s->next);
        return;
    }
    snprintf(text, sizeof text,
             "the new configuration is not taken, the server goes on as before: %s", how);
    log_line(LOG_ERROR, text);
    control_done(s->control, s->ticket, status, text);
    s->failed = true;
    supervisor_tell_manager(s);
    if (s->next != NULL)
        give_up(s->next);
}

void reload_drop(struct supervisor *s)
{
    s->failed = s->current != NULL; /* then reload_go_on() frees it; else the last lines need it */
}

static void begin(struct supervisor *s)
{
    struct reload_request request = s->request;
    const char *why = "";

    s->request = (struct reload_request){ 0 };
    s->ticket = request.ticket;
    s->failed = false;
    enum exit_status status = open_next(s, &request, &why);
    if (status == STATUS_OK)
        start_next(s);
    else
        reload_fail(s, status, why);
    request_clear(&request);
}

/* A setting that a reload does not heed: what the start said holds. */
static void tell_kept(const char *key, const char *now, const char *kept)
{
    if (kept != NULL && strcmp(kept, now != NULL ? now : "none") != 0)
        log_warn("%s = %s takes a restart: the server keeps %s", key, now != NULL ? now : "none",
                 kept);
}

/* All workers of s->next serve. */
static void take_over(struct supervisor *s, uint64_t now_ms)
{
    struct generation *old = s->current;

    s->current = s->next;
    s->next = NULL;
    s->generations = s->current->number;
    config_texts_free(&s->texts);
    s->texts = s->next_texts;
    s->next_texts = (struct config_texts){ 0 };
    instance_take_log(&s->current->instance);
    if (old == NULL) {
        supervisor_ready(s);
        return;
    }
    tell_kept("pid_file", s->current->instance.config->pid_file, s->kept_pid_file);
    tell_kept("control", s->current->instance.config->control, s->kept_control);
    retired_add(s, old, now_ms);
    generation_retire(old, s->current);
    /* What the new one does not have ends with the workers' own descriptors, which they close now,
     * and not with the last connection, which may stay for as long as drain_timeout. */
    instance_give_up_sockets(&old->instance);
    s->upgraded = upgrade_done(s);
    s->tell_ms = now_ms + TELL_MS;
}

/* Tells that `current` serves alone: who connects from now on meets no other. */
static void tell_taken(struct supervisor *s)
{
    const struct generation *g = s->current;
    char text[200];

    s->tell_ms = 0;
    snprintf(text, sizeof text,
             "%sgeneration %u serves: engine %s, %zu worker%s; generation %u ends",
             s->upgraded ? "gearshift " GEARSHIFT_VERSION " has taken over: " : "", g->number,
             g->instance.config->engine, g->workers_count, g->workers_count == 1 ? "" : "s",
             g->number - 1);
    log_line(LOG_INFO, text);
    control_done(s->control, s->ticket, STATUS_OK, text);
    supervisor_tell_manager(s);
}

/* Does it at once where the old workers accept no more, or the server ends; else a little later. */
static void go_on_telling(struct supervisor *s, uint64_t now_ms)
{
    const struct generation *old = s->retired_count > 0 ? s->retired[s->retired_count - 1] : NULL;
    bool accepts = old != NULL && generation_is_accepting(old);

    if (accepts && !s->stops && !s->drains && now_ms < s->tell_ms)
        return;
    if (accepts && now_ms >= s->tell_ms)
        log_warn("generation %u has not heeded the order to accept no more within %d ms: it may "
                 "take connections that come now",
                 old->number, (int)TELL_MS);
    tell_taken(s);
}

static void free_generation(struct generation **generation)
{
    generation_destroy(*generation);
    *generation = NULL;
}

static bool may_begin(const struct supervisor *s)
{
    return s->request.ticket != 0 && s->next == NULL && s->tell_ms == 0 && !s->stops &&
           !s->drains && !upgrade_is_busy(s);
}

/* Is `next` to be freed? */
static bool has_failed(const struct supervisor *s)
{
    return s->next != NULL && s->failed && generation_alive(s->next) == 0;
}

static void end_failed(struct supervisor *s, uint64_t now_ms)
{
    if (generation_alive(s->next) == 0) {
        free_generation(&s->next);
        config_texts_free(&s->next_texts);
    } else if (now_ms >= s->next->deadline_ms) {
        generation_signal(s->next, SIGKILL);
        s->next->deadline_ms = UINT64_MAX;
    }
}

void reload_go_on(struct supervisor *s, uint64_t now_ms)
{
    if (s->next != NULL && !s->failed) {
        if (generation_is_ready(s->next))
            take_over(s, now_ms);
        else if (now_ms >= s->next->deadline_ms)
            reload_fail(s, STATUS_RUNTIME, "its workers are not ready within start_timeout");
    }
    if (s->next != NULL && s->failed)
        end_failed(s, now_ms);
    if (s->tell_ms != 0)
        go_on_telling(s, now_ms);
    retired_go_on(s, now_ms);
    if (!may_begin(s))
        return;
    retired_make_room(s, now_ms);
    if (retired_have_room(s))
        begin(s);
}

bool reload_is_busy(const struct supervisor *s)
{
    return s->next != NULL || s->tell_ms != 0 || s->request.ticket != 0;
}

uint64_t reload_due_ms(const struct supervisor *s)
{
    bool due = (may_begin(s) && retired_have_room(s)) || has_failed(s);
    uint64_t due_ms = due ? 0 : retired_due_ms(s);

    if (s->tell_ms != 0 && due_ms != 0)
        due_ms = clock_monotonic_ms() + LOOK_MS; /* all else comes later, or waits for it */
    if (s->next != NULL && due_ms > s->next->deadline_ms)
        due_ms = s->next->deadline_ms;
    return due_ms;
}

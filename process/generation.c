/* generation.c: see generation.h. */
#include "process/generation.h"

#include "config/config_roots.h"
#include "core/check.h"
#include "core/pulse.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_settings(struct generation *g, size_t borrowed)
{
    for (size_t i = borrowed; g->settings != NULL && i < g->source.settings_count; i++)
        free((void *)(uintptr_t)g->settings[i]);
    free(g->settings);
}

struct generation *generation_create(unsigned number, const struct config_source *source,
                                     const char *const *settings, size_t settings_count)
{
    struct generation *g = calloc(1, sizeof *g);

    if (g == NULL)
        return NULL;
    g->number = number;
    g->source = *source;
    g->borrowed_count = source->settings_count;
    g->settings = calloc(source->settings_count + settings_count + 1, sizeof g->settings[0]);
    bool whole = g->settings != NULL;
    for (size_t i = 0; whole && i < source->settings_count; i++)
        g->settings[i] = source->settings[i];
    for (size_t i = 0; whole && i < settings_count; i++) {
        g->settings[source->settings_count + i] = strdup(settings[i]);
        whole = g->settings[source->settings_count + i] != NULL;
    }
    g->source.settings = g->settings;
    g->source.settings_count += settings_count;
    instance_init(&g->instance, &g->source);
    g->instance.leaves_logs = true;
    if (whole)
        return g;
    generation_destroy(g);
    return NULL;
}

static enum exit_status make_workers(struct generation *g, size_t count)
{
    g->workers = calloc(count + 1, sizeof g->workers[0]);
    if (g->workers == NULL) {
        snprintf(g->instance.why, sizeof g->instance.why, "out of memory");
        return STATUS_RUNTIME;
    }
    g->workers_count = count;
    for (size_t i = 0; i < count; i++)
        worker_init(&g->workers[i], (unsigned)i);
    return STATUS_OK;
}

enum exit_status generation_adopt(struct generation *g, struct listen_set *set, size_t count)
{
    enum exit_status status = instance_adopt(&g->instance, set);

    g->adopted = true;
    return status == STATUS_OK ? make_workers(g, count) : status;
}

enum exit_status generation_open(struct generation *g, struct listen_set *set, bool first)
{
    enum exit_status status = instance_configure(&g->instance);
    if (status == STATUS_OK && g->instance.config->processes == 0) {
        snprintf(g->instance.why, sizeof g->instance.why,
                 "%s: processes = 0 takes the supervisor away, which needs a new start",
                 config_place(g->instance.config, "processes"));
        status = STATUS_CONFIG;
    }
    if (status == STATUS_OK)
        status = instance_open(&g->instance, set, first);
    if (status != STATUS_OK)
        return status;
    return make_workers(g, g->instance.config->processes);
}

/* Worker `index` is the successor of every so-manieth worker before it. Returns their number. */
static size_t inboxes_of(const struct generation *g, const struct generation *before, size_t index,
                         int *ret_inboxes)
{
    size_t count = 0;

    for (size_t i = index; before != NULL && i < before->workers_count; i += g->workers_count) {
        if (before->workers[i].inbox >= 0)
            ret_inboxes[count++] = before->workers[i].inbox;
    }
    return count;
}

int generation_start(struct generation *g, const struct generation *before,
                     const struct worker_heritage *heritage)
{
    size_t room = before != NULL ? before->workers_count : 0;
    int *inboxes = calloc(room + 1, sizeof inboxes[0]);
    struct worker_heritage own = *heritage;
    int error = inboxes != NULL ? 0 : -ENOMEM;

    if (error < 0)
        snprintf(g->instance.why, sizeof g->instance.why, "out of memory");
    own.inboxes = inboxes;
    instance_name_counters(&g->instance);
    for (size_t i = 0; error == 0 && i < g->workers_count; i++) {
        own.inboxes_count = inboxes_of(g, before, i, inboxes);
        error = worker_start(&g->workers[i], &g->instance, &own, g->instance.why,
                             sizeof g->instance.why);
    }
    free(inboxes);
    if (error == 0)
        config_roots_close(g->instance.config); /* the workers', by now */
    return error;
}

int generation_restart(struct generation *g, struct worker *worker,
                       const struct worker_heritage *heritage, char *why, size_t why_size)
{
    struct config *config = g->instance.config;

    int error = config_roots_open(config, why, why_size);
    if (error == 0)
        error = worker_start(worker, &g->instance, heritage, why, why_size);
    config_roots_close(config);
    return error;
}

/* The address of `after` that is that socket, and speaks the same; -1: there is none. */
static int same_address(const struct instance *after, const struct listener *listener)
{
    for (size_t i = 0; i < after->config->listens_count; i++) {
        if (after->listeners[i].fd == listener->fd &&
            after->listeners[i].config->tls == listener->config->tls &&
            after->listeners[i].config->proxy_protocol == listener->config->proxy_protocol)
            return (int)i;
    }
    return -1;
}

void generation_retire(struct generation *g, const struct generation *after)
{
    for (size_t i = 0; i < g->workers_count; i++) {
        struct worker *worker = &g->workers[i];
        if (worker->pid == 0)
            continue;
        for (size_t j = 0; worker->handover != NULL && j < g->instance.config->listens_count; j++)
            handover_map(worker->handover, j,
                         same_address(&after->instance, &g->instance.listeners[j]));
        worker_give_inbox(worker);
        worker_signal(worker, SIGUSR2);
    }
}

void generation_give_up(struct generation *g)
{
    for (size_t i = 0; i < g->workers_count; i++) {
        struct worker *worker = &g->workers[i];
        worker_give_inbox(worker);
        worker_signal(worker, worker->ready ? SIGUSR2 : SIGKILL);
    }
}

struct worker *generation_find(struct generation *g, pid_t pid)
{
    for (size_t i = 0; g != NULL && i < g->workers_count; i++) {
        if (g->workers[i].pid == pid)
            return &g->workers[i];
    }
    return NULL;
}

bool generation_is_ready(const struct generation *g)
{
    for (size_t i = 0; i < g->workers_count; i++) {
        if (!g->workers[i].ready)
            return false;
    }
    return true;
}

bool generation_is_accepting(const struct generation *g)
{
    for (size_t i = 0; i < g->workers_count; i++) {
        const struct worker *worker = &g->workers[i];
        if (worker->pid != 0 && worker->pulse != NULL && pulse_is_accepting(worker->pulse))
            return true;
    }
    return false;
}

size_t generation_alive(const struct generation *g)
{
    size_t alive = 0;

    for (size_t i = 0; g != NULL && i < g->workers_count; i++)
        alive += g->workers[i].pid != 0;
    return alive;
}

void generation_signal(struct generation *g, int number)
{
    for (size_t i = 0; g != NULL && i < g->workers_count; i++)
        worker_signal(&g->workers[i], number);
}

void generation_destroy(struct generation *g)
{
    if (g == NULL)
        return;
    CHECK(generation_alive(g) == 0);
    for (size_t i = 0; i < g->workers_count; i++)
        worker_free(&g->workers[i]);
    instance_close(&g->instance);
    free(g->workers);
    free_settings(g, g->borrowed_count);
    free(g);
}

/* proactor.c: the engine `proactor`. Accepting, receiving, opening, reading and sending are
 * operations that an asynchronous operation processor completes: io_uring, or one that is emulated
 * (processor.h). threads = N runs N proactors, one processor each, that share nothing but the
 * configuration.
 *
 *   reuseport  each has a listening socket; the kernel distributes by a hash of the addresses
 *   shared     one socket, an accept armed on it in each; io_uring wakes one of them, the emulated
 *              processor all that sleep, and one of them gets the connection
 *
 * The calling thread runs a proactor itself. Signals reach that thread only; wake() is for all. */
#include "core/cpus.h"
#include "engines/crew.h"
#include "engines/engine.h"
#include "engines/listen_share.h"
#include "engines/proactor/proactor_internal.h"

#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENGINE_MAGIC 0x9b0ae491u

struct engine {
    unsigned magic; /* ENGINE_MAGIC */
    struct engine_config cfg;
    struct proactor_shared shared;
    struct cpus cpus;
    struct proactor **proactors; /* one a thread */
    unsigned count;
    struct listen_share listeners;
};

static enum processor_kind processor_of(const struct config *config)
{
    return config != NULL ? config->processor : PROCESSOR_IO_URING;
}

static int proactor_engine_probe(const struct config *config, char *why, size_t why_size)
{
    struct processor_options options;
    return processor_find(processor_of(config))->probe(why, why_size, &options);
}

static void proactor_engine_features(const struct config *config, char *text, size_t size)
{
    const struct processor_ops *processor = processor_find(processor_of(config));
    struct processor_options options;
    if (processor->probe(text, size, &options) == 0)
        processor->features(&options, text, size);
}

/* What one proactor asks of all. */
static void wake_all(void *context)
{
    struct engine *e = context;
    CHECK_OBJ(e, ENGINE_MAGIC);
    for (unsigned i = 0; i < e->count; i++) {
        if (e->proactors[i] != NULL)
            proactor_wake(e->proactors[i]);
    }
}

static bool all_full(void *context)
{
    const struct engine *e = context;
    CHECK_OBJ(e, ENGINE_MAGIC);
    for (unsigned i = 0; i < e->count; i++) {
        if (e->proactors[i] == NULL || !proactor_is_full(e->proactors[i]))
            return false;
    }
    return true;
}

static int make_proactors(struct engine *e, char *why, size_t why_size)
{
    int shared = session_share_files(e->cfg.config, e->count, &e->cfg.limits, why, why_size);
    if (shared < 0)
        return shared;
    for (unsigned i = 0; i < e->count; i++) {
        struct session_limits limits = session_limits_share(&e->cfg.limits, i, e->count);
        size_t count;
        struct listener *listeners = listen_share_of(&e->listeners, i, &count);
        int res =
            proactor_create(&e->shared, &limits, listeners, count, why, why_size, &e->proactors[i]);
        if (res < 0)
            return res;
    }
    return 0;
}

static void proactor_engine_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, ENGINE_MAGIC);
    for (unsigned i = 0; e->proactors != NULL && i < e->count; i++)
        proactor_destroy(e->proactors[i]);
    session_unshare_files(&e->cfg.limits);
    listen_share_close(&e->listeners);
    free(e->proactors);
    cpus_free(&e->cpus);
    e->magic = 0;
    free(e);
}

static int prepare(struct engine *e, char *why, size_t why_size)
{
    const struct config *config = e->cfg.config;
    int res = cpus_find(&e->cpus);
    if (res == 0) {
        e->count = config->threads > 0 ? config->threads : e->cpus.threads;
        e->proactors = calloc(e->count, sizeof(e->proactors[0]));
        res = e->proactors == NULL ? -ENOMEM : 0;
    }
    if (res < 0) {
        snprintf(why, why_size, "the threads cannot be prepared: %s", strerror(-res));
        return res;
    }
    if (config->accept_mode == ACCEPT_HANDOFF && e->count > 1) {
        snprintf(why, why_size,
                 "accept = handoff is multi-reactor's; set accept = reuseport or shared for engine "
                 "proactor with %u threads",
                 e->count);
        return -EINVAL;
    }
    if (e->cfg.limits.connections_max < e->count) {
        snprintf(
            why, why_size,
            "connections_max = %u leaves nothing for some of %u threads: set threads to it, or "
            "to less",
            e->cfg.limits.connections_max, e->count);
        return -EINVAL;
    }
    e->shared.processor = processor_find(config->processor);
    if (e->shared.processor->probe(why, why_size, &e->shared.options) < 0)
        return -EOPNOTSUPP;
    e->shared.config = config;
    e->shared.tls = e->cfg.tls;
    e->shared.orders = e->cfg.orders;
    e->shared.pulse = e->cfg.pulse;
    e->shared.out = e->cfg.out;
    e->shared.inboxes = e->cfg.inboxes;
    e->shared.inboxes_count = e->cfg.inboxes_count;
    e->shared.wake_all = wake_all;
    e->shared.all_full = all_full;
    e->shared.wake_context = e;
    res = listen_share_open(e->cfg.listeners, e->cfg.listeners_count, e->count, config->accept_mode,
                            why, why_size, &e->listeners);
    return res < 0 ? res : make_proactors(e, why, why_size);
}

static int proactor_engine_create(const struct engine_config *cfg, char *why, size_t why_size,
                                  struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = ENGINE_MAGIC;
    e->cfg = *cfg;
    int res = prepare(e, why, why_size);
    if (res < 0) {
        proactor_engine_destroy(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

/* If one fails, the others are not left to themselves. */
static void fail_all(void *context)
{
    struct engine *e = context;
    atomic_store(&e->shared.failed, true);
    wake_all(e);
}

static int member_serve(void *context, unsigned index)
{
    struct engine *e = context;
    return proactor_run(e->proactors[index]);
}

static int proactor_engine_run(struct engine *e)
{
    CHECK_OBJ(e, ENGINE_MAGIC);
    const struct crew_job job = {
        .name = "proactor",
        .serve = member_serve,
        .end_all = fail_all,
        .context = e,
        .pin = e->cfg.config->pin ? &e->cpus : NULL,
    };
    char features[256];
    e->shared.processor->features(&e->shared.options, features, sizeof(features));
    log_info("proactor: %u threads; %s", e->count, features);
    return crew_run(&job, e->count, NULL);
}

static void proactor_engine_wake(struct engine *e)
{
    wake_all(e);
}

const struct engine_ops engine_proactor = {
    .name = "proactor",
    .summary =
        "io_uring: accepts, receives, opens, reads and sends by completions; a ring a thread",
    .cost = "needs io_uring, which containers often forbid (processor = epoll does without); about "
            "1.2 MiB of buffers a thread",
    .settings = ENGINE_SETTING_THREADS | ENGINE_SETTING_PIN | ENGINE_SETTING_ACCEPT |
                ENGINE_SETTING_PROCESSOR | ENGINE_SETTING_WORKER_QUEUE | ENGINE_SETTING_COALESCE |
                ENGINE_SETTING_CACHE_SHARED,
    .file_jobs = 1u << FILE_JOBS_PROCESSOR,
    .splices = true,
    .probe = proactor_engine_probe,
    .create = proactor_engine_create,
    .run = proactor_engine_run,
    .wake = proactor_engine_wake,
    .destroy = proactor_engine_destroy,
    .features = proactor_engine_features,
};

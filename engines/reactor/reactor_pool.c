/* reactor_pool.c: the engine `reactor-pool`: one loop in the calling thread, and workers.
 *
 * pool_work = request, the textbook's reactor with a thread pool: the reactor accepts, receives and
 * sends; a worker processes what was received, up to the complete answer. pool_work = file: the
 * reactor does all that, too, and workers only what may block. Both are the loop with workers. */
#include "engines/engine.h"
#include "engines/reactor/loop.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define REACTOR_POOL_MAGIC 0x4eac9001u

enum { WORKERS_DEFAULT = 4 };

struct engine {
    unsigned magic; /* REACTOR_POOL_MAGIC */
    struct loop *loop;
};

static int reactor_pool_probe(const struct config *config, char *why, size_t why_size)
{
    return engine_reactor.probe(config, why, why_size);
}

static int reactor_pool_create(const struct engine_config *cfg, char *why, size_t why_size,
                               struct engine **ret_engine)
{
    const struct config *config = cfg->config;
    if (config->threads > 1) { /* 0 leaves the number to the engine */
        snprintf(why, why_size,
                 "engine reactor-pool runs one event loop: threads = %u needs multi-reactor; set "
                 "threads = 1, and the number of workers by `workers`",
                 config->threads);
        return -EINVAL;
    }
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = REACTOR_POOL_MAGIC;
    const struct loop_options options = {
        .workers = config->workers > 0 ? config->workers : WORKERS_DEFAULT,
        .work_requests = config->pool_work == POOL_WORK_REQUEST,
    };
    int res = loop_create(cfg, &options, why, why_size, &e->loop);
    if (res < 0) {
        free(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

static int reactor_pool_run(struct engine *e)
{
    CHECK_OBJ(e, REACTOR_POOL_MAGIC);
    return loop_run(e->loop);
}

static void reactor_pool_wake(struct engine *e)
{
    CHECK_OBJ(e, REACTOR_POOL_MAGIC);
    loop_wake(e->loop);
}

static void reactor_pool_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, REACTOR_POOL_MAGIC);
    loop_destroy(e->loop);
    e->magic = 0;
    free(e);
}

const struct engine_ops engine_reactor_pool = {
    .name = "reactor-pool",
    .summary = "single reactor with worker threads for requests, or only for files (pool_work)",
    .cost = "a hand-over to a thread and back for each request (a quarter more CPU), or for each "
            "job of a disk",
    .settings = ENGINE_SETTING_DEMULTIPLEXER | ENGINE_SETTING_WORKERS |
                ENGINE_SETTING_WORKER_QUEUE | ENGINE_SETTING_POOL_WORK,
    .file_jobs = 1u << FILE_JOBS_WORKERS | LOOP_FILE_EXECUTORS,
    .probe = reactor_pool_probe,
    .create = reactor_pool_create,
    .run = reactor_pool_run,
    .wake = reactor_pool_wake,
    .destroy = reactor_pool_destroy,
};

/* reactor_pool.c: the engine `reactor-pool`: one loop in the calling thread, and workers.
 *
 * pool_work = request, the textbook's reactor with a thread pool: the reactor accepts, receives and
 * sends; a worker processes what was received, up to the complete answer. pool_work = file: the
 * reactor does all that, too, and workers only what may block. Both are the loop with workers. */
#include "engines/reactor/single_loop.h"

enum { WORKERS_DEFAULT = 4 };

static int reactor_pool_create(const struct engine_config *cfg, char *why, size_t why_size,
                               struct engine **ret_engine)
{
    const struct config *config = cfg->config;
    const struct loop_options options = {
        .workers = config->workers > 0 ? config->workers : WORKERS_DEFAULT,
        .work_requests = config->pool_work == POOL_WORK_REQUEST,
    };

    return single_loop_create(cfg, &options, why, why_size, ret_engine);
}

const struct engine_ops engine_reactor_pool = {
    .name = "reactor-pool",
    .summary = "single reactor with worker threads for requests, or only for files (pool_work)",
    .cost = "a hand-over to a thread and back for each request (a quarter more CPU), or for each "
            "job of a disk",
    .settings = ENGINE_SETTING_DEMULTIPLEXER | ENGINE_SETTING_WORKERS |
                ENGINE_SETTING_WORKER_QUEUE | ENGINE_SETTING_POOL_WORK,
    .file_jobs = 1u << FILE_JOBS_WORKERS | LOOP_FILE_EXECUTORS,
    .probe = single_loop_probe,
    .create = reactor_pool_create,
    .run = single_loop_run,
    .wake = single_loop_wake,
    .destroy = single_loop_destroy,
};

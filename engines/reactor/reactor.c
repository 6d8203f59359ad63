/* reactor.c: the engine `reactor`: one epoll loop in the calling thread accepts, reads, processes
 * and sends. No helper: a file job, or a file that is not in the page cache, blocks everyone for as
 * long as it takes. */
#include "engines/reactor/single_loop.h"

static int reactor_create(const struct engine_config *cfg, char *why, size_t why_size,
                          struct engine **ret_engine)
{
    const struct loop_options options = {
        .workers = loop_file_workers(cfg->config, engine_reactor.file_jobs_by_default),
    };

    return single_loop_create(cfg, &options, why, why_size, ret_engine);
}

const struct engine_ops engine_reactor = {
    .name = "reactor",
    .summary = "single reactor: one epoll loop accepts, reads, processes and sends",
    .cost = "one CPU at most; a disk that is waited for holds up all connections",
    .settings =
        ENGINE_SETTING_DEMULTIPLEXER | ENGINE_SETTING_FILE_WORKERS | ENGINE_SETTING_WORKER_QUEUE,
    .file_jobs = 1u << FILE_JOBS_INLINE | 1u << FILE_JOBS_WORKERS | LOOP_FILE_EXECUTORS,
    .file_jobs_by_default = FILE_JOBS_INLINE,
    .probe = single_loop_probe,
    .create = reactor_create,
    .run = single_loop_run,
    .wake = single_loop_wake,
    .destroy = single_loop_destroy,
};

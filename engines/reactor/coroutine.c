/* coroutine.c: the engine `coroutine`: one thread, in which each connection is straight-line code
 * with a stack of its own, which yields where a thread would block. The loop beneath is the
 * reactor's; what a connection does is written as for a thread (engines/blocking/driver.h). */
#include "engines/reactor/single_loop.h"

static int coroutine_create(const struct engine_config *cfg, char *why, size_t why_size,
                            struct engine **ret_engine)
{
    const struct loop_options options = { .routines = true };

    return single_loop_create(cfg, &options, why, why_size, ret_engine);
}

const struct engine_ops engine_coroutine = {
    .name = "coroutine",
    .summary = "one thread; each connection is straight-line code that yields where it would block",
    .cost = "a stack for each connection, of which an idle one keeps 4 KiB; else as reactor",
    .settings = ENGINE_SETTING_DEMULTIPLEXER,
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .probe = single_loop_probe,
    .create = coroutine_create,
    .run = single_loop_run,
    .wake = single_loop_wake,
    .destroy = single_loop_destroy,
};

/* coroutine.c: the engine `coroutine`: one thread, in which each connection is straight-line code
 * with a stack of its own, which yields where a thread would block. The loop beneath is the
 * reactor's; what a connection does is written as for a thread (engines/blocking/driver.h). */
#include "engines/engine.h"
#include "engines/reactor/loop.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COROUTINE_MAGIC 0xc04040e1u

struct engine {
    unsigned magic; /* COROUTINE_MAGIC */
    struct loop *loop;
};

static int coroutine_probe(const struct config *config, char *why, size_t why_size)
{
    return engine_reactor.probe(config, why, why_size);
}

static int coroutine_create(const struct engine_config *cfg, char *why, size_t why_size,
                            struct engine **ret_engine)
{
    if (cfg->config->threads > 1) { /* 0 leaves the number to the engine */
        snprintf(why, why_size,
                 "engine coroutine runs one thread: threads = %u needs multi-reactor; set threads "
                 "= 1",
                 cfg->config->threads);
        return -EINVAL;
    }
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = COROUTINE_MAGIC;
    const struct loop_options options = { .routines = true };
    int res = loop_create(cfg, &options, why, why_size, &e->loop);
    if (res < 0) {
        free(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

static int coroutine_run(struct engine *e)
{
    CHECK_OBJ(e, COROUTINE_MAGIC);
    return loop_run(e->loop);
}

static void coroutine_wake(struct engine *e)
{
    CHECK_OBJ(e, COROUTINE_MAGIC);
    loop_wake(e->loop);
}

static void coroutine_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, COROUTINE_MAGIC);
    loop_destroy(e->loop);
    e->magic = 0;
    free(e);
}

const struct engine_ops engine_coroutine = {
    .name = "coroutine",
    .summary = "one thread; each connection is straight-line code that yields where it would block",
    .cost = "a stack for each connection, of which an idle one keeps 4 KiB; else as reactor",
    .settings = ENGINE_SETTING_DEMULTIPLEXER,
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .probe = coroutine_probe,
    .create = coroutine_create,
    .run = coroutine_run,
    .wake = coroutine_wake,
    .destroy = coroutine_destroy,
};

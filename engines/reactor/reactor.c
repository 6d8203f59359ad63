/* reactor.c: the engine `reactor`: one epoll loop in the calling thread accepts, reads, processes
 * and sends. No helper: a file job, or a file that is not in the page cache, blocks everyone for as
 * long as it takes. */
#include "engines/engine.h"
#include "engines/files/file_executor.h"
#include "engines/reactor/demultiplexer.h"
#include "engines/reactor/loop.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REACTOR_MAGIC 0x4eac1004u

struct engine {
    unsigned magic; /* REACTOR_MAGIC */
    struct loop *loop;
};

static int reactor_probe(const struct config *config, char *why, size_t why_size)
{
    enum demultiplexer_kind kind = config != NULL ? config->demultiplexer : DEMULTIPLEXER_EPOLL;
    size_t sources = config != NULL ? config->connections_max : 1;
    int res = demultiplexer_of(kind)->probe(sources, why, why_size);
    return res == 0 && config != NULL ? file_executor_probe(config, why, why_size) : res;
}

static int reactor_create(const struct engine_config *cfg, char *why, size_t why_size,
                          struct engine **ret_engine)
{
    /* 0 leaves the number to the engine. */
    if (cfg->config->threads > 1) {
        snprintf(
            why, why_size,
            "engine reactor runs one thread: threads = %u needs multi-reactor; set threads = 1",
            cfg->config->threads);
        return -EINVAL;
    }
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = REACTOR_MAGIC;
    const struct loop_options options = {
        .workers = loop_file_workers(cfg->config, FILE_JOBS_INLINE),
    };
    int res = loop_create(cfg, &options, why, why_size, &e->loop);
    if (res < 0) {
        free(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

static int reactor_run(struct engine *e)
{
    CHECK_OBJ(e, REACTOR_MAGIC);
    return loop_run(e->loop);
}

static void reactor_wake(struct engine *e)
{
    CHECK_OBJ(e, REACTOR_MAGIC);
    loop_wake(e->loop);
}

static void reactor_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, REACTOR_MAGIC);
    loop_destroy(e->loop);
    e->magic = 0;
    free(e);
}

const struct engine_ops engine_reactor = {
    .name = "reactor",
    .summary = "single reactor: one epoll loop accepts, reads, processes and sends",
    .cost = "one CPU at most; a disk that is waited for holds up all connections",
    .settings =
        ENGINE_SETTING_DEMULTIPLEXER | ENGINE_SETTING_FILE_WORKERS | ENGINE_SETTING_WORKER_QUEUE,
    .file_jobs = 1u << FILE_JOBS_INLINE | 1u << FILE_JOBS_WORKERS | LOOP_FILE_EXECUTORS,
    .probe = reactor_probe,
    .create = reactor_create,
    .run = reactor_run,
    .wake = reactor_wake,
    .destroy = reactor_destroy,
};

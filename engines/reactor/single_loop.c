/* single_loop.c: see single_loop.h. */
#include "engines/reactor/single_loop.h"

#include "core/check.h"
#include "engines/files/file_executor.h"
#include "engines/reactor/demultiplexer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SINGLE_LOOP_MAGIC 0x514e1001u

struct engine {
    unsigned magic; /* SINGLE_LOOP_MAGIC */
    struct loop *loop;
};

int single_loop_probe(const struct config *config, char *why, size_t why_size)
{
    enum demultiplexer_kind kind = config != NULL ? config->demultiplexer : DEMULTIPLEXER_EPOLL;
    size_t sources = config != NULL ? config->connections_max : 1;
    int res = demultiplexer_of(kind)->probe(sources, why, why_size);
    return res == 0 && config != NULL ? file_executor_probe(config, why, why_size) : res;
}

int single_loop_create(const struct engine_config *cfg, const struct loop_options *options,
                       char *why, size_t why_size, struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = SINGLE_LOOP_MAGIC;
    int res = loop_create(cfg, options, why, why_size, &e->loop);
    if (res < 0) {
        free(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

int single_loop_run(struct engine *e)
{
    CHECK_OBJ(e, SINGLE_LOOP_MAGIC);
    return loop_run(e->loop);
}

void single_loop_wake(struct engine *e)
{
    CHECK_OBJ(e, SINGLE_LOOP_MAGIC);
    loop_wake(e->loop);
}

void single_loop_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, SINGLE_LOOP_MAGIC);
    loop_destroy(e->loop);
    e->magic = 0;
    free(e);
}

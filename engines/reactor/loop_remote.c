/* loop_remote.c: workers of their own for file jobs that are remote (core/file_system.h): a file
 * server that hangs keeps those who wait for it, for as long as it likes, and they must not be the
 * workers who read everybody's cold files; nor may the loop itself wait, whatever else it does
 * inline. Made when the first such job comes, so that who has none pays nothing. */
#include "engines/reactor/loop_internal.h"

#include "config/config.h"
#include "core/log_repeat.h"

#include <string.h>

/* Everything, or nothing. 0 or -errno. */
static int begin(struct loop *loop)
{
    unsigned conns = loop->cfg.limits.connections_max;
    struct workers *workers = NULL;
    int res = 0;
    if (loop->tasks == NULL)
        res = pool_create("tasks", sizeof(struct loop_task), conns, &loop->tasks);
    /* One job a connection: nothing is ever refused for want of a place. */
    if (res == 0)
        res = workers_create(loop->cfg.config->remote_workers, conns, &workers);
    if (res == 0) {
        loop->remote_done = (struct loop_source){ LOOP_DONE_MAGIC, workers_fd(workers) };
        res = loop->demultiplexer->ops->add(loop->demultiplexer, &loop->remote_done,
                                            DEMULTIPLEXER_RESULTS);
    }
    if (res == 0) {
        res = workers_start(workers);
        if (res < 0)
            loop->demultiplexer->ops->remove(loop->demultiplexer, &loop->remote_done, true);
    }
    if (res == 0)
        loop->remote = workers;
    else
        workers_destroy(workers);
    return res;
}

bool loop_remote_begin(struct loop *loop)
{
    if (loop->remote != NULL || loop->options.turns)
        return loop->remote != NULL;
    int res = begin(loop);
    if (res < 0)
        log_repeated(LOG_ERROR, "remote_workers", -res,
                     "remote_workers = %u cannot be started: %s; until then a file server that "
                     "does not answer holds up others, too",
                     loop->cfg.config->remote_workers, strerror(-res));
    return res == 0;
}

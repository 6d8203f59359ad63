/* descriptors.c: see descriptors.h. */
#include "engines/descriptors.h"

#include "core/privileges.h"
#include "engines/cpus.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
    SPARE = 64, /* error log, pid file, standard streams, jobs in progress, what is inherited */
    LOOP = 16,  /* epoll, eventfds, a ring; what is rounded up when a limit is divided */
    START_LEAST = 8, /* of SPARE: without these nothing starts */
    LOOP_LEAST = 2   /* of LOOP */
};

/* What is open before the first client comes, at least. */
static uint64_t needed_to_start(const struct config *config, uint64_t loops)
{
    return config->roots_count + loops * config->access_logs_count + config->listens_count +
           loops * LOOP_LEAST + START_LEAST;
}

/* All of it. Loops share the limits of connections and files among them; each has logs and
 * listening sockets of its own. */
static uint64_t needed(const struct config *config, uint64_t loops)
{
    return (uint64_t)config->connections_max + config->cache_files_max + SPARE +
           config->roots_count + loops * (config->access_logs_count + config->listens_count + LOOP);
}

int descriptors_raise(const struct config *config, const struct engine_ops *ops, char *warning,
                      size_t warning_size)
{
    uint64_t loops = ops->has_threads ? cpus_threads(config->threads) : 1;
    uint64_t least = needed_to_start(config, loops);
    struct rlimit limit;

    warning[0] = '\0';
    if (privileges_raise_files(needed(config, loops), warning, warning_size) == 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= least)
        return 0;
    snprintf(warning, warning_size,
             "the start alone needs %llu descriptors: %zu roots, %zu access logs for each of %llu "
             "event loops, %zu addresses and the server's own, but the limit is %llu "
             "(RLIMIT_NOFILE): raise it (ulimit -Hn, LimitNOFILE=) or have fewer of them",
             (unsigned long long)least, config->roots_count, config->access_logs_count,
             (unsigned long long)loops, config->listens_count, (unsigned long long)limit.rlim_cur);
    return -EMFILE;
}

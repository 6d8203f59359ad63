/* descriptors.c: see descriptors.h. */
#include "process/descriptors.h"

#include "process/privileges.h"
#include "core/cpus.h"
#include "engines/files/file_executor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SPARE = 64, /* error log, pid file, standard streams, jobs in progress, what is inherited */
    LOOP = 16,  /* epoll, eventfds, a ring; what is rounded up when a limit is divided */
    START_LEAST = 8, /* of SPARE: without these nothing starts */
    LOOP_LEAST = 2,  /* of LOOP */
    START_OPEN = 12, /* of SPARE: open while it serves; a log that is opened again */
    LOOP_OPEN = 4,   /* of LOOP, likewise */
    PIPES = 128,     /* of a ring, with file_io = splice: PROACTOR_PIPES_MAX pipes */
    RESERVED_MAX = 131072
};

/* What is open before the first client comes, at least. */
static uint64_t needed_to_start(const struct config *config, uint64_t loops)
{
    return config->roots_count + loops * config->access_logs_count + config->listens_count +
           loops * LOOP_LEAST + START_LEAST;
}

/* Of each event loop besides its views and logs, only where a setting asks for it. */
static uint64_t of_settings(const struct config *config)
{
    const struct file_executor_ops *executor = file_executor_of(config->file_jobs);
    uint64_t pipes = config->file_io == FILE_IO_SPLICE ? PIPES : 0;
    return pipes + (executor != NULL && executor->duplicates ? FILE_EXECUTOR_DEPTH : 0);
}

/* All of it, of one process, which has at most so many connections. Loops share the limits of
 * connections and files among them; each has logs, listening sockets and views of the roots of its
 * own. */
static uint64_t needed(const struct config *config, uint64_t loops, uint64_t connections)
{
    return connections + config->cache_files_max + SPARE +
           loops * (config->roots_count + config->access_logs_count + config->listens_count + LOOP +
                    of_settings(config));
}

static uint64_t loops_of(const struct config *config, const struct engine_ops *ops)
{
    bool several = (ops->settings & ENGINE_SETTING_THREADS) != 0 && !ops->shares_env;
    return several ? cpus_threads(config->threads) : 1;
}

static uint64_t connections_of(const struct config *config, const struct engine_ops *ops)
{
    return ops->forks ? 1 : config->connections_max;
}

/* When they are few, a fifth is for files that are only kept, and the rest for connections with the
 * file that each of them may be sending, and its pipe. */
void descriptors_share(struct config *config, const struct engine_ops *ops, uint64_t limit)
{
    uint64_t loops = loops_of(config, ops);
    uint64_t open = START_OPEN + loops * (config->roots_count + config->access_logs_count +
                                          config->listens_count + LOOP_OPEN);
    uint64_t left = limit > open ? limit - open : 0;
    uint64_t kept = left / 5;
    if (ops->forks) { /* its processes have a connection each: only what is kept is too much */
        if (config->cache_files_max > kept)
            config->cache_files_max = (uint32_t)kept;
        return;
    }
    uint64_t each = config->file_io == FILE_IO_SPLICE ? 4 : 2;
    uint64_t connections = (left - kept) / each;
    uint64_t others =
        needed(config, loops, config->connections_max) - open - config->connections_max;
    if (left - connections > others) /* there are enough for all that is not a connection */
        connections = left - others;
    else if (config->cache_files_max > kept)
        config->cache_files_max = (uint32_t)kept;
    if (connections < loops)
        connections = loops;
    if (config->connections_max > connections)
        config->connections_max = (uint32_t)connections;
}

/* Tells behind the warning what there will be. */
static void tell_share(const struct config *config, char *warning, size_t warning_size)
{
    size_t len = strlen(warning);
    snprintf(warning + len, warning_size - len,
             "; until then connections_max = %u and cache_files = %u, so that connections leave "
             "descriptors for the files that they ask for",
             config->connections_max, config->cache_files_max);
}

int descriptors_raise(struct config *config, const struct engine_ops *ops, char *warning,
                      size_t warning_size)
{
    uint64_t loops = loops_of(config, ops);
    uint64_t least = needed_to_start(config, loops);
    struct rlimit limit;

    warning[0] = '\0';
    if (privileges_raise_files(needed(config, loops, connections_of(config, ops)), warning,
                               warning_size) == 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur >= least) {
        descriptors_share(config, ops, limit.rlim_cur);
        tell_share(config, warning, warning_size);
        return 0;
    }
    snprintf(warning, warning_size,
             "the start alone needs %llu descriptors: %zu roots, %zu access logs for each of %llu "
             "event loops, %zu addresses and the server's own, but the limit is %llu "
             "(RLIMIT_NOFILE): raise it (ulimit -Hn, LimitNOFILE=) or have fewer of them",
             (unsigned long long)least, config->roots_count, config->access_logs_count,
             (unsigned long long)loops, config->listens_count, (unsigned long long)limit.rlim_cur);
    return -EMFILE;
}

void descriptors_reserve(const struct config *config, const struct engine_ops *ops)
{
    uint64_t count = needed(config, loops_of(config, ops), connections_of(config, ops));
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (count > limit.rlim_cur)
        count = limit.rlim_cur;
    if (count > RESERVED_MAX)
        count = RESERVED_MAX;
    int some = eventfd(0, EFD_CLOEXEC);
    if (some < 0)
        return;
    int last = fcntl(some, F_DUPFD_CLOEXEC, (int)count - 1); /* the table never shrinks again */
    if (last >= 0)
        close(last);
    close(some);
}

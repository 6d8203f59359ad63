/* engine.c: the engines built in, in the order in which -h lists them. */
#include "engines/engine.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct engine_ops *const engines[] = {
    &engine_reactor,       &engine_reactor_pool,
    &engine_multi_reactor, &engine_leader_followers,
    &engine_proactor,      &engine_coroutine,
    &engine_iterative,     &engine_thread_per_connection,
    &engine_thread_pool,   &engine_process_per_connection,
};

static const struct engine_alias aliases[] = {
    { "poll", "reactor", "demultiplexer=poll",
      "each wait looks at every connection: with 1,000 idle ones a request costs 4 to 7 times as "
      "much" },
    { "select", "reactor", "demultiplexer=select",
      "as poll, with bit maps as long as the highest descriptor" },
    { "sigio", "reactor", "demultiplexer=sigio",
      "a signal for each segment, three calls more for each connection; at RLIMIT_SIGPENDING, "
      "which is the user's, every connection is looked at" },
    { "aio", "reactor", "demultiplexer=aio",
      "an operation for each wait of each connection; connections_max counts against "
      "fs.aio-max-nr" },
    { "polling", "reactor", "demultiplexer=busy",
      "a whole CPU, busy or not; a receive in vain for each idle connection, again and again" },
    { "emulated-proactor", "proactor", "processor=epoll",
      "as a reactor, and a queue of completions more" },
};

/* In the order of enum engine_setting. */
static const char *const settings[] = { "threads",       "pin",         "accept",
                                        "demultiplexer", "processor",   "workers",
                                        "worker_queue",  "pool_work",   "file_workers",
                                        "coalesce_us",   "cache_shared" };

/* In the order of enum file_jobs. */
static const char *const file_jobs[] = { "auto",      "inline",    "workers", "processor",
                                         "posix-aio", "linux-aio", "io_uring" };

const struct engine_ops *engine_find(const char *name)
{
    CHECK(name != NULL);
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    }
    return NULL;
}

const struct engine_ops *engine_at(size_t index)
{
    return index < ARRAY_LEN(engines) ? engines[index] : NULL;
}

const struct engine_alias *engine_alias_find(const char *name)
{
    CHECK(name != NULL);
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcmp(aliases[i].name, name) == 0)
            return &aliases[i];
    }
    return NULL;
}

const struct engine_alias *engine_alias_at(size_t index)
{
    return index < ARRAY_LEN(aliases) ? &aliases[index] : NULL;
}

const char *engine_setting_at(size_t index)
{
    return index < ARRAY_LEN(settings) ? settings[index] : NULL;
}

/* Which of file_jobs the engine takes: "auto, inline or workers". */
static void list_file_jobs(const struct engine_ops *ops, char *text, size_t size)
{
    size_t len = (size_t)snprintf(text, size, "auto");
    for (size_t i = 1; i < ARRAY_LEN(file_jobs) && len < size; i++) {
        if (ops->file_jobs & 1u << i)
            len += (size_t)snprintf(text + len, size - len, ", %s", file_jobs[i]);
    }
}

/* Those that only read, and leave the rest to workers. */
static bool reads_only(enum file_jobs kind)
{
    return kind == FILE_JOBS_POSIX_AIO || kind == FILE_JOBS_LINUX_AIO || kind == FILE_JOBS_IO_URING;
}

/* What a way to execute file jobs demands of other settings. 0, or -EINVAL and a sentence. */
static int check_file_jobs(const struct engine_ops *ops, const struct config *config, char *why,
                           size_t why_size)
{
    const char *name = file_jobs[config->file_jobs];
    bool reads = reads_only(config->file_jobs);
    if ((config->file_jobs == FILE_JOBS_WORKERS || reads) && config->file_workers == 0 &&
        (ops->settings & ENGINE_SETTING_FILE_WORKERS)) {
        snprintf(why, why_size,
                 "%s: file_jobs = %s needs some%s: set file_workers to 1 or more, or file_jobs = "
                 "inline",
                 config_place(config, "file_jobs"), name,
                 reads ? " workers, which open and list what it cannot" : "");
        return -EINVAL;
    }
    if (reads && (ops->settings & ENGINE_SETTING_POOL_WORK) &&
        config->pool_work == POOL_WORK_REQUEST) {
        snprintf(why, why_size,
                 "%s: file_jobs = %s is for an event loop that processes requests: set pool_work = "
                 "file",
                 config_place(config, "file_jobs"), name);
        return -EINVAL;
    }
    if (config->file_jobs == FILE_JOBS_LINUX_AIO && config->file_io == FILE_IO_SENDFILE) {
        snprintf(why, why_size,
                 "%s: file_jobs = linux-aio passes the page cache by, from which file_io = "
                 "sendfile sends: set file_io = auto or read",
                 config_place(config, "file_jobs"));
        return -EINVAL;
    }
    return 0;
}

/* Whoever asks for more loops than the engine has is to know; 0 leaves the number to it. */
static int check_threads(const struct engine_ops *ops, const struct config *config, char *why,
                         size_t why_size)
{
    if (config->threads <= 1 || (ops->settings & ENGINE_SETTING_THREADS) != 0)
        return 0;
    snprintf(
        why, why_size,
        "%s: threads = %u needs multi-reactor, leader-followers or proactor; engine %s has one "
        "that is counted by it: set threads = 1%s",
        config_place(config, "threads"), config->threads, ops->name,
        ops->settings & ENGINE_SETTING_WORKERS ? ", and how many serve by `workers`" : "");
    return -EINVAL;
}

int engine_check_config(const struct engine_ops *ops, const struct config *config, char *why,
                        size_t why_size)
{
    int res = check_threads(ops, config, why, why_size);
    if (res < 0)
        return res;
    if (config->file_jobs != FILE_JOBS_AUTO && !(ops->file_jobs & 1u << config->file_jobs)) {
        char takes[128];
        list_file_jobs(ops, takes, sizeof(takes));
        snprintf(why, why_size, "%s: engine %s has no file_jobs = %s; it takes: %s",
                 config_place(config, "file_jobs"), ops->name, file_jobs[config->file_jobs], takes);
        return -EINVAL;
    }
    res = check_file_jobs(ops, config, why, why_size);
    if (res < 0)
        return res;
    if (config->file_io == FILE_IO_SPLICE && !ops->splices) {
        snprintf(why, why_size,
                 "%s: file_io = splice needs engine proactor; engine %s has sendfile",
                 config_place(config, "file_io"), ops->name);
        return -EINVAL;
    }
    return 0;
}

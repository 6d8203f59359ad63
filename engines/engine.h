/* engine.h: what an engine is. Five calls for a process: too coarse to leak an I/O model.
 * One const table a file; engine.c lists them in one array. How to add one: engines/README.md. */
#ifndef ENGINES_ENGINE_H
#define ENGINES_ENGINE_H

#include "config/config.h"
#include "config/session_limits.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct handover;
struct pulse;
struct socket_file;
struct tls_server;

/* A listening socket: bound, listening, non-blocking, close-on-exec. */
struct listener {
    int fd;
    const struct listen_config *config;
    struct socket_file *file; /* of a unix socket, else NULL; of all holders, the last removes it */
    atomic_uint *holders; /* NULL: nobody else has this socket; else how many do: each has a struct
                             of its own, and the last one closes. Borrowed */
    bool of_processes;    /* other processes of this configuration accept from it, too */
};

/* What run() is told to do from outside (not what clients ask for); set by a signal handler, looked
 * at by the loop once a turn after a wake-up by stop(). */
struct engine_orders {
    volatile sig_atomic_t stop; /* close everything now */
    volatile sig_atomic_t
        drain; /* stop accepting, finish answers in progress, at most deadlines.drain_ms */
    volatile sig_atomic_t
        retire; /* a successor holds the same listening sockets: stop accepting, hand idle plain
                   connections over to it (engine_config.out), the others when they become idle;
                   what cannot move ends by itself, or at deadlines.drain_ms */
    volatile sig_atomic_t reopen_logs; /* counts up */
};

/* What one of them says now. A signal handler, or another thread, sets it; the wake-up that follows
 * orders nothing else. */
static inline sig_atomic_t engine_asked(const volatile sig_atomic_t *request)
{
    return __atomic_load_n(request, __ATOMIC_RELAXED);
}

struct engine_config {
    const struct config *config;
    struct session_limits limits; /* of all threads together */
    struct listener *listeners;   /* several may have one address, told by their `config`. An engine
                                     that drains closes them (listener_close()) */
    size_t listeners_count;
    const struct tls_server *tls; /* handed on to session_env_create() */
    const struct engine_orders *orders;
    struct handover *out; /* to the successor (handover.h); NULL: none, and to retire is to drain */
    const int *inboxes;   /* of predecessors: connections that they hand over come there
                             (handover_receive()). Watched until they end; closed by whoever gave
                             them, after the engine was destroyed */
    size_t inboxes_count;
    struct pulse *pulse; /* every loop joins it while it turns; NULL: nobody watches */
    /* all borrowed; outlive the engine */
};

struct engine;

/* Keys of the configuration that not every engine honours, as bits. engine_setting_at() has their
 * names. */
enum engine_setting {
    ENGINE_SETTING_THREADS = 1 << 0, /* with a session environment each, but for `shares_env` */
    ENGINE_SETTING_PIN = 1 << 1,
    ENGINE_SETTING_ACCEPT = 1 << 2,
    ENGINE_SETTING_DEMULTIPLEXER = 1 << 3,
    ENGINE_SETTING_PROCESSOR = 1 << 4,
    ENGINE_SETTING_WORKERS = 1 << 5,
    ENGINE_SETTING_WORKER_QUEUE = 1 << 6,
    ENGINE_SETTING_POOL_WORK = 1 << 7,
    ENGINE_SETTING_FILE_WORKERS = 1 << 8,
    ENGINE_SETTING_COALESCE = 1 << 9,
    ENGINE_SETTING_CACHE_SHARED = 1 << 10,
};

struct engine_ops {
    const char *name;    /* as in `engine = NAME` */
    const char *summary; /* one line, for -h and -V */
    const char *cost;    /* what the model costs, and where it breaks, in one line, for doctor */
    unsigned settings;   /* enum engine_setting: those that it honours */
    unsigned file_jobs;  /* bits 1 << enum file_jobs: those that it takes, besides AUTO */
    enum file_jobs file_jobs_by_default; /* what AUTO means, where it has file workers */
    bool splices;                        /* it has file_io = splice */
    bool shares_env; /* its threads share one session environment, and what that has open */
    bool forks; /* each connection has a process of its own, with descriptors of its own: the limit
                   of them is for one connection */

    /* Will this kernel and its limits run it, with the means that `config` chooses (NULL: as it is
     * by default)? 0, or -errno and one sentence that says what refuses and what to do. */
    int (*probe)(const struct config *config, char *why, size_t why_size);

    /* Makes the engine, no thread yet. 0, or -errno and a sentence: -EINVAL for settings that it
     * does not honour, -EOPNOTSUPP when the kernel, or a limit, refuses here what probe() has found
     * to be possible. The caller owns it. */
    int (*create)(const struct engine_config *cfg, char *why, size_t why_size,
                  struct engine **ret_engine);

    /* Serves until stopped, drained or retired. 0, or -errno after a line in the error log. Called
     * once. */
    int (*run)(struct engine *e);

    /* Makes run() look at cfg->orders. Async-signal-safe (signal-safety(7)); may be called from
     * any thread. */
    void (*wake)(struct engine *e);

    /* Frees it; run() has returned, or was never called. */
    void (*destroy)(struct engine *e);

    /* Which of its means this kernel has, of those that `config` chooses (as for probe()), for
     * `gearshift doctor`: one line, without a full stop. Asked when probe() says that it can run.
     * Optional. */
    void (*features)(const struct config *config, char *text, size_t size);
};

/* The engines built in: one file each, its table at the end. */
extern const struct engine_ops engine_reactor;
extern const struct engine_ops engine_reactor_pool;
extern const struct engine_ops engine_multi_reactor;
extern const struct engine_ops engine_leader_followers;
extern const struct engine_ops engine_proactor;
extern const struct engine_ops engine_coroutine;
extern const struct engine_ops engine_iterative;
extern const struct engine_ops engine_thread_per_connection;
extern const struct engine_ops engine_thread_pool;
extern const struct engine_ops engine_process_per_connection;

/* The engine of that name, or NULL. */
const struct engine_ops *engine_find(const char *name);

/* Another name for an engine with a setting: what the texts call the model. */
struct engine_alias {
    const char *name;    /* as in `engine = NAME` */
    const char *engine;  /* an engine's name */
    const char *setting; /* "KEY=VALUE" */
    const char *cost;    /* what the model costs, and where it breaks, in one line, for doctor */
};

/* The alias of that name, or NULL. */
const struct engine_alias *engine_alias_find(const char *name);

/* Alias `index`, in the order in which -h lists them; NULL behind the last. */
const struct engine_alias *engine_alias_at(size_t index);

/* The key of the configuration whose bit of enum engine_setting is 1 << `index`; NULL behind the
 * last. */
const char *engine_setting_at(size_t index);

/* Does the engine have what `config` says of threads, file_jobs and file_io? 0, or -EINVAL and a
 * sentence. To be asked before create(), which relies on it. */
int engine_check_config(const struct engine_ops *ops, const struct config *config, char *why,
                        size_t why_size);

/* Engine `index` of those built in, in the order of engine.c; NULL behind the last. */
const struct engine_ops *engine_at(size_t index);

#endif

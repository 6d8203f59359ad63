/* generation.h: the workers of one configuration. A supervisor has one that serves, one that starts
 * during a reload, and some that end (retired.c). */
#ifndef PROCESS_GENERATION_H
#define PROCESS_GENERATION_H

#include "process/instance.h"
#include "process/listen_set.h"
#include "process/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct generation {
    unsigned number; /* 1 is the first */
    bool adopted;    /* another binary in this process has forked its workers: none is replaced */
    struct config_source source;
    const char **settings; /* owned: what the caller's source says, borrowed, and copies of what
                              this generation was asked for */
    size_t borrowed_count; /* of the former */
    struct instance instance;
    struct worker *workers; /* config->processes; NULL: not opened */
    size_t workers_count;
    uint64_t deadline_ms; /* by when the workers have to be ready, or to have ended; 0: none */
    unsigned hurries;     /* retired.c: steps to its end that it was told of */
};

/* A generation that reads `source` (borrowed), with `settings_count` further settings, copied, as
 * by -o after all others. NULL: out of memory. */
struct generation *generation_create(unsigned number, const struct config_source *source,
                                     const char *const *settings, size_t settings_count);

/* In place of the next two: one that another binary in this process has opened, with `count`
 * workers, which are to be adopted (worker_adopt()). STATUS_OK, or a status and
 * generation->instance.why. */
enum exit_status generation_adopt(struct generation *generation, struct listen_set *set,
                                  size_t count);

/* Reads its configuration, and acquires what serving needs (instance_open()). STATUS_OK, or a
 * status and generation->instance.why. */
enum exit_status generation_open(struct generation *generation, struct listen_set *set, bool first);

/* Forks all workers, which share the connections of `before` (NULL: there was nobody) among them;
 * the roots are theirs alone then. 0, or -errno and instance.why; those that were forked run. */
int generation_start(struct generation *generation, const struct generation *before,
                     const struct worker_heritage *heritage);

/* Forks `worker`, which has died, again. The roots are opened anew for it. 0, or -errno and a
 * sentence. */
int generation_restart(struct generation *generation, struct worker *worker,
                       const struct worker_heritage *heritage, char *why, size_t why_size);

/* Has its workers retire: their connections go to those of `after`, which are ready. */
void generation_retire(struct generation *generation, const struct generation *after);

/* It will not serve: those of its workers that are ready retire, without a successor; the others,
 * which have served nobody, are killed. */
void generation_give_up(struct generation *generation);

/* Whose process that is, or NULL. */
struct worker *generation_find(struct generation *generation, pid_t pid);

/* Are all its workers ready? */
bool generation_is_ready(const struct generation *generation);

/* May one of its workers still accept a connection? Who has been told to retire does so until it
 * has heeded that. Workers that another version of this server has forked do not tell, and count as
 * if they did not. */
bool generation_is_accepting(const struct generation *generation);

/* How many of its workers have a process? */
size_t generation_alive(const struct generation *generation);

/* Sends a signal to all its workers. */
void generation_signal(struct generation *generation, int number);

/* Gives back all that it holds; its workers have ended. NULL is allowed. */
void generation_destroy(struct generation *generation);

#endif

/* crew.h: the threads of an engine: started together, named, bound to CPUs, ended together, joined.
 *
 * All signals are blocked in them: handlers run in the calling thread, and no other system call is
 * interrupted. If one of them ends by an error, or cannot be started, the others are told to end.
 */
#ifndef ENGINES_CREW_H
#define ENGINES_CREW_H

#include "core/cpus.h"

#include <pthread.h>
#include <stddef.h>

/* What a crew does; borrowed, and outlives it. */
struct crew_job {
    const char *name; /* of the threads, "NAME-INDEX" (pthread_setname_np(3): 15 octets in all) */
    int (*serve)(void *context, unsigned index); /* a member's work. 0 or -errno */
    void (*end_all)(void *context); /* a member has failed: makes the others end. Thread-safe. NULL:
                                    nobody need know */
    void *context;
    const struct cpus *pin; /* each member is bound to one of these CPUs, in turn; NULL: to none */
    size_t stack_size;      /* octets of a thread's stack; 0: the default */
};

struct crew_member;

struct crew {
    const struct crew_job *job;
    struct crew_member *members; /* owned */
    unsigned first, started;     /* threads run for the members [first, started) */
};

/* Starts one thread, outside of any crew: for an engine that has as many as it has connections. All
 * signals are blocked in it; `stack_size` as in struct crew_job. 0 or -errno. The caller joins it
 * (pthread_join(3)). */
int crew_start_one(size_t stack_size, void *(*function)(void *context), void *context,
                   pthread_t *ret_thread);

/* Starts threads for the members `first` to `count` - 1. 0, or -errno, and then none runs. The
 * caller joins them (crew_join()). */
int crew_start(struct crew *crew, const struct crew_job *job, unsigned first, unsigned count);

/* Waits for the threads to end. 0, or the error of the first member that failed. */
int crew_join(struct crew *crew);

/* Runs `count` members to their end: the first in the calling thread, the others in threads; or,
 * with `here`, all in threads, and here(context) in the calling one. 0, or the first error, after a
 * line in the error log if it was that a thread could not be started. */
int crew_run(const struct crew_job *job, unsigned count, int (*here)(void *context));

#endif

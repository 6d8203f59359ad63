/* crew.c: starts threads and joins them. */
#include "engines/crew.h"

#include "core/check.h"
#include "core/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct crew_member {
    const struct crew_job *job;
    unsigned index;
    pthread_t thread;
    int res;
};

static void member_serve(struct crew_member *member)
{
    const struct crew_job *job = member->job;
    if (job->pin != NULL) {
        int res = cpus_pin(job->pin, member->index);
        if (res < 0)
            log_warn("thread %u is not pinned: %s", member->index, strerror(-res));
    }
    member->res = job->serve(job->context, member->index);
    if (member->res < 0 && job->end_all != NULL)
        job->end_all(job->context);
}

static void *member_thread(void *context)
{
    struct crew_member *member = context;
    char name[16];
    snprintf(name, sizeof(name), "%s-%u", member->job->name, member->index);
    pthread_setname_np(pthread_self(), name); /* for top -H; the first one is the process's */
    member_serve(member);
    return NULL;
}

static int start_with(const pthread_attr_t *attributes, void *(*function)(void *context),
                      void *context, pthread_t *ret_thread)
{
    sigset_t all, old;
    sigfillset(&all);
    MUST(pthread_sigmask(SIG_BLOCK, &all, &old) == 0);
    int res = -pthread_create(ret_thread, attributes, function, context);
    MUST(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    return res;
}

int crew_start_one(size_t stack_size, void *(*function)(void *context), void *context,
                   pthread_t *ret_thread)
{
    if (stack_size == 0)
        return start_with(NULL, function, context, ret_thread);
    pthread_attr_t attributes;
    int res = -pthread_attr_init(&attributes);
    if (res < 0)
        return res;
    res = -pthread_attr_setstacksize(&attributes, stack_size);
    if (res == 0)
        res = start_with(&attributes, function, context, ret_thread);
    pthread_attr_destroy(&attributes);
    return res;
}

static int start_thread(struct crew_member *member)
{
    return crew_start_one(member->job->stack_size, member_thread, member, &member->thread);
}

int crew_start(struct crew *crew, const struct crew_job *job, unsigned first, unsigned count)
{
    int res = 0;
    *crew = (struct crew){ .job = job, .first = first, .started = first };
    crew->members = calloc(count + 1, sizeof(crew->members[0]));
    if (crew->members == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        crew->members[i] = (struct crew_member){ .job = job, .index = i };
    while (res == 0 && crew->started < count) {
        res = start_thread(&crew->members[crew->started]);
        crew->started += res == 0;
    }
    if (res < 0) {
        if (job->end_all != NULL)
            job->end_all(job->context);
        crew_join(crew);
    }
    return res;
}

int crew_join(struct crew *crew)
{
    int res = 0;
    for (unsigned i = crew->first; i < crew->started; i++) {
        MUST(pthread_join(crew->members[i].thread, NULL) == 0);
        if (res == 0)
            res = crew->members[i].res;
    }
    free(crew->members);
    *crew = (struct crew){ .job = NULL };
    return res;
}

int crew_run(const struct crew_job *job, unsigned count, int (*here)(void *context))
{
    struct crew crew;
    unsigned first = here == NULL ? 1 : 0;
    int res = crew_start(&crew, job, first, count);
    if (res < 0) {
        log_error("not all of %u threads can be started: %s", count, strerror(-res));
        return res;
    }
    if (here != NULL) {
        res = here(job->context);
        if (res < 0 && job->end_all != NULL)
            job->end_all(job->context);
    } else {
        member_serve(&crew.members[0]);
        res = crew.members[0].res;
    }
    int joined = crew_join(&crew);
    return res < 0 ? res : joined;
}

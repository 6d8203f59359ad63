/* log_writer.c: see log_writer.h. */
#include "core/log_writer.h"

#include "core/check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { LOG_WRITER_MAGIC = 0x10661e4, STACK_SIZE = 128 * 1024 };

struct log_writer {
    unsigned magic;
    bool started; /* the owner's own */
    pthread_t thread;
    pthread_mutex_t mutex; /* of all that follows, and of the jobs' members */
    pthread_cond_t begun, ended;
    struct log_writer_job *first, **last;
    struct log_writer_job *running;
    bool ending;
};

static void lock(struct log_writer *w)
{
    MUST(pthread_mutex_lock(&w->mutex) == 0);
}

static void unlock(struct log_writer *w)
{
    MUST(pthread_mutex_unlock(&w->mutex) == 0);
}

int log_writer_create(struct log_writer **ret_writer)
{
    struct log_writer *w = calloc(1, sizeof *w);
    pthread_condattr_t attributes;

    if (w == NULL)
        return -ENOMEM;
    w->magic = LOG_WRITER_MAGIC;
    w->last = &w->first;
    MUST(pthread_mutex_init(&w->mutex, NULL) == 0 && pthread_condattr_init(&attributes) == 0 &&
         pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&w->begun, NULL) == 0 && pthread_cond_init(&w->ended, &attributes) == 0);
    MUST(pthread_condattr_destroy(&attributes) == 0);
    *ret_writer = w;
    return 0;
}

static void *write_jobs(void *arg)
{
    struct log_writer *w = arg;

    lock(w);
    for (;;) {
        while (w->first == NULL && !w->ending)
            MUST(pthread_cond_wait(&w->begun, &w->mutex) == 0);
        struct log_writer_job *job = w->first;
        if (job == NULL)
            break;
        w->first = job->next;
        if (w->first == NULL)
            w->last = &w->first;
        w->running = job;
        unlock(w);
        job->run(job);
        lock(w);
        w->running = NULL;
        job->busy = false;
        MUST(pthread_cond_broadcast(&w->ended) == 0);
    }
    unlock(w);
    return NULL;
}

/* Signals are for the threads that expect them. */
static bool start(struct log_writer *w)
{
    pthread_attr_t attributes;
    sigset_t all, old;

    MUST(pthread_attr_init(&attributes) == 0 &&
         pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0);
    sigfillset(&all);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
    w->started = pthread_create(&w->thread, &attributes, write_jobs, w) == 0;
    MUST(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    MUST(pthread_attr_destroy(&attributes) == 0);
    return w->started;
}

bool log_writer_begin(struct log_writer *w, struct log_writer_job *job)
{
    CHECK_OBJ(w, LOG_WRITER_MAGIC);
    if (!w->started && !start(w))
        return false;
    lock(w);
    CHECK(!job->busy);
    job->busy = true;
    job->next = NULL;
    *w->last = job;
    w->last = &job->next;
    MUST(pthread_cond_signal(&w->begun) == 0);
    unlock(w);
    return true;
}

bool log_writer_is_busy(struct log_writer *w, const struct log_writer_job *job)
{
    CHECK_OBJ(w, LOG_WRITER_MAGIC);
    lock(w);
    bool busy = job->busy;
    unlock(w);
    return busy;
}

bool log_writer_wait(struct log_writer *w, const struct log_writer_job *job, uint32_t ms)
{
    struct timespec until;

    CHECK_OBJ(w, LOG_WRITER_MAGIC);
    MUST(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    lock(w);
    int error = 0;
    while (job->busy && error == 0)
        error = pthread_cond_timedwait(&w->ended, &w->mutex, &until);
    bool busy = job->busy;
    unlock(w);
    return !busy;
}

void log_writer_destroy(struct log_writer *w)
{
    if (w == NULL)
        return;
    CHECK_OBJ(w, LOG_WRITER_MAGIC);
    lock(w);
    w->ending = true;
    bool hangs = w->running != NULL || w->first != NULL; /* whoever waits for a job has given up */
    MUST(pthread_cond_signal(&w->begun) == 0);
    unlock(w);
    if (hangs) {
        MUST(pthread_detach(w->thread) == 0);
        return;
    }
    if (w->started)
        MUST(pthread_join(w->thread, NULL) == 0);
    MUST(pthread_cond_destroy(&w->begun) == 0 && pthread_cond_destroy(&w->ended) == 0 &&
         pthread_mutex_destroy(&w->mutex) == 0);
    w->magic = 0;
    free(w);
}

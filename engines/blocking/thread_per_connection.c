/* thread_per_connection.c: the engine `thread-per-connection`: the calling thread accepts, and
 * starts a thread for each connection, which blocks wherever it has to wait.
 *
 * Threads are detached: the last thing that one does is to give its place back, under the mutex
 * under which the accepting thread counts. */
#include "engines/blocking/blocking.h"

#include "core/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define THREAD_PER_CONNECTION_MAGIC 0x7be4ead1u

struct engine {
    unsigned magic; /* THREAD_PER_CONNECTION_MAGIC */
    struct blocking blocking;
    pthread_attr_t attributes;
    bool has_attributes;
};

/* What a new thread is told; its place is enough to find the rest. */
struct start {
    struct blocking *b;
    struct place *place;
};

static void *serve(void *context)
{
    struct start start = *(struct start *)context;
    free(context);
    pthread_setname_np(pthread_self(), "connection");
    blocking_conn_serve(start.b, start.place, &blocking_conn_ops);
    return NULL;
}

/* All signals are blocked in it: handlers run in the calling thread. */
static int start_thread(struct blocking *b, struct place *place)
{
    struct engine *e = (struct engine *)(void *)((char *)b - offsetof(struct engine, blocking));
    struct start *start = malloc(sizeof(*start));
    sigset_t all, old;
    pthread_t thread;

    if (start == NULL)
        return -ENOMEM;
    *start = (struct start){ b, place };
    sigfillset(&all);
    MUST(pthread_sigmask(SIG_BLOCK, &all, &old) == 0);
    int error = pthread_create(&thread, &e->attributes, serve, start);
    MUST(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    if (error != 0)
        free(start);
    return -error;
}

static const struct blocking_ops ops = { .what = "thread",
                                         .start = start_thread,
                                         .ask = places_ask };

static void thread_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, THREAD_PER_CONNECTION_MAGIC);
    blocking_destroy(&e->blocking);
    if (e->has_attributes)
        pthread_attr_destroy(&e->attributes);
    e->magic = 0;
    free(e);
}

static int thread_create(const struct engine_config *cfg, char *why, size_t why_size,
                         struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = THREAD_PER_CONNECTION_MAGIC;
    int res =
        blocking_create(&e->blocking, cfg, &ops, true, cfg->limits.connections_max, why, why_size);
    e->has_attributes = res == 0 && pthread_attr_init(&e->attributes) == 0;
    if (res == 0 && (!e->has_attributes ||
                     pthread_attr_setstacksize(&e->attributes, BLOCKING_STACK_SIZE) != 0 ||
                     pthread_attr_setdetachstate(&e->attributes, PTHREAD_CREATE_DETACHED) != 0)) {
        snprintf(why, why_size, "cannot set the stack size of threads");
        res = -ENOMEM;
    }
    if (res < 0)
        thread_destroy(e);
    else
        *ret_engine = e;
    return res;
}

static int thread_run(struct engine *e)
{
    CHECK_OBJ(e, THREAD_PER_CONNECTION_MAGIC);
    return blocking_serve(&e->blocking);
}

static void thread_wake(struct engine *e)
{
    CHECK_OBJ(e, THREAD_PER_CONNECTION_MAGIC);
    blocking_wake(&e->blocking);
}

const struct engine_ops engine_thread_per_connection = {
    .name = "thread-per-connection",
    .summary = "blocking I/O, a thread for each connection",
    .cost =
        "34 KiB and a task for an idle connection; a switch of threads for each wait: twice the "
        "CPU of an event loop when all are busy",
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .probe = blocking_probe,
    .create = thread_create,
    .run = thread_run,
    .wake = thread_wake,
    .destroy = thread_destroy,
};

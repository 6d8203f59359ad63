/* thread_per_connection.c: the engine `thread-per-connection`: the calling thread accepts, and
 * starts a thread for each connection, which blocks wherever it has to wait.
 *
 * A thread that has given its place back is joined by the accepting thread, when that starts
 * another one or ends: libraries free what they have kept for a thread (OpenSSL does) behind its
 * last line, and the process must not end before. */
#include "engines/blocking/blocking.h"

#include "core/check.h"
#include "core/list.h"
#include "core/thread_start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define THREAD_PER_CONNECTION_MAGIC 0x7be4ead1u

/* A connection's thread, and what it is told; its place is enough to find the rest. */
struct connection_thread {
    struct engine *engine;
    struct place *place;
    pthread_t thread;
    struct list done; /* in engine.done, behind its last connection */
};

struct engine {
    unsigned magic; /* THREAD_PER_CONNECTION_MAGIC */
    struct blocking blocking;
    pthread_mutex_t mutex; /* guards `done` */
    pthread_cond_t ended;  /* something was put into it */
    struct list done;      /* threads to be joined */
    unsigned started;      /* threads not joined yet; the accepting thread's */
};

static void *serve(void *context)
{
    struct connection_thread *self = context;
    struct engine *e = self->engine;
    pthread_setname_np(pthread_self(), "connection");
    blocking_heed_pokes();
    blocking_conn_serve(&e->blocking, self->place, &blocking_conn_ops);
    MUST(pthread_mutex_lock(&e->mutex) == 0);
    list_push_back(&e->done, &self->done);
    MUST(pthread_cond_signal(&e->ended) == 0);
    MUST(pthread_mutex_unlock(&e->mutex) == 0);
    return NULL;
}

/* Joins those that have ended; `all`: waits for all that were started. */
static void join(struct engine *e, bool all)
{
    struct list done;
    list_init(&done);
    do {
        MUST(pthread_mutex_lock(&e->mutex) == 0);
        while (all && e->started > 0 && list_empty(&e->done))
            MUST(pthread_cond_wait(&e->ended, &e->mutex) == 0);
        list_splice_back(&done, &e->done);
        MUST(pthread_mutex_unlock(&e->mutex) == 0);
        for (; !list_empty(&done); e->started--) {
            struct connection_thread *ended =
                container_of(done.next, struct connection_thread, done);
            list_remove(&ended->done);
            MUST(pthread_join(ended->thread, NULL) == 0);
            free(ended);
        }
    } while (all && e->started > 0);
}

static int start_thread(struct blocking *b, struct place *place)
{
    struct engine *e = container_of(b, struct engine, blocking);

    join(e, false);
    struct connection_thread *one = malloc(sizeof(*one));
    if (one == NULL)
        return -ENOMEM;
    *one = (struct connection_thread){ .engine = e, .place = place };
    list_init(&one->done);
    int res = thread_start(BLOCKING_STACK_SIZE, serve, one, &one->thread);
    if (res == 0)
        e->started++;
    else
        free(one);
    return res;
}

static const struct blocking_ops ops = {
    .what = "thread",
    .start = start_thread,
    .ask = places_ask,
};

static void thread_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, THREAD_PER_CONNECTION_MAGIC);
    blocking_destroy(&e->blocking);
    MUST(pthread_cond_destroy(&e->ended) == 0);
    MUST(pthread_mutex_destroy(&e->mutex) == 0);
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
    list_init(&e->done);
    MUST(pthread_mutex_init(&e->mutex, NULL) == 0);
    MUST(pthread_cond_init(&e->ended, NULL) == 0);
    int res =
        blocking_create(&e->blocking, cfg, &ops, true, cfg->limits.connections_max, why, why_size);
    if (res < 0)
        thread_destroy(e);
    else
        *ret_engine = e;
    return res;
}

static int thread_run(struct engine *e)
{
    CHECK_OBJ(e, THREAD_PER_CONNECTION_MAGIC);
    blocking_prepare_pokes();
    int res = blocking_serve(&e->blocking);
    join(e, true);
    return res;
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
        "37 KiB and a task for an idle connection; a switch of threads for each wait: 1.4 times "
        "the CPU of an event loop",
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .probe = blocking_probe,
    .create = thread_create,
    .run = thread_run,
    .wake = thread_wake,
    .destroy = thread_destroy,
};

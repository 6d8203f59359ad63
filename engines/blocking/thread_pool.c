/* thread_pool.c: the engine `thread-pool`: the calling thread accepts into a bounded queue, and
 * `workers` threads take connections from it and serve each to its end, blocking.
 *
 * A connection that is kept occupies a thread. So while the queue is not empty everybody who is
 * served is asked to end: who is idle at once, the others after their answer. */
#include "engines/blocking/blocking.h"

#include "core/check.h"
#include "core/log.h"
#include "engines/crew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_POOL_MAGIC 0x7be49001u

enum { WORKERS_DEFAULT = 64 };

struct engine {
    unsigned magic; /* THREAD_POOL_MAGIC */
    struct blocking blocking;
    unsigned workers, queue_max;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t filled;
    struct place *first, **last; /* the queue, a list by place.next */
    unsigned queued;
    unsigned serving; /* workers that have a connection: the others wait, or are about to */
    bool ends;
};

static struct engine *engine_of(struct blocking *b)
{
    return container_of(b, struct engine, blocking);
}

static void lock(struct engine *e)
{
    MUST(pthread_mutex_lock(&e->mutex) == 0);
}

static void unlock(struct engine *e)
{
    MUST(pthread_mutex_unlock(&e->mutex) == 0);
}

/* The next connection, waited for; NULL: there will be none. `served`: this thread had one. */
static struct place *take(struct engine *e, bool served)
{
    lock(e);
    if (served)
        e->serving--;
    while (e->queued == 0 && !e->ends)
        MUST(pthread_cond_wait(&e->filled, &e->mutex) == 0);
    struct place *place = e->first;
    if (place != NULL) {
        e->serving++;
        e->first = place->next;
        if (e->first == NULL)
            e->last = &e->first;
        if (--e->queued == 0)
            atomic_fetch_and(&e->blocking.asks, ~(unsigned)DRIVER_ASK_END);
    }
    unlock(e);
    return place;
}

static int work(void *context, unsigned index)
{
    struct engine *e = context;

    (void)index;
    blocking_heed_pokes();
    for (struct place *place = take(e, false); place != NULL; place = take(e, true))
        blocking_conn_serve(&e->blocking, place, &blocking_conn_ops);
    return 0;
}

/* Puts a connection into the queue. Where all threads are taken, those who are served are to end;
 * of those who wait for a request already, one is woken for it. A thread that has none will take
 * one soon, though it may not have come to wait yet: at the start, or on a busy machine. */
static int enqueue(struct blocking *b, struct place *place)
{
    struct engine *e = engine_of(b);

    lock(e);
    *e->last = place;
    e->last = &place->next;
    e->queued++;
    bool crowded = e->queued > e->workers - e->serving;
    if (crowded)
        atomic_fetch_or(&b->asks, DRIVER_ASK_END);
    MUST(pthread_cond_signal(&e->filled) == 0);
    unlock(e);
    struct place *idle = crowded ? places_longest_idle(&b->places) : NULL;
    if (idle != NULL)
        places_ask(&b->places, idle, DRIVER_ASK_END);
    return 0;
}

static bool has_room(struct blocking *b)
{
    struct engine *e = engine_of(b);
    lock(e);
    bool has = e->queued < e->queue_max;
    unlock(e);
    return has;
}

/* One for each thread that serves nobody: a kept connection occupies one, and would be asked to end
 * at once if there were more. */
static unsigned room(struct blocking *b)
{
    struct engine *e = engine_of(b);
    lock(e);
    unsigned taken = e->serving + e->queued;
    unsigned free = e->workers > taken ? e->workers - taken : 0;
    unlock(e);
    return free;
}

/* Takes the queue as it is. */
static struct place *take_all(struct engine *e)
{
    lock(e);
    struct place *all = e->first;
    e->first = NULL;
    e->last = &e->first;
    e->queued = 0;
    atomic_fetch_and(&e->blocking.asks, ~(unsigned)DRIVER_ASK_END);
    unlock(e);
    return all;
}

static void hand_over_queue(struct blocking *b)
{
    struct place *next;
    for (struct place *place = take_all(engine_of(b)); place != NULL; place = next) {
        next = place->next;
        place->next = NULL;
        if (!blocking_hand_over_unserved(b, place))
            enqueue(b, place);
    }
}

static const struct blocking_ops ops = { .what = "thread",
                                         .start = enqueue,
                                         .has_room = has_room,
                                         .ask = places_ask,
                                         .room = room,
                                         .retire = hand_over_queue };

static void pool_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, THREAD_POOL_MAGIC);
    blocking_destroy(&e->blocking);
    pthread_cond_destroy(&e->filled);
    pthread_mutex_destroy(&e->mutex);
    e->magic = 0;
    free(e);
}

static int pool_create(const struct engine_config *cfg, char *why, size_t why_size,
                       struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = THREAD_POOL_MAGIC;
    e->workers = cfg->config->workers > 0 ? cfg->config->workers : WORKERS_DEFAULT;
    e->queue_max = cfg->config->worker_queue;
    e->last = &e->first;
    MUST(pthread_mutex_init(&e->mutex, NULL) == 0);
    MUST(pthread_cond_init(&e->filled, NULL) == 0);
    int res =
        blocking_create(&e->blocking, cfg, &ops, true, cfg->limits.connections_max, why, why_size);
    if (res < 0)
        pool_destroy(e);
    else
        *ret_engine = e;
    return res;
}

static void end_workers(struct engine *e)
{
    lock(e);
    e->ends = true;
    MUST(pthread_cond_broadcast(&e->filled) == 0);
    unlock(e);
}

static int pool_run(struct engine *e)
{
    CHECK_OBJ(e, THREAD_POOL_MAGIC);
    const struct crew_job job = {
        .name = "worker", .serve = work, .context = e, .stack_size = BLOCKING_STACK_SIZE
    };
    struct crew crew;
    blocking_prepare_pokes();
    int res = crew_start(&crew, &job, 0, e->workers);
    if (res < 0) {
        log_error(
            "thread-pool: %u threads cannot be started: %s; set fewer `workers`, or raise the "
            "limit of processes (ulimit -u, TasksMax= of systemd, pids.max)",
            e->workers, strerror(-res));
        return res;
    }
    res = blocking_serve(&e->blocking);
    end_workers(e);
    crew_join(&crew);
    return res;
}

static void pool_wake(struct engine *e)
{
    CHECK_OBJ(e, THREAD_POOL_MAGIC);
    blocking_wake(&e->blocking);
}

const struct engine_ops engine_thread_pool = {
    .name = "thread-pool",
    .summary = "blocking I/O, a pool of threads, each of which serves one connection at a time",
    .cost = "as many clients at a time as threads: when more come, connections are not kept",
    .settings = ENGINE_SETTING_WORKERS | ENGINE_SETTING_WORKER_QUEUE,
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .probe = blocking_probe,
    .create = pool_create,
    .run = pool_run,
    .wake = pool_wake,
    .destroy = pool_destroy,
};

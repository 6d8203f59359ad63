/* workers.c: threads, a queue and a list of what is done, under one mutex. See workers.h.
 *
 * A thread takes several tasks at once when many wait, and announces several results at once: when
 * its hands are empty, after ANNOUNCE_MAX of them, or when it says that it may block; then it also
 * puts back what it has not begun, so that nothing waits behind a slow disk but what needs it.
 *
 * Wake-ups are a chain: whoever leaves work in the queue wakes one sleeper, and only when no thread
 * that was woken before is still on its way. So a burst of a hundred tasks costs one wake-up by the
 * owner, and as many threads run as there is work for. The sleeper is the one that went to sleep
 * last: little work is done by one thread, whose caches are warm. */
#include "engines/workers.h"

#include "core/check.h"
#include "engines/crew.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TAKE_MAX = 16,     /* tasks that a thread takes at once */
    ANNOUNCE_MAX = 16, /* results that it holds back */
};

#define WORKERS_MAGIC 0x30a4e450u
#define WORKER_MAGIC  0x30a4e401u

struct worker {
    unsigned magic; /* WORKER_MAGIC */
    struct workers *workers;
    struct list taken; /* not begun yet */
    struct list done;  /* not announced yet */
    unsigned taken_count, done_count;
    bool idle; /* asleep, and not woken yet; guarded by the mutex, like the two below */
    struct worker *next_idle;
    pthread_cond_t wake; /* `idle` has become false, or `stopping` true */
};

struct workers {
    unsigned magic; /* WORKERS_MAGIC */
    unsigned threads_count;
    unsigned queue_max;
    struct crew_job job;
    struct crew crew;
    bool started;
    int fd;

    /* The owner's. */
    struct list batch; /* submitted, not handed over yet */
    unsigned batch_count;
    unsigned lent; /* tasks submitted and not collected */

    atomic_uint waiting;  /* tasks in the batch and the queue: those that no thread has taken */
    atomic_bool has_done; /* `done` is not empty: written under the mutex */

    pthread_mutex_t mutex; /* guards what follows */
    struct list queue;
    unsigned queue_count;
    struct list done;
    struct worker *idle; /* a stack */
    unsigned waking;     /* threads taken from it that are not there yet */
    bool stopping;

    struct worker threads[];
};

int workers_create(unsigned threads, unsigned queue_max, struct workers **ret_workers)
{
    CHECK(threads > 0 && queue_max > 0);
    struct workers *w = calloc(1, sizeof(*w) + threads * sizeof(w->threads[0]));
    if (w == NULL)
        return -ENOMEM;
    w->fd = wake_fd_open(EFD_NONBLOCK);
    if (w->fd < 0) {
        int error = w->fd;
        free(w);
        return error;
    }
    w->magic = WORKERS_MAGIC;
    w->threads_count = threads;
    w->queue_max = queue_max;
    list_init(&w->batch);
    list_init(&w->queue);
    list_init(&w->done);
    MUST(pthread_mutex_init(&w->mutex, NULL) == 0);
    for (unsigned i = 0; i < threads; i++) {
        struct worker *self = &w->threads[i];
        self->magic = WORKER_MAGIC;
        self->workers = w;
        MUST(pthread_cond_init(&self->wake, NULL) == 0);
        list_init(&self->taken);
        list_init(&self->done);
    }
    *ret_workers = w;
    return 0;
}

static void lock(struct workers *w)
{
    MUST(pthread_mutex_lock(&w->mutex) == 0);
}

static void unlock(struct workers *w)
{
    MUST(pthread_mutex_unlock(&w->mutex) == 0);
}

/* Under the mutex: the sleeper that is to be woken for what is in the queue; NULL: none. */
static struct worker *choose_sleeper(struct workers *w)
{
    struct worker *sleeper = w->idle;
    if (w->queue_count == 0 || w->waking > 0 || sleeper == NULL)
        return NULL;
    w->idle = sleeper->next_idle;
    sleeper->idle = false;
    w->waking++;
    return sleeper;
}

/* Under the mutex: sleeps until chosen, or until everything ends. */
static void sleep_idle(struct worker *self)
{
    struct workers *w = self->workers;
    self->idle = true;
    self->next_idle = w->idle;
    w->idle = self;
    while (self->idle && !w->stopping)
        MUST(pthread_cond_wait(&self->wake, &w->mutex) == 0);
    w->waking -= !self->idle;
}

/* Under the mutex: moves the thread's results to the common list. True: they are to be announced;
 * else an announcement is on its way that stands for them as well. */
static bool put_results(struct worker *self)
{
    struct workers *w = self->workers;
    bool announce = self->done_count > 0 && list_empty(&w->done);
    if (self->done_count > 0)
        atomic_store_explicit(&w->has_done, true, memory_order_relaxed);
    list_splice_back(&w->done, &self->done);
    self->done_count = 0;
    return announce;
}

/* Under the mutex: its share of the queue. */
static void take_share(struct worker *self)
{
    struct workers *w = self->workers;
    unsigned share = w->queue_count / w->threads_count + 1;
    if (share > TAKE_MAX)
        share = TAKE_MAX;
    while (self->taken_count < share && w->queue_count > 0) {
        struct list *first = w->queue.next;
        list_remove(first);
        list_push_back(&self->taken, first);
        self->taken_count++;
        w->queue_count--;
    }
    atomic_fetch_sub_explicit(&w->waiting, self->taken_count, memory_order_relaxed);
}

/* Outside the mutex, so that who is woken does not run into it. */
static void tell(struct workers *w, bool announce, struct worker *sleeper)
{
    uint64_t one = 1;
    if (announce) {
        /* It cannot fail: the counter's end is 2^64 - 2 announcements away. */
        ssize_t n;
        do
            n = write(w->fd, &one, sizeof(one));
        while (n < 0 && errno == EINTR);
        CHECK(n == (ssize_t)sizeof(one));
    }
    if (sleeper != NULL)
        MUST(pthread_cond_signal(&sleeper->wake) == 0);
}

static void announce(struct worker *self)
{
    lock(self->workers);
    bool first = put_results(self);
    unlock(self->workers);
    tell(self->workers, first, NULL);
}

void worker_may_block(struct worker *self)
{
    if (self == NULL)
        return;
    CHECK_OBJ(self, WORKER_MAGIC);
    struct workers *w = self->workers;
    if (self->taken_count == 0 && self->done_count == 0)
        return;
    lock(w);
    bool first = put_results(self);
    /* To the front: they have waited longest. */
    list_splice_back(&self->taken, &w->queue);
    list_splice_back(&w->queue, &self->taken);
    w->queue_count += self->taken_count;
    atomic_fetch_add_explicit(&w->waiting, self->taken_count, memory_order_relaxed);
    self->taken_count = 0;
    struct worker *sleeper = choose_sleeper(w);
    unlock(w);
    tell(w, first, sleeper);
}

static void run_taken(struct worker *self)
{
    while (!list_empty(&self->taken)) {
        struct list *first = self->taken.next;
        list_remove(first);
        self->taken_count--;
        struct worker_task *task = container_of(first, struct worker_task, link);
        task->run(task, self);
        list_push_back(&self->done, &task->link);
        self->done_count++;
        if (self->done_count >= ANNOUNCE_MAX)
            announce(self);
    }
}

/* Announces, and waits for work. False: there will be none. */
static bool get_work(struct worker *self)
{
    struct workers *w = self->workers;
    lock(w);
    bool first = put_results(self);
    if (first && w->queue_count == 0) {
        /* It is going to sleep: the results first. */
        unlock(w);
        tell(w, true, NULL);
        first = false;
        lock(w);
    }
    while (w->queue_count == 0 && !w->stopping)
        sleep_idle(self);
    bool stopping = w->stopping;
    if (!stopping)
        take_share(self);
    struct worker *sleeper = choose_sleeper(w);
    unlock(w);
    tell(w, first, sleeper);
    return !stopping;
}

static int worker_serve(void *context, unsigned index)
{
    struct workers *w = context;
    struct worker *self = &w->threads[index];
    CHECK_OBJ(self, WORKER_MAGIC);
    while (get_work(self))
        run_taken(self);
    return 0;
}

static void tell_end(void *context)
{
    struct workers *w = context;
    lock(w);
    w->stopping = true;
    unlock(w);
    for (unsigned i = 0; i < w->threads_count; i++)
        MUST(pthread_cond_signal(&w->threads[i].wake) == 0);
}

/* No thread is left. */
static void ended(struct workers *w)
{
    w->started = w->stopping = false;
    w->idle = NULL;
    w->waking = 0;
}

int workers_start(struct workers *w)
{
    CHECK_OBJ(w, WORKERS_MAGIC);
    CHECK(!w->started);
    w->job = (struct crew_job){ "worker", worker_serve, .end_all = tell_end, .context = w };
    int res = crew_start(&w->crew, &w->job, 0, w->threads_count);
    if (res < 0)
        ended(w);
    else
        w->started = true;
    return res;
}

int workers_fd(const struct workers *w)
{
    CHECK_OBJ(w, WORKERS_MAGIC);
    return w->fd;
}

bool workers_submit(struct workers *w, struct worker_task *task)
{
    CHECK_OBJ(w, WORKERS_MAGIC);
    CHECK(task->run != NULL);
    if (atomic_load_explicit(&w->waiting, memory_order_relaxed) >= w->queue_max)
        return false;
    atomic_fetch_add_explicit(&w->waiting, 1, memory_order_relaxed);
    list_push_back(&w->batch, &task->link);
    w->batch_count++;
    w->lent++;
    return true;
}

void workers_flush(struct workers *w)
{
    if (w->batch_count == 0)
        return;
    lock(w);
    list_splice_back(&w->queue, &w->batch);
    w->queue_count += w->batch_count;
    w->batch_count = 0;
    struct worker *sleeper = choose_sleeper(w);
    unlock(w);
    tell(w, false, sleeper);
}

bool workers_have_results(const struct workers *w)
{
    CHECK_OBJ(w, WORKERS_MAGIC);
    return atomic_load_explicit(&w->has_done, memory_order_relaxed);
}

void workers_collect(struct workers *w, struct list *done)
{
    CHECK_OBJ(w, WORKERS_MAGIC);
    struct list collected;
    list_init(&collected);
    lock(w);
    list_splice_back(&collected, &w->done);
    atomic_store_explicit(&w->has_done, false, memory_order_relaxed);
    unlock(w);
    for (const struct list *at = collected.next; at != &collected; at = at->next)
        w->lent--;
    list_splice_back(done, &collected);
}

void workers_stop(struct workers *w, struct list *unrun)
{
    CHECK_OBJ(w, WORKERS_MAGIC);
    if (w->started) {
        tell_end(w);
        MUST(crew_join(&w->crew) == 0);
        ended(w);
    }
    list_splice_back(&w->queue, &w->batch);
    for (const struct list *at = w->queue.next; at != &w->queue; at = at->next)
        w->lent--;
    list_splice_back(unrun, &w->queue);
    w->queue_count = w->batch_count = 0;
    atomic_store_explicit(&w->waiting, 0, memory_order_relaxed);
}

void workers_destroy(struct workers *w)
{
    if (w == NULL)
        return;
    CHECK_OBJ(w, WORKERS_MAGIC);
    CHECK(!w->started && w->lent == 0);
    for (unsigned i = 0; i < w->threads_count; i++)
        MUST(pthread_cond_destroy(&w->threads[i].wake) == 0);
    MUST(pthread_mutex_destroy(&w->mutex) == 0);
    close(w->fd);
    w->magic = 0;
    free(w);
}

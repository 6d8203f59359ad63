/* parallel.c: see parallel.h. */
#include "core/parallel.h"

#include "core/check.h"
#include "core/thread_start.h"

#include <stddef.h>

struct task {
    void (*work)(void *context);
    void *context;
};

static void *run(void *arg)
{
    const struct task *task = arg;

    task->work(task->context);
    return NULL;
}

void parallel_run(unsigned threads, void (*work)(void *context), void *context)
{
    struct task task = { work, context };
    pthread_t others[PARALLEL_THREADS_MAX - 1];
    unsigned count = 0;

    CHECK(threads <= PARALLEL_THREADS_MAX);
    while (count + 1 < threads && thread_start(0, run, &task, &others[count]) == 0)
        count++;
    work(context);
    while (count > 0)
        MUST(pthread_join(others[--count], NULL) == 0);
}

/* workers.h: a pool of threads for what must not be done in an event loop: what may block, or whole
 * requests. Knows neither loops nor sessions: tasks go in, run() is called, tasks come back.
 *
 * One thread, the owner, submits and collects; N threads run. Nothing is allocated for a task: it
 * is embedded in what it is about. Hand-offs are batched in both directions: workers_submit() only
 * collects, workers_flush() hands everything over with one lock and wakes at most one thread, which
 * wakes the next if work is left; results are announced by one write to an eventfd(2), however many
 * they are. The queue is bounded: when it is full, the caller does the task itself. */
#ifndef ENGINES_WORKERS_H
#define ENGINES_WORKERS_H

#include "core/list.h"

#include <stdbool.h>
#include <stddef.h>

struct workers;
struct worker; /* one thread of them */

/* Something to do; embedded in the caller's object. Lent from workers_submit() until it comes back.
 */
struct worker_task {
    struct list link; /* the queue's while it is lent, then the collector's */
    /* Does it, on a thread of the pool (`worker` is that thread), or, with `worker` NULL, on the
     * owner's. */
    void (*run)(struct worker_task *task, struct worker *worker);
};

/* `threads` (above 0) workers, not started yet, and a queue for `queue_max` (above 0) tasks that
 * wait. 0 or -errno. The caller, which owns them, is their one owner thread. */
int workers_create(unsigned threads, unsigned queue_max, struct workers **ret_workers);

/* Starts the threads, with all signals blocked. 0 or -errno: then none runs. */
int workers_start(struct workers *workers);

/* Readable after a wake-up: workers_collect() has something. For an edge-triggered demultiplexer,
 * which need not read it: every announcement is a new edge. Borrowed. */
int workers_fd(const struct workers *workers);

/* Takes a task for the next workers_flush(). False when the queue is full: the caller runs it
 * itself (task->run(task, NULL)) or does without. */
bool workers_submit(struct workers *workers, struct worker_task *task);

/* Hands over what was submitted since the last call. Once a turn of the loop; costs one comparison
 * when there is nothing. */
void workers_flush(struct workers *workers);

/* Has workers_collect() something now? Costs one look at memory: an owner that has much to do asks
 * once a turn, since workers_fd() may be told of behind thousands of other descriptors. */
bool workers_have_results(const struct workers *workers);

/* Moves all tasks that have been run to the end of `done` (links of struct worker_task), in the
 * order in which they were announced. */
void workers_collect(struct workers *workers, struct list *done);

/* For run(): what comes now may take long. Results of this thread are announced first, and what it
 * had taken beyond the present task goes to the others. NULL is allowed. */
void worker_may_block(struct worker *worker);

/* Ends the threads: waits for tasks that are running. Those that were never begun are moved to the
 * end of `unrun`; what has run is still to be collected. Does nothing more when not started. */
void workers_stop(struct workers *workers, struct list *unrun);

/* Frees; stopped or never started, and every task has come back (checked). NULL is allowed. */
void workers_destroy(struct workers *workers);

#endif

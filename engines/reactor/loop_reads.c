/* loop_reads.c: a loop that has its files read by an executor (file_jobs = posix-aio, linux-aio,
 * io_uring): what its workers would do by waiting in pread(2) goes there. They keep what an
 * executor cannot do: opens, listings, document roots; and what it refuses.
 *
 * A task of a read is as any other (loop_offload.c): the connection is away until it comes back, so
 * what the executor writes to lives until then. */
#include "engines/reactor/loop_internal.h"

#include "core/file_job.h"
#include "core/log.h"
#include "engines/files/file_executor.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

static_assert(offsetof(struct loop_task, data) % alignof(struct file_read) == 0,
              "a read lies behind its task");

/* The executor that the configuration chooses, for loops of that kind; NULL: none. */
static const struct file_executor_ops *chosen(const struct loop *loop)
{
    return loop->locked ? NULL : file_executor_of(loop->cfg.config->file_jobs);
}

static struct file_read *read_of(struct loop_task *task)
{
    return (struct file_read *)(void *)task->data;
}

static struct loop_task *task_of(struct list *link)
{
    struct file_read *read = container_of(link, struct file_read, link);
    struct loop_task *task = container_of(read, struct loop_task, data);
    CHECK_OBJ(task, LOOP_TASK_MAGIC);
    return task;
}

static bool reads_file(const struct file_job *job)
{
    return job->kind == FILE_JOB_READ && job->source == NULL && !job->remote;
}

size_t loop_reads_size(const struct loop *loop)
{
    return chosen(loop) != NULL ? sizeof(struct file_read) : 0;
}

int loop_reads_create(struct loop *loop, char *why, size_t why_size)
{
    const struct file_executor_ops *ops = chosen(loop);
    return ops != NULL ? ops->open(workers_fd(loop->workers), why, why_size, &loop->executor) : 0;
}

int loop_reads_start(struct loop *loop)
{
    int res = file_executor_start(loop->executor);
    if (res < 0)
        log_error("file_jobs = %s: %s", loop->executor->ops->name, strerror(-res));
    return res;
}

void loop_reads_stop(struct loop *loop, struct list *back)
{
    struct list reads;
    list_init(&reads);
    file_executor_stop(loop->executor, &reads);
    while (!list_empty(&reads)) {
        struct loop_task *task = task_of(reads.next);
        list_remove(&read_of(task)->link);
        list_push_back(back, &task->task.link);
    }
}

bool loop_reads_take(const struct loop *loop, const struct loop_task *task)
{
    if (loop->executor == NULL)
        return false;
    return task->kind == LOOP_TASK_PIECE ||
           reads_file(session_file_job(loop_conn_session(task->conn)));
}

bool loop_reads_pass_cache(const struct loop *loop, const struct file_job *job)
{
    return loop->executor != NULL && loop->executor->ops->direct && reads_file(job);
}

void loop_reads_submit(struct loop *loop, struct loop_task *task)
{
    struct file_read *read = read_of(task);
    if (task->kind == LOOP_TASK_PIECE) {
        *read = (struct file_read){ .fd = task->file_fd, .off = task->off, .len = task->len };
    } else {
        const struct file_job *job = session_file_job(loop_conn_session(task->conn));
        *read = (struct file_read){
            .fd = job->fd_read, .off = job->off, .len = job->len, .mem = job->mem
        };
    }
    list_init(&read->link);
    file_executor_submit(loop->executor, read);
}

void loop_reads_run(struct loop_task *task)
{
    file_read_run(read_of(task));
    session_file_job(loop_conn_session(task->conn))->res = read_of(task)->res;
}

/* To a worker; with their queue full this thread does it. */
static void pass_on(struct loop *loop, struct loop_task *task, struct list *done)
{
    if (workers_submit(loop->workers, &task->task))
        return;
    loop_task_run(&task->task, NULL);
    clock_update(&loop->clock); /* it may have taken long */
    list_push_back(done, &task->task.link);
}

void loop_reads_collect(struct loop *loop, struct list *done)
{
    struct list reads;
    list_init(&reads);
    file_executor_collect(loop->executor, &reads);
    while (!list_empty(&reads)) {
        struct loop_task *task = task_of(reads.next);
        const struct file_read *read = read_of(task);
        list_remove(&read_of(task)->link);
        if (read->refused) {
            pass_on(loop, task, done);
            continue;
        }
        if (task->kind == LOOP_TASK_JOB)
            session_file_job(loop_conn_session(task->conn))->res = read->res;
        task->ran = true;
        list_push_back(done, &task->task.link);
    }
}

void loop_reads_flush(struct loop *loop)
{
    file_executor_flush(loop->executor);
}

int loop_reads_timeout_ms(const struct loop *loop, int timeout_ms)
{
    int look_ms = file_executor_timeout_ms(loop->executor);
    return look_ms >= 0 && (timeout_ms < 0 || look_ms < timeout_ms) ? look_ms : timeout_ms;
}

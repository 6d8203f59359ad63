/* loop_offload.c: what a loop hands to workers: file jobs, pieces of files that are not in the page
 * cache, and, where requests are processed by workers, what was received.
 *
 * A connection whose task is out is away: the loop notes edges for it and does nothing else, so its
 * session has one owner at a time. In this way a slow disk stalls the connections that need it, and
 * nobody else. A peer that closes, or a deadline that passes, meanwhile is found out when the task
 * has come back, and only then is anything freed. */
#include "engines/reactor/loop_internal.h"

#include "config/config.h"
#include "core/file_job.h"
#include "core/log.h"
#include "engines/files/file_executor.h"
#include "engines/peer_left.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PIECE_STEP = 1 << 16,
    REQUESTS_A_WORKER = 16, /* received and not answered yet, at most: as many as workers take at
                               once, and as many for the loop to send */
};

/* A worker begins to call a session. The clock is read anew, since the loop's turn, or the job
 * before, may be long ago. */
static void worker_enter(struct loop *loop)
{
    MUST(pthread_mutex_lock(&loop->env_mutex) == 0);
    clock_update(&loop->env_clock);
}

static void worker_leave(struct loop *loop)
{
    MUST(pthread_mutex_unlock(&loop->env_mutex) == 0);
}

/* Processes what was received, or goes on with a job, until the session wants what only the loop
 * does; what is to be sent is encrypted here, too. Jobs are executed outside the lock: they touch
 * nothing else. */
static void process(struct loop_task *task, struct worker *worker)
{
    struct session *s = loop_conn_session(task->conn);
    worker_enter(task->loop);
    if (task->kind == LOOP_TASK_RECEIVED)
        session_received(s, task->data, (ssize_t)task->len);
    unsigned wants;
    while ((wants = session_wants(s)) & SESSION_WANT_FILE) {
        struct file_job *job = session_file_job(s);
        CHECK_OBJ(job, FILE_JOB_MAGIC);
        worker_leave(task->loop);
        if (job->remote && !task->remote) { /* not for a worker of this kind */
            worker_enter(task->loop);
            break;
        }
        if (peer_left_slice(task->conn->source.fd, job)) {
            worker_enter(task->loop);
            session_peer_left(s);
            break;
        }
        if (!file_job_try(job)) {
            /* Answers that are ready need not wait for it: the loop sends them, and hands the job
             * over by itself. */
            if (((wants & SESSION_WANT_SEND) && task->kind == LOOP_TASK_RECEIVED) ||
                (job->remote && !task->remote)) {
                worker_enter(task->loop);
                break;
            }
            worker_may_block(worker);
            file_job_run(job);
        }
        worker_enter(task->loop);
        session_file_done(s);
    }
    session_prepare(s);
    worker_leave(task->loop);
}

/* Reads the piece into the page cache. The kernel is told of all of it first, and then every
 * PIECE_STEP is waited for by reading an octet: cheaper than copying everything, and what is still
 * under way behind such an octet arrives with it or a moment later. An error, or the file's end, is
 * for the send to find. */
static void warm_piece(const struct loop_task *task)
{
    off_t end = task->off + (off_t)task->len;
    posix_fadvise(task->file_fd, task->off, (off_t)task->len, POSIX_FADV_WILLNEED);
    for (off_t at = task->off; at < end; at += PIECE_STEP) {
        char octet;
        off_t last = end - at < PIECE_STEP ? end - 1 : at + PIECE_STEP - 1;
        if (pread(task->file_fd, &octet, 1, at) <= 0 || pread(task->file_fd, &octet, 1, last) <= 0)
            return;
    }
    /* What comes next is read while this is being sent. */
    posix_fadvise(task->file_fd, end, LOOP_PROBE_SPAN, POSIX_FADV_WILLNEED);
}

void loop_task_run(struct worker_task *base, struct worker *worker)
{
    struct loop_task *task = container_of(base, struct loop_task, task);
    CHECK_OBJ(task, LOOP_TASK_MAGIC);
    if (task->kind == LOOP_TASK_PIECE) {
        worker_may_block(worker);
        warm_piece(task);
    } else if (loop_reads_take(task->loop, task)) {
        worker_may_block(worker);
        loop_reads_run(task);
    } else if (task->loop->locked) {
        process(task, worker);
    } else {
        worker_may_block(worker);
        file_job_run(session_file_job(loop_conn_session(task->conn)));
    }
    task->ran = true;
}

struct loop_task *loop_task_begin(struct loop *loop, struct loop_conn *conn,
                                  enum loop_task_kind kind)
{
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    CHECK(!conn->away);
    struct loop_task *task = pool_get(loop->tasks);
    CHECK(task != NULL);
    task->task.run = loop_task_run;
    task->magic = LOOP_TASK_MAGIC;
    task->kind = kind;
    task->loop = loop;
    task->conn = conn;
    task->ran = task->remote = false;
    return task;
}

void loop_task_drop(struct loop *loop, struct loop_task *task)
{
    CHECK_OBJ(task, LOOP_TASK_MAGIC);
    task->magic = 0;
    pool_put(loop->tasks, task);
}

bool loop_offload_wait(struct loop *loop, struct loop_conn *conn)
{
    /* Those who wait already go first. A drain asks everybody to end who has sent nothing: all of
     * that is taken first. */
    bool room = loop->requests_out < loop->requests_max &&
                (list_empty(&loop->unread) || conn == loop->admitted);
    if (room || loop->drain_end_ms != 0)
        return false;
    conn->waits_for_worker = true;
    list_remove(&conn->run);
    list_push_back(&loop->unread, &conn->run);
    return true;
}

void loop_offload_admit(struct loop *loop)
{
    for (unsigned i = 0; i < LOOP_EVENTS_MAX && loop_offload_can_admit(loop); i++) {
        struct loop_conn *conn = container_of(loop->unread.next, struct loop_conn, run);
        CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
        list_remove(&conn->run);
        loop->admitted = conn;
        loop_conn_drive(loop, conn);
    }
    loop->admitted = NULL;
}

/* Reports to the session what no worker has reported. */
static void task_end(struct loop *loop, struct loop_task *task)
{
    struct loop_conn *conn = task->conn;
    struct session *s = loop_conn_session(conn);
    if (task->kind == LOOP_TASK_PIECE) {
        loop_enter(loop);
        session_sent(s, -EAGAIN);
        loop_leave(loop);
    } else if (task->ran && !loop->locked && loop->routines == NULL) {
        loop_report_job(loop, s);
    }
    loop->requests_out -= task->kind == LOOP_TASK_RECEIVED;
    loop_task_drop(loop, task);
}

void loop_task_submit(struct loop *loop, struct loop_task *task)
{
    CHECK_OBJ(task, LOOP_TASK_MAGIC);
    struct loop_conn *conn = task->conn;
    task->remote = task->kind == LOOP_TASK_JOB && session_file_job(loop_conn_session(conn))->remote;
    struct workers *workers =
        task->remote && loop_remote_begin(loop) ? loop->remote : loop->workers;
    loop->requests_out += task->kind == LOOP_TASK_RECEIVED;
    bool reads = loop_reads_take(loop, task);
    if (reads)
        loop_reads_submit(loop, task);
    if (reads || workers_submit(workers, &task->task)) {
        conn->away = true;
        list_remove(&conn->run);
        return;
    }
    loop_task_run(&task->task, NULL);
    clock_update(&loop->clock); /* it may have taken long */
    task_end(loop, task);
}

/* Takes a task back; its connection. */
static struct loop_conn *task_return(struct loop *loop, struct list *done)
{
    struct loop_task *task = container_of(done->next, struct loop_task, task.link);
    CHECK_OBJ(task, LOOP_TASK_MAGIC);
    list_remove(&task->task.link);
    struct loop_conn *conn = task->conn;
    CHECK_OBJ(&conn->source, LOOP_CONN_MAGIC);
    CHECK(conn->away);
    conn->away = false;
    task_end(loop, task);
    return conn;
}

void loop_offload_collect(struct loop *loop)
{
    struct list done;
    list_init(&done);
    if (loop->workers != NULL)
        workers_collect(loop->workers, &done);
    if (loop->remote != NULL)
        workers_collect(loop->remote, &done);
    if (loop->executor != NULL)
        loop_reads_collect(loop, &done);
    while (!list_empty(&done)) {
        struct loop_conn *conn = task_return(loop, &done);
        if (loop->drain_end_ms != 0)
            loop_drain_session(loop, conn);
        loop_conn_drive(loop, conn);
    }
}

int loop_offload_create(struct loop *loop, char *why, size_t why_size)
{
    const struct config *config = loop->cfg.config;
    unsigned threads = loop->options.workers;
    if (threads == 0)
        return 0;
    loop->requests_max = REQUESTS_A_WORKER * (threads + 1);
    size_t size =
        sizeof(struct loop_task) + (loop->locked ? LOOP_HANDOFF_SIZE : loop_reads_size(loop));
    int res = pool_create("tasks", size, loop->cfg.limits.connections_max, &loop->tasks);
    if (res == 0)
        res = workers_create(threads, config->worker_queue, &loop->workers);
    if (res < 0)
        snprintf(why, why_size, "cannot set up %u workers: %s", threads, strerror(-res));
    else
        res = loop_reads_create(loop, why, why_size);
    return res;
}

void loop_offload_destroy(struct loop *loop)
{
    file_executor_close(loop->executor);
    workers_destroy(loop->workers);
    workers_destroy(loop->remote);
    pool_destroy(loop->tasks);
}

int loop_offload_start(struct loop *loop)
{
    int res = loop->workers != NULL ? workers_start(loop->workers) : 0;
    if (res < 0)
        log_error("worker threads cannot be started: %s; fewer of them, or a higher limit of "
                  "processes (ulimit -u), may help",
                  strerror(-res));
    return res == 0 && loop->executor != NULL ? loop_reads_start(loop) : res;
}

void loop_offload_stop(struct loop *loop)
{
    struct workers *all[] = { loop->workers, loop->remote };
    struct list back;
    list_init(&back);
    if (loop->executor != NULL)
        loop_reads_stop(loop, &back);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] == NULL)
            continue;
        workers_stop(all[i], &back);
        workers_collect(all[i], &back);
    }
    while (!list_empty(&back))
        task_return(loop, &back);
}

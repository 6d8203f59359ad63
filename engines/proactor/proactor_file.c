/* proactor_file.c: file jobs as operations, by the rules of file_open.h.
 *
 *   LOOK -> LOOK_STAT -> OPEN -> OPEN_STAT -> (CONTENT ...) -> done
 *   (opened at once, and not in memory) CONTENT ... -> done
 *   READ -> done
 *
 * What the kernel has in its caches is done at once (file_job_try_and_keep()): io_uring gives a
 * STATX always to a kernel worker, which costs more than the whole job. There is no operation for
 * the names of a directory, and the rules for document roots are our own: a LIST, the text that is
 * made of it, a ROOT, and an OPEN that renames or writers keep disturbing, are run by a thread of
 * the proactor's.
 */
#include "engines/proactor/proactor_internal.h"

#include "core/file_job.h"
#include "core/file_open.h"
#include "core/log_repeat.h"
#include "engines/peer_left.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum stage { STAGE_LOOK, STAGE_LOOK_STAT, STAGE_OPEN, STAGE_OPEN_STAT, STAGE_CONTENT, STAGE_READ };

struct proactor_file {
    struct proactor_op op;
    unsigned magic; /* PROACTOR_FILE_MAGIC */
    enum stage stage;
    struct proactor_conn *conn;
    struct file_job *job; /* the session's */
    unsigned attempts;
    bool stalled; /* the next operation found no place yet */
    int fd;       /* opened, and not the job's yet; -1: none */
    char *content;
    size_t content_len;
    struct worker_task task;
    struct open_how how;
    struct statx stx;
};

size_t proactor_file_size(void)
{
    return sizeof(struct proactor_file);
}

/* Reports a job whose Out members are set. The session gives back what its own thread's cache can;
 * what is missing may be held by others'. */
static void report(struct proactor *p, struct proactor_conn *conn, int res)
{
    if (res == -EMFILE || res == -ENFILE)
        proactor_ask_reclaim(p);
    session_file_done(proactor_session(conn));
}

static void finish(struct proactor *p, struct proactor_file *file, int res)
{
    struct proactor_conn *conn = file->conn;
    struct file_job *job = file->job;
    if (res < 0) {
        if (file->fd >= 0)
            close(file->fd);
        free(file->content);
    } else if (job->kind == FILE_JOB_OPEN) {
        job->fd = file->fd;
        job->content = file->content;
    }
    job->res = res;
    file->magic = 0;
    pool_put(p->files, file);
    conn->file = NULL;
    report(p, conn, res);
}

/* Something has come of the connection's job. */
static void go_on(struct proactor *p, struct proactor_conn *conn)
{
    if (list_empty(&conn->run)) /* else its turn comes */
        proactor_conn_drive(p, conn);
}

/* The operation of the stage. */
static struct operation operation_of(struct proactor_file *file)
{
    const struct file_job *job = file->job;
    switch (file->stage) {
    case STAGE_LOOK:
    case STAGE_OPEN:
        file_open_how(file->stage == STAGE_LOOK ? FILE_OPEN_LOOK : FILE_OPEN_READ, job->symlinks,
                      &file->how);
        return (struct operation){ OPERATION_OPEN, .fd = job->root_fd,
                                   .open = { .path = job->path, .how = &file->how } };
    case STAGE_LOOK_STAT:
    case STAGE_OPEN_STAT:
        return (struct operation){ OPERATION_STAT, .fd = file->fd, .stat.ret_stx = &file->stx };
    case STAGE_CONTENT:
        /* One octet more than there should be: coming back short is the end of the file, or will
         * be found out by file_meta_holds(). */
        return (struct operation){
            OPERATION_READ,
            .fd = file->fd,
            .read = { .mem = file->content + file->content_len,
                      .len = (unsigned)(job->meta.size + 1 - file->content_len),
                      .off = (off_t)file->content_len },
        };
    case STAGE_READ:
        return (struct operation){
            OPERATION_READ,
            .fd = job->fd_read,
            .read = { .mem = job->mem, .len = (unsigned)job->len, .off = job->off },
        };
    }
    UNREACHABLE();
}

static bool submit(struct proactor *p, struct proactor_file *file)
{
    const struct operation operation = operation_of(file);
    return proactor_begin(p, &file->op, PROACTOR_OP_FILE, &operation);
}

/* ---- the thread beside the processor ---- */

static void run_task(struct worker_task *task, struct worker *worker)
{
    struct proactor_file *file = container_of(task, struct proactor_file, task);
    worker_may_block(worker);
    file_job_run(file->job);
}

/* What the job has in its Out members stays as it is. */
static void finish_run(struct proactor *p, struct proactor_file *file)
{
    struct file_job *job = file->job;
    file->fd = job->fd;
    file->content = job->content;
    if (job->res < 0)
        file->fd = -1;
    finish(p, file, job->res);
}

/* For jobs that are remote: a file server that hangs keeps those who wait for it for as long as it
 * likes, and they must be neither the kernel's nor the thread for listings. Made when the first
 * such job comes. One job a connection: nothing is refused for want of a place. */
static void begin_remote(struct proactor *p)
{
    struct workers *workers = NULL;
    int res = workers_create(p->config->remote_workers, p->limits.connections_max, &workers);
    if (res == 0)
        res = workers_start(workers);
    if (res < 0) {
        workers_destroy(workers);
        log_repeated(LOG_ERROR, "remote_workers", -res,
                     "remote_workers = %u cannot be started: %s; until then a file server that "
                     "does not answer holds up others, too",
                     p->config->remote_workers, strerror(-res));
        return;
    }
    p->remote = workers;
    proactor_workers_arm(p);
}

/* A full queue: the thread is behind, and this one does it itself. */
static void run_beside(struct proactor *p, struct proactor_file *file)
{
    if (file->job->remote && p->remote == NULL)
        begin_remote(p);
    struct workers *workers = file->job->remote && p->remote != NULL ? p->remote : p->workers;
    file->task.run = run_task;
    list_init(&file->task.link);
    if (workers_submit(workers, &file->task))
        return;
    file_job_run(file->job);
    finish_run(p, file);
}

static void watch_workers(struct proactor *p, struct workers *workers, struct proactor_op *op)
{
    if (workers == NULL || op->in_flight || (p->ending && list_empty(&p->conns)))
        return;
    const struct operation poll = { OPERATION_POLL, .fd = workers_fd(workers),
                                    .poll.events = POLLIN };
    (void)proactor_begin(p, op, PROACTOR_OP_WORKERS, &poll);
}

void proactor_workers_arm(struct proactor *p)
{
    watch_workers(p, p->workers, &p->workers_op);
    watch_workers(p, p->remote, &p->remote_op);
}

void proactor_workers_flush(struct proactor *p)
{
    workers_flush(p->workers);
    if (p->remote != NULL)
        workers_flush(p->remote);
}

bool proactor_workers_unwatch(struct proactor *p)
{
    (void)proactor_cancel(p, &p->workers_op, workers_fd(p->workers));
    if (p->remote != NULL)
        (void)proactor_cancel(p, &p->remote_op, workers_fd(p->remote));
    return !p->workers_op.in_flight && !p->remote_op.in_flight;
}

bool proactor_workers_stop(struct proactor *p)
{
    struct list unrun;
    list_init(&unrun);
    workers_stop(p->workers, &unrun);
    if (p->remote != NULL)
        workers_stop(p->remote, &unrun);
    return list_empty(&unrun);
}

bool proactor_workers_have_results(const struct proactor *p)
{
    return workers_have_results(p->workers) ||
           (p->remote != NULL && workers_have_results(p->remote));
}

void proactor_workers_collect(struct proactor *p)
{
    struct workers *all[] = { p->workers, p->remote };
    struct list done;
    list_init(&done);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] == NULL)
            continue;
        wake_fd_clear(workers_fd(all[i])); /* before: what comes later wakes again */
        workers_collect(all[i], &done);
    }
    while (!list_empty(&done)) {
        struct worker_task *task = container_of(done.next, struct worker_task, link);
        list_remove(&task->link);
        struct proactor_file *file = container_of(task, struct proactor_file, task);
        CHECK_OBJ(file, PROACTOR_FILE_MAGIC);
        struct proactor_conn *conn = file->conn;
        finish_run(p, file);
        go_on(p, conn);
    }
}

/* ---- stages ---- */

/* What a stage says, or -errno: the next operation is to be submitted, or the job is done, or it is
 * for the thread beside the processor. */
enum { ON = 0, DONE = 1, BESIDE = 2 };

static int opened(struct proactor_file *file, int res)
{
    if (res < 0)
        return res;
    file->fd = res;
    file->stage = file->stage == STAGE_LOOK ? STAGE_LOOK_STAT : STAGE_OPEN_STAT;
    return ON;
}

static int looked(struct proactor_file *file, int res)
{
    struct file_meta *meta = &file->job->meta;
    if (res == 0) {
        file_meta_set_statx(meta, &file->stx);
        file_meta_judge(meta, file->fd);
    }
    close(file->fd);
    file->fd = -1;
    if (res < 0)
        return res;
    if (meta->kind == FILE_OTHER)
        return DONE;
    file->stage = STAGE_OPEN;
    return ON;
}

/* The file is opened and looked at: are its octets wanted? */
static int want_content(struct proactor_file *file)
{
    const struct file_job *job = file->job;
    if (job->meta.kind != FILE_REGULAR || job->meta.size > job->content_max ||
        job->content_max == 0)
        return DONE;
    file->content = malloc((size_t)job->meta.size + 1);
    if (file->content == NULL)
        return DONE; /* not needed: it can be sent from the descriptor */
    file->stage = STAGE_CONTENT;
    return ON;
}

static int open_stated(struct proactor_file *file, int res)
{
    struct file_job *job = file->job;
    if (res < 0)
        return res;
    file_meta_set_statx(&job->meta, &file->stx);
    file_meta_judge(&job->meta, file->fd);
    if (job->meta.kind == FILE_OTHER) { /* it was swapped since we looked */
        close(file->fd);
        file->fd = -1;
        return DONE;
    }
    return want_content(file);
}

static int content_read(struct proactor_file *file, int res)
{
    struct file_job *job = file->job;
    size_t size = (size_t)job->meta.size;
    if (res < 0)
        return res;
    size_t asked = size + 1 - file->content_len;
    file->content_len += (size_t)res;
    if (res > 0 && file->content_len <= size && !(file->content_len == size && (size_t)res < asked))
        return ON;
    bool whole = file->content_len == size;
    if (whole && size > 0 && file_meta_holds(file->fd, &job->meta))
        return DONE;
    free(file->content);
    file->content = NULL;
    if (whole)
        return DONE; /* empty, or it was written to meanwhile */
    close(file->fd); /* it shrank or grew, or its size is untrue */
    file->fd = -1;
    return BESIDE;
}

/* ON: the next operation is to be submitted. */
static int advance(struct proactor_file *file, int res)
{
    switch (file->stage) {
    case STAGE_LOOK:
    case STAGE_OPEN:
        return opened(file, res);
    case STAGE_LOOK_STAT:
        return looked(file, res);
    case STAGE_OPEN_STAT:
        return open_stated(file, res);
    case STAGE_CONTENT:
        return content_read(file, res);
    case STAGE_READ:
        break;
    }
    UNREACHABLE();
}

/* What comes after the completion `res`. */
static void complete(struct proactor *p, struct proactor_file *file, int res)
{
    int next = ON;
    bool opens = file->stage == STAGE_LOOK || file->stage == STAGE_OPEN;
    if (res == -EINTR) {
        /* The same again. */
    } else if (res == -EAGAIN && file->attempts < PROACTOR_ATTEMPTS_MAX) {
        file->attempts++;
    } else if (opens && (res == -EAGAIN || file_open_is_undecided(file->job->symlinks, res))) {
        run_beside(p, file);
        return;
    } else if (file->stage == STAGE_READ) {
        finish(p, file, res);
        return;
    } else {
        next = advance(file, res);
    }
    if (next == ON)
        file->stalled = !submit(p, file);
    else if (next == BESIDE)
        run_beside(p, file);
    else
        finish(p, file, next == DONE ? 0 : next);
}

void proactor_file_completed(struct proactor *p, struct proactor_op *op, int res)
{
    struct proactor_file *file = container_of(op, struct proactor_file, op);
    CHECK_OBJ(file, PROACTOR_FILE_MAGIC);
    struct proactor_conn *conn = file->conn;
    complete(p, file, res);
    if (conn->file == NULL || conn->file->stalled)
        go_on(p, conn);
}

enum proactor_step proactor_file_resume(struct proactor *p, struct proactor_conn *conn)
{
    struct proactor_file *file = conn->file;
    CHECK_OBJ(file, PROACTOR_FILE_MAGIC);
    if (file->stalled)
        file->stalled = !submit(p, file);
    return file->stalled ? PROACTOR_YIELD : PROACTOR_WAITS;
}

enum proactor_step proactor_file_begin(struct proactor *p, struct proactor_conn *conn)
{
    struct file_job *job = session_file_job(proactor_session(conn));
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(conn->file == NULL);
    if (peer_left_slice(conn->fd, job)) {
        session_peer_left(proactor_session(conn));
        return PROACTOR_DONE;
    }
    if (job->kind != FILE_JOB_READ && file_job_try_and_keep(job)) {
        report(p, conn, job->res);
        return PROACTOR_DONE;
    }
    bool by_operations = job->kind != FILE_JOB_LIST && job->kind != FILE_JOB_ROOT &&
                         job->source == NULL && !job->remote;
    struct proactor_file *file = pool_get(p->files);
    CHECK(file != NULL); /* one a connection */
    *file = (struct proactor_file){ .magic = PROACTOR_FILE_MAGIC,
                                    .stage = job->kind == FILE_JOB_READ ? STAGE_READ : STAGE_LOOK,
                                    .conn = conn,
                                    .job = job,
                                    .stalled = true,
                                    .fd = job->fd };
    job->fd = -1;
    proactor_op_init(&file->op, PROACTOR_OP_FILE);
    conn->file = file;
    if (file->fd >= 0 && want_content(file) == DONE) {
        finish(p, file, 0);
        return PROACTOR_DONE;
    }
    if (by_operations)
        return proactor_file_resume(p, conn);
    file->stalled = false;
    run_beside(p, file);
    return conn->file == NULL ? PROACTOR_DONE : PROACTOR_WAITS;
}

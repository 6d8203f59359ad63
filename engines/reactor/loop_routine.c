/* loop_routine.c: connections as coroutines in a loop: driver.h's operations, which yield to the
 * loop where a thread would block.
 *
 * The loop stays what it is: it waits for readiness, accepts, keeps deadlines, and says whose turn
 * it is. What a turn is differs: it resumes the connection's coroutine behind the operation in
 * which it waits. What the loop tells a session meanwhile (that a deadline has passed, that it is
 * to end) the coroutine finds when it asks the session anew, as it does after every wait. */
#include "engines/reactor/loop_internal.h"

#include "core/check.h"
#include "core/file_job.h"
#include "engines/blocking/driver.h"
#include "engines/coroutine/context.h"
#include "engines/coroutine/stack.h"
#include "engines/file_range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REST_MS = 1000,    /* idle for so long, a coroutine gives back what its stack need not keep */
    SWITCH_ROOM = 1024 /* octets of a stack beneath the frame that yields: the switch itself */
};

/* Behind the session, in the same allocation (loop_routine_of()). */
struct loop_routine {
    _Alignas(16) struct driver driver;
    struct context context;
    struct loop *loop;
    struct loop_conn *conn;
    const void *resting; /* the frame in which it waits */
    size_t sent;         /* octets of files since it has waited last */
    int file_fd;         /* of the range that is being sent, borrowed from the plan, */
    off_t file_off;      /* and how far */
    unsigned stack;      /* its index */
    bool stops;          /* it is closed: nothing waits any more */
    bool piece;          /* it has executed one of a long listing, since it has given way last */
    bool yielded;        /* it has given way, and waits for nothing */
    bool deep;           /* its stack was used since it was trimmed last */
    bool rests;          /* it was found idle, and has not been resumed since */
};

struct loop_routines {
    struct stacks *stacks;
    unsigned *free; /* indices of free stacks, a stack itself: the last one given back is warm */
    size_t free_count;
};

size_t loop_routine_size(void)
{
    return sizeof(struct loop_routine);
}

static struct loop_routine *routine_of(struct loop_conn *conn)
{
    return (struct loop_routine *)(void *)((char *)(conn + 1) + session_size());
}

static struct loop_routine *routine_of_driver(struct driver *d)
{
    return container_of(d, struct loop_routine, driver);
}

/* ---- operations ---- */

static void routine_enter(struct driver *d)
{
    (void)d; /* one thread, whose clock is the environment's */
}

static unsigned routine_asks(struct driver *d)
{
    return routine_of_driver(d)->stops ? DRIVER_ASK_STOP : 0;
}

/* The loop goes on with others, and comes back when something was told of the connection, when its
 * deadline has passed, or when it has yielded and its turn has come. */
static void yield(struct loop_routine *routine)
{
    routine->resting = __builtin_frame_address(0);
    routine->sent = 0;
    context_yield(&routine->context);
    routine->deep = true;
    routine->rests = false;
}

static void wait_here(struct loop_routine *routine)
{
    routine->yielded = false;
    yield(routine);
}

static void routine_give_way(struct driver *d)
{
    struct loop_routine *routine = routine_of_driver(d);
    bool piece = routine->piece;
    routine->piece = false;
    do {
        if (routine->stops)
            return;
        routine->yielded = true;
        yield(routine);
    } while (piece && routine->loop->pieces_left == 0);
}

/* One wait at most: whatever has ended it, the driver looks at its session anew. */
static ssize_t routine_receive(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds)
{
    (void)heeds;
    struct loop_routine *routine = routine_of_driver(d);
    struct loop_conn *conn = routine->conn;
    if (!conn->readable && until_ms != 0 && !routine->stops)
        wait_here(routine);
    if (!conn->readable || routine->stops)
        return -EAGAIN;
    ssize_t n = loop_conn_recv(routine->loop, conn, d->scratch, len);
    if (n != -EAGAIN)
        loop_idle_end(conn);
    return n;
}

/* No event was taken since a send has found the socket full, so what `writable` says is older. */
static unsigned routine_wait(struct driver *d, unsigned what, uint64_t until_ms, unsigned heeds)
{
    (void)heeds;
    struct loop_routine *routine = routine_of_driver(d);
    struct loop_conn *conn = routine->conn;
    if (what & DRIVER_WRITABLE)
        conn->writable = false;
    if (!(what & DRIVER_READABLE && conn->readable) && until_ms != 0 && !routine->stops)
        wait_here(routine);
    return ((what & DRIVER_WRITABLE) && conn->writable ? DRIVER_WRITABLE : 0u) |
           ((what & DRIVER_READABLE) && conn->readable ? DRIVER_READABLE : 0u);
}

static void routine_run_job(struct driver *d, struct file_job *job)
{
    struct loop_routine *routine = routine_of_driver(d);
    routine->piece = false;
    struct loop_conn *conn = routine->conn;
    if (job->remote && !routine->stops && loop_remote_begin(routine->loop)) {
        loop_task_submit(routine->loop, loop_task_begin(routine->loop, conn, LOOP_TASK_JOB));
        while (conn->away)
            wait_here(routine);
        if (job->res == -EINPROGRESS) /* it was never begun: everything ends */
            job->res = -ECANCELED;
        return;
    }
    routine->piece = file_job_is_piece(job);
    routine->loop->pieces_left -= routine->piece && routine->loop->pieces_left > 0;
    file_job_run(job);
    clock_update(&routine->loop->clock); /* it may have taken long */
}

/* Others go first once it has had its share; and while the kernel reads what is not in the page
 * cache. Then the send blocks for what has not come by then: one thread is all there is. */
static void routine_before_file(struct driver *d, const struct send_plan *plan)
{
    struct loop_routine *routine = routine_of_driver(d);
    size_t turn = d->send_turn;
    if (routine->sent >= turn)
        routine_give_way(d);
    routine->sent += plan->file_len < turn ? plan->file_len : turn;
    if (plan->file_fd != routine->file_fd || plan->file_off < routine->file_off)
        routine->conn->warm_end = 0; /* another range */
    routine->file_fd = plan->file_fd;
    routine->file_off = plan->file_off;
    off_t end = send_plan_file_end(plan, turn > LOOP_PROBE_SPAN ? turn : LOOP_PROBE_SPAN);
    if (plan->file_len <= LOOP_PROBE_MIN ||
        send_plan_file_end(plan, turn) <= routine->conn->warm_end)
        return;
    routine->conn->warm_end = end;
    if (file_range_cached(plan->file_fd, end - 1))
        return;
    posix_fadvise(plan->file_fd, plan->file_off, end - plan->file_off, POSIX_FADV_WILLNEED);
    routine_give_way(d);
}

static const struct driver_ops routine_ops = {
    .enter = routine_enter,
    .leave = routine_enter,
    .asks = routine_asks,
    .receive = routine_receive,
    .wait = routine_wait,
    .run_job = routine_run_job,
    .before_file = routine_before_file,
    .give_way = routine_give_way,
};

/* ---- the loop's side ---- */

static void serve(void *context)
{
    struct loop_routine *routine = context;
    driver_run(&routine->driver);
}

void loop_routine_begin(struct loop *loop, struct loop_conn *conn)
{
    struct loop_routines *all = loop->routines;
    struct loop_routine *routine = routine_of(conn);
    size_t size;
    CHECK(all->free_count > 0);
    unsigned index = all->free[--all->free_count];
    *routine = (struct loop_routine){
        .driver = { .ops = &routine_ops,
                    .session = loop_conn_session(conn),
                    .clock = &loop->clock,
                    .fd = conn->source.fd,
                    .scratch = loop->scratch,
                    .scratch_size = sizeof(loop->scratch),
                    .send_turn = loop->cfg.config->send_turn },
        .loop = loop,
        .conn = conn,
        .file_fd = -1,
        .stack = index,
        .deep = true,
    };
    void *stack = stack_at(all->stacks, index, &size);
    context_make(&routine->context, stack, size, serve, routine);
}

enum loop_routine_state loop_routine_resume(struct loop *loop, struct loop_conn *conn)
{
    struct loop_routine *routine = routine_of(conn);
    CHECK(routine->loop == loop);
    context_resume(&routine->context);
    if (routine->context.ended)
        return LOOP_ROUTINE_ENDED;
    return routine->yielded ? LOOP_ROUTINE_YIELDED : LOOP_ROUTINE_WAITS;
}

void loop_routine_end(struct loop *loop, struct loop_conn *conn)
{
    struct loop_routine *routine = routine_of(conn);
    routine->stops = true;
    while (!routine->context.ended)
        context_resume(&routine->context);
    context_end(&routine->context);
    struct loop_routines *all = loop->routines;
    all->free[all->free_count++] = routine->stack;
}

uint64_t loop_routine_rest(struct loop *loop, struct loop_conn *conn, uint64_t deadline_ms)
{
    struct loop_routine *routine = routine_of(conn);
    uint64_t again_ms = loop->clock.now_ms + REST_MS;
    if (!routine->deep || !session_is_idle(loop_conn_session(conn)))
        return deadline_ms;
    if (routine->rests) {
        stack_trim(loop->routines->stacks, routine->stack,
                   (const char *)routine->resting - SWITCH_ROOM);
        routine->deep = false;
        return deadline_ms;
    }
    routine->rests = true;
    return again_ms < deadline_ms ? again_ms : deadline_ms;
}

int loop_routines_create(struct loop *loop, char *why, size_t why_size)
{
    size_t count = loop->cfg.limits.connections_max;
    struct loop_routines *all = calloc(1, sizeof(*all));
    if (all != NULL)
        all->free = calloc(count, sizeof(all->free[0]));
    if (all == NULL || all->free == NULL) {
        free(all);
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    loop->routines = all;
    for (size_t i = count; i > 0; i--)
        all->free[all->free_count++] = (unsigned)(i - 1);
    return stacks_create(count, why, why_size, &all->stacks);
}

void loop_routines_destroy(struct loop *loop)
{
    if (loop->routines == NULL)
        return;
    stacks_destroy(loop->routines->stacks);
    free(loop->routines->free);
    free(loop->routines);
}

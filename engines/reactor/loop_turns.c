/* loop_turns.c: threads that take turns at one loop (POSA2's Leader/Followers, with a handle set
 * that is shared). See leader_followers.c.
 *
 * Everything of the loop, and its session environment, is under one lock, which is let go where a
 * thread waits for events, receives, sends, executes a file job or encrypts. A connection that is
 * driven (loop_conn.driven) is that thread's: others only note what is said of it.
 *
 * The thread that takes an event has let go of the set by that: the kernel wakes another one for
 * the next event. What the kernel does not know of, the run queue and deadlines, is promoted by
 * hand: one of those that wait knows until when, and before somebody begins what may take long,
 * another one is woken. */
#include "engines/reactor/loop_internal.h"

#include "core/log.h"
#include "core/stats.h"

#include <errno.h>
#include <string.h>

/* This thread keeps the lock: it is in the midst of what goes through lists. What it does then is
 * short: a deadline, a farewell, the beginning of a drain. */
static _Thread_local bool held;

static void let_go(void *context)
{
    struct loop *loop = context;
    if (!held)
        MUST(pthread_mutex_unlock(&loop->env_mutex) == 0);
}

static void take_again(void *context)
{
    struct loop *loop = context;
    if (!held)
        MUST(pthread_mutex_lock(&loop->env_mutex) == 0);
}

void loop_turns_share(struct loop *loop)
{
    loop->env_lock = (struct session_lock){ let_go, take_again, loop };
    session_env_share(loop->env, &loop->env_lock);
}

void loop_turns_promote(struct loop *loop)
{
    if (held || loop->waiting == 0 || loop->promoting)
        return;
    loop->promoting = true;
    loop_wake(loop);
}

void loop_turns_let_go(struct loop *loop)
{
    if (!list_empty(&loop->run_queue))
        loop_turns_promote(loop);
    let_go(loop);
}

void loop_turns_take_again(struct loop *loop)
{
    take_again(loop);
}

/* One of those that wait does so no longer than until something is due; the others for ever. Events
 * taken, or -errno. */
static int take_event(struct loop *loop, struct demultiplexer_event *event)
{
    int timeout_ms = loop_timeout_ms(loop);
    uint64_t until_ms = timeout_ms < 0 ? UINT64_MAX : loop->clock.now_ms + (uint64_t)timeout_ms;
    unsigned watch = 0;

    if (until_ms < loop->watched_until_ms) {
        loop->watched_until_ms = until_ms;
        watch = ++loop->watch;
    } else {
        timeout_ms = -1;
    }
    loop->waiting++;
    int n = loop->demultiplexer->ops->wait(loop->demultiplexer, timeout_ms, event, 1);
    stats_turn(n);
    loop->waiting--;
    if (watch != 0 && watch == loop->watch)
        loop->watched_until_ms = UINT64_MAX;
    loop->promoting = false;
    return n;
}

/* One event, or one of those that can go on without; and what is due. */
static void take_turn(struct loop *loop, const struct demultiplexer_event *event)
{
    clock_update(&loop->clock);
    if (event != NULL)
        loop_dispatch(loop, event);
    if (!list_empty(&loop->run_queue)) {
        struct loop_conn *conn = container_of(loop->run_queue.next, struct loop_conn, run);
        list_remove(&conn->run);
        loop_conn_drive(loop, conn);
    }
    held = true;
    loop_end_turn(loop);
    held = false;
}

static bool is_over(struct loop *loop)
{
    if (loop->over)
        return true;
    held = true;
    loop->over = loop_heed_orders(loop);
    held = false;
    return loop->over;
}

int loop_take_turns(struct loop *loop)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    int res = 0;

    take_again(loop);
    if (loop->turners++ == 0)
        pulse_join(&loop->beat, loop->cfg.pulse);
    while (!is_over(loop)) {
        struct demultiplexer_event event;
        int n = take_event(loop, &event);
        if (n < 0 && n != -EINTR) {
            res = n;
            log_error("%s: %s", loop->demultiplexer->ops->call, strerror(-res));
            loop->over = true;
            break;
        }
        take_turn(loop, n > 0 ? &event : NULL);
    }
    if (--loop->turners == 0)
        pulse_leave(&loop->beat);
    let_go(loop);
    loop_wake(loop); /* whoever waits: each wakes the next */
    return res;
}

/* loop_env.c: the session environment of a loop: one thread's, or shared with workers.
 *
 * A session environment has no lock of its own, so that a plain loop pays for none. Where workers
 * process sessions, all calls of sessions are made under one mutex here. That is enough: what a
 * session does takes under a microsecond, and no I/O but a full log buffer's; file jobs, the rest
 * of what workers do, and encryption are outside; and a reactor's system calls, which take several
 * times as long, are one thread's in this model anyway. Several environments, each with a lock and
 * a share of the cache, measured a sixth slower for a hot file (each has its own cold memory), and
 * gave connections different views of a changing file. */
#include "engines/reactor/loop_internal.h"

#include "core/log_repeat.h"
#include "engines/env_lock.h"

#include <errno.h>
#include <stdio.h>

int loop_env_create(struct loop *loop, unsigned caps, char *why, size_t why_size)
{
    loop->locked = loop->options.workers > 0 && loop->options.work_requests;
    loop->env_clock = loop->clock;
    int res = env_lock_init(&loop->env_mutex, &loop->env_lock);
    if (res < 0) {
        snprintf(why, why_size, "cannot make a mutex");
        return res;
    }
    res = session_env_create(loop->cfg.config, &loop->cfg.limits, loop->cfg.tls,
                             loop->locked ? &loop->env_clock : &loop->clock, caps, why, why_size,
                             &loop->env);
    if (res == 0 && loop->options.turns)
        loop_turns_share(loop);
    if (res == 0 && loop->locked)
        session_env_share(loop->env, &loop->env_lock);
    return res;
}

void loop_env_destroy(struct loop *loop)
{
    if (loop->env == NULL)
        return;
    session_env_destroy(loop->env);
    MUST(pthread_mutex_destroy(&loop->env_mutex) == 0);
}

bool loop_env_tick(struct loop *loop, bool reopen)
{
    if (loop->env == NULL) /* accept_only */
        return log_repeat_tick();
    loop_enter(loop);
    bool again = session_env_tick(loop->env, reopen);
    loop_leave(loop);
    return again;
}

uint64_t loop_env_sweep(struct loop *loop)
{
    if (loop->env == NULL) /* likewise */
        return UINT64_MAX;
    loop_enter(loop);
    uint64_t due_ms = session_env_sweep(loop->env);
    loop_leave(loop);
    return due_ms;
}

size_t loop_env_reclaim(struct loop *loop)
{
    if (loop->env == NULL) /* likewise */
        return 0;
    loop_enter(loop);
    size_t closed = session_env_reclaim(loop->env);
    loop_leave(loop);
    return closed;
}

void loop_report_job(struct loop *loop, struct session *s)
{
    int res = session_file_job(s)->res;
    session_file_done(s);
    if ((res == -EMFILE || res == -ENFILE) && !(session_wants(s) & SESSION_WANT_FILE) &&
        loop->hooks.starved != NULL)
        loop->hooks.starved(loop->options.hooks_context, loop);
}

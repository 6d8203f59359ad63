/* drain.c: the end of a supervisor that drains:
 *
 *   asked -> workers say 503 where they are asked for their health, and serve on -> drain_delay is
 *   over, or asked again: no new connections, answers in progress have drain_timeout -> the end
 *
 * Workers have timers of their own for the delay, since a server in the foreground is one, too;
 * here the listening sockets are closed, which would keep connections waiting that nobody takes. */
#include "process/supervisor_internal.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/draining.h"
#include "core/log.h"

#include "process/notify.h"

#include <signal.h>

enum { GRACE_MS = 5000 /* beyond drain_timeout */ };

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The longest of what the generations that serve are set to. */
static struct http_deadlines longest(const struct supervisor *s)
{
    struct http_deadlines longest = { .drain_ms = 0 };

    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        const struct generation *g = supervisor_generation(s, i);
        if (g == NULL || g == s->next)
            continue;
        const struct http_deadlines *own = &g->instance.config->deadlines;
        longest.drain_ms = larger(longest.drain_ms, own->drain_ms);
        longest.drain_delay_ms = larger(longest.drain_delay_ms, own->drain_delay_ms);
    }
    return longest;
}

static void tell_workers(struct supervisor *s)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++)
        generation_signal(supervisor_generation(s, i), SIGQUIT);
}

bool drain_has_begun(const struct supervisor *s)
{
    return s->drains && s->end_ms != 0;
}

/* Workers have been told to drain, or to say 503: told again, they drain now. */
static void begin(struct supervisor *s, uint64_t now_ms)
{
    s->drain_ms = now_ms;
    s->end_ms = now_ms + longest(s).drain_ms + GRACE_MS;
    listen_set_close(&s->sockets);
    pid_file_hand_over(&s->pid_file);
}

const char *drain_sentence(const struct supervisor *s)
{
    if (!s->drains && longest(s).drain_delay_ms > 0)
        return "draining: health says 503, and after drain_delay no new connections";
    return "draining: no new connections, answers in progress have drain_timeout";
}

void drain_ask(struct supervisor *s)
{
    uint64_t now_ms = clock_monotonic_ms();
    bool again = s->drains;

    if (s->stops || drain_has_begun(s))
        return;
    s->drains = true;
    draining_begin(); /* workers that come from now on inherit it */
    s->drain_ms = again ? now_ms : now_ms + longest(s).drain_delay_ms;
    notify_stopping();
    reload_forget(s);
    upgrade_forget(s);
    tell_workers(s);
    if (s->drain_ms <= now_ms)
        begin(s, now_ms);
}

void drain_go_on(struct supervisor *s, uint64_t now_ms)
{
    if (!s->drains || s->stops || drain_has_begun(s) || now_ms < s->drain_ms)
        return;
    log_line(LOG_INFO, "drain_delay is over: no new connections, answers in progress have "
                       "drain_timeout");
    tell_workers(s); /* a worker that has come since has no timer */
    begin(s, now_ms);
}

uint64_t drain_due_ms(const struct supervisor *s)
{
    if (s->end_ms != 0)
        return s->end_ms;
    return s->drains ? s->drain_ms : UINT64_MAX;
}

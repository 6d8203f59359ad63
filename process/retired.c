/* retired.c: generations that have been told to retire, until their workers have ended. What they
 * still serve are connections that cannot move, so that they may last as long as drain_timeout; a
 * reload does not wait for them. How many there are is bounded: for one more the oldest has to
 * hurry, step by step (hurry_steps). */
#include "process/supervisor_internal.h"

#include "core/check.h"
#include "core/log.h"

#include <signal.h>

/* What a generation that hurries is told, and how long it has until the next step. */
static const struct {
    int signal;
    uint32_t time_ms;
} hurry_steps[] = {
    { SIGQUIT, 20 },      /* idle connections are closed, answers in progress go on; */
    { SIGQUIT, 1000 },    /* without drain_delay */
    { SIGTERM, 2000 },    /* everything is closed */
    { SIGKILL, 3600000 }, /* it is the kernel's turn */
};

void retired_add(struct supervisor *s, struct generation *g, uint64_t now_ms)
{
    CHECK(s->retired_count < RETIRED_MAX);
    s->retired[s->retired_count++] = g;
    g->deadline_ms = now_ms + g->instance.config->deadlines.drain_ms + RETIRED_GRACE_MS;
}

bool retired_have_room(const struct supervisor *s)
{
    return s->retired_count < RETIRED_MAX;
}

static void hurry(struct generation *g, uint64_t now_ms)
{
    generation_signal(g, hurry_steps[g->hurries].signal);
    g->deadline_ms = now_ms + hurry_steps[g->hurries].time_ms;
    if (g->hurries + 1 < ARRAY_LEN(hurry_steps))
        g->hurries++;
}

void retired_make_room(struct supervisor *s, uint64_t now_ms)
{
    struct generation *oldest = s->retired[0];

    if (retired_have_room(s) || oldest->hurries > 0)
        return;
    log_warn("generation %u is ended before drain_timeout is over: %d generations end already, and "
             "another one is to take over",
             oldest->number, (int)RETIRED_MAX);
    hurry(oldest, now_ms);
}

/* Whose time is over: what is left is told to hurry, or killed. */
static void press(struct generation *g, uint64_t now_ms)
{
    if (g->hurries > 0) {
        hurry(g, now_ms);
        return;
    }
    log_warn("generation %u did not end in drain_timeout: %zu of its workers are killed", g->number,
             generation_alive(g));
    generation_signal(g, SIGKILL);
    g->deadline_ms = UINT64_MAX;
}

void retired_go_on(struct supervisor *s, uint64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->retired_count; i++) {
        struct generation *g = s->retired[i];
        if (generation_alive(g) > 0) {
            if (now_ms >= g->deadline_ms)
                press(g, now_ms);
            s->retired[kept++] = g;
            continue;
        }
        log_info("generation %u has ended", g->number);
        generation_destroy(g);
    }
    for (size_t i = kept; i < s->retired_count; i++)
        s->retired[i] = NULL;
    s->retired_count = kept;
}

uint64_t retired_due_ms(const struct supervisor *s)
{
    uint64_t due_ms = UINT64_MAX;

    for (size_t i = 0; i < s->retired_count; i++) {
        if (s->retired[i]->deadline_ms < due_ms)
            due_ms = s->retired[i]->deadline_ms;
    }
    return due_ms;
}

size_t retired_alive(const struct supervisor *s)
{
    size_t alive = 0;

    for (size_t i = 0; i < s->retired_count; i++)
        alive += generation_alive(s->retired[i]);
    return alive;
}

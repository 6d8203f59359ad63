/* coalesce.c: how many completions a busy loop waits for at once.
 *
 * Each return from a wait costs a system call, a turn of the loop and, if the thread had to sleep,
 * a switch and the interrupt that wakes its CPU. Where many clients ask one after the other, a turn
 * that has just answered some may wait for a few requests more. It waits
 *
 * - for as many as the last such waits have got: one more after each that was filled, fewer after
 *   each that was not;
 * - never for more than a third of the connections that have asked of late, so that the others
 *   keep their clients busy: who waited for all of them would have clients and server work in turn
 *   and not at the same time;
 * - at most 4 us for each answer of the turn, which is about what it took to send it, and never
 *   longer than the setting says.
 *
 * Where few connections are busy, or a turn answers one or two, or such waits bring little, it
 * waits as if this were not here. Measured: docs/decisions/0077. */
#include "engines/proactor/coalesce.h"

enum {
    WINDOW = 1024,   /* receives, in which connections are counted that have asked */
    SHARE = 3,       /* a third of them */
    AIM_MIN = 8,     /* fewer are not worth a timer */
    AIM_MAX = 32,    /* more save nothing that can be measured */
    ANSWERS_MIN = 3, /* of a turn */
    PATIENCE_US = 4, /* for each of them */
    PAUSE = 64,      /* ordinary waits after one that brought less than AIM_MIN */
};

void coalesce_note(struct coalesce *c, uint16_t *window)
{
    uint16_t present = (uint16_t)(c->window + 1); /* that of a new connection is none */
    if (*window != present) {
        *window = present;
        c->seen++;
    }
    if (++c->received < WINDOW)
        return;
    c->busy = c->seen;
    c->seen = 0;
    c->received = 0;
    c->window++;
}

/* The most that is waited for beside the answers. */
static unsigned aim_max(const struct coalesce *c, size_t connections)
{
    size_t busy = c->busy < connections ? c->busy : connections; /* those that asked but once */
    return busy / SHARE < AIM_MAX ? (unsigned)(busy / SHARE) : AIM_MAX;
}

struct processor_batch coalesce_next(struct coalesce *c, const struct coalesce_limits *limits)
{
    unsigned answers = c->answers;
    c->answers = 0;
    c->awaited = 0;
    if (c->pause > 0) {
        c->pause--;
        return PROCESSOR_BATCH_NONE;
    }
    unsigned most = aim_max(c, limits->connections);
    if (answers < ANSWERS_MIN || most < AIM_MIN || answers + most > limits->batch ||
        limits->patience_us == 0)
        return PROCESSOR_BATCH_NONE;
    if (c->aim < AIM_MIN)
        c->aim = AIM_MIN;
    if (c->aim > most)
        c->aim = most;
    /* Sends complete while they are submitted, and count. */
    c->awaited = answers + c->aim;
    unsigned patience_us = answers * PATIENCE_US;
    return (struct processor_batch){
        .count = c->awaited,
        .patience_us = patience_us < limits->patience_us ? patience_us : limits->patience_us,
    };
}

void coalesce_learn(struct coalesce *c, unsigned taken)
{
    if (c->awaited == 0)
        return;
    unsigned answers = c->awaited - c->aim;
    unsigned gained = taken > answers ? taken - answers : 0;
    if (gained >= c->aim)
        c->aim++;
    else
        c->aim = (c->aim + gained) / 2;
    if (gained < AIM_MIN)
        c->pause = PAUSE;
}

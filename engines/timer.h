/* timer.h: deadlines of many connections: a hashed timing wheel, O(1) to arm, to cancel and to
 * fire.
 *
 * Lazy: a node that is armed stays where it is when its deadline moves later; on firing the owner
 * says when it is really due. So the hot path, where deadlines only move away, touches nothing. */
#ifndef ENGINES_TIMER_H
#define ENGINES_TIMER_H

#include "core/list.h"

#include <stdbool.h>
#include <stdint.h>

/* Slots must be a power of two and a multiple of 64; the wheel reaches 102.4 s ahead. */
enum { TIMER_SLOTS = 1024, TIMER_TICK_MS = 100 };

struct timer_node {
    struct list link;
    uint64_t armed_ms; /* when the wheel will look at it, a multiple of TIMER_TICK_MS; 0: in no slot
                        */
};

struct timer_wheel {
    struct list slots[TIMER_SLOTS];
    uint64_t occupied[TIMER_SLOTS / 64]; /* bit i % 64 of word i / 64: slot i holds a node */
    uint64_t tick;                       /* the last tick looked at: now_ms / TIMER_TICK_MS */
    uint64_t count;                      /* nodes armed */
};

/* An empty wheel that begins at `now_ms`. */
void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* A node in no slot. Whoever embeds it owns it, and disarms it before its memory goes. */
void timer_node_init(struct timer_node *node);

/* Makes sure that `node` is looked at when `deadline_ms` has passed, and at most TIMER_TICK_MS
 * later (UINT64_MAX: never, disarms). Does nothing when it is armed for that time or earlier. A
 * deadline further away than the wheel reaches is looked at when the wheel's end comes: `fire` arms
 * it again.
 */
void timer_arm(struct timer_wheel *wheel, struct timer_node *node, uint64_t deadline_ms);

/* Takes the node out, if it is in. */
void timer_disarm(struct timer_wheel *wheel, struct timer_node *node);

/* Calls `fire` for every node whose time has come. A node is out of the wheel when `fire` gets it;
 * `fire` looks up its true deadline and arms it again or acts. It may arm and disarm any node; what
 * it arms is never fired in the same call. A time that runs backwards is ignored. */
void timer_advance(struct timer_wheel *wheel, uint64_t now_ms,
                   void (*fire)(struct timer_node *node, void *context), void *context);

/* Milliseconds a loop may sleep: -1 when nothing is armed, else up to the next tick that has a node
 * (0 when that has passed; at most TIMER_TICK_MS * TIMER_SLOTS). */
int timer_timeout_ms(const struct timer_wheel *wheel, uint64_t now_ms);

/* The earlier of a timeout (-1: none) and a moment (0: none), as a timeout. */
static inline int timer_until(int timeout_ms, uint64_t now_ms, uint64_t moment_ms)
{
    if (moment_ms == 0)
        return timeout_ms;
    uint64_t left_ms = moment_ms > now_ms ? moment_ms - now_ms : 0;
    return timeout_ms < 0 || left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

/* Has the moment (0: none) come? Then there is none any more. */
static inline bool timer_has_come(uint64_t *moment_ms, uint64_t now_ms)
{
    if (*moment_ms == 0 || now_ms < *moment_ms)
        return false;
    *moment_ms = 0;
    return true;
}

/* Brings the moment (0: none) forward to `at_ms`, above 0, unless it is earlier. */
static inline void timer_bring_forward(uint64_t *moment_ms, uint64_t at_ms)
{
    if (*moment_ms == 0 || *moment_ms > at_ms)
        *moment_ms = at_ms;
}

#endif

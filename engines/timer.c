/* timer.c: a hashed timing wheel (Varghese and Lauck, scheme 6 without rounds).
 *
 * Slot i holds the nodes of one tick only, the next one ahead that is i modulo TIMER_SLOTS: nothing
 * is armed further away than the wheel reaches, so no node waits for a second round. A bit for each
 * slot finds the next one in use without walking over empty lists. */
#include "engines/timer.h"

#include "core/check.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

static_assert((TIMER_SLOTS & (TIMER_SLOTS - 1)) == 0 && TIMER_SLOTS % 64 == 0, "slots");
static_assert((uint64_t)TIMER_SLOTS * TIMER_TICK_MS <= INT_MAX, "a sleep fits epoll_wait(2)");

static unsigned slot_of(uint64_t tick)
{
    return (unsigned)(tick & (TIMER_SLOTS - 1));
}

static void slot_mark(struct timer_wheel *wheel, unsigned slot)
{
    wheel->occupied[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void slot_unmark(struct timer_wheel *wheel, unsigned slot)
{
    wheel->occupied[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* How many slots from `slot` on, `slot` itself included, come before one in use; TIMER_SLOTS when
 * none is. */
static unsigned slots_before_occupied(const struct timer_wheel *wheel, unsigned slot)
{
    unsigned words = TIMER_SLOTS / 64;
    unsigned skip = slot % 64;
    uint64_t word = wheel->occupied[slot / 64] >> skip;
    if (word != 0)
        return (unsigned)__builtin_ctzll(word);
    for (unsigned i = 1; i <= words; i++) {
        word = wheel->occupied[(slot / 64 + i) % words];
        if (word != 0) {
            unsigned ahead = i * 64 - skip + (unsigned)__builtin_ctzll(word);
            return ahead < TIMER_SLOTS ? ahead : TIMER_SLOTS;
        }
    }
    return TIMER_SLOTS;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    memset(wheel->occupied, 0, sizeof(wheel->occupied));
    for (unsigned i = 0; i < TIMER_SLOTS; i++)
        list_init(&wheel->slots[i]);
    wheel->tick = now_ms / TIMER_TICK_MS;
    wheel->count = 0;
}

void timer_node_init(struct timer_node *node)
{
    list_init(&node->link);
    node->armed_ms = 0;
}

void timer_arm(struct timer_wheel *wheel, struct timer_node *node, uint64_t deadline_ms)
{
    if (deadline_ms == UINT64_MAX) {
        timer_disarm(wheel, node);
        return;
    }
    /* Rounded up: a node is never looked at before its deadline, or it would be armed once more. */
    uint64_t tick = deadline_ms / TIMER_TICK_MS + (deadline_ms % TIMER_TICK_MS != 0);
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    if (tick > wheel->tick + TIMER_SLOTS)
        tick = wheel->tick + TIMER_SLOTS;

    uint64_t armed_ms = tick * TIMER_TICK_MS;
    if (node->armed_ms != 0) {
        if (node->armed_ms <= armed_ms)
            return;
        timer_disarm(wheel, node);
    }
    node->armed_ms = armed_ms;
    list_push_back(&wheel->slots[slot_of(tick)], &node->link);
    slot_mark(wheel, slot_of(tick));
    wheel->count++;
}

void timer_disarm(struct timer_wheel *wheel, struct timer_node *node)
{
    if (node->armed_ms == 0)
        return;
    unsigned slot = slot_of(node->armed_ms / TIMER_TICK_MS);
    list_remove(&node->link);
    if (list_empty(&wheel->slots[slot]))
        slot_unmark(wheel, slot);
    node->armed_ms = 0;
    CHECK(wheel->count > 0);
    wheel->count--;
}

void timer_advance(struct timer_wheel *wheel, uint64_t now_ms,
                   void (*fire)(struct timer_node *node, void *context), void *context)
{
    uint64_t now_tick = now_ms / TIMER_TICK_MS;
    if (now_tick <= wheel->tick)
        return;

    uint64_t passed = now_tick - wheel->tick;
    unsigned slots_due = passed < TIMER_SLOTS ? (unsigned)passed : TIMER_SLOTS;
    unsigned first = slot_of(wheel->tick + 1);

    /* Everything that is due is taken out first and the wheel set to now, so that what `fire` arms
     * lands behind now, and what it disarms may still be among the due. */
    struct list due;
    list_init(&due);
    for (unsigned i = 0; i < slots_due; i++) {
        i += slots_before_occupied(wheel, slot_of(first + i));
        if (i >= slots_due)
            break;
        unsigned slot = slot_of(first + i);
        list_splice_back(&due, &wheel->slots[slot]);
        slot_unmark(wheel, slot);
    }
    wheel->tick = now_tick;

    while (!list_empty(&due)) {
        struct timer_node *node = container_of(due.next, struct timer_node, link);
        CHECK(node->armed_ms != 0 && node->armed_ms / TIMER_TICK_MS <= now_tick);
        list_remove(&node->link);
        node->armed_ms = 0;
        CHECK(wheel->count > 0);
        wheel->count--;
        fire(node, context);
    }
}

int timer_timeout_ms(const struct timer_wheel *wheel, uint64_t now_ms)
{
    if (wheel->count == 0)
        return -1;
    uint64_t next_tick = wheel->tick + 1 + slots_before_occupied(wheel, slot_of(wheel->tick + 1));
    uint64_t next_ms = next_tick * TIMER_TICK_MS;
    return next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}

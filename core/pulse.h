/* pulse.h: do the loops of a process still turn, and do they still accept? A watcher in another
 * process asks by a number in memory that both share, and has the process woken (kill(2)); each
 * loop that sees a new number says so once, in its next turn. A loop that nobody asks reads one
 * word a turn. */
#ifndef CORE_PULSE_H
#define CORE_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct pulse {
    unsigned version;      /* of this layout */
    atomic_uint asked;     /* which question it is; written by the watcher alone */
    atomic_uint loops;     /* that answer */
    atomic_uint answered;  /* of them, that have heard the question */
    atomic_bool begun;     /* there has been a loop: when there is none any more, all is well */
    atomic_uint accepting; /* loops that take connections from listening sockets, or are about to */
};

/* Memory that children forked from now on share, and the descriptor by which another program of
 * this process comes to it, or -1 (shared_memory_make()). NULL: there is none, errno says why. The
 * caller owns both: each process that has it gives its copy back by pulse_destroy(). */
struct pulse *pulse_create(int *ret_memory);

/* That which another program of this process has made; the descriptor stays the caller's. NULL:
 * errno says why: EPROTO: that program is of another version. */
struct pulse *pulse_adopt(int memory);

/* NULL is allowed. */
void pulse_destroy(struct pulse *pulse);

/* The watcher: asks anew. What was asked before has been answered. */
void pulse_ask(struct pulse *pulse);

/* The watcher: have all loops answered? A process whose first loop is still to begin has not. */
bool pulse_is_answered(const struct pulse *pulse);

/* The watcher: may a loop still accept a connection? Since a loop counts from when it is made
 * (pulse_listen()), a process that has said that it serves has counted all of them. */
bool pulse_is_accepting(const struct pulse *pulse);

/* What a loop keeps; all zeros at first. */
struct pulse_beat {
    struct pulse *pulse; /* borrowed; NULL: nobody watches */
    unsigned heard;
    struct pulse *accepts; /* borrowed; NULL: it does not accept, or nobody watches */
};

/* The loop is made, and is to accept. `pulse` NULL: nobody watches. */
void pulse_listen(struct pulse_beat *beat, struct pulse *pulse);

/* It accepts no more. It may have said so before, or never have accepted. */
void pulse_unlisten(struct pulse_beat *beat);

/* The loop begins to turn, in its own thread. `pulse` NULL: nobody watches. */
void pulse_join(struct pulse_beat *beat, struct pulse *pulse);

/* It answers, when there is a question. */
void pulse_answer(struct pulse_beat *beat);

/* Once a turn. */
static inline void pulse_turn(struct pulse_beat *beat)
{
    if (beat->pulse != NULL &&
        atomic_load_explicit(&beat->pulse->asked, memory_order_relaxed) != beat->heard)
        pulse_answer(beat);
}

/* It turns no more, and accepts no more. */
void pulse_leave(struct pulse_beat *beat);

#endif

/* coalesce.h: how many completions a busy loop waits for at once, as a network card coalesces
 * interrupts. Knows neither connections nor io_uring. */
#ifndef ENGINES_PROACTOR_COALESCE_H
#define ENGINES_PROACTOR_COALESCE_H

#include "engines/proactor/processor.h"

#include <stddef.h>
#include <stdint.h>

/* Of one loop. Zeroed: nothing is known yet, and nothing is waited for. */
struct coalesce {
    uint16_t window;   /* the number of the present one: so many receives */
    unsigned received; /* in it */
    unsigned seen;     /* connections that have received in it */
    unsigned busy;     /* in the one before */
    unsigned answers;  /* sends begun since the last wait */
    unsigned aim;      /* completions to wait for beside those of the answers */
    unsigned awaited;  /* by the last wait, with those; 0: it was an ordinary one */
    unsigned pause;    /* ordinary waits to come, since it has not paid */
};

/* The limits of a loop. */
struct coalesce_limits {
    size_t connections;   /* which it has now */
    unsigned batch;       /* completions that a turn can take, at most */
    unsigned patience_us; /* setting coalesce_us */
};

/* A connection has received something; `*window` is its own, and zeroed at first. */
void coalesce_note(struct coalesce *c, uint16_t *window);

/* An answer is sent with the next wait. */
static inline void coalesce_answer(struct coalesce *c)
{
    c->answers++;
}

/* What the next wait is to stay for. Once for each wait. */
struct processor_batch coalesce_next(struct coalesce *c, const struct coalesce_limits *limits);

/* The wait has brought `taken` completions: learns from it. */
void coalesce_learn(struct coalesce *c, unsigned taken);

#endif

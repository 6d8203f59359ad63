/* draws.h: numbers that nobody can guess and that do not come again: for request ids and samples.
 * One source a thread. The kernel is asked for a key (getrandom(2)) when it is used first, and anew
 * by a process that was forked since: no two draw the same. */
#ifndef CORE_DRAWS_H
#define CORE_DRAWS_H

#include <stdint.h>

struct draws;

/* 0, or -errno. The caller owns it. */
int draws_create(struct draws **ret_draws);

/* The next 64 bits. Some 15 ns. */
uint64_t draws_next(struct draws *draws);

/* NULL is allowed. */
void draws_destroy(struct draws *draws);

#endif

/* watchdog.h: a worker of which a loop turns no more is ended, and replaced as one that has crashed.
 * It is asked from time to time (core/pulse.h), so that one that is idle, and waits without an end,
 * is known to be well. */
#ifndef PROCESS_WATCHDOG_H
#define PROCESS_WATCHDOG_H

#include "process/generation.h"

#include <stdint.h>

/* Asks whom it is time to ask, and ends whom its configuration (`watchdog`) gives no more time.
 * NULL is allowed. */
void watchdog_go_on(struct generation *generation, uint64_t now_ms);

/* When watchdog_go_on() has something to do; UINT64_MAX: never. NULL is allowed. */
uint64_t watchdog_due_ms(const struct generation *generation);

#endif

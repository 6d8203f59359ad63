/* draining.h: has this process been asked to drain? For those who answer balancers. */
#ifndef CORE_DRAINING_H
#define CORE_DRAINING_H

#include <stdbool.h>

/* Children forked from now on see what draining_begin() says here, and this process no longer what
 * its parent's does; it goes on with what it has heard so far. Without memory that is shared
 * they do not, and nothing else is lost. Before any other thread is made, once. */
void draining_share(void);

/* This process drains from now on. Async-signal-safe. */
void draining_begin(void);

/* Has draining_begin() been called? Thread-safe. */
bool draining_has_begun(void);

#endif

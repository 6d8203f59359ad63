/* unused.h: settings that say something to which the engine in force does not listen. */
#ifndef PROCESS_UNUSED_H
#define PROCESS_UNUSED_H

#include "process/choice.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes the next sentence about one: where it was set, the key, the engine, and those that have a
 * use for it; then those of config->warnings. `*index` begins at 0 and counts on. False: there are no more. A value that is the
 * default says nothing new; and where an engine is chosen (auto.h), what another of those to choose
 * from has a use for is no mistake. */
bool unused_next(const struct choice *choice, size_t *index, char *text, size_t size);

#endif

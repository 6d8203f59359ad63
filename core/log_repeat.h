/* log_repeat.h: lines of the error log about faults that may come by the thousand: the first ones
 * of a period are written, the others are counted, and their number is told when the period ends.
 *
 * Beside the sink of log.h, whose part it is: one table for the process, used by all threads. */
#ifndef CORE_LOG_REPEAT_H
#define CORE_LOG_REPEAT_H

#include "core/log.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_REPEAT_LINES = 10, /* lines about one fault that are written in LOG_REPEAT_MS */
};

/* A fault: `kind` (a literal, borrowed for ever: "cannot open a file") with `error` (positive, an
 * errno). Writes the line, or counts it once LOG_REPEAT_LINES of the same fault have been written
 * in a period, which lasts LOG_REPEAT_MS from the first of them. Keeps errno. Thread-safe. */
void log_repeated(enum log_level level, const char *kind, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Such a line that says no more than "KIND: why". */
void log_fault(const char *kind, int error);

/* Ends the periods that are over: where lines were left out, one line tells how many. True: others
 * are still open, so it is to be called again, about once a second. Costs one load when none is.
 * Thread-safe. */
bool log_repeat_tick(void);

/* Ends all periods: what was left out is told now. Before the process ends. Thread-safe. */
void log_repeat_end(void);

/* Moves the table to memory that processes forked from now on share, so that a fault which each of
 * a thousand children meets is told as often as if they were one. Called once, while there is one
 * thread. 0, or -errno. */
int log_repeat_share(void);

#endif

/* life.h: what is said of a server's life: where it serves, on standard output; that it is ready
 * and how it ended, one line each in the error log. Why it stops or drains is said by signals.c. */
#ifndef PROCESS_LIFE_H
#define PROCESS_LIFE_H

#include "config/config.h"
#include "engines/engine.h"
#include "process/instance.h"

#include <stdint.h>

/* A server that is about to run, or has run; all borrowed for the call. */
struct life {
    const char *version;
    const char *engine; /* its name */
    const char *site;   /* the folder, or the configuration file */
    const struct config *config;
    const struct listener *listeners; /* config->listens_count */
};

/* What is to be said of an instance that is open; borrowed from it. */
struct life life_of(const struct instance *instance);

/* Logs that serving begins, with process, engine and addresses. */
void life_log_ready(const struct life *life);

/* Writes what a line for people says of it: "gearshift 1.2, engine reactor, listening on ...". */
void life_describe(const struct life *life, char *text, size_t size);

/* Prints one line for each address, with the ports that the system chose; nothing where standard
 * output is a log (`access_log = stdout`), whose readers expect its lines only. */
void life_announce(const struct life *life);

enum life_end { LIFE_FAILED, LIFE_STOPPED, LIFE_DRAINED };

/* Logs how serving ended: failed, stopped, drained, or cut off by drain_timeout. `drain_ms`: when a
 * drain began (clock_monotonic_ms()). The listeners are not looked at. */
void life_log_end(const struct life *life, enum life_end end, uint64_t drain_ms);

#endif

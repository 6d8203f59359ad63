/* notify.h: tells the service manager what this process does (sd_notify(3)): one datagram for each
 * change, to the socket that NOTIFY_SOCKET names (a path, or '@' and the name of an abstract one).
 *
 * Without that variable all of these do nothing. One process speaks: the supervisor, or the server
 * in the foreground; the variables are taken out of the environment, and what is forked from it
 * says nothing. */
#ifndef PROCESS_NOTIFY_H
#define PROCESS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, once, and removes them. A socket that cannot
 * be used is told in the error log. */
void notify_take(void);

/* They are in the environment (again): for another program that is executed in this process; or
 * (false) they are not, since it could not be. */
void notify_pass(bool passes);

/* Keeps the socket connected from now on: for a process that will not be the user any more who may
 * reach it. */
void notify_connect(void);

/* READY=1, with MAINPID and `status`, a line for people. Also at the end of a reload. */
void notify_ready(const char *status);

/* RELOADING=1, with the time (MONOTONIC_USEC). notify_ready() ends it, whether it has done anything
 * or not. */
void notify_reloading(void);

/* STOPPING=1, once. Async-signal-safe. */
void notify_stopping(void);

/* WATCHDOG=1. Async-signal-safe. */
void notify_watchdog(void);

/* How often notify_watchdog() is to be called: half of what the service manager waits; 0: never. */
uint32_t notify_watchdog_ms(void);

#endif

/* signals.h: what signals ask of the engine that runs. main installs them; engines see orders.
 *
 *   SIGTERM, SIGINT, SIGHUP  stop: everything is closed now
 *   SIGQUIT                  drain: answers in progress are finished, at most drain_timeout; the
 *                            pid file may be a successor's from now on
 *   SIGUSR1                  the error log is opened again here, access logs by the engine
 *
 * In a worker, which has a supervisor, SIGHUP is ignored, SIGUSR2 retires (engine.h), SIGURG has all
 * loops turn once (watchdog.h), and the supervisor says who has asked for what. Else the first of
 * those that stop or drain leaves a line in the error log, with who sent it.
 *
 * SIGHUP ends the server as a terminal that is closed should; started with it ignored (nohup(1)),
 * it stays ignored. A handler has no argument, so there is one of all this in a process. */
#ifndef PROCESS_SIGNALS_H
#define PROCESS_SIGNALS_H

#include "engines/engine.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pid_file;

/* The orders that signals give; for engine_config. */
const struct engine_orders *signals_orders(void);

/* Installs the handlers, which wake `engine` (borrowed until signals_ignore()). */
void signals_install(const struct engine_ops *ops, struct engine *engine, bool supervised);

/* The drain begins so many milliseconds after the first SIGQUIT, or with a second one; until then
 * draining_has_begun() says so alone. Before signals_install(). */
void signals_delay_drain(uint32_t ms);

/* Has SIGQUIT hand `pid_file` over (pid_file_hand_over()), at once where it came before this call.
 * Borrowed until signals_ignore(). */
void signals_lend_pid_file(struct pid_file *pid_file);

/* In a worker that has given up root (which would undo it, prctl(2)), and has its handlers: it drains
 * when the process `supervisor` dies, its parent, which has the other end of the socket `channel`
 * alone. Either tells, as PR_SET_PDEATHSIG and as O_ASYNC (fcntl(2)); so does its death before this
 * call. */
void signals_watch_supervisor(int channel, pid_t supervisor);

/* Ignores all these signals, so that nothing touches the engine any more: the process is ending. */
void signals_ignore(void);

/* When the first SIGQUIT came (clock_monotonic_ms()); 0: none did. For after signals_ignore(). */
uint64_t signals_drain_ms(void);

#endif

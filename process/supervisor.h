/* supervisor.h: the process that never stops. It reads the configuration, holds listening sockets,
 * keys, logs, the pid file and the control socket, and keeps workers running; it never touches an
 * octet of a client's, and its number is the same for ever.
 *
 * supervisor.c       what comes in: signals, orders, the end of workers; and how all of it ends
 * reload.c           one generation of workers takes over from another
 * generation.c, worker.c   the workers
 * control.c          the control socket
 * upgrade.c          another binary takes the place of this one, in the same process
 * succession_*.c     ... and takes over all that it holds */
#ifndef PROCESS_SUPERVISOR_H
#define PROCESS_SUPERVISOR_H

#include "process/exit_status.h"
#include "process/instance.h"

/* Serves by workers until it is stopped or drained. `instance` is configured (not so where a
 * predecessor in this process has left something: succession.h), and is used for the
 * source of its configuration and its sentence alone: each generation reads anew. STATUS_OK; or a
 * status to exit with, and instance->why. */
enum exit_status supervise(struct instance *instance);

#endif

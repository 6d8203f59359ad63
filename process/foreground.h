/* foreground.h: `processes = 0`: the process that was started serves itself. For a folder on the
 * command line, and for a debugger. */
#ifndef PROCESS_FOREGROUND_H
#define PROCESS_FOREGROUND_H

#include "process/instance.h"

/* Serves a configured instance until it is stopped or drained. STATUS_OK; or a status to exit with,
 * and instance->why, which is empty where the error log has been told already. */
enum exit_status foreground(struct instance *instance);

#endif

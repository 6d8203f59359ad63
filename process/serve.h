/* serve.h: an instance serves, in this process, until it is stopped or drained:
 *
 *   create the engine (it opens the access logs for itself) -> signals -> drop root -> run
 *
 * Called once a process: by main for a server in the foreground, and in each worker that a
 * supervisor has forked. */
#ifndef PROCESS_SERVE_H
#define PROCESS_SERVE_H

#include "process/instance.h"

struct pid_file;
struct pulse;

/* What surrounds the serving; all borrowed. */
struct serve_params {
    bool supervised;      /* by a process that has the pid file, and tells of signals */
    struct handover *out; /* where idle connections go when it retires (engine.h), or NULL */
    const int *inboxes;   /* from which connections of predecessors come */
    size_t inboxes_count;
    struct pulse *pulse; /* of the loops (engine.h), or NULL */
    const char *pid_path; /* where a pid file is to be made, or NULL */
    struct pid_file *ret_pid_file;
    void (*ready)(void *context); /* called when everything is there, and root is given up */
    void *context;
};

/* Makes an engine as serve() would, and frees it: for `gearshift -t`, after instance_open()'s checks.
 * An engine reads the media types and judges its own settings; one that never runs needs no access
 * logs, which it would create. STATUS_OK, or a status and instance->why. */
enum exit_status serve_test(struct instance *instance);

/* Serves. STATUS_OK: stopped or drained; STATUS_RUNTIME and an empty instance->why: it failed while
 * it served, and said so in the error log; or the start was refused: a status and instance->why. All
 * signals that ask for something are ignored afterwards. */
enum exit_status serve(struct instance *instance, const struct serve_params *params);

#endif

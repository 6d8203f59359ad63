/* log_files.h: the files of the logs, while the process may still be root: could they be opened,
 * are they, and whose are they? The functions return an exit status; where it is not STATUS_OK,
 * instance->why is the sentence. */
#ifndef PROCESS_LOG_FILES_H
#define PROCESS_LOG_FILES_H

#include "process/instance.h"

/* Could every log be opened? Nothing is created. */
enum exit_status log_files_check(struct instance *instance);

/* Opens the error log for instance_take_log(): instance->error_log_fd. */
enum exit_status log_files_open_error_log(struct instance *instance);

/* Creates the access logs and gives them to the user. Engines open them for themselves later; or,
 * with instance->leaves_logs, take what is left in instance->log_slots. */
enum exit_status log_files_prepare(struct instance *instance);

/* A supervisor opens all log files again, and leaves them where its workers find them; where its own
 * error log is left in a slot, it takes that. What cannot
 * be opened stays the old file: a line in the error log, and instance->why. */
enum exit_status log_files_reopen(struct instance *instance);

/* In a worker: nothing is left in the slots by this process. */
void log_files_only_get(struct instance *instance);

/* Closes the slots. In a worker that is another instance's, too. */
void log_files_close_slots(struct instance *instance);

#endif

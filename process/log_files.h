/* log_files.h: the files of the logs, while the process may still be root: could they be opened, are
 * they, and whose are they? The functions return an exit status; where it is not STATUS_OK,
 * instance->why is the sentence. */
#ifndef PROCESS_LOG_FILES_H
#define PROCESS_LOG_FILES_H

#include "process/instance.h"

/* Could every log be opened? Nothing is created. */
enum exit_status log_files_check(struct instance *instance);

/* Opens the error log for instance_take_log(): instance->error_log_fd. */
enum exit_status log_files_open_error_log(struct instance *instance);

/* Creates the access logs and gives them to the user; engines open them for themselves later. */
enum exit_status log_files_prepare(struct instance *instance);

#endif

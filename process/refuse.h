/* refuse.h: how a command of the program (sign, dictionary, reload...) says that it does not do
 * what it was asked for, or could not say what it has done. */
#ifndef PROCESS_REFUSE_H
#define PROCESS_REFUSE_H

#include "process/exit_status.h"

/* Writes "gearshift: ", the sentence and a line's end to standard error. Returns `status`, for
 * main() to return. */
int refuse(enum exit_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Called when a command ends with `status`, for main() to return: hands what it has printed to the
 * kernel. Returns `status`; or STATUS_RUNTIME, after a sentence on standard error, where standard
 * output did not take all of it (a full disk): a script that reads it must not take a part for the
 * whole. */
int refuse_unwritten(int status);

#endif

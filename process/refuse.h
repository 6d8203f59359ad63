/* refuse.h: how a command of the program (sign, dictionary, reload...) says that it does not do
 * what it was asked for. */
#ifndef PROCESS_REFUSE_H
#define PROCESS_REFUSE_H

#include "process/exit_status.h"

/* Writes "gearshift: ", the sentence and a line's end to standard error. Returns `status`, for
 * main() to return. */
int refuse(enum exit_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

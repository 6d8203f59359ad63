/* refuse.c: see refuse.h. */
#include "process/refuse.h"

#include <stdarg.h>
#include <stdio.h>

int refuse(enum exit_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "gearshift: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    return (int)status;
}

int refuse_unwritten(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    return refuse(STATUS_RUNTIME, "standard output cannot be written");
}

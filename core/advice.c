/* advice.c: limits that have run out, and how they are raised. */
#include "core/advice.h"

#include <errno.h>

const char *advice_on(int error)
{
    return error == EMFILE   ? "; raise the limit of open files (ulimit -n)"
           : error == ENFILE ? "; raise the sysctl fs.file-max"
                             : "";
}

/* check.c: what a failed CHECK() does. */
#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *function, const char *expr)
{
    fprintf(stderr, "%s:%d: %s: check failed: %s\n", file, line, function, expr);
    abort();
}

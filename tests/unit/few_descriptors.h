/* few_descriptors.h: a process that can open so many descriptors more, and then no others. */
#ifndef TESTS_UNIT_FEW_DESCRIPTORS_H
#define TESTS_UNIT_FEW_DESCRIPTORS_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>

/* Lowers RLIMIT_NOFILE (getrlimit(2)) so that `more` numbers are free beneath it. A number counts
 * as free only when nothing is open there: what started the test may have left descriptors open to
 * it, at any number. Puts the limit before into *old, for setrlimit(2). False: refused. */
static inline bool few_descriptors(unsigned more, struct rlimit *old)
{
    if (getrlimit(RLIMIT_NOFILE, old) != 0)
        return false;
    rlim_t limit = 0;
    for (unsigned free = 0; free < more || fcntl((int)limit, F_GETFD) >= 0; limit++)
        free += fcntl((int)limit, F_GETFD) < 0;
    const struct rlimit low = { limit, old->rlim_max };
    return setrlimit(RLIMIT_NOFILE, &low) == 0;
}

#endif

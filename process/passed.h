/* passed.h: another program is executed in this process and gets descriptors, by LISTEN_FDS,
 * LISTEN_PID and LISTEN_FDNAMES (sd_listen_fds(3); core/inherited.h is the other side). */
#ifndef PROCESS_PASSED_H
#define PROCESS_PASSED_H

#include <stddef.h>

/* What is to be passed; all zero: nothing. */
struct passed {
    int *fds;           /* borrowed descriptors in an owned array */
    const char **names; /* borrowed names without ':' in an owned array */
    size_t count, room;
};

/* Adds one. Returns the number that it will have there; -1: `fd` is -1, and nothing is added. */
int passed_add(struct passed *passed, int fd, const char *name);

/* Executes `fd` (execveat(2)), or `path` where fd is -1, with this environment. Returns only when
 * that fails: -errno, and all is as it was before. */
int passed_execute(const struct passed *passed, const char *path, int fd, char *const *argv);

/* Frees the arrays. */
void passed_free(struct passed *passed);

#endif

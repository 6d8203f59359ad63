/* mounts.h: where this process sees file systems that another machine or a process answers for
 * (core/file_system.h), by proc(5)'s mountinfo, which asks none of them. */
#ifndef CORE_MOUNTS_H
#define CORE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct mounts {
    char **points; /* paths without links; owned */
    size_t count;
};

/* Where they are mounted; none where that cannot be told. */
void mounts_find_remote(struct mounts *ret_mounts);

/* Is one of them mounted below the directory `path` (absolute, without links)? */
bool mounts_are_below(const struct mounts *mounts, const char *path);

void mounts_free(struct mounts *mounts);

#endif

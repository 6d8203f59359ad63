/* sim_folder.c: in memory, or else in /tmp. See sim_folder.h. */
#include "sim_folder.h"

#include "core/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

void sim_folder_make(char *path, size_t path_size)
{
    static const char *const parents[] = { "/dev/shm", "/tmp" };
    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
        snprintf(path, path_size, "%s/gearshift-sim-XXXXXX", parents[i]);
        if (mkdtemp(path) != NULL)
            return;
    }
    CHECK(false); /* there is no folder for temporary files */
}

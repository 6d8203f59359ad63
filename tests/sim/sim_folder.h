/* sim_folder.h: the temporary folder below which a simulation has its files. */
#ifndef SIM_FOLDER_H
#define SIM_FOLDER_H

#include <stddef.h>

/* Makes an empty folder with a name of its own and stores its path, of at most 40 bytes. In memory
 * (/dev/shm, shm_overview(7)) where that can be: a simulation makes files by the thousand, and on a
 * disk the kernel spends ten times as long on them as the simulation takes. Aborts when there is
 * none to be had. */
void sim_folder_make(char *path, size_t path_size);

#endif

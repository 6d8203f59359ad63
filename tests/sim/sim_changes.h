/* sim_changes.h: sessions side by side while the files that they ask for are replaced. */
#ifndef SIM_CHANGES_H
#define SIM_CHANGES_H

#include "sim_sites.h"

#include <stdbool.h>
#include <stdint.h>

/* One run. Prints the seed and exits when an answer is wrong. How many answers were compressed by
 * the server. */
unsigned sim_changes_run(struct sim_sites *sites, uint64_t seed, bool faults);

#endif

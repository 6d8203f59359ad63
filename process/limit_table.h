/* limit_table.h: the table of limits by client (core/rate_table.h), which outlives a configuration:
 * generations whose `limit_clients` is the same share one, so a reload forgets nobody. */
#ifndef PROCESS_LIMIT_TABLE_H
#define PROCESS_LIMIT_TABLE_H

#include "config/config.h"

/* Gives the configuration, if it has limits, the table that they need: before workers are forked.
 * 0 or -errno. The process owns it. */
int limit_table_give(struct config *config);

#endif

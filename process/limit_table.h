/* limit_table.h: the tables of limits by client (core/rate_table.h, core/conn_table.h), which outlive
 * a configuration: generations whose `limit_clients`, or `connections_max`, is the same share one,
 * so a reload forgets nobody. */
#ifndef PROCESS_LIMIT_TABLE_H
#define PROCESS_LIMIT_TABLE_H

#include "config/config.h"

/* Gives the configuration, if it has limits, the table that they need: before workers are forked.
 * 0 or -errno. The process owns it. */
int limit_table_give(struct config *config);

/* That worker has died: its connections are closed. */
void limit_table_forget(int process);

#endif

/* conn_table.h: how many connections each client has, in all processes of a server together.
 *
 * A process counts in a part of its own, which is emptied when the process has died: so nothing is
 * counted for ever. Lock-free; threads share their process's part. A part is a table of lines that
 * a keyed hash chooses: with a line full of other clients a connection is not counted, which takes
 * more clients than a process has connections, and hits those that have one. */
#ifndef CORE_CONN_TABLE_H
#define CORE_CONN_TABLE_H

#include "core/peer.h"
#include "core/rate_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONN_TABLE_PROCESSES = 64 /* that count at a time; others do not */ };

struct conn_table;

/* A table for processes of `connections_max` (above 0) connections each, in memory that processes
 * share which are forked from now on. 0 or -errno. The caller owns it. */
int conn_table_create(uint32_t connections_max, struct conn_table **ret_table);

/* Unmaps it in this process. NULL is allowed. */
void conn_table_destroy(struct conn_table *table);

/* This process, and those forked from it, count in a part of their own from now on. */
void conn_table_join(struct conn_table *table);

/* That process has died: what it has counted is gone. */
void conn_table_forget(struct conn_table *table, int process);

/* A number that stands for the client, as rate_table_client(). Never 0. */
uint64_t conn_table_client(const struct conn_table *table, const struct peer *peer,
                           const struct client_prefix *prefix);

enum conn_verdict {
    CONN_COUNTED,   /* conn_table_remove() is due */
    CONN_UNCOUNTED, /* there is no place */
    CONN_OVER,      /* the client has `max` already: nothing was noted */
};

/* One more connection of `client`, who may have `max`. */
enum conn_verdict conn_table_add(struct conn_table *table, uint64_t client, uint32_t max);

/* One that this process has counted is gone. */
void conn_table_remove(struct conn_table *table, uint64_t client);

#endif

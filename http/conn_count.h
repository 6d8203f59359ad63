/* conn_count.h: what core/stats.h counts of a connection and its answers. */
#ifndef HTTP_CONN_COUNT_H
#define HTTP_CONN_COUNT_H

#include "http/conn.h"

#include <stdbool.h>
#include <stdint.h>

/* A connection has been accepted, or taken over from a predecessor (`moved`), and is counted in its
 * state from now on. */
void http_count_opened(struct http_conn *c, bool moved);

/* A successor has taken it over: what ends here is not the connection. */
void http_count_left(struct http_conn *c);

/* After each report: it is counted in the state that it has now. */
void http_count_state(struct http_conn *c);

/* It ends here. */
void http_count_closed(struct http_conn *c);

/* The counter (enum stats_counter) of the deadline that it has now; STATS_COUNTERS: it only waits
 * for a time. */
unsigned http_count_deadline(const struct http_conn *c);

/* The present request is over: answered with `status`, or 0, and so many bytes of body. */
void http_count_answer(const struct http_exchange *x, int status, uint64_t body_bytes);

/* The answer is composed, and is timed until it is sent. `grows`: more of it will be queued. */
void http_count_composed(struct http_exchange *x, bool grows);

/* Some of what is queued was sent: answers of which that was the first or the last are noted. Reads
 * the clock: what the loop has read is as old as the request itself. */
void http_count_sent(struct http_exchange *x);

#endif

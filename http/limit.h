/* limit.h: has a client asked too often (limit_requests), or all of them together
 * (limit_requests_server)? Pure but for the table that processes share (core/rate_table.h). Refused
 * at once: 429 or 503 with Retry-After, without a look at any file. */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include "http/exchange.h"

enum http_limit { HTTP_LIMIT_GO, HTTP_LIMIT_WAIT, HTTP_LIMIT_REFUSED };

/* Counts the present request, whose location is known and has such limits: each counts it once,
 * however many locations it is led to that share one. WAIT: until
 * x->wait_until_ms. REFUSED: with the error status *ret_status; x->extra has Retry-After. */
enum http_limit http_limit_request(struct http_exchange *x, int *ret_status);

/* Who has sent the present request, as a number in the table for counts of `zone`
 * (rate_table_client()); 0: somebody whom no limit by client holds for. */
uint64_t http_limit_client(const struct http_exchange *x, uint64_t zone);

#endif

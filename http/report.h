/* report.h: what the server tells of itself: `status_page` and `health`. Answers from memory, never
 * kept by caches. */
#ifndef HTTP_REPORT_H
#define HTTP_REPORT_H

#include "core/peer.h"
#include "http/exchange.h"

#include <stdbool.h>

/* Is the present target one of the two? Then they answer, not the files. */
bool http_report_is_asked(const struct http_exchange *x);

/* Answers it. 0; -ENOBUFS: the queue has to be empty first; or the error status (403, 503) that is
 * to be answered instead. */
int http_report_respond(struct http_exchange *x);

/* May the peer see the status page of `server`: from this machine, or by status_allow? Pure. */
bool http_report_may_see(const struct server *server, const struct peer *peer);

#endif

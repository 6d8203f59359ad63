/* access.h: the line that an answer leaves in the access log of its server. Pure: the log is a
 * buffer (core/log.h). */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include "core/peer.h"
#include "http/exchange.h"

#include <stdint.h>

/* Writes the line of the present request: `status` (0: closed before an answer) and the octets of
 * the body that were sent. `peer` is the connection's; the line tells the request's own client
 * where a trusted proxy has named it (real_ip.h). Nothing where the server has no access log. */
void http_access_write(struct http_exchange *x, const struct peer *peer, int status,
                       uint64_t body_bytes);

/* Writes the line of an answer that was sent, or broken off, with what of its body was sent; clears
 * x->log_due. */
void http_access_write_sent(struct http_exchange *x, const struct peer *peer);

#endif

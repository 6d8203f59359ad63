/* access.h: the line that an answer leaves in the access log of its server, if its rules want one.
 * Pure: the log is a buffer (core/access_log.h). */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include "http/conn.h"
#include "http/exchange.h"

#include <stdint.h>

/* A request begins, whose line or answer needs more than usual (env->needs is not 0). */
void http_access_begin(struct http_exchange *x);

/* Writes the line of the present request: `status` (0: closed before an answer), the octets of the
 * answer that were sent, and those of its body among them. It tells the request's own client where
 * a trusted proxy has named it (real_ip.h). Nothing where the server has no access
 * log, or leaves such a line out. */
void http_access_write(struct http_conn *c, int status, uint64_t bytes, uint64_t body_bytes);

/* Writes the line of an answer that was sent, or broken off, with what of it was sent; clears
 * x->log_due. */
void http_access_write_sent(struct http_conn *c);

/* Keeps those fields of the answer that may be logged: `head` begins with its status line and is
 * whole. Where a format needs them (env->needs). */
void http_access_keep_sent(struct http_exchange *x, struct span head);

#endif

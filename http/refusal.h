/* refusal.h: what the head of a request alone refuses it with, whatever a body holds. Pure. For the
 * connection, which asks when the head is complete, and again when the body is. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include "http/exchange.h"

/* Judges a request that http_request_parse() has passed and whose server is chosen, and fills in
 * x->target. `named` is the server that the TLS handshake named, or NULL. Returns 0, or, the first
 * of these: 421, another server is asked for (RFC 9110 section 15.5.20); 405 and 501, the method
 * (Allow is in x->extra then); 400 and 404, the target (http_target_parse()). */
int http_refusal_of_head(struct http_exchange *x, const struct server *named);

#endif

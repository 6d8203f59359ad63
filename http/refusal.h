/* refusal.h: what the head of a request alone decides: which server it is for, and what it is
 * refused with, whatever a body holds. Pure. For the connection, which asks when the head is
 * complete, and again when the body is. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include "http/exchange.h"

/* The server, of those at `listen`, that answers a request which http_request_parse() has passed:
 * by its host. One that names none (HTTP/1.0) asked for `named`, the server that the TLS handshake
 * named; NULL: none. Borrowed from the configuration. */
const struct server *http_server_of_head(const struct http_request *request,
                                         const struct listen_config *listen,
                                         const struct server *named);

/* What looks like the request line of a head that cannot be parsed and begins at `rest`: for the
 * log. Into `rest`. */
struct span http_line_of_head(struct span rest);

/* Judges a request that http_request_parse() has passed and whose server is chosen, and fills in
 * x->target. `named` is the server that the TLS handshake named; NULL: none, so that it was one
 * with the first of `listen`. Returns 0, or, the first of these: 421, another server is asked for
 * (RFC 9110 section 15.5.20), or, where none was named, another that asks clients for a
 * certificate, which the handshake has not seen; 405 and 501, the method
 * (Allow is in x->extra then), unless it is one that is known and the target is redirected; 400 and
 * 404, the target (http_target_parse()). */
int http_refusal_of_head(struct http_exchange *x, const struct listen_config *listen,
                         const struct server *named);

#endif

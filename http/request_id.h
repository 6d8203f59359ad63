/* request_id.h: the id of a request: what its line in the access log and its answer (X-Request-Id)
 * have in common. */
#ifndef HTTP_REQUEST_ID_H
#define HTTP_REQUEST_ID_H

#include "core/span.h"
#include "http/exchange.h"

/* The id of the present request: that which a proxy of `real_ip_from` has given it (nobody
 * else: he could give his requests the ids of others), if it is 1 to HTTP_ID_MAX letters,
 * digits and "-_.=+/", else 128 random bits as 32 hexadecimal digits, as nginx's $request_id. The
 * same for as long as the request lasts. In `x`, whose environment has draws. */
struct span http_request_id(struct http_exchange *x);

#endif

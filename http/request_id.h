/* request_id.h: the id of a request: what its line in the access log and its answer (X-Request-Id)
 * have in common. */
#ifndef HTTP_REQUEST_ID_H
#define HTTP_REQUEST_ID_H

#include "core/span.h"
#include "http/exchange.h"

#include <stdbool.h>

/* May the client of this request say its id itself? A proxy in front that is trusted has made one
 * already, and has logged it; anybody else could give his requests the ids of others. The one place
 * where this is decided. */
bool http_request_id_trusted(const struct http_exchange *x);

/* The id of the present request: that of a trusted client, if it is 1 to HTTP_ID_MAX letters,
 * digits and "-_.=+/", else 128 random bits as 32 hexadecimal digits, as nginx's $request_id. The
 * same for as long as the request lasts. In `x`, whose environment has draws. */
struct span http_request_id(struct http_exchange *x);

#endif

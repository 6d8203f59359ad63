/* real_ip.h: who asks, when a proxy does so for others over one connection: the address in
 * X-Forwarded-For, X-Real-IP, or Forwarded (RFC 7239), as far as trusted proxies have written it.
 * Pure. For the connection, which asks for a peer in `real_ip_from` alone; for each request, since
 * proxies send the requests of many clients over one connection. */
#ifndef HTTP_REAL_IP_H
#define HTTP_REAL_IP_H

#include "config/config.h"
#include "core/peer.h"
#include "http/exchange.h"
#include "http/request.h"

#include <stdbool.h>

enum {
    HTTP_REAL_IP_LINES_MAX = 16, /* lines of the field that are looked at, from the last */
};

/* Replaces `*client`, who is trusted, by the client that `request` names, in the field that
 * `real_ip` says: each proxy appends the address that it was asked from, so the last one is what
 * our peer has seen. With `recursive` it goes on to the left while what it finds is trusted as
 * well; the first that is not is the client, or, if all are, the first of all. It stops where there
 * is no address ("unknown", "_hidden", what cannot be parsed): what was written to the left of that
 * may be anybody's. Without the field `*client` stays. */
void http_real_ip(const struct http_request *request, const struct real_ip *real_ip,
                  struct peer *client);

/* Who has sent the present request, over a connection from `peer`: whom a trusted proxy names in
 * it, else that peer. Borrowed from either. */
static inline const struct peer *http_client_of(const struct http_exchange *x,
                                                const struct peer *peer)
{
    return x->from_proxy ? &x->client : peer;
}

/* Does the present request come from a trusted proxy (`real_ip_from`), so that what its fields say
 * about who asks, and by which id, is to be believed? */
static inline bool http_client_is_trusted(const struct http_exchange *x)
{
    return x->from_proxy;
}

#endif

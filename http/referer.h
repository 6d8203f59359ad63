/* referer.h: whether a request comes from a page that may lead here (`referers`). Pure. Who writes
 * requests by hand writes this field, too: it keeps other sites from showing files as their own,
 * and nobody else from anything. */
#ifndef HTTP_REFERER_H
#define HTTP_REFERER_H

#include "http/exchange.h"

bool http_referer_may(const struct http_exchange *x, const struct referer_rules *rules);

/* The host of an http or https URL, without port; empty: it is none, or names a user. */
struct span http_referer_host(struct span url);

#endif

/* listing_query.h: what the query of a request for a listing asks for. Pure. */
#ifndef HTTP_LISTING_QUERY_H
#define HTTP_LISTING_QUERY_H

#include "core/span.h"
#include "http/listing.h"

/* Reads `query` (with its '?', or empty): sort=name|size|time and order=asc|desc as Caddy has them,
 * or C=N|S|M and O=A|D, between ';' or '&', as Apache and nginx-fancyindex have them; preview=on;
 * archive=zip|tar, where form->zip or form->tar let it.
 * What it says is set in `form`; the rest of that stays. Whatever else stands there is ignored, the
 * last of several wins. */
void http_listing_query(struct span query, struct http_listing_form *form);

#endif

/* clean_url.h: a step of the search: pages without ".html" in their addresses (`clean_urls`). See
 * search.h. */
#ifndef HTTP_CLEAN_URL_H
#define HTTP_CLEAN_URL_H

#include "http/static.h"

/* Is x->search.uri, which a file was found under, a page that has another address? "/a.html" is
 * "/a", "/docs/index.html" and "/docs/index" are "/docs/". Only where that is what was asked for.
 */
bool http_clean_url_is_due(const struct http_exchange *x);

/* Redirects there, with the query. */
enum http_static_result http_clean_url_redirect(struct http_exchange *x);

#endif

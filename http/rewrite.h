/* rewrite.h: a step of the search: a request is answered as if another path had been asked for
 * (`rewrite`). See search.h. */
#ifndef HTTP_REWRITE_H
#define HTTP_REWRITE_H

#include "http/static.h"

/* Is x->search.location, which the request may have, one that rewrites its path? It does so once in
 * a row: what still belongs to it then is looked for as it is. */
static inline bool http_rewrite_is_due(const struct http_exchange *x)
{
    const struct location *location = x->search.location;

    return location->rewrite != NULL && x->search.rewritten_by != location;
}

/* x->target.path becomes what the location makes of it, and the location that of this path, which
 * is asked whether the client may: NEXT. A path that is none is 404, and more than ten in a row are
 * 500. */
enum http_static_result http_rewrite(struct http_exchange *x);

#endif

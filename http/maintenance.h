/* maintenance.h: a step of the search: while a file is there, everything else is answered with it
 * and 503 (`maintenance`). See search.h. */
#ifndef HTTP_MAINTENANCE_H
#define HTTP_MAINTENANCE_H

#include "http/static.h"

/* Is the file of x->search.location, which has one, to be looked for? Not for clients of
 * maintenance_allow, and not for challenges by which a certificate authority asks who has this
 * host. */
bool http_maintenance_is_due(const struct http_exchange *x);

/* The step HTTP_SEARCH_MAINTENANCE. */
enum http_static_result http_maintenance_step(struct http_exchange *x);

#endif

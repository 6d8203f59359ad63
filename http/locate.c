/* locate.c: see locate.h. */
#include "http/locate.h"

#include "core/log_repeat.h"
#include "http/maintenance.h"
#include "http/search.h"
#include "http/vhost.h"

#include <errno.h>

void http_locate_gave_up(struct http_exchange *x, const char *patterns)
{
    struct span path = x->target.path;
    log_repeated(LOG_ERROR, "a regular expression takes too long", E2BIG,
                 "server \"%s\": a regular expression of its %s takes more than "
                 "regex_steps_max = %u steps over a path; the answer is 500: %.*s",
                 x->server->name, patterns, x->env->config->limits.regex_steps_max,
                 path.len < 200 ? (int)path.len : 200, path.ptr);
    http_static_begin_error(x, 500);
}

bool http_locate(struct http_exchange *x)
{
    const struct server *server = x->server;
    struct captures *captures = server->locations_set != NULL ? http_exchange_captures(x) : NULL;
    struct span path = x->target.path;
    x->search.location = NULL;
    x->captures = NULL;
    if (http_location_find(server, x->env->regexes, path, captures, &x->search.location) < 0) {
        http_locate_gave_up(x, "locations");
        return false;
    }
    if (captures != NULL && captures->count > 0)
        x->captures = captures;
    return true;
}

void http_static_begin_location(struct http_exchange *x)
{
    const struct location *location = x->search.location;
    if (location->maintenance.file[0] != '\0' && location->root != NULL &&
        http_maintenance_is_due(x))
        x->search.step = HTTP_SEARCH_MAINTENANCE;
    else
        http_static_begin_judging(x);
}

void http_static_begin_judging(struct http_exchange *x)
{
    const struct location *location = x->search.location;
    x->search.step = location->limits.any ? HTTP_SEARCH_LIMIT : http_search_admitted_step(location);
}

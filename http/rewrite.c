/* rewrite.c: see rewrite.h. */
#include "http/rewrite.h"

#include "core/log_repeat.h"
#include "http/locate.h"
#include "http/search.h"
#include "http/values.h"

#include <errno.h>
#include <string.h>

/* What a signature of the path asked for says all about (core/signed_link.h). */
static const uint32_t of_the_path = UINT32_C(1) << TEMPLATE_URI | UINT32_C(1) << TEMPLATE_CAPTURE |
                                    UINT32_C(1) << TEMPLATE_SERVER_NAME;

static void tell_loop(const struct http_exchange *x)
{
    struct span path = x->target.path;

    log_repeated(LOG_ERROR, "a path is rewritten for ever", ELOOP,
                 "server \"%s\": a path is rewritten more than %d times; the answer is 500: %.*s",
                 x->server->name, HTTP_REWRITES_MAX, path.len < 200 ? (int)path.len : 200,
                 path.ptr);
}

/* Where the search goes on, at a location that the request has been led to. */
static void go_on(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *location = s->location;

    if (location != NULL && location->answer != NULL)
        s->step = HTTP_SEARCH_RETURN;
    else if (location == NULL || (location->root == NULL && !http_rewrite_is_due(x)))
        http_static_begin_error(x, 404);
    else
        http_static_begin_location(x);
}

enum http_static_result http_rewrite(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *from = s->location;
    char text[HTTP_PATH_MAX];
    struct span path;

    if (s->rewrites == HTTP_REWRITES_MAX) {
        tell_loop(x);
        http_static_begin_error(x, 500);
        return HTTP_STATIC_NEXT;
    }
    if (!http_values_path(x, from->rewrite, text, &path)) {
        http_static_begin_error(x, 404);
        return HTTP_STATIC_NEXT;
    }
    memcpy(x->decoded, path.ptr, path.len); /* nothing borrows what was there any more */
    x->target.path = s->uri = span_make(x->decoded, path.len);
    x->target.trailing_slash = path.ptr[path.len - 1] == '/';
    s->rewrites++;
    s->led_by_more |= (from->rewrite->uses & ~of_the_path) != 0;
    s->rewritten_by = from;
    s->try_index = s->index_index = 0;
    if (!http_locate(x))
        return HTTP_STATIC_NEXT;
    x->asked = s->location;
    if (s->location == from && from->root != NULL)
        s->step = HTTP_SEARCH_TRY;
    else
        go_on(x);
    return HTTP_STATIC_NEXT;
}

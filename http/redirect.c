/* redirect.c: puts a Location together of what the configuration says and the request holds. */
#include "http/redirect.h"

#include "http/response.h"
#include "http/values.h"
#include "match/template_url.h"

bool http_redirect_respond(struct http_exchange *x, const struct location *location,
                           const struct redirect *redirect)
{
    const struct http_target *target = &x->target;
    struct template_source source = http_values_of(x);
    char text[HTTP_OUT_SIZE]; /* no answer may be longer */
    struct template_url url = template_url_begin(text, sizeof(text));

    template_url_put(&url, redirect->target, &source);
    if (redirect->keeps_rest)
        template_url_put_path(&url, span_make(target->path.ptr + redirect->from.len,
                                              target->path.len - redirect->from.len));
    if (redirect->keeps_query)
        template_url_put_query(&url, target->query);
    return !url.too_long &&
           http_response_redirect(x, location, redirect->status, span_make(text, url.len));
}

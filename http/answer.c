/* answer.c: see answer.h. */
#include "http/answer.h"

#include "core/check.h"
#include "http/mime.h"
#include "http/redirect.h"
#include "http/response.h"
#include "http/search.h"
#include "http/values.h"
#include "http/vhost.h"
#include "match/template_url.h"

#include <assert.h>
#include <string.h>

static_assert((int)TEMPLATE_TEXT_MAX <= (int)HTTP_COPY_MAX, "a constant text is copied");

bool http_answer_of_head(struct http_exchange *x)
{
    struct http_target *target = &x->target;
    struct span text = http_request_slice(&x->request, x->request.target);

    if (!x->server->decides || http_target_parse(text, false, x->decoded, target) != 0 ||
        target->form == HTTP_TARGET_ASTERISK)
        return false;
    const struct location *location = NULL; /* where that cannot be told, there is none */
    (void)http_location_find(x->server, x->env->regexes, target->path, NULL, &location);
    return (location != NULL && location->answer != NULL && !location->internal) ||
           http_redirect_covers(x, location, target->path);
}

/* What text of this type needs to be escaped for. */
static enum template_place place_of(const char *type)
{
    if (strstr(type, "html") != NULL || strstr(type, "xml") != NULL)
        return TEMPLATE_HTML;
    return strstr(type, "json") != NULL ? TEMPLATE_JSON : TEMPLATE_TEXT;
}

static enum http_static_result respond_text(struct http_exchange *x)
{
    const struct location *location = x->search.location;
    const struct config_return *answer = location->answer;
    struct span text = { "", 0 };

    if (answer->text != NULL && template_is_constant(answer->text)) {
        text = template_constant(answer->text);
    } else if (answer->text != NULL) {
        struct template_source source = http_values_of(x);
        long len = template_put(answer->text, &source, place_of(location->return_type),
                                x->env->values_text, HTTP_COPY_MAX);
        if (len < 0) {
            http_static_begin_error(x, 414);
            return HTTP_STATIC_NEXT;
        }
        text = span_make(x->env->values_text, (size_t)len);
    }
    return http_response_return(x, location, answer->status, text) ? HTTP_STATIC_DONE
                                                                   : HTTP_STATIC_ROOM;
}

static enum http_static_result respond_redirect(struct http_exchange *x)
{
    const struct config_return *answer = x->search.location->answer;
    struct template_source source = http_values_of(x);
    char text[HTTP_OUT_SIZE];
    struct template_url url = template_url_begin(text, sizeof(text));

    template_url_put(&url, answer->text, &source);
    if (url.len == 0 && !url.too_long) { /* a map that knows nothing of it */
        http_static_begin_files(x);
        return HTTP_STATIC_NEXT;
    }
    return http_search_redirect_url(x, answer->status, &url);
}

enum http_static_result http_answer_return(struct http_exchange *x)
{
    static const char allow[] = "Allow: GET, HEAD, OPTIONS\r\n";
    const struct config_return *answer = x->search.location->answer;

    if (answer->status == CONFIG_STATUS_CLOSE)
        return HTTP_STATIC_CLOSE;
    if (answer->is_redirect)
        return respond_redirect(x);
    x->challenge = NULL;       /* of an earlier request */
    if (answer->status == 405) /* RFC 9110 section 15.5.6 */
        memcpy(x->extra, allow, sizeof(allow));
    if (answer->status >= 400 && answer->text == NULL) {
        http_static_begin_error(x, answer->status);
        return HTTP_STATIC_NEXT;
    }
    return respond_text(x);
}

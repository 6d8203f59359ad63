/* redirect.c: finds the redirect of a request, and puts its Location together of what the
 * configuration says and the request holds. */
#include "http/redirect.h"

#include "config/redirect_find.h"
#include "http/locate.h"
#include "http/response.h"
#include "http/search.h"
#include "http/values.h"
#include "http/vhost.h"
#include "match/template_url.h"

/* Does the location say more of a path than any pattern? Challenges by which a certificate
 * authority asks who has this host are there even where all else is sent elsewhere by an expression
 * such as ^/(.*)$. */
static bool is_firm(const struct location *location)
{
    static const struct span challenges = SPAN_LIT(HTTP_CHALLENGES);

    if (location == NULL)
        return false;
    return location->pattern.kind == PATTERN_EXACT ||
           location->pattern.kind == PATTERN_PREFIX_FIRM ||
           (location->prefix.len >= challenges.len &&
            memcmp(location->prefix.ptr, challenges.ptr, challenges.len) == 0);
}

int http_redirect_of(const struct server *server, struct regex_room *room,
                     const struct location *location, struct span path, struct span args,
                     struct captures *ret_captures, const struct redirect **ret_redirect)
{
    const struct redirect_patterns *patterns = &server->redirects_patterns;
    const struct redirect *redirect = redirect_exact_find(server, path, args);

    ret_captures->count = 0;
    if (redirect == NULL)
        redirect = http_redirect_find(server, location, path);
    if (patterns->set != NULL && !is_firm(location) &&
        (redirect == NULL || (!redirect->firm && redirect_is_prefix(redirect)))) {
        int index = pattern_set_find(patterns->set, room, path, ret_captures);

        if (index < 0 && index != PATTERN_NONE)
            return index;
        if (index >= 0)
            redirect = &patterns->items[index];
    }
    *ret_redirect = redirect;
    return 0;
}

static int find(const struct http_exchange *x, const struct location *location, struct span path,
                struct captures *ret_captures, const struct redirect **ret_redirect)
{
    return http_redirect_of(x->server, x->env->regexes, location, path,
                            http_target_args(&x->target), ret_captures, ret_redirect);
}

bool http_redirect_covers(const struct http_exchange *x, const struct location *location,
                          struct span path)
{
    const struct redirect *redirect = NULL;
    struct captures captures;

    return find(x, location, path, &captures, &redirect) < 0 || redirect != NULL;
}

static void put_url(struct template_url *url, struct http_exchange *x,
                    const struct redirect *redirect)
{
    const struct http_target *target = &x->target;
    struct template_source source = http_values_of(x);

    template_url_put(url, redirect->target, &source);
    if (redirect->keeps_rest)
        template_url_put_path(url, span_make(target->path.ptr + redirect->from.len,
                                             target->path.len - redirect->from.len));
    if (redirect->keeps_query)
        template_url_put_query(url, target->query);
}

enum http_static_result http_redirect_step(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct captures *captures_before = x->captures;
    const struct redirect *redirect = NULL;
    struct captures captures;
    char text[HTTP_OUT_SIZE]; /* no answer may be longer */
    struct template_url url = template_url_begin(text, sizeof(text));

    if (find(x, s->location, x->target.path, &captures, &redirect) < 0) {
        http_locate_gave_up(x, "redirects");
        return HTTP_STATIC_NEXT;
    }
    if (redirect == NULL) {
        http_static_begin_answer(x);
        return HTTP_STATIC_NEXT;
    }
    /* The location's fields may hold what its own pattern has captured. */
    x->captures = &captures;
    put_url(&url, x, redirect);
    x->captures = captures_before;
    return http_search_redirect_url(x, redirect->status, &url);
}

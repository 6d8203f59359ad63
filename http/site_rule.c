/* site_rule.c: see site_rule.h. A rule is found twice, to begin with it and to answer: in between a
 * job may have moved what it has captured. */
#include "http/site_rule.h"

#include "config/site_redirects.h"
#include "core/check.h"
#include "http/response.h"
#include "http/values.h"
#include "http/vhost.h"
#include "match/template_url.h"

/* A rule that was found, and what it has captured. */
struct found {
    const struct redirect_rule *rule;
    const struct template *target; /* NULL: it leads nowhere */
    struct captures captures;
    char params[HTTP_PATH_MAX]; /* decoded: captures borrow them */
};

/* The rule of the request: false: there is none. */
static bool find(const struct http_exchange *x, struct found *found)
{
    const struct site_redirects *site = x->server->site_redirects;
    uint32_t index = redirect_rules_find(site->rules, x->target.path, http_target_args(&x->target),
                                         found->params, sizeof(found->params), &found->captures);

    if (index == REDIRECT_RULE_NONE)
        return false;
    found->rule = redirect_rules_at(site->rules, index);
    found->target = site->targets[index];
    return true;
}

bool http_site_rule_begin(struct http_exchange *x, bool nothing)
{
    const struct site_redirects *site = x->server->site_redirects;
    struct found found;

    if (x->search.rewritten || (!nothing && !site->any_force) || !find(x, &found) ||
        (!nothing && !found.rule->force))
        return false;
    x->search.step = HTTP_SEARCH_SITE_RULE;
    return true;
}

static enum http_static_result redirect(struct http_exchange *x, const struct found *found)
{
    struct template_source source = http_values_of(x);
    const struct captures *captures_before = x->captures; /* fields of the location may hold */
    char text[HTTP_OUT_SIZE];
    struct template_url url = template_url_begin(text, sizeof(text));

    x->captures = &found->captures;
    template_url_put(&url, found->target, &source);
    x->captures = captures_before;
    if (found->rule->keeps_query)
        template_url_put_query(&url, x->target.query);
    return http_search_redirect_url(x, found->rule->status, &url);
}

/* The location that the path of the rule lies in; NULL: there is none, or it is no path. */
static const struct location *locate_target(struct http_exchange *x, const struct found *found)
{
    const struct location *location = NULL;
    struct span path;

    x->captures = &found->captures;
    bool is_path = http_values_path(x, found->target, x->try_text, &path);
    x->captures = NULL; /* of another pattern than that of where it leads */
    if (!is_path)
        return NULL;
    x->search.uri = path;
    (void)http_location_find(x->server, x->env->regexes, path, NULL, &location);
    return location != NULL && location->root != NULL ? location : NULL;
}

/* A file of another path is what is answered with. Who may have it, and how often, is judged by
 * where it lies: the rules are the site's, and what is kept by whom is the operator's. */
static enum http_static_result rewrite(struct http_exchange *x, const struct found *found)
{
    struct http_static *s = &x->search;
    const struct location *location = NULL;

    s->try_index = s->index_index = 0;
    s->rewritten = true;
    http_search_set(&s->entry, NULL);
    if (found->target == NULL) {
        http_static_begin_files(x); /* the path itself, whatever the rules behind this one say */
        return HTTP_STATIC_NEXT;
    }
    location = locate_target(x, found);
    if (location == NULL) {
        http_static_begin_error(x, 404);
        return HTTP_STATIC_NEXT;
    }
    s->location = location;
    s->led_by_more |= found->rule->has_params;
    http_static_begin_location(x);
    return HTTP_STATIC_NEXT;
}

/* An error, with a page of the site's. Not one of a location that asks who somebody is. */
static enum http_static_result fail(struct http_exchange *x, const struct found *found)
{
    struct http_static *s = &x->search;
    const struct location *from = s->location, *location = NULL;

    s->rewritten = true;
    http_search_set(&s->entry, NULL);
    if (found->target != NULL)
        location = locate_target(x, found);
    http_static_begin_error(x, found->rule->status);
    if (location != NULL && (location == from || location->admission == NULL) &&
        (location->dotfiles || !http_search_is_hidden(s->uri)) &&
        http_search_map_path(location, s->uri, &s->name)) {
        s->location = location;
        s->step = HTTP_SEARCH_ERROR_FILE;
    }
    return HTTP_STATIC_NEXT;
}

enum http_static_result http_site_rule_step(struct http_exchange *x)
{
    struct found found;

    MUST(find(x, &found));
    if (found.rule->status == 200)
        return rewrite(x, &found);
    return found.rule->status >= 400 ? fail(x, &found) : redirect(x, &found);
}

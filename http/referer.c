/* referer.c: see referer.h. */
#include "http/referer.h"

#include "core/check.h"
#include "match/regex.h"

#include <string.h>

struct span http_referer_host(struct span url)
{
    static const struct span schemes[] = { SPAN_LIT("http://"), SPAN_LIT("https://") };
    struct span none = span_make("", 0);
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(schemes) && len == 0; i++) {
        if (url.len > schemes[i].len && span_caseeq(span_make(url.ptr, schemes[i].len), schemes[i]))
            len = schemes[i].len;
    }
    if (len == 0)
        return none;
    url = span_make(url.ptr + len, url.len - len);
    for (len = 0; len < url.len && strchr("/?#", url.ptr[len]) == NULL; len++) {
        if (url.ptr[len] == '@' || url.ptr[len] == '\\')
            return none;
    }
    url.len = len;
    const char *colon = len > 0 ? memrchr(url.ptr, ':', len) : NULL;
    const char *bracket = len > 0 ? memrchr(url.ptr, ']', len) : NULL;
    if (colon != NULL && (bracket == NULL || bracket < colon))
        url.len = (size_t)(colon - url.ptr);
    return url;
}

/* Is the host that name, or, with "*." in front, one below it? */
static bool is_named(struct span host, const char *name)
{
    struct span end = span_str(name);

    if (name[0] != '*')
        return span_caseeq(host, end);
    end = span_make(name + 1, end.len - 1); /* with its dot */
    return host.len > end.len &&
           span_caseeq(span_make(host.ptr + host.len - end.len, end.len), end);
}

static bool is_of(struct span host, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_named(host, names[i]))
            return true;
    }
    return false;
}

/* One that takes too long lets nobody in. */
static bool is_matched(const struct http_exchange *x, const struct referer_rules *rules,
                       struct span url)
{
    const char *begin = memmem(url.ptr, url.len, "://", 3);

    for (size_t i = 0; i < rules->regexes_count && begin != NULL; i++) {
        struct span text = span_make(begin + 3, (size_t)(url.ptr + url.len - begin) - 3);

        if (regex_match(rules->regexes[i], x->env->regexes, text, NULL) > 0)
            return true;
    }
    return false;
}

bool http_referer_may(const struct http_exchange *x, const struct referer_rules *rules)
{
    struct span value, host;

    if (!http_request_has(&x->request, HTTP_FIELD_REFERER))
        return rules->none;
    value = http_request_field(&x->request, HTTP_FIELD_REFERER);
    host = http_referer_host(value);
    if (host.len == 0)
        return rules->blocked && memmem(value.ptr, value.len, "://", 3) == NULL;
    return (rules->server_names && is_of(host, x->server->hosts, x->server->hosts_count)) ||
           is_of(host, rules->hosts, rules->hosts_count) || is_matched(x, rules, value);
}

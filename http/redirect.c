/* redirect.c: puts a Location together of what the configuration says and the request holds.
 *
 * Nothing of a request gets into the field but by percent-encoding, or, a host, by the check that
 * has passed it (authority.h); so there is no line to break, and no way to another host than the
 * operator's text and $host name. */
#include "http/redirect.h"

#include "core/check.h"
#include "config/redirect_to.h"
#include "http/response.h"
#include "http/vhost.h"

#include <string.h>

enum { HOST_MAX = 255 }; /* octets of a name in the DNS (RFC 1035 section 2.3.4) */

/* What is put together. */
struct composed {
    size_t len;
    bool too_long;
    char text[HTTP_OUT_SIZE]; /* no answer may be longer */
};

static void put(struct composed *c, struct span text)
{
    if (text.len > sizeof(c->text) - c->len) {
        c->too_long = true;
        return;
    }
    if (text.len > 0)
        memcpy(c->text + c->len, text.ptr, text.len);
    c->len += text.len;
}

static void put_encoded(struct composed *c, struct span text,
                        long (*encode)(struct span text, char *ret_text, size_t cap))
{
    long len = encode(text, c->text + c->len, sizeof(c->text) - c->len);

    if (len < 0)
        c->too_long = true;
    else
        c->len += (size_t)len;
}

/* A name of the server that is no wildcard; of a wildcard what stands behind it; of a server for
 * all names, which has no other, that. */
static struct span server_name(const struct server *server)
{
    for (size_t i = 0; i < server->hosts_count; i++) {
        if (server->hosts[i][0] != '*' && strcmp(server->hosts[i], CONFIG_HOST_DEFAULT) != 0)
            return span_str(server->hosts[i]);
    }
    return span_str(server->name + (server->name[0] == '*' ? 2 : 0));
}

static void put_host(struct composed *c, const struct http_exchange *x)
{
    struct span host = http_request_slice(&x->request, x->request.authority);
    size_t start = c->len;

    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    put(c, host.len > 0 && host.len <= HOST_MAX ? host : server_name(x->server));
    for (size_t i = start; i < c->len; i++) {
        if (c->text[i] >= 'A' && c->text[i] <= 'Z')
            c->text[i] |= 0x20;
    }
}

/* `before`: the configured text in front. A separator at its end goes when there is no query, and
 * is put when there is one and the text has none. */
static void put_query(struct composed *c, struct span before, struct span query)
{
    char last = before.len > 0 ? before.ptr[before.len - 1] : '\0';

    if (query.len > 1) {
        if (memchr(c->text, '?', c->len) == NULL)
            put(c, SPAN_LIT("?"));
        put_encoded(c, span_make(query.ptr + 1, query.len - 1), http_query_encode);
    } else if (!c->too_long && (last == '?' || last == '&')) {
        c->len--;
    }
}

/* The rest of a path that a prefix covers; behind a URL without a path it begins one. */
static void put_rest(struct composed *c, const struct redirect *redirect, struct span path)
{
    const char *scheme_end = memmem(c->text, c->len, "://", 3);

    if (redirect->to[0] != '/' && scheme_end != NULL &&
        memchr(scheme_end + 3, '/', (size_t)(c->text + c->len - scheme_end) - 3) == NULL)
        put(c, SPAN_LIT("/"));
    put_encoded(c, span_make(path.ptr + redirect->from.len, path.len - redirect->from.len),
                http_location_encode);
}

static void compose(struct composed *c, const struct http_exchange *x,
                    const struct redirect *redirect)
{
    const struct http_target *target = &x->target;
    struct span to = span_str(redirect->to), text;
    enum redirect_variable variable;
    bool has_path = redirect->from.ptr[redirect->from.len - 1] != '/';
    bool has_query = strchr(redirect->to, '?') != NULL; /* then the redirect's own stands */

    do {
        variable = redirect_to_next(&to, &text);
        put(c, text);
        if (variable == REDIRECT_HOST) {
            put_host(c, x);
        } else if (variable == REDIRECT_URI) {
            put_encoded(c, target->path, http_location_encode);
            has_path = true;
        } else if (variable == REDIRECT_QUERY) {
            put_query(c, text, target->query);
            has_path = has_query = true;
        }
        CHECK(variable != REDIRECT_UNKNOWN);
    } while (variable != REDIRECT_END);
    if (!has_path)
        put_rest(c, redirect, target->path);
    if (!has_query)
        put_encoded(c, target->query, http_query_encode);
}

const struct redirect *http_redirect_of_head(struct http_exchange *x)
{
    struct http_target *target = &x->target;
    struct span text = http_request_slice(&x->request, x->request.target);

    if (x->server->redirects_count == 0 ||
        http_target_parse(text, false, x->decoded, target) != 0 ||
        target->form == HTTP_TARGET_ASTERISK)
        return NULL;
    const struct location *location = NULL; /* where that cannot be told, there is none */
    (void)http_location_find(x->server, x->env->regexes, target->path, NULL, &location);
    return http_redirect_find(x->server, location, target->path);
}

bool http_redirect_respond(struct http_exchange *x, const struct location *location,
                           const struct redirect *redirect)
{
    struct composed composed;

    composed.len = 0;
    composed.too_long = false;
    compose(&composed, x, redirect);
    return !composed.too_long && http_response_redirect(x, location, redirect->status,
                                                        span_make(composed.text, composed.len));
}

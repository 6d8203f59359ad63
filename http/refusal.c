/* refusal.c: see refusal.h. */
#include "http/refusal.h"

#include "config/server_find.h"
#include "http/answer.h"
#include "http/vhost.h"

#include <string.h>

const struct server *http_server_of_head(const struct http_request *request,
                                         const struct listen_config *listen,
                                         const struct server *named)
{
    struct span host = http_request_slice(request, request->authority);

    return host.len == 0 && named != NULL ? named : server_find(listen, host);
}

struct span http_line_of_head(struct span rest)
{
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != '\r' && rest.ptr[len] != '\n')
        len++;
    return span_make(rest.ptr, len);
}

/* Whose fields the refusal has, where some hang on that. */
static void find_asked(struct http_exchange *x)
{
    struct span target = http_request_slice(&x->request, x->request.target);

    if (x->env->answer_fields != NULL && x->request.method != HTTP_CONNECT &&
        http_target_parse(target, false, x->decoded, &x->target) == 0)
        (void)http_location_find(x->server, x->env->regexes, x->target.path, NULL, &x->asked);
}

/* Is the request for another server than the TLS handshake was with? Without a name in it that does
 * no harm, unless what the client had to prove there depends on the server. */
static bool is_misdirected(const struct server *server, const struct listen_config *listen,
                           const struct server *named)
{
    if (named != NULL)
        return server != named;
    return server->client_auth != NULL && listen->tls && server != listen->servers[0];
}

int http_refusal_of_head(struct http_exchange *x, const struct listen_config *listen,
                         const struct server *named)
{
    static const char allow[] = "Allow: GET, HEAD, OPTIONS\r\n";
    const struct http_request *r = &x->request;

    if (is_misdirected(x->server, listen, named))
        return 421;
    if (r->method == HTTP_METHOD_KNOWN && http_answer_of_head(x))
        return 0;
    if (r->method == HTTP_METHOD_KNOWN || r->method == HTTP_METHOD_UNKNOWN ||
        r->method == HTTP_CONNECT) {
        memcpy(x->extra, allow, sizeof(allow));
        find_asked(x);
        return r->method == HTTP_METHOD_KNOWN ? 405 : 501;
    }
    int status = http_target_parse(http_request_slice(r, r->target), false, x->decoded, &x->target);
    if (status == 0 && x->target.form == HTTP_TARGET_ASTERISK && r->method != HTTP_OPTIONS)
        status = 400;
    return status;
}

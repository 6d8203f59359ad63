/* conn_begin.c: what a connection, an exchange and a request begin with. */
#include "http/access.h"
#include "http/conn.h"
#include "http/conn_state.h"
#include "http/exchange.h"

#include "core/check.h"
#include "core/probe.h"

#include <stdatomic.h>

void http_conn_open(struct http_conn *c, struct http_env *env, const struct listen_config *listen,
                    const struct peer *peer)
{
    *c = (struct http_conn){ .magic = HTTP_CONN_MAGIC,
                             .state = STATE_IDLE,
                             .peer = *peer,
                             .env = env,
                             .listen = listen,
                             .file_segments = env->file_segments && !listen->tls,
                             .securing = listen->tls,
                             .from_proxy = address_set_has(&env->config->real_ip.from, peer),
                             .since_ms = env->clock->now_ms };
    if ((env->needs & ACCESS_NEEDS_MORE) != 0)
        c->number = atomic_fetch_add(env->config->connections_counted, 1) + 1;
}

void http_conn_secured(struct http_conn *c, const struct server *named)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    CHECK(c->state == STATE_IDLE && c->requests == 0);
    c->named = named;
    c->securing = false;
    c->silent = false;
    c->since_ms = c->env->clock->now_ms;
}

void http_conn_introduced(struct http_conn *c, const struct peer *client)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    CHECK(c->state == STATE_IDLE && c->requests == 0);
    c->silent = false;
    c->since_ms = c->env->clock->now_ms;
    if (client == NULL)
        return;
    c->peer = *client;
    /* "unix:" there means a socket of ours, not one of the proxy's. */
    c->from_proxy =
        client->family != PEER_UNIX && address_set_has(&c->env->config->real_ip.from, client);
}

void http_conn_begin_request(struct http_conn *c)
{
    struct http_exchange *x = c->x;
    CHECK(x->job_state == HTTP_JOB_NONE); /* it would be taken for this request's */
    http_guard_init(&x->guard);
    x->begun_ms = c->env->clock->now_ms;
    x->begun_ns = c->env->clock->now_ns;
    PROBE2(request__start, x, c);
    x->server = c->named != NULL ? c->named : c->listen->servers[0];
    x->search.status = 0;
    x->status = 0;
    x->pace.on = x->pace.allowed = false;
    x->extra[0] = '\0';
    x->user = NULL;
    x->captures = NULL;
    x->asked = NULL;
    x->request.head = "";
    x->request.head_len = 0;
    x->request.request_line = (struct http_slice){ 0, 0 };
    x->request.present = 0;
    x->request.method = HTTP_GET;
    x->request.version_minor = 1;
    x->target.path.len = 0;
    x->body_taken = 0;
    if (c->env->needs != 0)
        http_access_begin(x);
}

bool http_conn_attach(struct http_conn *c)
{
    c->x = http_exchange_create(c->env);
    if (c->x == NULL)
        return false;
    c->x->peer = &c->peer;
    c->x->secure = c->listen->tls;
    c->x->tls = c->tls;
    c->x->proxied = c->listen->proxy_protocol;
    c->x->listen = c->listen;
    http_conn_begin_request(c);
    return true;
}

void http_conn_detach(struct http_conn *c)
{
    http_exchange_destroy(c->x);
    c->x = NULL;
}

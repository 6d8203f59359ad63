/* limit.c: see limit.h. */
#include "http/limit.h"

#include "core/check.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "http/real_ip.h"
#include "http/search.h"

#include <stdio.h>

/* Who comes by a unix socket is a proxy that names nobody: all of its clients would be one. */
static bool is_exempt(const struct config *config, const struct peer *client)
{
    return client->family == PEER_UNIX || address_set_has(&config->limit_exempt, client);
}

uint64_t http_limit_client(const struct http_exchange *x, uint64_t zone)
{
    const struct config *config = x->env->config;
    const struct peer *client = http_client_of(x, x->peer);

    if (config->rates == NULL || is_exempt(config, client))
        return 0;
    return rate_table_client(config->rates, zone, client, &config->client_prefix);
}

static void tell(const struct http_exchange *x, const struct peer *client, bool by_server)
{
    char address[PEER_TEXT_MAX];

    peer_format(client, address);
    if (by_server)
        log_repeated(LOG_WARN, "limit_requests_server", 0,
                     "server %s: more requests than limit_requests_server allows; the last was "
                     "refused to client %s",
                     x->server->name, address);
    else
        log_repeated(LOG_WARN, "limit_requests", 0,
                     "server %s: client %s asks more often than limit_requests allows, and is "
                     "refused",
                     x->server->name, address);
}

static enum http_limit refuse(struct http_exchange *x, const struct peer *client, bool by_server,
                              uint64_t ticks, int *ret_status)
{
    unsigned long long seconds = (ticks + RATE_TICKS_A_SECOND - 1) / RATE_TICKS_A_SECOND;

    snprintf(x->extra, sizeof(x->extra), "Retry-After: %llu\r\n", seconds);
    tell(x, client, by_server);
    stats_count(by_server ? STATS_LIMIT_SERVER_REQUESTS : STATS_LIMIT_CLIENT_REQUESTS);
    *ret_status = by_server ? 503 : 429;
    return HTTP_LIMIT_REFUSED;
}

/* Is it a limit that has not counted the request? From now on it has. */
static bool begins_to_count(struct http_exchange *x, const struct rate_limit *limit)
{
    if (limit == NULL)
        return false;
    for (size_t i = 0; i < x->counted_count; i++) {
        if (x->counted[i] == limit->zone)
            return false;
    }
    CHECK(x->counted_count < HTTP_COUNTED_MAX);
    x->counted[x->counted_count++] = limit->zone;
    return true;
}

/* The client's own limit is asked first: what it refuses does not count for the server. */
enum http_limit http_limit_request(struct http_exchange *x, int *ret_status)
{
    const struct config *config = x->env->config;
    const struct location_limits *limits = &x->search.location->limits;
    const struct peer *client = http_client_of(x, x->peer);
    uint64_t now = rate_ticks(x->env->clock->now_ns), wait = 0, ticks = 0;

    if (config->rates == NULL || is_exempt(config, client))
        return HTTP_LIMIT_GO;
    if (begins_to_count(x, limits->requests)) {
        uint64_t id = rate_table_client(config->rates, limits->requests->zone, client,
                                        &config->client_prefix);
        if (rate_table_take(config->rates, id, limits->requests, now, &wait) == RATE_REFUSE)
            return refuse(x, client, false, wait, ret_status);
    }
    if (begins_to_count(x, limits->requests_server)) {
        if (rate_table_take_of_all(config->rates, limits->requests_server, now, &ticks) ==
            RATE_REFUSE)
            return refuse(x, client, true, ticks, ret_status);
        wait = wait > ticks ? wait : ticks;
    }
    if (wait == 0)
        return HTTP_LIMIT_GO;
    stats_count(STATS_LIMIT_DELAYED);
    x->wait_until_ms = x->env->clock->now_ms + wait / (RATE_TICKS_A_SECOND / 1000) + 1;
    return HTTP_LIMIT_WAIT;
}

enum http_static_result http_limit_step(struct http_exchange *x)
{
    const struct location_limits *limits = &x->search.location->limits;
    enum http_limit verdict = HTTP_LIMIT_GO;
    int status = 0;

    /* Answers before it are sent at once, and not as part of its first piece. */
    if (limits->paced && !http_out_empty(&x->out))
        return HTTP_STATIC_ROOM;
    x->pace.allowed = limits->paced;
    if (limits->requests_any)
        verdict = http_limit_request(x, &status);
    x->search.step = http_search_admitted_step(x->search.location);
    if (verdict == HTTP_LIMIT_REFUSED)
        http_static_begin_error(x, status);
    return verdict == HTTP_LIMIT_WAIT ? HTTP_STATIC_WAIT : HTTP_STATIC_NEXT;
}

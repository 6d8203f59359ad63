/* pace.c: see pace.h. */
#include "http/pace.h"

#include "core/check.h"
#include "core/rate_table.h"
#include "core/stats.h"
#include "http/exchange.h"
#include "http/limit.h"

/* What the answer's own rate lets through of `wanted` bytes, in *ret_ticks. */
static uint64_t own_piece(struct http_pace *pace, uint64_t wanted, uint64_t now,
                          uint64_t *ret_ticks)
{
    uint64_t behind = now > pace->due ? now - pace->due : 0, piece;

    if (pace->free_left > 0)
        return wanted < pace->free_left ? wanted : pace->free_left;
    if (behind > RATE_CREDIT)
        pace->due = now - (behind = RATE_CREDIT);
    *ret_ticks = pace->due > now ? pace->due - now : 0;
    piece = rate_piece(pace->rate, behind);
    return wanted < piece ? wanted : piece;
}

static void pay(struct http_pace *pace, uint64_t now)
{
    if (pace->free_left > 0) {
        pace->free_left -= pace->grant;
        pace->due = now;
    } else {
        pace->due += rate_ticks_of(pace->rate, pace->grant);
    }
}

/* The next piece of what waits in x->out. True: for later. */
static bool grant(struct http_exchange *x)
{
    struct http_pace *pace = &x->pace;
    const struct clock *clock = x->env->clock;
    uint64_t now = rate_ticks(clock->now_ns), own = 0, shared = 0;

    pace->grant = x->out.queued - x->out.sent;
    CHECK(pace->grant > 0);
    if (pace->rate != 0)
        pace->grant = own_piece(pace, pace->grant, now, &own);
    if (pace->client != 0)
        pace->grant = rate_table_reserve(x->env->config->rates, pace->client, pace->client_rate,
                                         pace->grant, now, &shared);
    if (pace->rate != 0)
        pay(pace, now);
    own = own > shared ? own : shared;
    pace->wake_ms = own == 0 ? 0 : clock->now_ms + own / (RATE_TICKS_A_SECOND / 1000) + 1;
    return own != 0;
}

void http_pace_begin(struct http_exchange *x)
{
    const struct location_limits *limits = &x->search.location->limits;
    uint64_t len = x->out.queued - x->out.sent;
    struct http_pace *pace = &x->pace;

    if (len == 0 || !limits->paced) /* of an error page, perhaps */
        return;
    *pace = (struct http_pace){ .rate = limits->rate,
                                .free_left = limits->rate != 0 ? limits->rate_after : 0,
                                .due = rate_ticks(x->env->clock->now_ns),
                                .client_rate = limits->rate_client };
    if (limits->rate_client != 0)
        pace->client = http_limit_client(x, limits->rate_client_zone);
    if (pace->rate == 0 && pace->client == 0)
        return;
    bool later = grant(x);
    pace->on = later || pace->grant < len || x->multipart.entry != NULL;
    if (pace->on)
        stats_count(STATS_LIMIT_RATE);
}

bool http_pace_sent(struct http_exchange *x, uint64_t len)
{
    struct http_pace *pace = &x->pace;

    CHECK(len <= pace->grant);
    pace->grant -= len;
    return pace->grant == 0 && grant(x);
}

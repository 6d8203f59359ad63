/* config_limits.c: see config_limits.h. */
#include "config/config_limits.h"

#include "core/check.h"
#include "core/span.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { RATE_MAX = 1000000 /* a second: below that a rate is kept within 3 % */ };

/* Digits at the front of `*at`, which it is moved behind. False: there are none, or too many. */
static bool number(const char **at, uint64_t *ret_number)
{
    const char *end = *at + strspn(*at, "0123456789");
    uint64_t value = 0;

    if (end == *at || end - *at > 9)
        return false;
    for (; *at < end; (*at)++)
        value = value * 10 + (uint64_t)(**at - '0');
    *ret_number = value;
    return true;
}

/* What a rate is made of. */
struct rate {
    uint64_t count, seconds; /* so many in so many */
    uint64_t burst, delay;   /* UINT64_MAX: not said */
};

/* "10/s", and "10r/s" as people bring it along. */
static const char *parse_count(const char **at, struct rate *ret_rate)
{
    if (!number(at, &ret_rate->count))
        return "does not begin with a number, as in 10/s";
    *at += **at == 'r';
    if (**at != '/')
        return "says of no time how many, as in 10/s";
    switch (*++*at) {
    case 's':
        ret_rate->seconds = 1;
        break;
    case 'm':
        ret_rate->seconds = 60;
        break;
    case 'h':
        ret_rate->seconds = 3600;
        break;
    default:
        return "has none of s, m and h behind the '/'";
    }
    ++*at;
    if (**at != ' ' && **at != '\0')
        return "has none of s, m and h alone behind the '/'";
    if (ret_rate->count == 0)
        return "allows nothing at all; to refuse all requests is another matter";
    return ret_rate->count > RATE_MAX * ret_rate->seconds ? "is more than 1000000 a second" : NULL;
}

static const char *parse_word(const char **at, struct rate *ret_rate)
{
    size_t len = strcspn(*at, " ");
    bool is_burst = strncmp(*at, "burst=", 6) == 0, is_delay = strncmp(*at, "delay=", 6) == 0;
    uint64_t *value = is_burst ? &ret_rate->burst : &ret_rate->delay;

    if (len == 7 && memcmp(*at, "nodelay", 7) == 0) {
        *at += len;
        return NULL;
    }
    if (!is_burst && !is_delay)
        return "has something else than burst=N, delay=N and nodelay behind the rate";
    *at += 6;
    if (*value != UINT64_MAX)
        return is_burst ? "has burst twice" : "has delay twice";
    if (!number(at, value) || (**at != ' ' && **at != '\0'))
        return is_burst ? "has no number behind burst=" : "has no number behind delay=";
    return NULL;
}

static uint64_t interval_of(const struct rate *rate)
{
    return (rate->seconds * RATE_TICKS_A_SECOND + rate->count / 2) / rate->count;
}

static const char *parse(const char *text, struct rate *ret_rate)
{
    *ret_rate = (struct rate){ .burst = UINT64_MAX, .delay = UINT64_MAX };
    const char *what = parse_count(&text, ret_rate);

    while (what == NULL && *text != '\0') {
        if (*text == ' ')
            text++;
        else
            what = parse_word(&text, ret_rate);
    }
    if (what != NULL)
        return what;
    if (ret_rate->burst == UINT64_MAX)
        ret_rate->burst = ret_rate->count < 1000 ? ret_rate->count : 1000;
    if (ret_rate->burst > RATE_SPAN_MAX / 2 / interval_of(ret_rate))
        return "has a burst that takes longer than half a day at that rate";
    return NULL;
}

const char *config_text_rate(const char *text)
{
    struct rate rate;

    return parse(text, &rate);
}

void config_rate_parse(const char *text, struct rate_limit *ret_limit)
{
    struct rate rate;

    MUST(parse(text, &rate) == NULL);
    uint64_t interval = interval_of(&rate);
    bool waits = rate.delay < rate.burst;
    *ret_limit = (struct rate_limit){ .interval = interval,
                                      .burst = interval * rate.burst,
                                      .delay = waits ? interval * rate.delay : UINT64_MAX };
}

static uint64_t add_to_zone(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211); /* FNV-1a */
    while (*text++ != '\0');
    return hash;
}

/* Never 0. */
static uint64_t zone_of(const char *server, const char *key, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    hash = add_to_zone(add_to_zone(add_to_zone(hash, server), key), text);
    return hash != 0 ? hash : 1;
}

static int rate_make(const struct config_build *build, const char *server, const char *key,
                     const char *text, const struct rate_limit **ret_limit)
{
    if (text[0] == '\0')
        return 0;
    struct rate_limit *limit = arena_alloc(build->arena, sizeof(*limit));
    if (limit == NULL)
        return -ENOMEM;
    config_rate_parse(text, limit);
    limit->zone = zone_of(server, key, text);
    *ret_limit = limit;
    return 0;
}

int config_limits_make(const struct config_build *build, const char *server,
                       struct location *location)
{
    struct location_limits *limits = &location->limits;
    int res = rate_make(build, server, "limit_requests", limits->requests_text, &limits->requests);

    if (res == 0)
        res = rate_make(build, server, "limit_requests_server", limits->requests_server_text,
                        &limits->requests_server);
    char rate[24];
    snprintf(rate, sizeof(rate), "%llu", (unsigned long long)limits->rate_client);
    limits->rate_client_zone = zone_of(server, "limit_rate_client", rate);
    limits->paced = limits->rate != 0 || limits->rate_client != 0;
    limits->requests_any = limits->requests != NULL || limits->requests_server != NULL;
    limits->any = limits->requests_any || limits->paced;
    return res;
}

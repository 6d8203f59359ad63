/* conn_count.c: see conn_count.h. */
#include "http/conn_count.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/probe.h"
#include "core/stats.h"
#include "http/conn_state.h"
#include "http/exchange.h"

#include <string.h>

enum { LEFT = STATS_COUNTERS /* counted in no state any more */ };

static enum stats_counter state_of(const struct http_conn *c)
{
    switch ((enum state)c->state) {
    case STATE_IDLE:
        return c->securing ? STATS_HANDSHAKING : STATS_IDLE;
    case STATE_HEAD:
    case STATE_BODY:
        return http_out_empty(&c->x->out) ? STATS_READING : STATS_WRITING;
    case STATE_ANSWER:
    case STATE_DELAYED:
    case STATE_FLUSH:
    case STATE_PAUSED:
        return STATS_WRITING;
    default:
        return STATS_CLOSING;
    }
}

void http_count_opened(struct http_conn *c, bool moved)
{
    c->counted = (uint8_t)state_of(c);
    stats_count(c->counted);
    stats_count(moved ? STATS_MOVED : STATS_ACCEPTED);
    PROBE3(connection__open, c, c->listen->text, moved);
    if (!moved)
        stats_listen((size_t)(c->listen - c->env->config->listens));
}

void http_count_state(struct http_conn *c)
{
    enum stats_counter state = state_of(c);

    if (state != c->counted)
        stats_move(c->counted, state);
    c->counted = (uint8_t)state;
}

void http_count_left(struct http_conn *c)
{
    PROBE3(connection__close, c, c->requests, true);
    stats_add(c->counted, UINT64_MAX); /* -1 */
    c->counted = LEFT;
}

void http_count_closed(struct http_conn *c)
{
    if (c->counted == LEFT)
        return;
    PROBE3(connection__close, c, c->requests, false);
    stats_add(c->counted, UINT64_MAX); /* -1 */
    stats_count(STATS_CLOSED);
}

unsigned http_count_deadline(const struct http_conn *c)
{
    if (c->state == STATE_PAUSED) /* what it has waited for has come */
        return STATS_COUNTERS;
    if (c->x != NULL && c->x->window.begun_ms != 0)
        return STATS_DEADLINE_SEND;
    switch ((enum state)c->state) {
    case STATE_IDLE:
        if (c->securing)
            return STATS_DEADLINE_HANDSHAKE;
        return c->requests == 0 ? STATS_DEADLINE_HEADER : STATS_DEADLINE_KEEPALIVE;
    case STATE_HEAD:
        return STATS_DEADLINE_HEADER;
    case STATE_BODY:
        return STATS_DEADLINE_BODY;
    case STATE_DELAYED: /* what it has waited for has come */
        return STATS_COUNTERS;
    default:
        return STATS_DEADLINE_LINGER;
    }
}

static void count_refusal(int status)
{
    switch (status) {
    case 400:
        stats_count(STATS_REFUSED_BAD_REQUEST);
        break;
    case 408:
        stats_count(STATS_REFUSED_TIMEOUT);
        break;
    case 413:
    case 414:
    case 431:
        stats_count(STATS_REFUSED_TOO_LARGE);
        break;
    case 429:
        stats_count(STATS_REFUSED_TOO_MANY);
        break;
    case 405:
    case 501:
        stats_count(STATS_REFUSED_METHOD);
        break;
    case 421:
        stats_count(STATS_REFUSED_MISDIRECTED);
        break;
    case 505:
        stats_count(STATS_REFUSED_VERSION);
        break;
    case 503:
        stats_count(STATS_REFUSED_UNAVAILABLE);
        break;
    default:
        break;
    }
}

static enum stats_counter method_of(const struct http_request *r)
{
    /* A head that was refused may not have been parsed, and has HTTP_GET then. */
    struct span line = http_request_slice(r, r->request_line);
    if (line.len < 4 || (r->method == HTTP_GET && memcmp(line.ptr, "GET ", 4) != 0))
        return STATS_OTHER_METHOD;
    switch (r->method) {
    case HTTP_GET:
        return STATS_GET;
    case HTTP_HEAD:
        return STATS_HEAD;
    case HTTP_OPTIONS:
        return STATS_OPTIONS;
    default:
        return STATS_OTHER_METHOD;
    }
}

void http_count_answer(const struct http_exchange *x, int status, uint64_t body_bytes)
{
    stats_count(method_of(&x->request));
    stats_count(status < 200 ? STATS_UNANSWERED
                             : STATS_2XX + (enum stats_counter)(status / 100 - 2));
    PROBE5(request__done, x, status, body_bytes,
           http_request_slice(&x->request, x->request.request_line).ptr,
           http_request_slice(&x->request, x->request.request_line).len);
    if (status >= 400)
        count_refusal(status);
    stats_server((size_t)(x->server - x->env->config->servers), x->body_omitted ? 0 : body_bytes);
}

void http_count_composed(struct http_exchange *x, bool grows)
{
    if (x->timed_count == HTTP_TIMED_MAX)
        return;
    x->timed[x->timed_count++] =
        (struct http_timed){ .begun_ns = x->begun_ns, .end = grows ? UINT64_MAX : x->out.queued };
}

void http_count_sent(struct http_exchange *x)
{
    if (x->timed_count == 0 || x->out.sent == 0)
        return;
    bool all = http_out_empty(&x->out) && x->multipart.entry == NULL;
    uint64_t now_ns = 0, start = 0;
    unsigned done = 0;
    for (unsigned i = 0; i < x->timed_count; i++) {
        struct http_timed *timed = &x->timed[i];
        bool whole = all || x->out.sent >= timed->end;
        if (!whole && (timed->first_sent || x->out.sent <= start))
            break;
        if (now_ns == 0)
            now_ns = clock_monotonic_ns();
        uint64_t ns = now_ns > timed->begun_ns ? now_ns - timed->begun_ns : 0;
        if (!timed->first_sent) {
            stats_time(STATS_FIRST_BYTE, ns);
            PROBE2(response__first, x, ns);
        }
        timed->first_sent = true;
        start = timed->end;
        if (whole) {
            stats_time(STATS_ANSWER, ns);
            PROBE2(response__done, x, ns);
            done++;
        }
    }
    x->timed_count = (uint8_t)(x->timed_count - done);
    memmove(x->timed, x->timed + done, x->timed_count * sizeof(x->timed[0]));
}

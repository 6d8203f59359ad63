/* conn_deadline.c: until when a connection may stay in its state. What happens then is conn.c's
 * http_conn_expired(). See conn.h. */
#include "http/conn.h"

#include "http/conn_state.h"
#include "http/exchange.h"

uint64_t http_conn_deadline_ms(const struct http_conn *c)
{
    const struct http_deadlines *deadlines = &c->env->config->deadlines;
    const struct http_exchange *x = c->x;
    if (c->state == STATE_CLOSED)
        return UINT64_MAX;
    if (c->state == STATE_PAUSED)
        return x->pace.wake_ms;
    if (x != NULL && x->window.begun_ms != 0)
        return x->window.look_ms;
    if (http_conn_is_new(c))
        return c->since_ms + HTTP_CONN_SILENT_MS;
    switch ((enum state)c->state) {
    case STATE_IDLE:
        return c->since_ms + (c->requests == 0 ? deadlines->header_ms : deadlines->keepalive_ms);
    case STATE_HEAD:
        return x->begun_ms + deadlines->header_ms;
    case STATE_BODY:
        return x->body_begun_ms + deadlines->body_ms;
    case STATE_DELAYED:
        return x->wait_until_ms;
    case STATE_LINGER:
        return c->since_ms + deadlines->linger_ms;
    default:
        return UINT64_MAX; /* a job takes as long as it takes */
    }
}

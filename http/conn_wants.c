/* conn_wants.c: what a connection wants now, by its state. See conn.h. */
#include "http/conn.h"

#include "http/conn_state.h"
#include "http/exchange.h"

unsigned http_conn_wants(const struct http_conn *c)
{
    switch ((enum state)c->state) {
    case STATE_IDLE:
    case STATE_LINGER:
        return HTTP_CONN_WANT_RECV;
    case STATE_SHUTDOWN:
        return HTTP_CONN_WANT_SHUTDOWN;
    case STATE_CLOSED:
        return HTTP_CONN_WANT_CLOSE;
    case STATE_PAUSED:
        return c->x->job_state == HTTP_JOB_WANTED ? HTTP_CONN_WANT_FILE : HTTP_CONN_WANT_WAIT;
    case STATE_DELAYED:
        return http_out_empty(&c->x->out) ? HTTP_CONN_WANT_WAIT : HTTP_CONN_WANT_SEND;
    default:
        break;
    }
    bool empty = http_out_empty(&c->x->out);
    if (c->x->job_state != HTTP_JOB_WANTED)
        return empty ? HTTP_CONN_WANT_RECV : HTTP_CONN_WANT_SEND;
    /* What is read for a long answer leaves together with its head, and while it does, the next
     * piece is read; earlier answers need not wait for a job. */
    if (empty || (c->state == STATE_FLUSH && !http_out_has_read(&c->x->out)))
        return HTTP_CONN_WANT_FILE;
    return HTTP_CONN_WANT_FILE | HTTP_CONN_WANT_SEND;
}

bool http_conn_is_idle(const struct http_conn *c)
{
    return c->state == STATE_LINGER || (c->state == STATE_IDLE && (c->requests > 0 || c->silent));
}

bool http_conn_is_busy(const struct http_conn *c)
{
    return c->state != STATE_IDLE;
}

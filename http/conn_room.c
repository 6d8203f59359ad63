/* conn_room.c: what a full socket, and one that has room again, mean to a connection: octets of a
 * file are read when they can be sent. See conn.h. */
#include "http/conn.h"

#include "http/conn_state.h"
#include "http/exchange.h"

void http_conn_want_read(struct http_conn *c)
{
    size_t len_max = c->listen->tls ? HTTP_READ_ENCRYPTED : HTTP_READ_SIZE;
    if (c->stalled || c->state == STATE_PAUSED)
        return;
    if (c->x->pace.on) { /* no more than may be sent */
        uint64_t grant = c->x->pace.grant, ready = http_out_memory(&c->x->out, grant);
        if (ready >= grant)
            return;
        if (grant - ready < len_max)
            len_max = (size_t)(grant - ready);
    }
    http_exchange_want_read(c->x, c->file_segments, len_max);
}

void http_conn_stalled(struct http_conn *c)
{
    if (c->x == NULL || http_out_empty(&c->x->out))
        return;
    c->stalled = true;
    if (c->x->job_state != HTTP_JOB_WANTED) /* else once it is done */
        http_out_unread(&c->x->out, c->env);
}

void http_conn_has_room(struct http_conn *c)
{
    if (!c->stalled)
        return;
    c->stalled = false;
    if (c->x != NULL)
        http_conn_want_read(c);
}

bool http_conn_sends_more(const struct http_conn *c, uint64_t len)
{
    return c->x != NULL && http_exchange_sends_more(c->x, len);
}

/* conn_unanswered.c: the end of a connection whose request gets no answer (`return = 444`). */
#include "http/access.h"
#include "http/conn_state.h"
#include "http/exchange.h"

void http_conn_unanswered(struct http_conn *c, struct http_input *input)
{
    struct http_exchange *x = c->x;

    http_access_write(c, CONFIG_STATUS_CLOSE, 0, 0);
    x->keep_alive = false;
    c->state = STATE_FLUSH;
    if (!http_out_empty(&x->out))
        return;
    input->rest.len = 0;
    c->state = STATE_CLOSED;
}

/* conn_pause.c: an answer that has had what it may for now (pace.h). See conn_state.h. */
#include "http/conn.h"

#include "http/conn_state.h"
#include "http/exchange.h"

/* Nothing that was read is kept meanwhile. */
void http_conn_pause(struct http_conn *c)
{
    struct http_exchange *x = c->x;
    c->state = STATE_PAUSED;
    x->pace.paused_ms = c->env->clock->now_ms;
    if (x->job_state != HTTP_JOB_WANTED)
        http_out_unread(&x->out, c->env);
}

/* The window of the minimum rate stands still meanwhile: that nothing was taken was our doing. */
void http_conn_end_pause(struct http_conn *c)
{
    struct http_exchange *x = c->x;
    uint64_t now_ms = c->env->clock->now_ms;
    if (now_ms < x->pace.wake_ms)
        return;
    c->state = STATE_FLUSH;
    http_send_window_shift(&x->window, now_ms - x->pace.paused_ms);
    http_send_window_begin(&x->window, &c->env->config->deadlines, now_ms, x->out.sent);
    http_conn_want_read(c);
}

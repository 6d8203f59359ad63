/* send_window.c: the minimum rate of sending. See send_window.h. */
#include "http/send_window.h"

#include "core/check.h"

/* Octets of one window; one at least, where no rate is asked for: who takes nothing is closed. */
static uint64_t enough(const struct http_deadlines *deadlines)
{
    uint64_t octets = (uint64_t)deadlines->send_rate_min * deadlines->send_ms / 1000;
    return octets > 0 ? octets : 1;
}

/* The next look, or the end of the window if that comes first. */
static void plan_look(struct http_send_window *w, const struct http_deadlines *deadlines,
                      uint64_t now_ms)
{
    uint64_t end_ms = w->begun_ms + deadlines->send_ms;
    uint64_t look_ms = now_ms + deadlines->send_ms / HTTP_SEND_WINDOW_LOOKS + 1;
    w->look_ms = look_ms < end_ms ? look_ms : end_ms;
}

static void begin(struct http_send_window *w, const struct http_deadlines *deadlines,
                  uint64_t now_ms)
{
    w->begun_ms = now_ms;
    plan_look(w, deadlines, now_ms);
}

void http_send_window_begin(struct http_send_window *w, const struct http_deadlines *deadlines,
                            uint64_t now_ms, uint64_t sent)
{
    if (w->begun_ms != 0)
        return;
    w->sent = sent;
    w->taken_known = false;
    begin(w, deadlines, now_ms);
}

void http_send_window_accepted(struct http_send_window *w, const struct http_deadlines *deadlines,
                               uint64_t now_ms, uint64_t sent)
{
    if (sent - w->sent < enough(deadlines))
        return;
    w->sent = sent;
    w->taken_known = false; /* it is to be measured from here on */
    begin(w, deadlines, now_ms);
}

/* With the first look the window begins anew: what was taken before it is not known, and the peer
 * is to have the whole of it. So who takes nothing is closed a 32nd late. */
bool http_send_window_look(struct http_send_window *w, const struct http_deadlines *deadlines,
                           uint64_t now_ms, const struct progress *progress)
{
    CHECK(w->begun_ms != 0);
    bool takes = progress->taken - w->taken >= (int64_t)enough(deadlines) ||
                 progress->offered >= enough(deadlines);
    if (!w->taken_known || takes) {
        w->taken_known = true;
        w->taken = progress->taken;
        begin(w, deadlines, now_ms);
        return true;
    }
    plan_look(w, deadlines, now_ms);
    return now_ms < w->begun_ms + deadlines->send_ms;
}

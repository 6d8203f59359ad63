/* send_window.h: is what is sent taken fast enough? A connection has send_timeout to take
 * send_rate_min times as much; the window begins anew whenever so much was taken.
 *
 * What the socket accepts is counted as it comes, and costs a comparison. But a socket that is full
 * accepts nothing until a third of what it holds has left, which may be megabytes: minutes for a
 * slow reader. So what the peer itself has taken is looked at before a connection is given up, and
 * only where the socket has not accepted enough for a 32nd of the window. Pure: the caller knows
 * the time, and asks the kernel. */
#ifndef HTTP_SEND_WINDOW_H
#define HTTP_SEND_WINDOW_H

#include "config/config.h"
#include "core/progress.h"

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_SEND_WINDOW_LOOKS = 32 /* at what the peer has taken, in one window */ };

struct http_send_window {
    uint64_t begun_ms; /* 0: nothing waits to be sent */
    uint64_t look_ms;  /* when to look, or to give up */
    uint64_t sent;     /* octets that the socket had accepted at its beginning */
    int64_t taken;     /* octets that the peer had taken then */
    bool taken_known;  /* ... or nobody has looked yet */
};

/* Nothing waits to be sent. */
static inline void http_send_window_end(struct http_send_window *w)
{
    w->begun_ms = 0;
}

/* For so long it was we who did not send: that is no fault of the peer's. */
static inline void http_send_window_shift(struct http_send_window *w, uint64_t ms)
{
    if (w->begun_ms == 0)
        return;
    w->begun_ms += ms;
    w->look_ms += ms;
}

/* Something waits to be sent: a window begins, unless one has. `sent`: octets that the socket has
 * accepted, on any scale that only grows. */
void http_send_window_begin(struct http_send_window *w, const struct http_deadlines *deadlines,
                            uint64_t now_ms, uint64_t sent);

/* The socket has accepted more, and something still waits. */
void http_send_window_accepted(struct http_send_window *w, const struct http_deadlines *deadlines,
                               uint64_t now_ms, uint64_t sent);

/* Time to look (`look_ms` has passed). False: the peer takes too little, and does not offer to take
 * more. */
bool http_send_window_look(struct http_send_window *w, const struct http_deadlines *deadlines,
                           uint64_t now_ms, const struct progress *progress);

#endif

/* pace.h: an answer that is sent no faster than limit_rate and limit_rate_client allow: in pieces,
 * each with a time. A piece is granted before it is read or sent; behind it the answer pauses until
 * the time of the next one, which is reserved by then. Pure but for the table that processes share
 * (core/rate_table.h). */
#ifndef HTTP_PACE_H
#define HTTP_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct http_exchange;

struct http_pace {
    bool allowed;       /* nothing waited to be sent when the present request was looked at, and its
                           location has such limits */
    bool on;            /* the present answer is paced; else nothing else here means anything */
    uint64_t rate;      /* of the answer, bytes a second; 0: any */
    uint64_t free_left; /* bytes before that holds */
    uint64_t due;       /* ticks (rate_table.h): when all that was granted is paid */
    uint64_t client;    /* in the table, with client_rate; 0: no limit by client */
    uint64_t client_rate;
    uint64_t grant;     /* bytes that may be sent, from wake_ms on */
    uint64_t wake_ms;   /* on the scale of clock.now_ms; 0: now */
    uint64_t paused_ms; /* since when it pauses */
};

/* The present answer, and nothing else, is complete in x->out, and it is `allowed`: grants the first
 * piece. Not `on`: all of it may be sent at once. */
void http_pace_begin(struct http_exchange *x);

/* So many bytes of it were sent, at most as many as were granted, and others wait in x->out: grants
 * more when all was used. True: it is to pause until wake_ms. */
bool http_pace_sent(struct http_exchange *x, uint64_t len);

#endif

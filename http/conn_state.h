/* conn_state.h: the states of an HTTP/1.1 connection. Private to conn*.c.
 *
 *   IDLE -- octets --> HEAD --> (BODY) --> ANSWER --> (FLUSH) --> HEAD or IDLE
 *                        |         |          |            `----> CLOSED, or SHUTDOWN -> LINGER ->
 * CLOSED
 *                        `---------`----------`-- refusal: an ANSWER that closes
 *
 * PAUSED  a FLUSH that has sent what it may for now (pace.h).
 * DELAYED an ANSWER that is not begun before its time (limit.h).
 * HEAD    a head is being read. Answers to earlier requests may wait in the queue: pipelined ones
 * gather there. BODY    a body is being read and discarded. ANSWER  the search for the answer: a
 * job is in flight, or the queue must be sent before there is room. FLUSH   the answer is complete
 * in the queue, and nothing may follow before it is sent (a file, or the last answer). An exchange
 * is held in all states but IDLE, SHUTDOWN, LINGER and CLOSED. */
#ifndef HTTP_CONN_STATE_H
#define HTTP_CONN_STATE_H

#include "http/conn.h"

#include <stdbool.h>

#define HTTP_CONN_MAGIC 0xc0441e55u

enum state {
    STATE_IDLE,
    STATE_HEAD,
    STATE_BODY,
    STATE_ANSWER,
    STATE_DELAYED,
    STATE_FLUSH,
    STATE_PAUSED,
    STATE_SHUTDOWN,
    STATE_LINGER,
    STATE_CLOSED,
};

struct http_input;

/* conn_begin.c. An exchange for the request that comes; false: there is none left. And its end. */
bool http_conn_attach(struct http_conn *c);
void http_conn_detach(struct http_conn *c);

/* Nothing is known yet of the request that comes next. */
void http_conn_begin_request(struct http_conn *c);

/* Closes without an answer, once those to earlier requests are sent; its line is logged. */
void http_conn_unanswered(struct http_conn *c, struct http_input *input);

/* Is its first request still to be thought to be on its way? Else it is only waited for. */
static inline bool http_conn_is_new(const struct http_conn *c)
{
    return c->state == STATE_IDLE && c->requests == 0 && !c->silent &&
           c->env->config->deadlines.header_ms > HTTP_CONN_SILENT_MS;
}

/* conn_pause.c: what may be sent for now was sent (FLUSH becomes PAUSED); and, if the time of the
 * next piece has come, on with it. */
void http_conn_pause(struct http_conn *c);
void http_conn_end_pause(struct http_conn *c);

#endif

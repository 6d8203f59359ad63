/* conn_move.c: a connection goes on in another process, or is told that it ends. See conn.h. */
#include "http/conn.h"

#include "core/check.h"
#include "http/conn_state.h"

void http_conn_retire(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    c->retiring = true;
}

bool http_conn_can_move(const struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    return c->state == STATE_IDLE && c->x == NULL && !c->draining && !c->retiring &&
           !c->plain_refused;
}

void http_conn_moved(struct http_conn *c, uint32_t requests, uint64_t since_ms)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    CHECK(c->state == STATE_IDLE && c->requests == 0);
    c->requests = requests;
    if (since_ms < c->since_ms)
        c->since_ms = since_ms;
}

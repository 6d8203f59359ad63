/* access.c: access log lines. See access.h. */
#include "http/access.h"

#include "core/log.h"
#include "http/conn_count.h"

void http_access_write(struct http_exchange *x, const struct peer *peer, int status,
                       uint64_t body_bytes)
{
    http_count_answer(x, status, body_bytes);
    size_t index = x->server->access_log;
    if (index == CONFIG_NO_LOG)
        return;
    char address[PEER_TEXT_MAX];
    const struct clock *clock = x->env->clock;
    const struct http_request *r = &x->request;
    struct access_record record = {
        .peer = span_make(address, peer_format(peer, address)),
        .request_line = http_request_slice(r, r->request_line),
        .log_date = clock->log_date,
        .wall_s = clock->wall_s,
        .wall_ms = clock->wall_ms,
        .duration_ms = (uint32_t)(clock->now_ms - x->begun_ms),
        .status = (uint16_t)status,
        .body_bytes = body_bytes,
    };
    if (r->head_len > 0) {
        record.host = http_request_slice(r, r->authority);
        record.referer = http_request_field(r, HTTP_FIELD_REFERER);
        record.user_agent = http_request_field(r, HTTP_FIELD_USER_AGENT);
    }
    access_log_append(x->env->access_logs[index], &record);
}

void http_access_write_sent(struct http_exchange *x, const struct peer *peer)
{
    uint64_t sent = x->out.sent > x->body_start ? x->out.sent - x->body_start : 0;
    x->log_due = false;
    http_access_write(x, peer, x->status, sent < x->body_len ? sent : x->body_len);
}

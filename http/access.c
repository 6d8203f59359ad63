/* access.c: access log lines. See access.h. */
#include "http/access.h"

#include "core/access_log.h"
#include "core/draws.h"
#include "http/conn_count.h"
#include "http/real_ip.h"
#include "http/request_id.h"
#include "http/values.h"

#include <string.h>

/* Do the rules want a line? */
static bool is_wanted(struct http_exchange *x, const struct access_rules *rules, unsigned status)
{
    if (status < CONFIG_STATUS_END && (rules->status_bits[status / 64] >> status % 64 & 1) == 0)
        return false;
    /* An expression that hits its bounds leaves a line. */
    if (rules->skip_set != NULL && x->target.path.len > 0 &&
        pattern_set_find(rules->skip_set, x->env->regexes, x->target.path, NULL) >= 0)
        return false;
    return status >= 400 || rules->sample_below >= CONFIG_SAMPLE_ALL ||
           (draws_next(x->env->draws) & UINT32_MAX) < rules->sample_below;
}

/* The three parts of a request line that looks like one. */
static void split_request_line(struct span line, struct access_more *more)
{
    const char *first = memchr(line.ptr, ' ', line.len);
    const char *last = line.len > 0 ? memrchr(line.ptr, ' ', line.len) : NULL;
    const char *end = line.ptr + line.len;

    if (first == NULL || last == first || end - last < 6 || memcmp(last + 1, "HTTP/", 5) != 0)
        return;
    more->method = span_make(line.ptr, (size_t)(first - line.ptr));
    more->target = span_make(first + 1, (size_t)(last - first - 1));
    more->protocol = span_make(last + 1, (size_t)(end - last - 1));
    const char *query = memchr(more->target.ptr, '?', more->target.len);
    if (query != NULL)
        more->args = span_make(query + 1, (size_t)(last - query - 1));
}

static struct span text_or_nothing(const char *text)
{
    return text != NULL ? span_str(text) : span_make("", 0);
}

/* What headers and redirects know, too (values.h), each in a part of the thread's room. One that is
 * too long for it is as if it were not there. */
static const struct span *fill_others(struct http_exchange *x, const struct access_rules *rules,
                                      struct span others[ACCESS_OTHERS_MAX])
{
    struct template_source source = http_values_of(x);

    for (size_t i = 0; i < rules->format->others_count; i++) {
        char *text = x->env->logged_text + i * ACCESS_SPAN_MAX;
        long len = template_put(rules->others[i], &source, TEMPLATE_TEXT, text, ACCESS_SPAN_MAX);
        others[i] = span_make(text, len > 0 ? (size_t)len : 0);
    }
    return others;
}

static void fill_tls(const struct http_tls *tls, struct access_more *more)
{
    more->tls_protocol = span_str(tls->protocol);
    more->tls_cipher = span_str(tls->cipher);
    more->tls_server_name = tls->server_name;
    more->certificate = tls->certificate;
    more->tls_verify = http_tls_verify(tls);
}

/* What only some formats ask for. */
static void fill_more(struct http_conn *c, const struct access_format *format,
                      struct span authority, struct access_more *more)
{
    struct http_exchange *x = c->x;
    const struct http_request *r = &x->request;
    struct span line = http_request_slice(r, r->request_line);

    memset(more, 0, sizeof(*more));
    split_request_line(line, more);
    more->uri = x->target.path;
    more->server_name = span_str(x->server->name);
    more->host = authority.len > 0 ? authority : more->server_name;
    more->scheme = c->listen->tls && !c->plain_refused ? SPAN_LIT("https") : SPAN_LIT("http");
    if (c->tls != NULL)
        fill_tls(c->tls, more);
    more->request_length = (r->head_len > 0 ? r->head_len : line.len) + x->body_taken;
    more->connection = c->number;
    more->connection_requests = c->requests;
    more->server_port = c->listen->port != 0 ? c->listen->port : c->listen->port_bound;
    more->remote_port = http_client_of(x, &c->peer)->port;
    if ((format->needs & ACCESS_NEEDS_REQUEST_ID) != 0)
        more->request_id = http_request_id(x);
    for (size_t i = 0; i < format->fields_count; i++)
        more->http[i] = http_request_named(r, format->fields[i]);
    if ((format->needs & ACCESS_NEEDS_SENT) != 0) {
        for (size_t i = 0; i < ACCESS_SENT_COUNT; i++)
            more->sent[i] = span_make(x->sent_text + x->sent[i].off, x->sent[i].len);
    }
}

void http_access_begin(struct http_exchange *x)
{
    x->answer_start = x->out.queued;
    x->id_len = 0;
    http_access_keep_sent(x, span_make("", 0));
}

void http_access_write(struct http_conn *c, int status, uint64_t bytes, uint64_t body_bytes)
{
    struct http_exchange *x = c->x;
    http_count_answer(x, status, body_bytes);
    size_t index = x->server->access_log;
    const struct access_rules *rules = x->server->access;
    if (index == CONFIG_NO_LOG)
        return;
    if (rules->filters &&
        !is_wanted(x, rules, status != 0 ? (unsigned)status : ACCESS_STATUS_NO_ANSWER))
        return;
    char address[PEER_TEXT_MAX];
    const struct clock *clock = x->env->clock;
    const struct http_request *r = &x->request;
    struct access_record record = {
        .peer = span_make(address, peer_format(http_client_of(x, &c->peer), address)),
        .request_line = http_request_slice(r, r->request_line),
        .user = text_or_nothing(x->user),
        .log_date = clock->log_date,
        .wall_s = clock->wall_s,
        .wall_ms = clock->wall_ms,
        .duration_ms = (uint32_t)(clock->now_ms - x->begun_ms),
        .status = (uint16_t)status,
        .body_bytes = body_bytes,
    };
    struct access_more more;
    struct span others[ACCESS_OTHERS_MAX];
    if (r->head_len > 0) {
        record.host = http_request_slice(r, r->authority);
        record.referer = http_request_field(r, HTTP_FIELD_REFERER);
        record.user_agent = http_request_field(r, HTTP_FIELD_USER_AGENT);
    }
    if ((rules->format->needs & ACCESS_NEEDS_MORE) != 0) {
        fill_more(c, rules->format, record.host, &more);
        more.bytes_sent = bytes;
        if (rules->format->others_count > 0)
            more.others = fill_others(x, rules, others);
        record.more = &more;
    }
    access_log_append(x->env->access_logs[index], rules->format, &record);
}

void http_access_write_sent(struct http_conn *c)
{
    struct http_exchange *x = c->x;
    uint64_t sent = x->out.sent > x->body_start ? x->out.sent - x->body_start : 0;
    uint64_t bytes = x->out.sent > x->answer_start ? x->out.sent - x->answer_start : 0;
    x->log_due = false;
    http_access_write(c, x->status, bytes, sent < x->body_len ? sent : x->body_len);
}

void http_access_keep_sent(struct http_exchange *x, struct span head)
{
    const char *at = head.ptr, *end = head.ptr + head.len;

    x->sent_len = 0;
    memset(x->sent, 0, sizeof(x->sent));
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *next = lf != NULL ? lf + 1 : end;
        const char *colon = memchr(at, ':', (size_t)(next - at));
        if (next - at <= 2) /* the empty line */
            return;
        int field = colon != NULL ? access_sent_find(span_make(at, (size_t)(colon - at))) : -1;
        if (field >= 0 && x->sent[field].len == 0) {
            struct span value = span_trim(span_make(colon + 1, (size_t)(next - colon - 3)));
            if (value.len > sizeof(x->sent_text) - x->sent_len)
                value.len = sizeof(x->sent_text) - x->sent_len;
            memcpy(x->sent_text + x->sent_len, value.ptr, value.len);
            x->sent[field] = (struct http_slice){ x->sent_len, (uint32_t)value.len };
            x->sent_len = (uint16_t)(x->sent_len + value.len);
        }
        at = next;
    }
}

/* conn.c: the HTTP/1.1 connection. See conn.h. The states: conn_state.h. */
#include "http/conn.h"

#include "core/check.h"
#include "core/probe.h"
#include "http/access.h"
#include "http/answer.h"
#include "http/conn_count.h"
#include "http/conn_state.h"
#include "http/cors.h"
#include "http/exchange.h"
#include "http/head_memo.h"
#include "http/real_ip.h"
#include "http/refusal.h"
#include "http/response.h"
#include "http/static.h"
#include "http/vhost.h"

#include <string.h>

static uint64_t now(const struct http_conn *c)
{
    return c->env->clock->now_ms;
}

/* ---- the end of a request ---- */

/* The exchange stays until http_conn_close(): a send or a job that is in flight may still use it.
 */
static void close_now(struct http_conn *c)
{
    c->state = STATE_CLOSED;
}

/* The answer is complete in the queue. Unless it is long or the last, the next request is looked at
 * before it is sent, so that answers to pipelined requests gather; what is short is logged as sent
 * then. */
static void answer_composed(struct http_conn *c, struct http_input *input)
{
    struct http_exchange *x = c->x;
    bool is_long = http_out_is_long(&x->out) || x->multipart.entry != NULL || x->pace.on;
    if (!is_long)
        http_access_write(c, x->status, x->out.queued - x->answer_start, x->body_len);
    x->log_due = is_long;
    http_count_composed(x, x->multipart.entry != NULL);
    if (is_long || !x->keep_alive) {
        c->state = STATE_FLUSH;
        if (x->pace.on && x->pace.wake_ms != 0)
            http_conn_pause(c);
        return;
    }
    input->head.len = 0;
    c->state = STATE_HEAD;
    http_conn_begin_request(c);
}

/* Everything is sent. True: on with the next request. */
static bool flushed(struct http_conn *c, struct http_input *input)
{
    struct http_exchange *x = c->x;
    if (x->log_due)
        http_access_write_sent(c);
    if (x->keep_alive) {
        input->head.len = 0;
        c->state = STATE_HEAD;
        http_conn_begin_request(c);
        return true;
    }
    /* Octets that were not read would turn close(2) into a RST, which can overtake the answer. */
    c->state = c->linger || input->rest.len > 0 ? STATE_SHUTDOWN : STATE_CLOSED;
    http_conn_detach(c);
    c->since_ms = now(c);
    return false;
}

void http_conn_close(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    if (c->x != NULL)
        http_conn_detach(c);
    c->magic = 0;
}

/* ---- reading ---- */

/* Answers `status` and closes after it, lingering. */
static void refuse(struct http_conn *c, int status)
{
    struct http_exchange *x = c->x;
    /* Its method may not have been parsed, but a client that sent HEAD takes no body. */
    struct span line = http_request_slice(&x->request, x->request.request_line);
    x->body_omitted = line.len >= 5 && memcmp(line.ptr, "HEAD ", 5) == 0;
    x->keep_alive = false;
    c->linger = true;
    http_static_begin_error(x, status);
    c->state = STATE_ANSWER;
}

/* Does the head alone decide the answer, so that a body is of no use? */
static bool is_decided(struct http_conn *c)
{
    return http_refusal_of_head(c->x, c->listen, c->named) != 0 || http_answer_of_head(c->x);
}

/* Chooses what to answer a request with. `body_left`: it announces a body, which is not read, since
 * the head alone decides. */
static void begin_answer(struct http_conn *c, bool body_left)
{
    struct http_exchange *x = c->x;
    const struct http_request *r = &x->request;
    x->body_omitted = r->method == HTTP_HEAD;
    uint32_t requests_max = c->env->config->limits.keepalive_requests;
    x->keep_alive = r->keep_alive && !c->draining && !c->retiring &&
                    (requests_max == 0 || c->requests < requests_max);
    c->state = STATE_ANSWER;
    int status = http_refusal_of_head(x, c->listen, c->named);
    /* Behind a CONNECT may come what was meant for the tunnel (RFC 9110 section 9.3.6). */
    if (status == 400 || (status != 0 && (body_left || r->method == HTTP_CONNECT)))
        refuse(c, status);
    else if (status != 0)
        http_static_begin_error(x, status);
    else if (r->method != HTTP_OPTIONS || (http_answer_of_head(x) && !http_cors_is_preflight(x)))
        http_static_begin(x);
    if (body_left) {
        x->keep_alive = false;
        c->linger = true;
    }
}

/* What http_request_parse() says of it; what it passes need not be asked again. */
static int parse_head(struct http_conn *c, struct span head)
{
    struct http_request *request = &c->x->request;
    int status = http_request_parse(head.ptr, head.len, &c->env->config->limits, request);
    if (status == 0)
        http_head_memo_keep(c->env->heads, request);
    return status;
}

/* The head at the front of `input` is complete: `len` octets behind `skipped` that belong to no
 * request. `known`: x->request is made of it already. */
static void head_complete(struct http_conn *c, struct http_input *input, size_t len, bool known)
{
    struct http_exchange *x = c->x;
    size_t skipped = x->guard.skipped;
    input->head = span_make(input->rest.ptr + skipped, len - skipped);
    input->rest = span_make(input->rest.ptr + len, input->rest.len - len);
    c->requests++;
    int status = known ? 0 : parse_head(c, input->head);
    x->from_proxy = c->from_proxy && status == 0;
    if (x->from_proxy) {
        x->client = c->peer;
        http_real_ip(&x->request, &c->env->config->real_ip, &x->client);
    }
    if (status != 0 || c->plain_refused) {
        refuse(c, status != 0 ? status : 400);
        return;
    }
    x->server = http_server_of_head(&x->request, c->listen, c->named);
    /* Who waits for 100 is told at once what follows anyway (RFC 9110 section 10.1.1). */
    bool announced = x->request.framing != HTTP_FRAMING_NONE;
    if (!announced || x->request.method == HTTP_CONNECT ||
        (x->request.expect_continue && is_decided(c))) {
        begin_answer(c, announced);
        return;
    }
    x->body_begun_ms = now(c);
    http_body_init(&x->body, &x->request);
    c->state = STATE_BODY;
    if (x->request.expect_continue && input->rest.len == 0) {
        struct span interim = SPAN_LIT("HTTP/1.1 100 Continue\r\n\r\n");
        http_out_put(&x->out, &interim, 1);
    }
}

/* Refuses a head that cannot be parsed; what looks like its request line is kept for the log. */
static void refuse_head(struct http_conn *c, struct http_input *input, int status)
{
    struct http_exchange *x = c->x;
    size_t skipped = x->guard.skipped < input->rest.len ? x->guard.skipped : input->rest.len;
    struct span line =
        http_line_of_head(span_make(input->rest.ptr + skipped, input->rest.len - skipped));
    input->head = line;
    input->rest.len = 0;
    x->from_proxy = false;
    x->request.head = line.ptr;
    x->request.request_line = (struct http_slice){ 0, (uint32_t)line.len };
    c->requests++;
    refuse(c, status);
}

/* Reads on in a head. False: nothing more to do with what is there. */
static bool read_head(struct http_conn *c, struct http_input *input)
{
    struct http_exchange *x = c->x;
    if (input->rest.len == 0)
        return false;
    if (buf_room(&x->out.memory) < HTTP_RESPONSE_ROOM || http_out_segments_free(&x->out) < 6)
        return false; /* send first */
    const struct http_limits *limits = &c->env->config->limits;
    size_t len;
    int status;
    if (x->guard.scanned == 0 && http_head_memo_find(c->env->heads, input->rest.ptr,
                                                     input->rest.len, limits, &len, &x->request)) {
        head_complete(c, input, len, true);
        return true;
    }
    switch (http_guard_scan(&x->guard, input->rest.ptr, input->rest.len, limits, &len, &status)) {
    case HTTP_GUARD_MORE:
        return false;
    case HTTP_GUARD_REFUSED:
        refuse_head(c, input, status);
        return true;
    case HTTP_GUARD_DONE:
        head_complete(c, input, len, false);
        return true;
    }
    UNREACHABLE();
}

static bool read_body(struct http_conn *c, struct http_input *input)
{
    struct http_exchange *x = c->x;
    size_t used;
    int status;
    enum http_body_result result = http_body_feed(&x->body, input->rest.ptr, input->rest.len,
                                                  &c->env->config->limits, &used, &status);
    if (result == HTTP_BODY_REFUSED) {
        refuse(c, status);
        return true;
    }
    input->rest.ptr += used;
    input->rest.len -= used;
    x->body_taken += used;
    if (result == HTTP_BODY_MORE)
        return false;
    begin_answer(c, false);
    return true;
}

/* Is it an OPTIONS that is neither refused nor redirected? */
static bool asks_for_options(struct http_exchange *x)
{
    return x->request.method == HTTP_OPTIONS && x->search.location == NULL &&
           x->search.status == 0 && (!http_answer_of_head(x) || http_cors_is_preflight(x));
}

static bool answer(struct http_conn *c, struct http_input *input)
{
    struct http_exchange *x = c->x;
    if (asks_for_options(x)) {
        if (x->target.form != HTTP_TARGET_ASTERISK)
            (void)http_location_find(x->server, x->env->regexes, x->target.path, NULL, &x->asked);
        if (!http_response_options(x, http_location_slash(x->server)))
            return false;
        answer_composed(c, input);
        return true;
    }
    switch (http_static_run(x)) {
    case HTTP_STATIC_JOB:
        return false;
    case HTTP_STATIC_ROOM:
        if (!http_out_empty(&x->out))
            return false;
        /* It does not even fit into an empty queue: a target that makes a Location field of such a
         * length. */
        http_static_end(x);
        MUST(http_response_error(x, NULL, 414));
        break;
    case HTTP_STATIC_WAIT:
        c->state = STATE_DELAYED;
        return true;
    case HTTP_STATIC_CLOSE:
        http_conn_unanswered(c, input);
        return true;
    case HTTP_STATIC_NEXT:
        UNREACHABLE();
    case HTTP_STATIC_DONE:
        break;
    }
    answer_composed(c, input);
    return true;
}

/* Its time to be answered may have come. False: it has not. */
static bool end_delay(struct http_conn *c)
{
    if (now(c) < c->x->wait_until_ms)
        return false;
    c->state = STATE_ANSWER;
    return true;
}

/* Goes as far as the input, the room and the jobs allow. */
static void run(struct http_conn *c, struct http_input *input)
{
    bool again = true;
    while (again) {
        switch ((enum state)c->state) {
        case STATE_HEAD:
            again = read_head(c, input);
            break;
        case STATE_BODY:
            again = read_body(c, input);
            break;
        case STATE_ANSWER:
            again = answer(c, input);
            break;
        case STATE_DELAYED:
            again = end_delay(c);
            break;
        case STATE_FLUSH:
            again =
                http_out_empty(&c->x->out) && c->x->multipart.entry == NULL && flushed(c, input);
            break;
        default:
            return;
        }
    }
}

/* Processes, then keeps what is left, or goes idle. */
static void process(struct http_conn *c, struct http_input *input)
{
    run(c, input);
    struct http_exchange *x = c->x;
    if (x == NULL || c->state == STATE_CLOSED)
        return;
    bool empty = http_out_empty(&x->out);
    if (c->state == STATE_HEAD && input->rest.len == 0 && empty) {
        http_conn_detach(c);
        c->since_ms = now(c);
        c->state = c->draining ? STATE_CLOSED : STATE_IDLE;
        return;
    }
    if (!http_exchange_keep(x, input)) {
        close_now(c);
        return;
    }
    if (empty || c->state == STATE_PAUSED) {
        http_send_window_end(&x->window);
        return;
    }
    http_send_window_begin(&x->window, &c->env->config->deadlines, now(c), x->out.sent);
    http_conn_want_read(c);
}

/* Goes on with the input that was kept. */
static void process_kept(struct http_conn *c)
{
    struct http_input input = http_exchange_input(c->x);
    process(c, &input);
}

/* ---- reports ---- */

size_t http_conn_recv_room(const struct http_conn *c)
{
    if (c->state == STATE_LINGER || c->x == NULL || c->x->in.data == NULL)
        return c->env->input_size;
    return c->env->input_size - buf_len(&c->x->in);
}

void http_conn_received(struct http_conn *c, const char *data, size_t len)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    CHECK(len <= http_conn_recv_room(c));
    if (c->state == STATE_LINGER || c->state == STATE_CLOSED)
        return;
    if (c->x == NULL) {
        CHECK(c->state == STATE_IDLE);
        if (!http_conn_attach(c)) {
            c->state = STATE_CLOSED;
            return;
        }
        c->state = STATE_HEAD;
    }
    struct http_exchange *x = c->x;
    struct http_input input = { .rest = { data, len } };
    if (!buf_empty(&x->in)) {
        MUST(buf_append(&x->in, data, len));
        input = http_exchange_input(x);
    }
    process(c, &input);
}

void http_conn_received_end(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    /* Octets that are wanted will not come; what was asked before has been answered already. */
    if (c->state == STATE_BODY)
        http_access_write(c, 0, 0, 0);
    close_now(c);
}

void http_conn_broken(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    if ((c->state == STATE_FLUSH || c->state == STATE_PAUSED) && c->x->log_due)
        http_access_write_sent(c);
    else if (c->state == STATE_ANSWER || c->state == STATE_BODY || c->state == STATE_DELAYED)
        http_access_write(c, 0, 0, 0);
    c->broken = true;
    close_now(c);
}

void http_conn_plan(const struct http_conn *c, struct send_plan *ret_plan)
{
    http_out_plan(&c->x->out, c->file_segments, ret_plan);
    ret_plan->more |= c->x->multipart.entry != NULL;
    if (c->x->pace.on)
        send_plan_cut(ret_plan, c->x->pace.grant);
}

void http_conn_sent(struct http_conn *c, size_t len)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    struct http_exchange *x = c->x;
    if (c->state == STATE_CLOSED)
        return;
    http_out_sent(&x->out, len);
    http_response_more_parts(x);
    http_count_sent(x);
    if (x->pace.on && !http_out_empty(&x->out) && http_pace_sent(x, len)) {
        http_conn_pause(c);
        return;
    }
    if (!http_out_empty(&x->out)) {
        http_send_window_accepted(&x->window, &c->env->config->deadlines, now(c), x->out.sent);
        http_conn_want_read(c);
        return;
    }
    http_send_window_end(&x->window);
    c->stalled = false;
    if (c->env->closes) {
        c->env->closes = false;
        file_cache_close_some(c->env->cache);
    }
    if (x->job_state != HTTP_JOB_WANTED)
        process_kept(c);
}

void http_conn_file_ended(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    if (c->x != NULL)
        http_out_forget_file(&c->x->out);
}

struct file_job *http_conn_job(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    CHECK(c->x != NULL && c->x->job_state == HTTP_JOB_WANTED);
    return &c->x->job;
}

void http_conn_job_done(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    struct http_exchange *x = c->x;
    CHECK(x != NULL && x->job_state == HTTP_JOB_WANTED);
    if (c->state == STATE_CLOSED) {
        file_job_discard(&x->job);
        x->job_state = HTTP_JOB_NONE;
        return;
    }
    if (x->job.kind != FILE_JOB_READ || x->job.mem == NULL) {
        http_static_job_done(x);
        process_kept(c);
    } else if (http_exchange_read_done(x, c->file_segments)) {
        if (c->stalled)
            http_out_unread(&x->out, c->env);
        http_conn_want_read(c);
    } else if (!http_out_has_read(&x->out)) {
        /* Its length is announced already: all that is left is to close (RFC 9112 section 8), once
         * what was read before is sent; then the read is tried again. */
        http_conn_file_ended(c);
        http_conn_broken(c);
    }
}

void http_conn_shut_down(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    CHECK(c->state == STATE_SHUTDOWN);
    c->state = STATE_LINGER;
    c->since_ms = now(c);
}

void http_conn_expired(struct http_conn *c, const struct progress *progress)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    if (c->state == STATE_CLOSED)
        return;
    if (c->state == STATE_PAUSED) {
        http_conn_end_pause(c);
        return;
    }
    if (c->x != NULL && c->x->window.begun_ms != 0) {
        if (!http_send_window_look(&c->x->window, &c->env->config->deadlines, now(c), progress))
            http_conn_broken(c); /* the peer takes less than the minimum rate */
        return;
    }
    if (c->state == STATE_DELAYED) {
        process_kept(c);
        return;
    }
    if (http_conn_is_new(c)) {
        c->silent = true;
        if (http_conn_deadline_ms(c) > now(c))
            return;
    }
    if (c->state != STATE_HEAD && c->state != STATE_BODY) {
        close_now(c);
        return;
    }
    struct http_input input = http_exchange_input(c->x);
    if (c->state == STATE_HEAD)
        refuse_head(c, &input, 408);
    else
        refuse(c, 408);
    process(c, &input);
}

void http_conn_drain(struct http_conn *c)
{
    CHECK_OBJ(c, HTTP_CONN_MAGIC);
    c->draining = true;
    if (c->state == STATE_IDLE)
        close_now(c);
}

void http_conn_make_way(struct http_conn *c)
{
    http_conn_drain(c);
    if (c->state == STATE_LINGER)
        close_now(c);
}

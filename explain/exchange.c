/* exchange.c: drives one HTTP connection, without a socket, until the head of its answer is there;
 * and watches its search (http/search.h). See exchange.h. */
#include "explain/exchange.h"

#include "config/map_values.h"
#include "config/session_limits.h"
#include "core/check.h"
#include "core/clock.h"
#include "http/conn.h"
#include "http/env.h"
#include "http/exchange.h"
#include "http/real_ip.h"
#include "http/search.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is going on. */
struct run {
    struct http_conn conn;
    struct clock clock;
    struct arena *arena;
    struct explain_answer *answer;
    struct explain_look *looks;
    struct explain_mapped *maps;
    char *received; /* what a client has received, EXPLAIN_HEAD_MAX octets at most */
    size_t received_len;
    struct span left; /* of the request */
};

/* Notes what the exchange knows, as long as there is one. */
static void observe(struct run *run)
{
    const struct http_exchange *x = run->conn.x;

    if (x == NULL)
        return;
    run->answer->server = x->server;
    run->answer->location = x->asked;
    run->answer->client = *http_client_of(x, &run->conn.peer);
    run->answer->ruled |= x->search.rewritten;
    if (x->search.rewrites > run->answer->rewrites && x->target.path.len > 0) {
        const char *path = arena_strndup(run->arena, x->target.path.ptr, x->target.path.len);

        if (path != NULL) {
            run->answer->path = span_make(path, x->target.path.len);
            run->answer->rewrites = x->search.rewrites;
        }
    }
}

/* Fills in what the entry says, before variables in it are looked up, and where. */
static void describe(struct run *run, const struct config_map *map, int entry,
                     struct explain_mapped *mapped)
{
    const struct config_map_value *value = &map->values[entry];

    mapped->value = value->template != NULL ? span_str(value->template->text) : value->text;
    mapped->is_default = entry == map_default(map->map);
    if (value->line > 0)
        mapped->place = arena_printf(run->arena, "%s:%zu", value->file, value->line);
}

/* Notes what a map was asked for, once. */
static void saw_map(void *context, unsigned index, struct span key, int entry)
{
    struct run *run = context;
    const struct config_map *map = &run->conn.env->config->maps[index];
    struct explain_mapped *next = &run->maps[run->answer->maps_count];
    char *kept = NULL;

    for (const struct explain_mapped *at = run->maps; at < next; at++) {
        if (at->variable == map->name && span_eq(at->key, key))
            return;
    }
    if (run->answer->maps_count < EXPLAIN_MAPS_MAX)
        kept = arena_strndup(run->arena, key.ptr, key.len);
    if (kept == NULL)
        return;
    *next = (struct explain_mapped){ map->name, span_make(kept, key.len), { NULL, 0 }, "", false };
    if (entry >= 0)
        describe(run, map, entry, next);
    run->answer->maps_count += next->place != NULL;
}

static enum explain_step step_of(const struct http_exchange *x)
{
    if (x->job.kind == FILE_JOB_LIST)
        return EXPLAIN_STEP_LIST;
    switch ((enum http_search_step)x->search.step) {
    case HTTP_SEARCH_INDEX:
        return EXPLAIN_STEP_INDEX;
    case HTTP_SEARCH_SIDECAR_PROBE:
    case HTTP_SEARCH_SIDECAR:
        return EXPLAIN_STEP_SIDECAR;
    case HTTP_SEARCH_ERROR_FILE:
        return EXPLAIN_STEP_ERROR_PAGE;
    default:
        return EXPLAIN_STEP_PATH;
    }
}

/* Executes the job that is wanted, and notes what it has found. 0 or -ENOMEM. */
static int run_job(struct run *run)
{
    struct file_job *job = http_conn_job(&run->conn);
    const struct http_exchange *x = run->conn.x;
    bool told = job == &x->job && (job->kind == FILE_JOB_OPEN || job->kind == FILE_JOB_LIST) &&
                x->search.location != NULL && x->search.location->root != NULL &&
                run->answer->looks_count < EXPLAIN_LOOKS_MAX;
    struct explain_look *look = &run->looks[run->answer->looks_count];

    if (told) {
        const struct http_static *search = &x->search;

        *look = (struct explain_look){ .step = step_of(x), .root = search->location->root->path };
        look->index = look->step == EXPLAIN_STEP_INDEX ? search->index_index : search->try_index;
        look->name = arena_strdup(run->arena, job->path);
        if (look->name == NULL)
            return -ENOMEM;
    }
    file_job_run(job);
    if (told) {
        look->error = job->res < 0 ? -job->res : 0;
        look->kind = job->kind == FILE_JOB_LIST ? FILE_DIRECTORY : (enum file_kind)job->meta.kind;
        look->size = job->kind == FILE_JOB_OPEN && job->res >= 0 ? job->meta.size : 0;
        /* Slices of one listing are one look. */
        if (look->step != EXPLAIN_STEP_LIST || run->answer->looks_count == 0 ||
            look[-1].step != EXPLAIN_STEP_LIST)
            run->answer->looks_count++;
    }
    http_conn_job_done(&run->conn);
    return 0;
}

/* The head at the front of `text`: its octets up to the empty line; 0: it is not whole. */
static size_t head_len(struct span text)
{
    const char *end = memmem(text.ptr, text.len, "\r\n\r\n", 4);

    return end != NULL ? (size_t)(end - text.ptr) : 0;
}

static int status_of(struct span head)
{
    const char *digits = head.ptr + 9;

    CHECK(head.len >= 12 && memcmp(head.ptr, "HTTP/1.1 ", 9) == 0);
    return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0';
}

/* Is the final answer's head there? */
static bool is_answered(struct run *run)
{
    struct span text = span_make(run->received, run->received_len);
    size_t len;

    while ((len = head_len(text)) > 0) {
        struct span head = span_make(text.ptr, len);

        if (status_of(head) >= 200) {
            run->answer->head = head;
            run->answer->status = status_of(head);
            return true;
        }
        if (status_of(head) != 100)
            run->answer->hints = head;
        text = span_make(text.ptr + len + 4, text.len - len - 4);
    }
    return false;
}

static void take_plan(struct run *run)
{
    struct send_plan plan;
    size_t total;

    http_conn_plan(&run->conn, &plan);
    total = send_plan_memory(&plan) + plan.file_len;
    for (int i = 0; i < plan.iovcnt; i++) {
        size_t room = EXPLAIN_HEAD_MAX - run->received_len;
        size_t len = plan.iov[i].iov_len < room ? plan.iov[i].iov_len : room;

        memcpy(run->received + run->received_len, plan.iov[i].iov_base, len);
        run->received_len += len;
    }
    if (total > 0)
        http_conn_sent(&run->conn, total);
}

static void receive(struct run *run)
{
    size_t room = http_conn_recv_room(&run->conn);
    size_t len = run->left.len < room ? run->left.len : room;

    if (len == 0) {
        http_conn_received_end(&run->conn);
        return;
    }
    http_conn_received(&run->conn, run->left.ptr, len);
    run->left = span_make(run->left.ptr + len, run->left.len - len);
}

/* One thing that the connection wants. 0 or -ENOMEM. */
static int step(struct run *run, unsigned wants)
{
    if ((wants & HTTP_CONN_WANT_FILE) != 0)
        return run_job(run);
    if ((wants & HTTP_CONN_WANT_SEND) != 0) {
        take_plan(run);
    } else if ((wants & HTTP_CONN_WANT_RECV) != 0) {
        receive(run);
    } else if ((wants & HTTP_CONN_WANT_SHUTDOWN) != 0) {
        http_conn_shut_down(&run->conn);
    } else {
        const struct progress progress = { .taken = (int64_t)run->received_len };

        run->clock.now_ms = http_conn_deadline_ms(&run->conn);
        http_conn_expired(&run->conn, &progress);
    }
    return 0;
}

static int drive(struct run *run)
{
    enum { STEPS_MAX = 10 * 1000 * 1000 };
    int res = 0;

    for (size_t steps = 0; res == 0 && !is_answered(run); steps++) {
        unsigned wants = http_conn_wants(&run->conn);

        CHECK(steps < STEPS_MAX);
        if ((wants & HTTP_CONN_WANT_CLOSE) != 0)
            break;
        observe(run);
        res = step(run, wants);
        observe(run);
    }
    return res;
}

int explain_exchange(const struct config *config, const struct explain_request *request,
                     struct arena *arena, char *why, size_t why_size,
                     struct explain_answer *ret_answer)
{
    struct session_limits limits = session_limits_of(config);
    struct explain_answer answer = { .client = request->client };
    struct run run = { .arena = arena, .answer = &answer, .left = request->head };
    const struct http_watch watch = { .map = saw_map, .context = &run };
    struct http_env *env = NULL;
    int res;

    limits.has_logs = false;
    clock_update(&run.clock);
    run.looks = arena_array(arena, EXPLAIN_LOOKS_MAX + 1, sizeof(run.looks[0]));
    run.received = arena_alloc(arena, EXPLAIN_HEAD_MAX);
    run.maps = arena_array(arena, EXPLAIN_MAPS_MAX + 1, sizeof(run.maps[0]));
    answer.looks = run.looks;
    answer.maps = run.maps;
    if (run.looks == NULL || run.maps == NULL || run.received == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    res = http_env_create(config, &limits, &run.clock, true, why, why_size, &env);
    if (res < 0)
        return res;
    env->watch = &watch;
    http_conn_open(&run.conn, env, request->listen, &request->client);
    if (request->listen->tls)
        http_conn_secured(&run.conn, request->named);
    res = drive(&run);
    if (http_conn_wants(&run.conn) != HTTP_CONN_WANT_CLOSE)
        http_conn_broken(&run.conn);
    http_conn_close(&run.conn);
    http_env_destroy(env);
    if (res < 0)
        snprintf(why, why_size, "out of memory");
    else
        *ret_answer = answer;
    return res;
}

/* exchange.c: the life of an exchange, and the input that it keeps between reports. See exchange.h.
 */
#include "http/exchange.h"

#include "core/check.h"
#include "http/listing.h"
#include "http/multipart.h"
#include "http/static.h"

#include <string.h>

struct http_exchange *http_exchange_create(struct http_env *env)
{
    struct http_exchange *x = pool_get(env->exchanges);
    if (x == NULL)
        return NULL;
    /* Everything but the big arrays at the end, and those are written before they are read. */
    memset(x, 0, offsetof(struct http_exchange, out));
    x->magic = HTTP_EXCHANGE_MAGIC;
    x->env = env;
    http_out_init(&x->out, x->memory, sizeof(x->memory));
    x->multipart.entry = NULL;
    x->pace.on = x->pace.allowed = false;
    http_send_window_end(&x->window);
    return x;
}

static void release_input(struct http_exchange *x)
{
    if (x->in.data != NULL)
        pool_put(x->env->inputs, x->in.data);
    buf_init(&x->in, NULL, 0);
}

void http_exchange_destroy(struct http_exchange *x)
{
    CHECK_OBJ(x, HTTP_EXCHANGE_MAGIC);
    if (x->job_state != HTTP_JOB_NONE) /* not begun, or between two slices */
        file_job_discard(&x->job);
    http_static_end(x);
    http_multipart_end(&x->multipart);
    http_out_clear(&x->out, x->env);
    release_input(x);
    if (x->captures_room != NULL)
        pool_put(x->env->captures, x->captures_room);
    x->magic = 0;
    pool_put(x->env->exchanges, x);
}

/* The request's head lies at `to` now: everything that points into it moves along. */
static void move_head(struct http_exchange *x, const char *to)
{
    struct span *const spans[] = { &x->target.raw_path, &x->target.query, &x->target.authority,
                                   &x->target.path,     &x->search.uri,   &x->search.name };
    const char *from = x->request.head;
    if (from == to)
        return;
    for (size_t i = 0; i < ARRAY_LEN(spans); i++)
        if (spans[i]->ptr >= from && spans[i]->ptr < from + x->head_kept)
            spans[i]->ptr = to + (spans[i]->ptr - from);
    for (unsigned i = 0; x->captures != NULL && i < CAPTURES_MAX; i++) {
        struct span *group = &x->captures_room->groups[i];
        if (group->ptr >= from &&
            group->ptr <= from + x->head_kept) /* it may be empty, at the end */
            group->ptr = to + (group->ptr - from);
    }
    x->request.head = to;
}

struct captures *http_exchange_captures(struct http_exchange *x)
{
    if (x->captures_room == NULL && x->env->captures != NULL) {
        x->captures_room = pool_get(x->env->captures);
        CHECK(x->captures_room != NULL); /* there is one for each exchange */
    }
    return x->captures_room;
}

struct http_input http_exchange_input(struct http_exchange *x)
{
    struct span all = buf_span(&x->in);
    return (struct http_input){ .head = { all.ptr, x->head_kept },
                                .rest = { all.ptr + x->head_kept, all.len - x->head_kept } };
}

bool http_exchange_keep(struct http_exchange *x, const struct http_input *input)
{
    size_t len = input->head.len + input->rest.len;
    x->head_kept = input->head.len;
    if (len == 0) {
        release_input(x);
        return true;
    }
    if (x->in.data == NULL) {
        char *data = pool_get(x->env->inputs);
        if (data == NULL)
            return false;
        buf_init(&x->in, data, x->env->input_size);
    }
    CHECK(len <= x->in.cap);
    char *data = x->in.data;
    if (input->head.len > 0 && input->head.ptr != data)
        memmove(data, input->head.ptr, input->head.len);
    if (input->rest.len > 0)
        memmove(data + input->head.len, input->rest.ptr, input->rest.len);
    x->in.start = 0;
    x->in.end = (uint32_t)len;
    if (input->head.len > 0)
        move_head(x, data);
    return true;
}

bool http_exchange_read_done(struct http_exchange *x, bool file_segments)
{
    const struct file_job *job = &x->job;
    CHECK(job->kind == FILE_JOB_READ);
    x->job_state = HTTP_JOB_NONE;
    if (job->res <= 0)
        return false;
    struct http_segment *file = http_out_next_read(&x->out, file_segments);
    CHECK(file != NULL);
    if (file->listing != NULL)
        CHECK(job->source == http_listing_source(file->listing));
    else
        CHECK(file->entry->fd == job->fd_read && (off_t)file->off == job->off);
    http_out_read_done(&x->out, file, job->mem, (uint64_t)job->res);
    return true;
}

bool http_exchange_sends_more(const struct http_exchange *x, uint64_t len)
{
    return (x->job_state == HTTP_JOB_WANTED && x->job.kind == FILE_JOB_READ) ||
           http_out_memory(&x->out, len + 1) > len;
}

void http_exchange_want_read(struct http_exchange *x, bool file_segments, size_t len_max)
{
    struct http_segment *file = http_out_next_read(&x->out, file_segments);
    if (file == NULL || x->job_state == HTTP_JOB_WANTED)
        return;
    CHECK(x->job_state == HTTP_JOB_NONE);
    char **place = http_out_read_place(&x->out);
    if (place == NULL)
        return;
    if (*place == NULL)
        *place = pool_get(x->env->reads);
    CHECK(*place != NULL); /* there are HTTP_OUT_READS for each connection */
    size_t len = file->len < len_max ? (size_t)file->len : len_max;
    if (file->listing != NULL)
        file_job_init_make(&x->job, http_listing_source(file->listing), *place, len);
    else
        file_job_init_read(&x->job, file->entry->fd, (off_t)file->off, *place, len);
    x->job.remote =
        file->listing != NULL ? http_listing_form(file->listing)->remote : file->entry->meta.remote;
    x->job_state = HTTP_JOB_WANTED;
}

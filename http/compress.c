/* compress.c: a step of the search: what `compress` makes of a file is sent in place of it. See
 * search.h.
 *
 * What is there is sent at once. What is not is made by jobs, a slice at a time, so that whoever
 * executes them minds others in between; the answer waits for the end of it, since its length has
 * to be announced. Where nothing comes of it, the file is sent as it is. */
#include "http/search.h"

#include "core/check.h"
#include "http/compress_types.h"

#include <stdlib.h>

void http_compress_drop(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    http_search_set(&s->made, NULL);
    if (s->compression != NULL)
        compress_cache_leave(x->env->compressed, s->compression);
    s->compression = NULL;
}

void http_compress_fit_fields(struct http_exchange *x, const struct file_entry *file)
{
    struct file_entry *made = x->search.made;
    uint64_t serial = x->search.entry->serial;
    if (x->search.location->etag == ETAG_CONTENT)
        http_content_hash_pass(file, made);
    if (made->fields_of == serial)
        return;
    file_entry_set_fields(made, NULL);
    made->fields_of = serial;
}

/* Is it a file that is compressed for whoever wants it so? */
static bool is_suitable(struct http_exchange *x)
{
    const struct http_static *s = &x->search;
    const struct http_limits *limits = &x->env->config->limits;
    struct file_entry *entry = s->entry;
    if (entry->meta.size < limits->compress_min || entry->meta.size > limits->compress_max)
        return false;
    if (entry->compress_asked != s->location->id + 1) {
        entry->compress_suits =
            http_compress_suits(s->location, mime_find(x->env->mime, s->location, s->name));
        entry->compress_asked = s->location->id + 1;
    }
    return entry->compress_suits;
}

/* The coding that the client likes best; identity where it likes none. */
static enum coding best_coding(struct http_exchange *x)
{
    enum coding order[CODING_COUNT];
    struct http_codings codings;
    struct span value;
    uint32_t cursor = 0;
    if (!http_request_has(&x->request, HTTP_FIELD_ACCEPT_ENCODING))
        return CODING_IDENTITY;
    http_codings_init(&codings);
    while (http_request_field_next(&x->request, HTTP_FIELD_ACCEPT_ENCODING, &cursor, &value))
        http_codings_parse(&codings, value);
    http_codings_order(&codings, x->search.location->compress, order);
    return order[0];
}

enum http_static_result http_compress_want_slice(struct http_exchange *x)
{
    http_search_set(&x->search.opened, NULL); /* others have found it meanwhile, too */
    file_job_init_make(&x->job, compression_source(x->search.compression), NULL, 0);
    x->job.remote = x->search.entry != NULL && x->search.entry->meta.remote;
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_STATIC_NEXT;
}

/* A slice is done, perhaps the last one. */
static enum http_static_result slice_done(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    x->job_state = HTTP_JOB_NONE;
    if (x->job.res == 1)
        return http_compress_want_slice(x);
    s->step = HTTP_SEARCH_RESPOND;
    if (x->job.res < 0) { /* nobody could execute it */
        http_compress_drop(x);
        return HTTP_STATIC_NEXT;
    }
    s->made = compress_cache_store(x->env->compressed, s->compression);
    s->compression = NULL;
    return HTTP_STATIC_NEXT;
}

enum http_static_result http_compress_choose(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (x->job_state == HTTP_JOB_DONE)
        return slice_done(x);
    CHECK(s->made == NULL && s->compression == NULL);
    s->step = HTTP_SEARCH_RESPOND;
    if (!is_suitable(x))
        return HTTP_STATIC_NEXT;
    s->varies = true;
    enum coding coding = best_coding(x);
    if (coding == CODING_IDENTITY)
        return HTTP_STATIC_NEXT;
    s->made_coding = (uint8_t)coding;
    switch (compress_cache_find(x->env->compressed, s->entry, coding, http_out_empty(&x->out),
                                &s->made, &s->compression)) {
    case COMPRESS_READY:
    case COMPRESS_PLAIN:
    case COMPRESS_BUSY:
        return HTTP_STATIC_NEXT;
    case COMPRESS_MAKING:
        s->step = HTTP_SEARCH_COMPRESS;
        return http_compress_want_slice(x);
    case COMPRESS_MISSING: /* earlier answers go first */
        s->step = HTTP_SEARCH_COMPRESS;
        return HTTP_STATIC_ROOM;
    }
    UNREACHABLE();
}

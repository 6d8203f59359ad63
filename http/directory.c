/* directory.c: the step of the search that answers with a directory's listing. See search.h.
 *
 *   LIST, slice by slice -> a short one: rendered here
 *                        -> a long one: counted, slice by slice, and rendered while it is sent
 *
 * Each slice is a job, so that it is done by who has the time, others have their turn in between,
 * and a client that has left is not worked for. */
#include "http/search.h"

#include "core/check.h"
#include "core/dir_pack.h"
#include "core/log_repeat.h"
#include "http/listing.h"
#include "http/listing_page.h"
#include "http/listing_query.h"
#include "http/response.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static_assert((int)HTTP_LISTING_PIECE_MIN <= (int)HTTP_READ_ENCRYPTED, "a piece has that room");

enum {
    SLICE = 256, /* names that are looked at in one go, in some 300 microseconds */
    SHORT_MAX =
        256, /* names of a listing that is rendered at once, unless a README is longer than */
    SHORT_README_MAX = 4096 /* so many octets */
};

static const char NO_MEMORY[] = "no memory for a listing; the answer is 503";

bool http_listing_is_too_much(struct http_exchange *x, size_t size)
{
    struct http_env *env = x->env;
    struct span uri = x->search.uri;
    uint64_t most = env->config->limits.listing_memory;

    http_listing_charge(x->search.listing, size);
    if (env->listings_size <= most)
        return false;
    if (log_is_due(&env->listing_log_ms, env->clock->now_ms))
        log_error("directory %.*s is refused: the listings and archives that are being made hold "
                  "listing_memory = %llu bytes",
                  (int)uri.len, uri.ptr, (unsigned long long)most);
    return true;
}

static bool has_policy(const struct location *location)
{
    for (size_t i = 0; i < location->headers_count; i++)
        if (strcasecmp(location->headers[i].name, "Content-Security-Policy") == 0)
            return true;
    return false;
}

/* The type's line, and what is sent besides. */
static struct span fields_of(const struct http_exchange *x, const struct http_listing_form *form)
{
    const struct location *location = x->search.location;

    if (form->format == HTTP_LISTING_JSON)
        return SPAN_LIT("Content-Type: application/json\r\n");
    if (location->autoindex_page != NULL || has_policy(location))
        return SPAN_LIT("Content-Type: text/html; charset=utf-8\r\n");
    return SPAN_LIT("Content-Type: text/html; charset=utf-8\r\n" HTTP_LISTING_POLICY);
}

static enum http_static_result fail(struct http_exchange *x, int error)
{
    struct http_static *s = &x->search;
    struct http_env *env = x->env;
    http_listing_free(s->listing);
    s->listing = NULL;
    if ((error == EMFILE || error == ENFILE) && http_env_reclaim(env) > 0)
        return HTTP_STATIC_NEXT; /* it is wanted once more */
    if (error == EFBIG && log_is_due(&env->listing_log_ms, env->clock->now_ms))
        log_error("directory %.*s holds more than autoindex_max = %u names", (int)s->uri.len,
                  s->uri.ptr, env->config->limits.autoindex_max);
    http_static_begin_error(x, error == EFBIG ? 503 : http_search_status(error));
    return HTTP_STATIC_NEXT;
}

static enum http_static_result respond_short(struct http_exchange *x)
{
    const struct http_listing_form *form = http_listing_form(x->search.listing);
    char *text;
    size_t len;
    int r = http_listing_render(x->job.listing, x->search.uri, form, &text, &len);
    file_job_discard(&x->job);
    if (r < 0) {
        log_fault(NO_MEMORY, -r);
        return fail(x, -r);
    }
    http_response_text(x, x->search.location, fields_of(x, form), text, len);
    return HTTP_STATIC_DONE;
}

static enum http_static_result list_done(struct http_exchange *x)
{
    struct file_job *job = &x->job;
    if (job->res < 0) {
        file_job_discard(job);
        return fail(x, -job->res);
    }
    if (job->res == 1) {
        if (http_listing_is_too_much(x, file_job_size(job))) {
            file_job_discard(job);
            return fail(x, ENOMEM);
        }
        file_job_again(job);
        x->job_state = HTTP_JOB_WANTED;
        return HTTP_STATIC_NEXT;
    }
    if (job->listing->count <= SHORT_MAX && job->listing->readme_len <= SHORT_README_MAX)
        return respond_short(x);
    if (http_listing_is_too_much(x,
                                 dir_pack_size(job->listing->items) + job->listing->readme_len)) {
        file_job_discard(job);
        return fail(x, ENOMEM);
    }
    http_listing_fill(x->search.listing, job->listing);
    job->listing = NULL;
    file_job_init_make(job, http_listing_source(x->search.listing), NULL, 0);
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_STATIC_NEXT;
}

static enum http_static_result count_done(struct http_exchange *x)
{
    struct http_listing *listing = x->search.listing;
    if (x->job.res < 0)
        return fail(x, -x->job.res);
    if (x->job.res == 1) {
        file_job_init_make(&x->job, http_listing_source(listing), NULL, 0);
        x->job_state = HTTP_JOB_WANTED;
        return HTTP_STATIC_NEXT;
    }
    x->search.listing = NULL;
    http_response_listing(x, x->search.location, fields_of(x, http_listing_form(listing)), listing,
                          http_listing_len(listing));
    return HTTP_STATIC_DONE;
}

/* Wants the first slice. */
static enum http_static_result begin(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct span directory;
    struct http_listing_form form = { .page = s->location->autoindex_page };
    if (http_request_has(&x->request, HTTP_FIELD_ACCEPT) &&
        http_accept_prefers_json(http_request_field(&x->request, HTTP_FIELD_ACCEPT)))
        form.format = HTTP_LISTING_JSON;
    if (form.page == NULL)
        form.page = x->env->listing_page;
    form.remote = s->root != NULL && http_root_is_remote(s->root);
    form.zip = (s->location->archive & 1u << ARCHIVE_ZIP) != 0;
    form.tar = (s->location->archive & 1u << ARCHIVE_TAR) != 0;
    http_listing_query(x->target.query, &form);
    http_search_set(&s->opened, NULL); /* others have found it meanwhile, too */
    CHECK(s->listing == NULL && http_search_map_path(s->location, s->uri, &directory));
    s->listing = http_listing_create(s->uri, &form, &x->env->listings_size);
    if (s->listing == NULL) {
        log_fault(NO_MEMORY, ENOMEM);
        return fail(x, ENOMEM);
    }
    memmove(x->path, directory.ptr, directory.len);
    x->path[directory.len] = '\0';
    if (directory.len == 0)
        memcpy(x->path, ".", 2);
    CHECK(s->root != NULL && s->root->configured == s->location->root);
    if (form.as_zip || form.as_tar)
        return http_archive_begin(x);
    file_job_init_list(&x->job, s->root->fd, x->path, s->location->symlinks, s->location->dotfiles,
                       x->env->config->limits.autoindex_max);
    x->job.remote = http_root_is_remote(s->root);
    x->job.slice = SLICE;
    x->job.wish = (struct dir_wish){
        .key = form.key,
        .descending = form.descending,
        .exclude = s->location->autoindex_exclude,
        .exclude_count = s->location->autoindex_exclude_count,
        .readme_max =
            form.format == HTTP_LISTING_HTML ? x->env->config->limits.autoindex_readme_max : 0,
    };
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_STATIC_NEXT;
}

enum http_static_result http_directory_list(struct http_exchange *x)
{
    if (!http_out_empty(&x->out))
        return HTTP_STATIC_ROOM;
    if (x->job_state != HTTP_JOB_DONE)
        return begin(x);
    x->job_state = HTTP_JOB_NONE;
    if (http_listing_archive(x->search.listing) != NULL)
        return http_archive_done(x);
    return x->job.kind == FILE_JOB_LIST ? list_done(x) : count_done(x);
}

/* directory.c: the step of the search that answers with a directory's listing. See search.h. */
#include "http/search.h"

#include "core/check.h"
#include "http/listing.h"
#include "http/response.h"

#include <errno.h>
#include <string.h>

static enum http_static_result finish_listing(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    x->job_state = HTTP_JOB_NONE;
    int error = -x->job.res;
    if ((error == EMFILE || error == ENFILE) && http_env_reclaim(x->env) > 0)
        return HTTP_SEARCH_GO_ON; /* it is wanted once more */
    if (error != 0) {
        if (error == EFBIG && log_is_due(&x->env->listing_log_ms, x->env->clock->now_ms))
            log_error("directory %.*s holds more than autoindex_max = %u names", (int)s->uri.len,
                      s->uri.ptr, x->env->config->limits.autoindex_max);
        http_static_begin_error(x, error == EFBIG ? 503 : http_search_status(error));
        return HTTP_SEARCH_GO_ON;
    }
    bool json = false;
    if (http_request_has(&x->request, HTTP_FIELD_ACCEPT))
        json = http_accept_prefers_json(http_request_field(&x->request, HTTP_FIELD_ACCEPT));
    char *text;
    size_t len;
    int r = http_listing_render(x->job.listing, s->uri,
                                json ? HTTP_LISTING_JSON : HTTP_LISTING_HTML, &text, &len);
    file_job_discard(&x->job);
    if (r < 0) {
        http_static_begin_error(x, http_search_status(-r));
        return HTTP_SEARCH_GO_ON;
    }
    http_response_text(x, s->location,
                       json ? SPAN_LIT("application/json") : SPAN_LIT("text/html; charset=utf-8"),
                       text, len);
    return HTTP_STATIC_DONE;
}

enum http_static_result http_directory_list(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (!http_out_empty(&x->out))
        return HTTP_STATIC_ROOM;
    if (x->job_state == HTTP_JOB_DONE) {
        CHECK(x->job.kind == FILE_JOB_LIST);
        return finish_listing(x);
    }
    struct span directory;
    http_search_set(&s->opened, NULL); /* others have found it meanwhile, too */
    CHECK(http_search_map_path(s->location, s->uri, &directory));
    memmove(x->path, directory.ptr, directory.len);
    x->path[directory.len] = '\0';
    if (directory.len == 0)
        memcpy(x->path, ".", 2);
    CHECK(s->root != NULL && s->root->configured == s->location->root);
    file_job_init_list(&x->job, s->root->fd, x->path, s->location->symlinks, s->location->dotfiles,
                       x->env->config->limits.autoindex_max);
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_SEARCH_GO_ON;
}

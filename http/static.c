/* static.c: the search for what to answer with. See static.h.
 *
 *   (what is not for everybody) ADMIT -> TRY, or ERROR
 *   TRY -> (a file, or perhaps only sidecars of one) SIDECAR -> RESPOND -> (no longer so) TRY
 *                            (the client has a dictionary) DELTA -> RESPOND, or SIDECAR
 *                                                            -> COMPRESS -> RESPOND
 *                                                            -> DECOMPRESS -> RESPOND
 *       -> (a directory) INDEX -> SIDECAR, or LIST, or the next TRY
 *       -> (nothing) the next TRY, then ERROR -> ERROR_FILE -> RESPOND_ERROR
 *
 * A step that needs a job is run again after it. By then other requests have gone on, and it may
 * ask for another file than before: so a job's result is matched by what it is about, never by who
 * asks next. */
#include "http/static.h"

#include "core/check.h"
#include "http/answer.h"
#include "http/clean_url.h"
#include "http/fields.h"
#include "http/locate.h"
#include "http/maintenance.h"
#include "http/redirect.h"
#include "http/report.h"
#include "http/response.h"
#include "http/rewrite.h"
#include "http/search.h"
#include "http/site_rule.h"
#include "http/vhost.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void http_search_set(struct file_entry **place, struct file_entry *entry)
{
    if (*place != NULL)
        file_entry_unref(*place);
    *place = entry;
}

static void set_root(struct http_root **place, struct http_root *root)
{
    if (*place != NULL)
        http_root_unref(*place);
    *place = root;
}

/* Wants a look at the root of the present location. */
static void ask_root(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    CHECK(x->job_state == HTTP_JOB_NONE);
    http_search_set(&s->opened, NULL); /* beneath another root */
    http_roots_ask(x->env->roots, s->location->root, x->env->clock->now_ms, &x->job);
    x->job_state = HTTP_JOB_WANTED;
}

/* Has the request the root of the present location? It keeps the one that it found at first. False:
 * a job is wanted first. */
static bool has_root(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct http_env *env = x->env;
    struct root *configured = s->location->root;
    if (s->root != NULL && s->root->configured == configured)
        return true;
    set_root(&s->root, http_roots_find(env->roots, configured, env->clock->now_ms));
    s->root_is_asked = false;
    if (s->root != NULL)
        return true;
    ask_root(x);
    return false;
}

/* Where `entry`, which the present step has found, is missing beneath a root that was only
 * believed, a deploy may have put another one in its place, and be removing this one. True: a look
 * at the root is wanted, and the entry's reference is given back; the step is run again after it,
 * or, where it has found another root, all of them (root_found()). */
static bool doubts_root(struct http_exchange *x, struct file_entry *entry)
{
    bool missing = entry->error == ENOENT || entry->error == ENOTDIR || entry->error == ESTALE;
    if (!missing || x->search.root_is_asked ||
        !http_root_doubt(x->search.root, x->env->clock->now_ms))
        return false;
    file_entry_unref(entry);
    ask_root(x);
    return true;
}

struct file_entry *http_search_look_up(struct http_exchange *x, struct span path)
{
    struct http_env *env = x->env;
    const struct location *location = x->search.location;
    if (!has_root(x))
        return NULL;
    const struct http_root *root = x->search.root;
    struct file_entry *entry = x->search.opened;
    x->search.opened = NULL;
    if (entry != NULL && file_entry_is(entry, root->id, location->symlinks, path))
        return entry;
    if (entry != NULL)
        file_entry_unref(entry);
    entry = file_cache_find(env->cache, root->id, location->symlinks, path, env->clock->now_ms);
    if (entry != NULL)
        return entry;
    CHECK(path.len < sizeof(x->path) && x->job_state == HTTP_JOB_NONE);
    if (path.len > 0)
        memmove(x->path, path.ptr, path.len);
    x->path[path.len] = '\0';
    if (path.len == 0)
        memcpy(x->path, ".", 2);
    file_cache_ask(env->cache, root->fd, root->id, location->symlinks, x->path,
                   env->config->limits.small_file_max, env->clock->now_ms, &x->job);
    x->job.remote = http_root_is_remote(root);
    x->job_state = HTTP_JOB_WANTED;
    return NULL;
}

/* A look at the location's root has ended. */
static void root_found(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    uint64_t believed = s->root != NULL ? s->root->id : 0;
    int error = 0;
    set_root(&s->root, http_roots_store(x->env->roots, &x->job, &error));
    s->root_is_asked = true;
    if (s->root == NULL) {
        http_static_begin_error(x, s->status == 0 ? http_search_status(error) : s->status);
    } else if (believed != 0 && believed != s->root->id) { /* what was found there is no answer */
        s->try_index = s->index_index = 0;
        s->varies = s->damaged = false;
        http_search_set(&s->entry, NULL);
        s->step = HTTP_SEARCH_TRY;
    }
}

void http_static_job_done(struct http_exchange *x)
{
    struct http_env *env = x->env;
    CHECK(x->job_state == HTTP_JOB_WANTED && x->search.opened == NULL);
    if (x->job.kind == FILE_JOB_STAT) {
        x->job_state = HTTP_JOB_NONE;
        http_search_check_done(x);
        return;
    }
    if (x->job.kind == FILE_JOB_LIST || x->job.kind == FILE_JOB_READ) {
        x->job_state = HTTP_JOB_DONE; /* of a listing */
        return;
    }
    x->job_state = HTTP_JOB_NONE;
    if ((x->job.res == -EMFILE || x->job.res == -ENFILE) && http_env_reclaim(env) > 0)
        return; /* http_search_look_up() wants it once more */
    if (x->job.kind == FILE_JOB_ROOT) {
        root_found(x);
        return;
    }
    if (file_cache_has_lost(env->cache, &x->job))
        return; /* likewise */
    env->closes |= x->job.fd >= 0;
    x->search.opened = file_cache_store(env->cache, &x->job, env->clock->now_ms);
    if (x->search.opened == NULL)
        http_static_begin_error(x, x->search.status == 0 ? 503 : x->search.status);
}

static bool ends_with_slash(struct span s)
{
    return s.len > 0 && s.ptr[s.len - 1] == '/';
}

void http_static_begin_files(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *location = s->location;
    bool nothing = location == NULL || (location->root == NULL && location->rewrite == NULL) ||
                   location->internal;
    if (x->server->site_redirects != NULL && http_site_rule_begin(x, nothing))
        return;
    if (nothing) {
        http_static_begin_error(x, 404);
        return;
    }
    s->uri = x->target.path;
    http_static_begin_location(x);
}

void http_static_begin_answer(struct http_exchange *x)
{
    const struct location *location = x->search.location;
    if (location != NULL && location->answer != NULL && !location->internal)
        x->search.step = HTTP_SEARCH_RETURN;
    else
        http_static_begin_files(x);
}

void http_static_begin(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    s->try_index = s->index_index = 0;
    s->rewrites = x->counted_count = 0;
    s->rewritten_by = NULL;
    s->status = 0;
    if (http_report_is_asked(x)) {
        s->location = http_location_slash(x->server);
        s->step = HTTP_SEARCH_REPORT;
        return;
    }
    s->step = HTTP_SEARCH_TRY;
    if (!http_locate(x))
        return;
    x->asked = s->location;
    if (x->server->redirects_any)
        s->step = HTTP_SEARCH_REDIRECT;
    else
        http_static_begin_answer(x);
}

void http_static_begin_error(struct http_exchange *x, int status)
{
    x->search.status = status;
    x->search.step =
        x->search.step == HTTP_SEARCH_ERROR_FILE ? HTTP_SEARCH_RESPOND_ERROR : HTTP_SEARCH_ERROR;
    if (x->search.location == NULL)
        x->search.location = http_location_slash(x->server);
}

/* Nothing is there for this client; there may be for others. */
static void not_found(struct http_exchange *x)
{
    static_assert(sizeof(x->extra) >= HTTP_VARY_MAX, "a Vary line must fit");
    if (x->search.varies)
        http_fields_vary(x->search.location, HTTP_VARIES_CODING, x->extra);
    if (x->search.damaged)
        http_static_begin_error(x, 500);
    else if (x->server->site_redirects == NULL || !http_site_rule_begin(x, true))
        http_static_begin_error(x, 404);
}

/* The next candidate of `try`; behind the last: 404. */
static void next_try(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    s->try_index++;
    s->index_index = 0;
    http_search_set(&s->entry, NULL);
    if (s->try_index >= s->location->try_count)
        not_found(x);
    else
        s->step = HTTP_SEARCH_TRY;
}

/* What a directory is answered with; s->entry is the directory. */
static void found_directory(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    bool trying = s->location->try_count > 0;
    if (s->rewritten) { /* whoever asks is led nowhere by where it lies */
        s->step = HTTP_SEARCH_INDEX;
        return;
    }
    if (ends_with_slash(s->uri)) {
        if (x->target.trailing_slash || !trying) {
            s->step = HTTP_SEARCH_INDEX;
            return;
        }
        s->step = HTTP_SEARCH_DIRECTORY_REDIRECT; /* "$uri/" for a path without slash */
    } else if (trying) {
        next_try(x);
    } else {
        s->step = HTTP_SEARCH_DIRECTORY_REDIRECT;
    }
}

/* s->entry, which the present step has found, is what is answered with, or a sidecar of it. */
static inline void found_file(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    s->found_step = s->step;
    s->probed_codings = s->found_codings = s->unsure_codings = 0;
    s->probed_until_ms = UINT64_MAX;
    s->probed_told = atomic_load_explicit(x->env->told, memory_order_acquire);
    s->codings_ordered = false;
    s->step = HTTP_SEARCH_SIDECAR_PROBE;
    if (s->location->deltas != 0 && http_request_has(&x->request, HTTP_FIELD_AVAILABLE_DICTIONARY))
        s->step = HTTP_SEARCH_DELTA;
}

/* Is what is missing perhaps there as a sidecar? */
static bool may_have_sidecars(const struct http_exchange *x, const struct file_entry *entry)
{
    unsigned codings = x->search.location->precompressed & ~(1u << CODING_IDENTITY);
    return entry->error == ENOENT && codings != 0;
}

/* The step that found that s->entry is missing goes on with what comes next: there are no sidecars
 * of it, or none that the client accepts. */
static void step_not_found(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (s->unsure_codings != 0) {
        http_static_begin_error(x, http_search_status(s->unsure_error));
        return;
    }
    if (s->found_step == HTTP_SEARCH_TRY) {
        next_try(x);
        return;
    }
    http_search_set(&s->entry, NULL);
    s->index_index++;
    s->step = HTTP_SEARCH_INDEX;
}

/* Is what is looked for a folder, by the slash at the path's end? The `alias` of a path alone is
 * the file, whatever the path looks like. */
static bool is_folders_path(const struct http_static *s)
{
    return ends_with_slash(s->uri) && s->location->file.len == 0;
}

static enum http_static_result step_try(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (http_rewrite_is_due(x))
        return http_rewrite(x);
    if (s->location->try_count > 0 && !s->rewritten &&
        !http_search_expand(x, s->location->try_templates[s->try_index])) {
        next_try(x);
        return HTTP_STATIC_NEXT;
    }
    if ((!s->location->dotfiles && http_search_is_hidden(s->uri)) ||
        !http_search_map_path(s->location, s->uri, &s->name)) {
        next_try(x);
        return HTTP_STATIC_NEXT;
    }
    struct file_entry *entry = http_search_look_up(x, s->name);
    if (entry == NULL || doubts_root(x, entry))
        return HTTP_STATIC_NEXT;
    http_search_set(&s->entry, entry);
    if (entry->error != 0) {
        int status = http_search_status(entry->error);
        if (!is_folders_path(s) && may_have_sidecars(x, entry))
            found_file(x);
        else if (status == 404)
            next_try(x);
        else
            http_static_begin_error(x, status);
    } else if (entry->meta.kind == FILE_DIRECTORY) {
        found_directory(x);
    } else if (entry->meta.kind != FILE_REGULAR || is_folders_path(s)) {
        next_try(x);
    } else if (s->location->clean_urls && http_clean_url_is_due(x)) {
        s->step = HTTP_SEARCH_CLEAN_URL;
    } else {
        found_file(x);
    }
    return HTTP_STATIC_NEXT;
}

/* Tries the index names in the directory s->name, which is kept at the start of x->path meanwhile.
 */
static enum http_static_result step_index(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *location = s->location;
    struct span directory;
    MUST(http_search_map_path(location, s->uri, &directory));
    while (s->index_index < location->index_count) {
        struct span index = span_str(location->index[s->index_index]);
        size_t len = directory.len;
        if (len + 1 + index.len >= HTTP_PATH_MAX)
            break;
        memmove(x->path, directory.ptr, len);
        if (len > 0)
            x->path[len++] = '/';
        memcpy(x->path + len, index.ptr, index.len);
        s->name = span_make(x->path, len + index.len);
        if (http_search_is_withheld(location, s->name)) {
            s->index_index++;
            continue;
        }
        struct file_entry *entry = http_search_look_up(x, s->name);
        if (entry == NULL || doubts_root(x, entry))
            return HTTP_STATIC_NEXT;
        int status = entry->error != 0 ? http_search_status(entry->error) : 200;
        if (file_entry_is_file(entry) || may_have_sidecars(x, entry)) {
            http_search_set(&s->entry, entry);
            found_file(x);
            return HTTP_STATIC_NEXT;
        }
        file_entry_unref(entry);
        if (status != 200 && status != 404) {
            http_static_begin_error(x, status);
            return HTTP_STATIC_NEXT;
        }
        s->index_index++;
    }
    if (location->autoindex)
        s->step = HTTP_SEARCH_LIST;
    else
        next_try(x);
    return HTTP_STATIC_NEXT;
}

static enum http_static_result step_respond(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct file_entry *file = s->sidecar != NULL ? s->sidecar : s->entry;
    enum coding coding = CODING_IDENTITY;
    if (s->location->etag == ETAG_CONTENT && http_content_hash_is_due(x, file))
        return http_content_hash_step(x, file);
    if (!http_search_is_checked(x, file))
        return HTTP_STATIC_NEXT;
    /* Of a page that is there as a sidecar alone it is known only now. */
    if (s->entry->error != 0 && s->location->clean_urls && s->found_step == HTTP_SEARCH_TRY &&
        http_clean_url_is_due(x)) {
        s->step = HTTP_SEARCH_CLEAN_URL;
        return HTTP_STATIC_NEXT;
    }
    if (s->sidecar != NULL && s->made == NULL)
        coding = s->codings[s->coding_index];
    if (s->made != NULL) {
        http_compress_fit_fields(x, file);
        file = s->made;
        coding = (enum coding)s->made_coding;
    }
    int r = http_response_file(x, s->location, file, coding, s->varies, s->name);
    if (r > 0) {
        http_static_begin_error(x, r);
        return HTTP_STATIC_NEXT;
    }
    s->checked = false; /* until there is room it may change */
    return r == 0 ? HTTP_STATIC_DONE : HTTP_STATIC_ROOM;
}

/* Looks for the configured page of s->status. */
static enum http_static_result step_error(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *from = s->location;
    const struct error_page *page = NULL;
    for (size_t i = 0; from != NULL && i < from->error_pages_count && page == NULL; i++)
        if (from->error_pages[i].status == s->status)
            page = &from->error_pages[i];
    http_search_set(&s->entry, NULL);
    s->step = HTTP_SEARCH_RESPOND_ERROR;
    if (page == NULL || !http_search_error_page(x, page))
        return HTTP_STATIC_NEXT;
    const struct location *location = NULL; /* without one, there is no page */
    (void)http_location_find(x->server, x->env->regexes, s->uri, NULL, &location);
    if (location != NULL && location->root != NULL &&
        http_search_map_path(location, s->uri, &s->name)) {
        if (location != from)
            x->captures = NULL; /* of another pattern than this one's */
        s->location = location;
        s->step = HTTP_SEARCH_ERROR_FILE;
    }
    return HTTP_STATIC_NEXT;
}

static enum http_static_result step_error_file(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct file_entry *entry = http_search_look_up(x, s->name);
    if (entry == NULL)
        return HTTP_STATIC_NEXT;
    if (file_entry_is_file(entry))
        http_search_set(&s->entry, entry);
    else
        file_entry_unref(entry);
    s->found_step = s->step;
    s->step = HTTP_SEARCH_RESPOND_ERROR;
    return HTTP_STATIC_NEXT;
}

static enum http_static_result step_respond_error(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    bool page = s->entry != NULL && file_entry_is_file(s->entry);
    if (page && !http_search_is_checked(x, s->entry))
        return HTTP_STATIC_NEXT;
    bool done = page ? http_response_error_file(x, s->location, s->status, s->entry, s->name)
                     : http_response_error(x, s->location, s->status);
    s->checked = false;
    return done ? HTTP_STATIC_DONE : HTTP_STATIC_ROOM;
}

/* What the server tells of itself. */
static enum http_static_result step_report(struct http_exchange *x)
{
    int r = http_report_respond(x);
    if (r > 0)
        http_static_begin_error(x, r);
    return r > 0 ? HTTP_STATIC_NEXT : r == 0 ? HTTP_STATIC_DONE : HTTP_STATIC_ROOM;
}

static enum http_static_result run_step(struct http_exchange *x)
{
    switch ((enum http_search_step)x->search.step) {
    case HTTP_SEARCH_REDIRECT:
        return http_redirect_step(x);
    case HTTP_SEARCH_ADMIT:
        return http_admission_judge(x);
    case HTTP_SEARCH_TRY:
        return step_try(x);
    case HTTP_SEARCH_DIRECTORY_REDIRECT:
        return http_search_redirect_path(x, x->target.path, true);
    case HTTP_SEARCH_INDEX:
        return step_index(x);
    case HTTP_SEARCH_LIST:
        return http_directory_list(x);
    case HTTP_SEARCH_DELTA:
        return http_delta_choose(x);
    case HTTP_SEARCH_SIDECAR_PROBE:
        return http_sidecar_probe(x);
    case HTTP_SEARCH_SIDECAR:
        return http_sidecar_choose(x);
    case HTTP_SEARCH_COMPRESS:
        return http_compress_choose(x);
    case HTTP_SEARCH_DECOMPRESS:
        return http_decompress_choose(x);
    case HTTP_SEARCH_NOT_FOUND:
        step_not_found(x);
        return HTTP_STATIC_NEXT;
    case HTTP_SEARCH_RESPOND:
        return step_respond(x);
    case HTTP_SEARCH_ERROR:
        return step_error(x);
    case HTTP_SEARCH_ERROR_FILE:
        return step_error_file(x);
    case HTTP_SEARCH_RESPOND_ERROR:
        return step_respond_error(x);
    case HTTP_SEARCH_REPORT:
        return step_report(x);
    case HTTP_SEARCH_LIMIT:
        return http_limit_step(x);
    case HTTP_SEARCH_RETURN:
        return http_answer_return(x);
    case HTTP_SEARCH_SITE_RULE:
        return http_site_rule_step(x);
    case HTTP_SEARCH_MAINTENANCE:
        return http_maintenance_step(x);
    case HTTP_SEARCH_CLEAN_URL:
        return http_clean_url_redirect(x);
    }
    UNREACHABLE();
}

enum http_static_result http_static_run(struct http_exchange *x)
{
    for (;;) {
        enum http_static_result result = run_step(x);
        if (result == HTTP_STATIC_NEXT && x->job_state != HTTP_JOB_WANTED)
            continue;
        if (result == HTTP_STATIC_NEXT)
            return HTTP_STATIC_JOB;
        if (result == HTTP_STATIC_DONE || result == HTTP_STATIC_CLOSE) {
            CHECK(x->job_state == HTTP_JOB_NONE);
            if (x->pace.allowed)
                http_pace_begin(x);
            http_static_end(x);
        }
        return result;
    }
}

void http_static_end(struct http_exchange *x)
{
    http_search_set(&x->search.entry, NULL);
    http_search_set(&x->search.sidecar, NULL);
    http_search_set(&x->search.opened, NULL);
    http_compress_end(x);
    http_content_hash_end(x);
    http_delta_end(x);
    http_admission_end(x);
    http_listing_free(x->search.listing);
    x->search.listing = NULL;
    set_root(&x->search.root, NULL);
    x->search.location = NULL;
    x->search.lookups_untrue = 0;
    x->search.checked = x->search.varies = x->search.untagged = false;
    x->search.rewritten = x->search.led_by_more = x->search.damaged = false;
    x->search.root_is_asked = false;
    x->search.step = HTTP_SEARCH_TRY;
}

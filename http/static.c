/* static.c: the search for what to answer with. See static.h.
 *
 *   TRY -> (a file) SIDECAR -> RESPOND
 *       -> (a directory) INDEX -> SIDECAR, or LIST, or the next TRY
 *       -> (nothing) the next TRY, then ERROR -> ERROR_FILE -> RESPOND_ERROR
 *
 * A step that needs a job is run again after it. By then other requests have gone on, and it may
 * ask for another file than before: so a job's result is matched by what it is about, never by who
 * asks next. */
#include "http/static.h"

#include "core/check.h"
#include "http/listing.h"
#include "http/response.h"
#include "http/vhost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum step {
    STEP_REDIRECT,
    STEP_TRY,
    STEP_DIRECTORY_REDIRECT,
    STEP_INDEX,
    STEP_LIST,
    STEP_SIDECAR_PROBE,
    STEP_SIDECAR,
    STEP_RESPOND,
    STEP_ERROR,
    STEP_ERROR_FILE,
    STEP_RESPOND_ERROR,
};

/* What a step returns when it has neither answered nor run out of room: http_static_run() goes on
 * with s->step, unless a job is wanted first. */
static const enum http_static_result GO_ON = HTTP_STATIC_JOB;

/* The status for an errno of opening a file: one switch for the whole server. */
static int status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV: /* a link that leaves the root */
    case EISDIR:
        return 404;
    case EACCES:
    case EPERM:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

static void set_entry(struct file_entry **place, struct file_entry *entry)
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
    if (s->root != NULL)
        return true;
    CHECK(x->job_state == HTTP_JOB_NONE);
    set_entry(&s->opened, NULL); /* beneath another root */
    http_roots_ask(env->roots, configured, env->clock->now_ms, &x->job);
    x->job_state = HTTP_JOB_WANTED;
    return false;
}

/* The entry of `path` beneath the location's root, with a reference; NULL: a job is wanted first.
 * `path` may lie in x->path. */
static struct file_entry *look_up(struct http_exchange *x, struct span path)
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
    x->job_state = HTTP_JOB_WANTED;
    return NULL;
}

/* A look at the location's root has ended. */
static void root_found(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    int error = 0;
    set_root(&s->root, http_roots_store(x->env->roots, &x->job, &error));
    if (s->root == NULL)
        http_static_begin_error(x, s->status == 0 ? status_of_errno(error) : s->status);
}

void http_static_job_done(struct http_exchange *x)
{
    struct http_env *env = x->env;
    CHECK(x->job_state == HTTP_JOB_WANTED && x->search.opened == NULL);
    if (x->job.kind == FILE_JOB_LIST) {
        x->job_state = HTTP_JOB_DONE;
        return;
    }
    x->job_state = HTTP_JOB_NONE;
    if ((x->job.res == -EMFILE || x->job.res == -ENFILE) && http_env_reclaim(env) > 0)
        return; /* look_up() wants it once more */
    if (x->job.kind == FILE_JOB_ROOT) {
        root_found(x);
        return;
    }
    x->search.opened = file_cache_store(env->cache, &x->job, env->clock->now_ms);
    if (x->search.opened == NULL)
        http_static_begin_error(x, x->search.status == 0 ? 503 : x->search.status);
}

/* The path beneath the root that `uri` names at the location, without slashes at the ends. */
static bool map_path(const struct location *location, struct span uri, struct span *ret_name)
{
    struct span prefix = location->prefix;
    if (location->strip_prefix) {
        if (uri.len < prefix.len - 1 || memcmp(uri.ptr, prefix.ptr, prefix.len - 1) != 0)
            return false;
        uri.ptr += prefix.len - 1;
        uri.len -= prefix.len - 1;
    }
    if (uri.len > 0 && uri.ptr[0] == '/') {
        uri.ptr++;
        uri.len--;
    }
    if (uri.len > 0 && uri.ptr[uri.len - 1] == '/')
        uri.len--;
    *ret_name = uri;
    return true;
}

/* Does a segment begin with '.'? /.well-known/ (RFC 8615) is no such. */
static bool is_hidden(struct span uri)
{
    static const char well_known[] = "/.well-known";
    size_t len = sizeof(well_known) - 1;
    if (uri.len >= len && memcmp(uri.ptr, well_known, len) == 0 &&
        (uri.len == len || uri.ptr[len] == '/')) {
        uri.ptr += len;
        uri.len -= len;
    }
    const char *found = memmem(uri.ptr, uri.len, "/.", 2);
    return found != NULL;
}

static bool ends_with_slash(struct span s)
{
    return s.len > 0 && s.ptr[s.len - 1] == '/';
}

/* `try[index]` with $uri replaced; false: longer than a path may be. */
static bool expand_try(struct http_exchange *x, const char *pattern)
{
    struct span path = x->target.path;
    size_t len = 0;
    while (*pattern != '\0') {
        struct span piece = { pattern, 1 };
        if (strncmp(pattern, "$uri", 4) == 0) {
            piece = path;
            pattern += 3;
            /* "$uri/index.html" for "/docs/": one slash. */
            if (pattern[1] == '/' && ends_with_slash(piece))
                piece.len--;
        }
        pattern++;
        if (len + piece.len >= sizeof(x->try_text))
            return false;
        memcpy(x->try_text + len, piece.ptr, piece.len);
        len += piece.len;
    }
    x->search.uri = span_make(x->try_text, len);
    return true;
}

void http_static_begin(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    s->step = x->server->redirects_count > 0 ? STEP_REDIRECT : STEP_TRY;
    s->try_index = s->index_index = 0;
    s->status = 0;
    s->location = http_location_find(x->server, x->target.path);
    if (s->location == NULL || s->location->root == NULL) {
        if (s->step != STEP_REDIRECT)
            http_static_begin_error(x, 404);
        return;
    }
    s->uri = x->target.path;
}

void http_static_begin_error(struct http_exchange *x, int status)
{
    x->search.status = status;
    x->search.step = x->search.step == STEP_ERROR_FILE ? STEP_RESPOND_ERROR : STEP_ERROR;
    if (x->search.location == NULL)
        x->search.location = http_location_find(x->server, SPAN_LIT("/"));
}

static enum http_static_result step_redirect(struct http_exchange *x)
{
    const struct redirect *redirect = http_redirect_find(x->server, x->target.path);
    if (redirect == NULL) {
        if (x->search.location == NULL || x->search.location->root == NULL)
            http_static_begin_error(x, 404);
        else
            x->search.step = STEP_TRY;
        return GO_ON;
    }
    struct span rest = { "", 0 };
    if (ends_with_slash(redirect->from))
        rest = span_make(x->target.path.ptr + redirect->from.len,
                         x->target.path.len - redirect->from.len);
    struct span query = x->target.query;
    if (strchr(redirect->to, '?') != NULL && query.len > 0)
        query = span_make("", 0); /* the redirect's own query stands */
    return http_response_redirect(x, x->search.location, redirect->status, span_str(redirect->to),
                                  rest, query)
               ? HTTP_STATIC_DONE
               : HTTP_STATIC_ROOM;
}

/* The next candidate of `try`; behind the last: 404. */
static void next_try(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    s->try_index++;
    s->index_index = 0;
    set_entry(&s->entry, NULL);
    if (s->try_index >= s->location->try_count)
        http_static_begin_error(x, 404);
    else
        s->step = STEP_TRY;
}

/* What a directory is answered with; s->entry is the directory. */
static void found_directory(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    bool trying = s->location->try_count > 0;
    if (ends_with_slash(s->uri)) {
        if (x->target.trailing_slash || !trying) {
            s->step = STEP_INDEX;
            return;
        }
        s->step = STEP_DIRECTORY_REDIRECT; /* "$uri/" for a path without slash */
    } else if (trying) {
        next_try(x);
    } else {
        s->step = STEP_DIRECTORY_REDIRECT;
    }
}

/* s->entry is what is answered with, or a sidecar of it. */
static void found_file(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    s->probed_codings = s->found_codings = 0;
    s->codings_count = s->coding_index = 0;
    s->step = STEP_SIDECAR_PROBE;
}

static enum http_static_result step_try(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (s->location->try_count > 0 && !expand_try(x, s->location->try_uris[s->try_index])) {
        next_try(x);
        return GO_ON;
    }
    if ((!s->location->dotfiles && is_hidden(s->uri)) || !map_path(s->location, s->uri, &s->name)) {
        next_try(x);
        return GO_ON;
    }
    struct file_entry *entry = look_up(x, s->name);
    if (entry == NULL)
        return GO_ON;
    set_entry(&s->entry, entry);
    if (entry->error != 0) {
        int status = status_of_errno(entry->error);
        if (status == 404)
            next_try(x);
        else
            http_static_begin_error(x, status);
    } else if (entry->meta.kind == FILE_DIRECTORY) {
        found_directory(x);
    } else if (entry->meta.kind != FILE_REGULAR || ends_with_slash(s->uri)) {
        next_try(x);
    } else {
        found_file(x);
    }
    return GO_ON;
}

static enum http_static_result step_directory_redirect(struct http_exchange *x)
{
    char with_slash[HTTP_PATH_MAX + 1];
    struct span path = x->target.path;
    memcpy(with_slash, path.ptr, path.len);
    with_slash[path.len] = '/';
    return http_response_redirect(x, x->search.location, 301, span_make("", 0),
                                  span_make(with_slash, path.len + 1), x->target.query)
               ? HTTP_STATIC_DONE
               : HTTP_STATIC_ROOM;
}

/* Tries the index names in the directory s->name, which is kept at the start of x->path meanwhile.
 */
static enum http_static_result step_index(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *location = s->location;
    struct span directory;
    CHECK(map_path(location, s->uri, &directory));
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
        struct file_entry *entry = look_up(x, s->name);
        if (entry == NULL)
            return GO_ON;
        int status = entry->error != 0 ? status_of_errno(entry->error) : 200;
        if (status == 200 && entry->meta.kind == FILE_REGULAR) {
            set_entry(&s->entry, entry);
            found_file(x);
            return GO_ON;
        }
        file_entry_unref(entry);
        if (status != 200 && status != 404) {
            http_static_begin_error(x, status);
            return GO_ON;
        }
        s->index_index++;
    }
    if (location->autoindex)
        s->step = STEP_LIST;
    else
        next_try(x);
    return GO_ON;
}

static enum http_static_result finish_listing(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    x->job_state = HTTP_JOB_NONE;
    int error = -x->job.res;
    if (error != 0) {
        if (error == EFBIG)
            log_error("directory %.*s holds more than autoindex_max = %u names", (int)s->uri.len,
                      s->uri.ptr, x->env->config->limits.autoindex_max);
        http_static_begin_error(x, error == EFBIG ? 503 : status_of_errno(error));
        return GO_ON;
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
        http_static_begin_error(x, status_of_errno(-r));
        return GO_ON;
    }
    http_response_text(x, s->location,
                       json ? SPAN_LIT("application/json") : SPAN_LIT("text/html; charset=utf-8"),
                       text, len);
    return HTTP_STATIC_DONE;
}

static enum http_static_result step_list(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (!http_out_empty(&x->out))
        return HTTP_STATIC_ROOM;
    if (x->job_state == HTTP_JOB_DONE) {
        CHECK(x->job.kind == FILE_JOB_LIST);
        return finish_listing(x);
    }
    struct span directory;
    CHECK(map_path(s->location, s->uri, &directory));
    memmove(x->path, directory.ptr, directory.len);
    x->path[directory.len] = '\0';
    if (directory.len == 0)
        memcpy(x->path, ".", 2);
    CHECK(s->root != NULL && s->root->configured == s->location->root);
    file_job_init_list(&x->job, s->root->fd, x->path, s->location->symlinks, s->location->dotfiles,
                       x->env->config->limits.autoindex_max);
    x->job_state = HTTP_JOB_WANTED;
    return GO_ON;
}

/* The sidecar's path: s->name and the coding's suffix, in x->path. */
static struct span sidecar_path(struct http_exchange *x, enum coding coding)
{
    struct http_static *s = &x->search;
    struct span suffix = http_coding_suffix(coding);
    if (s->name.ptr != x->path) {
        memcpy(x->path, s->name.ptr, s->name.len);
        s->name.ptr = x->path;
    }
    memcpy(x->path + s->name.len, suffix.ptr, suffix.len);
    return span_make(x->path, s->name.len + suffix.len);
}

/* Keeps with the entry what has been found out about its sidecars, beside what is known of others.
 */
static void remember_sidecars(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct file_entry *entry = s->entry;
    uint64_t now_ms = x->env->clock->now_ms;
    if (entry->sidecars_until_ms <= now_ms) {
        entry->sidecars_known = entry->sidecars = 0;
        entry->sidecars_until_ms = now_ms + x->env->config->cache_valid_ms;
    }
    entry->sidecars_known |= s->probed_codings;
    entry->sidecars = (uint8_t)((entry->sidecars & ~s->probed_codings) | s->found_codings);
}

/* Finds out which sidecars exist: Vary is due on every form of a resource that has some, whatever
 * this request accepts. What other requests find out meanwhile is welcome. */
static enum http_static_result step_sidecar_probe(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    unsigned wanted = s->location->precompressed & ~(1u << CODING_IDENTITY);
    bool believed = s->entry->sidecars_until_ms > x->env->clock->now_ms;
    unsigned known = believed ? s->entry->sidecars_known : 0;
    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        unsigned bit = 1u << coding;
        if ((wanted & bit) == 0 || ((known | s->probed_codings) & bit) != 0)
            continue;
        struct file_entry *entry = look_up(x, sidecar_path(x, (enum coding)coding));
        if (entry == NULL)
            return GO_ON;
        s->probed_codings |= (uint8_t)bit;
        if (entry->error == 0 && entry->meta.kind == FILE_REGULAR)
            s->found_codings |= (uint8_t)bit;
        file_entry_unref(entry);
    }
    if (s->probed_codings != 0)
        remember_sidecars(x);
    s->found_codings |= (uint8_t)(wanted & known & ~s->probed_codings & s->entry->sidecars);
    s->step = s->found_codings != 0 ? STEP_SIDECAR : STEP_RESPOND;
    return GO_ON;
}

/* Takes the best sidecar that the client accepts, if one is better than the file itself. */
static enum http_static_result step_sidecar(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    if (s->codings_count == 0) {
        struct http_codings codings;
        http_codings_init(&codings);
        uint32_t cursor = 0;
        struct span value;
        while (http_request_field_next(&x->request, HTTP_FIELD_ACCEPT_ENCODING, &cursor, &value))
            http_codings_parse(&codings, value);
        s->codings_count = (uint8_t)http_codings_order(&codings, s->found_codings, s->codings);
    }
    for (; s->coding_index < s->codings_count; s->coding_index++) {
        enum coding coding = s->codings[s->coding_index];
        if (coding == CODING_IDENTITY)
            break;
        struct file_entry *entry = look_up(x, sidecar_path(x, coding));
        if (entry == NULL)
            return GO_ON;
        if (entry->error == 0 && entry->meta.kind == FILE_REGULAR) {
            set_entry(&s->sidecar, entry);
            break;
        }
        file_entry_unref(entry); /* gone since it was probed */
    }
    s->step = STEP_RESPOND;
    return GO_ON;
}

static enum http_static_result step_respond(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    bool encoded = s->sidecar != NULL;
    int r = http_response_file(x, s->location, encoded ? s->sidecar : s->entry,
                               encoded ? s->codings[s->coding_index] : CODING_IDENTITY,
                               s->found_codings != 0, s->name);
    if (r > 0) {
        http_static_begin_error(x, r);
        return GO_ON;
    }
    return r == 0 ? HTTP_STATIC_DONE : HTTP_STATIC_ROOM;
}

/* Looks for the configured page of s->status. */
static enum http_static_result step_error(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *from = s->location;
    const char *uri = NULL;
    for (size_t i = 0; from != NULL && i < from->error_pages_count && uri == NULL; i++)
        if (from->error_pages[i].status == s->status)
            uri = from->error_pages[i].uri;
    set_entry(&s->entry, NULL);
    s->step = STEP_RESPOND_ERROR;
    if (uri == NULL || strlen(uri) >= sizeof(x->try_text))
        return GO_ON;
    memcpy(x->try_text, uri, strlen(uri));
    s->uri = span_make(x->try_text, strlen(uri));
    const struct location *location = http_location_find(x->server, s->uri);
    if (location != NULL && location->root != NULL && map_path(location, s->uri, &s->name)) {
        s->location = location;
        s->step = STEP_ERROR_FILE;
    }
    return GO_ON;
}

static enum http_static_result step_error_file(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    struct file_entry *entry = look_up(x, s->name);
    if (entry == NULL)
        return GO_ON;
    if (entry->error == 0 && entry->meta.kind == FILE_REGULAR)
        set_entry(&s->entry, entry);
    else
        file_entry_unref(entry);
    s->step = STEP_RESPOND_ERROR;
    return GO_ON;
}

static enum http_static_result step_respond_error(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    bool done = s->entry != NULL && s->entry->error == 0 && s->entry->meta.kind == FILE_REGULAR
                    ? http_response_error_file(x, s->location, s->status, s->entry, s->name)
                    : http_response_error(x, s->location, s->status);
    return done ? HTTP_STATIC_DONE : HTTP_STATIC_ROOM;
}

static enum http_static_result run_step(struct http_exchange *x)
{
    switch ((enum step)x->search.step) {
    case STEP_REDIRECT:
        return step_redirect(x);
    case STEP_TRY:
        return step_try(x);
    case STEP_DIRECTORY_REDIRECT:
        return step_directory_redirect(x);
    case STEP_INDEX:
        return step_index(x);
    case STEP_LIST:
        return step_list(x);
    case STEP_SIDECAR_PROBE:
        return step_sidecar_probe(x);
    case STEP_SIDECAR:
        return step_sidecar(x);
    case STEP_RESPOND:
        return step_respond(x);
    case STEP_ERROR:
        return step_error(x);
    case STEP_ERROR_FILE:
        return step_error_file(x);
    case STEP_RESPOND_ERROR:
        return step_respond_error(x);
    }
    UNREACHABLE();
}

enum http_static_result http_static_run(struct http_exchange *x)
{
    for (;;) {
        enum http_static_result result = run_step(x);
        if (result == HTTP_STATIC_JOB && x->job_state != HTTP_JOB_WANTED)
            continue;
        if (result == HTTP_STATIC_DONE) {
            CHECK(x->job_state == HTTP_JOB_NONE);
            http_static_end(x);
        }
        return result;
    }
}

void http_static_end(struct http_exchange *x)
{
    set_entry(&x->search.entry, NULL);
    set_entry(&x->search.sidecar, NULL);
    set_entry(&x->search.opened, NULL);
    set_root(&x->search.root, NULL);
    x->search.location = NULL;
    x->search.step = STEP_TRY;
}

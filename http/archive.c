/* archive.c: the step of the search that answers with a directory as one file. See search.h.
 *
 * It is walked by jobs, a slice each, and made by jobs while it is sent (core/archive.h). A tar has
 * ranges: what each octet is follows from the walk. A zip has none, since its records hold
 * checksums of all that comes before. */
#include "http/search.h"

#include "core/archive.h"
#include "core/check.h"
#include "core/decimal.h"
#include "core/log_repeat.h"
#include "http/condition.h"
#include "http/listing.h"
#include "http/listing_text.h"
#include "http/range.h"
#include "http/response.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_MAX = 255 }; /* octets of the folder that names lie in */

static enum http_static_result fail(struct http_exchange *x, int error)
{
    struct http_static *s = &x->search;
    http_listing_free(s->listing);
    s->listing = NULL;
    if ((error == EMFILE || error == ENFILE) && http_env_reclaim(x->env) > 0)
        return HTTP_STATIC_NEXT; /* it is wanted once more */
    if (error == EFBIG && log_is_due(&x->env->listing_log_ms, x->env->clock->now_ms))
        log_error("directory %.*s is too large for an archive: archive_entries_max = %u, "
                  "archive_bytes_max = %llu, %d levels",
                  (int)s->uri.len, s->uri.ptr, x->env->config->limits.archive_entries_max,
                  (unsigned long long)x->env->config->limits.archive_bytes_max, ARCHIVE_DEPTH_MAX);
    http_static_begin_error(x, error == EFBIG ? 503 : http_search_status(error));
    return HTTP_STATIC_NEXT;
}

/* The last segment of the path, or "files" for the root: the folder that names lie in. */
static struct span top_of(struct span uri)
{
    size_t end = uri.len > 0 ? uri.len - 1 : 0, begin = end;

    while (begin > 0 && uri.ptr[begin - 1] != '/')
        begin--;
    return end > begin ? span_make(uri.ptr + begin, end - begin) : SPAN_LIT("files");
}

static bool is_tar(const struct http_exchange *x)
{
    return http_listing_form(x->search.listing)->as_tar;
}

static void want_more(struct http_exchange *x)
{
    file_job_init_make(&x->job, http_listing_source(x->search.listing), NULL, 0);
    x->job.remote = http_listing_form(x->search.listing)->remote;
    x->job_state = HTTP_JOB_WANTED;
}

enum http_static_result http_archive_begin(struct http_exchange *x)
{
    const struct location *location = x->search.location;
    const struct http_limits *limits = &x->env->config->limits;
    struct span top = top_of(x->search.uri);
    char name[TOP_MAX + 1];
    struct archive *archive = NULL;
    if (top.len > TOP_MAX)
        return fail(x, ENAMETOOLONG);
    memcpy(name, top.ptr, top.len);
    name[top.len] = '\0';
    const struct archive_wish wish = {
        .kind = is_tar(x) ? ARCHIVE_TAR : ARCHIVE_ZIP,
        .root_fd = x->search.root->fd,
        .path = x->path,
        .top = name,
        .symlinks = location->symlinks,
        .dotfiles = location->dotfiles,
        .exclude = location->autoindex_exclude,
        .exclude_count = location->autoindex_exclude_count,
        .entries_max = limits->archive_entries_max,
        .bytes_max = limits->archive_bytes_max,
    };
    int r = archive_create(&wish, &archive);
    if (r == -ENOMEM)
        log_fault("no memory for an archive; the answer is 503", ENOMEM);
    if (r < 0)
        return fail(x, -r);
    http_listing_set_archive(x->search.listing, archive);
    want_more(x);
    return HTTP_STATIC_NEXT;
}

/* The fields of its head, but for its length. */
static size_t put_fields(struct http_exchange *x, struct span etag, const struct http_range *range,
                         uint64_t whole, char *mem, size_t size)
{
    struct listing_text t = { .kind = LISTING_FILLS, .ptr = mem, .cap = size };
    const char *extension = is_tar(x) ? "tar" : "zip";
    char text[128];

    listing_put_str(&t, is_tar(x) ? "Content-Type: application/x-tar\r\n"
                                  : "Content-Type: application/zip\r\n");
    listing_put_str(&t, "Content-Disposition: attachment; filename=\"download.");
    listing_put_str(&t, extension);
    listing_put_str(&t, "\"; filename*=UTF-8''");
    listing_put_link(&t, top_of(x->search.uri));
    listing_put_str(&t, ".");
    listing_put_str(&t, extension);
    listing_put_str(&t, "\r\nETag: ");
    listing_put(&t, etag.ptr, etag.len);
    listing_put_str(&t, is_tar(x) ? "\r\nAccept-Ranges: bytes\r\n" : "\r\nAccept-Ranges: none\r\n");
    if (range != NULL)
        listing_put(&t, text,
                    (size_t)snprintf(text, sizeof(text),
                                     "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
                                     range->first, range->last, whole));
    CHECK(!t.failed);
    return t.len;
}

/* What a Range field asks for of a tar: 200, 206 and one range, or 416. Of several the whole is
 * sent.
 */
static int find_range(struct http_exchange *x, const struct http_validators *validators,
                      uint64_t whole, struct http_range *ret_range)
{
    struct http_range ranges[1];
    enum http_range_result result;
    size_t count = 0;

    if (!is_tar(x) || !http_request_has(&x->request, HTTP_FIELD_RANGE) ||
        x->request.method != HTTP_GET || (x->request.repeated >> HTTP_FIELD_RANGE & 1) != 0 ||
        x->env->config->limits.ranges_max == 0 ||
        !http_condition_range_allowed(&x->request, validators, x->env->clock->wall_s))
        return 200;
    result = http_range_parse(http_request_field(&x->request, HTTP_FIELD_RANGE), whole, 1, ranges,
                              &count);
    if (result == HTTP_RANGE_PARTIAL)
        *ret_range = ranges[0];
    return result == HTTP_RANGE_PARTIAL ? 206 : result == HTTP_RANGE_UNSATISFIABLE ? 416 : 200;
}

static enum http_static_result respond(struct http_exchange *x)
{
    struct http_listing *listing = x->search.listing;
    struct archive *archive = http_listing_archive(listing);
    uint64_t whole = archive_len(archive);
    struct http_range range = { 0, whole - 1 };
    char etag[32], fields[1024];
    size_t etag_len = (size_t)snprintf(etag, sizeof(etag), "\"%s-%016" PRIx64 "\"",
                                       is_tar(x) ? "t" : "z", archive_hash(archive));
    const struct http_validators validators = { .etag = span_make(etag, etag_len) };
    int status = 0;

    switch (http_condition_evaluate(&x->request, &validators, x->env->clock->wall_s)) {
    case HTTP_CONDITION_NOT_MODIFIED:
        status = 304;
        break;
    case HTTP_CONDITION_FAILED:
        status = 412;
        break;
    case HTTP_CONDITION_PASS:
        status = find_range(x, &validators, whole, &range);
        break;
    }
    if (status == 412 || status == 416) {
        if (status == 416)
            snprintf(x->extra, sizeof(x->extra), "Content-Range: bytes */%" PRIu64 "\r\n", whole);
        http_listing_free(listing);
        x->search.listing = NULL;
        http_static_begin_error(x, status);
        return HTTP_STATIC_NEXT;
    }
    size_t len = put_fields(x, validators.etag, status == 206 ? &range : NULL, whole, fields,
                            sizeof(fields));
    if (status == 206 && range.first > 0)
        archive_seek(archive, range.first);
    x->search.listing = NULL;
    http_response_made(x, x->search.location, status, span_make(fields, len), listing,
                       range.last - range.first + 1);
    return HTTP_STATIC_DONE;
}

enum http_static_result http_archive_done(struct http_exchange *x)
{
    struct http_listing *listing = x->search.listing;
    if (x->job.res < 0)
        return fail(x, -x->job.res);
    if (http_listing_is_too_much(x, archive_size(http_listing_archive(listing))))
        return fail(x, ENOMEM);
    if (x->job.res == 0)
        return respond(x);
    want_more(x);
    return HTTP_STATIC_NEXT;
}

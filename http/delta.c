/* delta.c: a step of the search: a client that has a dictionary gets what lies beside the file for
 * it (RFC 9842, core/delta.h). See search.h.
 *
 * A delta is looked for by the hash that the request brings, and what is found is believed once its
 * head has been looked at: that is part of a small file that was read whole, and is read by a job
 * otherwise, once for an entry of the cache. Where anything is missing the search goes on with
 * sidecars, so whoever asks wrongly gets what everybody gets. */
#include "http/delta.h"

#include "core/check.h"
#include "core/delta.h"
#include "core/list.h"
#include "http/available_dictionary.h"
#include "http/cors.h"
#include "http/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 4096 /* open(2), O_DIRECT */ };

/* Of an entry of the cache; 0 at first. */
enum delta_state { DELTA_UNKNOWN, DELTA_RIGHT, DELTA_WRONG };

/* A look at the head of a file that is not in memory. */
struct delta_probe {
    struct file_source source;
    struct file_entry *entry; /* a reference */
    uint8_t head[DELTA_HEAD_MAX];
    size_t len;
};

/* Executed by whoever does the job: touches the probe alone. A whole block is asked for, since
 * O_DIRECT takes nothing else. */
static int probe_read(struct file_source *source, void *mem, size_t len)
{
    struct delta_probe *probe = container_of(source, struct delta_probe, source);
    char *block = aligned_alloc(ALIGNMENT, ALIGNMENT);
    ssize_t n;

    CHECK(mem == NULL && len == 0);
    if (block == NULL)
        return -ENOMEM;
    n = file_pread(probe->entry->fd, block, ALIGNMENT, 0);
    if (n > 0) {
        probe->len = n < DELTA_HEAD_MAX ? (size_t)n : DELTA_HEAD_MAX;
        memcpy(probe->head, block, probe->len);
    }
    free(block);
    return n < 0 ? (int)n : 0;
}

void http_delta_drop(struct http_exchange *x)
{
    file_entry_unref(x->search.delta_probe->entry);
    free(x->search.delta_probe);
    x->search.delta_probe = NULL;
}

static enum delta_format format_of(enum coding coding)
{
    return coding == CODING_DCB ? DELTA_DCB : DELTA_DCZ;
}

uint16_t http_delta_recipe(const struct file_entry *entry)
{
    const char *digits;
    unsigned value = 0;

    CHECK(delta_name_is(entry->node.name.path));
    digits = entry->path + entry->node.name.path.len - DELTA_SUFFIX_LEN + 1;
    for (size_t i = 0; i < 4; i++)
        value = value << 4 | (unsigned)(digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
    return (uint16_t)(value != 0 ? value : 1);
}

/* May a script of another origin read the answer, if that is who asks? What it cannot read must not
 * get a length that tells what another file holds (RFC 9842 section 9.3.3). */
static bool is_readable(const struct http_exchange *x)
{
    const struct location *location = x->search.location;
    struct span site = http_request_named(&x->request, SPAN_LIT("sec_fetch_site"));
    struct span mode = http_request_named(&x->request, SPAN_LIT("sec_fetch_mode"));
    struct span origin = http_request_field(&x->request, HTTP_FIELD_ORIGIN);

    if (site.len == 0 || span_eq(site, SPAN_LIT("same-origin")) || mode.len == 0 ||
        span_eq(mode, SPAN_LIT("navigate")) || span_eq(mode, SPAN_LIT("same-origin")))
        return true;
    if (!span_eq(mode, SPAN_LIT("cors")) || location->cors_count == 0 || origin.len == 0 ||
        (x->request.repeated >> HTTP_FIELD_ORIGIN & 1) != 0)
        return false;
    return strcmp(location->cors[0], "*") == 0 || http_cors_allows(location, origin);
}

/* Is nobody between here and the client who might not know what a delta is (RFC 9842 section 8)? */
static bool is_secure(const struct http_exchange *x)
{
    return x->secure || x->proxied || x->from_proxy || peer_is_local(x->peer);
}

/* The codings that the client likes best among those that it can have, in s->codings; none without
 * a dictionary. */
static void order_codings(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    const struct location *location = s->location;
    struct http_codings codings;
    struct span value;
    uint32_t cursor = 0;

    http_codings_init(&codings);
    while (http_request_field_next(&x->request, HTTP_FIELD_ACCEPT_ENCODING, &cursor, &value))
        http_codings_parse(&codings, value);
    s->codings_count = (uint8_t)http_codings_order(
        &codings, location->deltas | location->precompressed | location->compress, s->codings);
    s->coding_index = 0;
    s->codings_ordered = true;
}

/* Goes on as if the client had no dictionary. */
static enum http_static_result do_without(struct http_exchange *x)
{
    x->search.codings_ordered = false;
    x->search.step = HTTP_SEARCH_SIDECAR_PROBE;
    return HTTP_STATIC_NEXT;
}

/* The name of the delta, in x->path. False: it would be too long. */
static bool put_path(struct http_exchange *x, enum coding coding, const uint8_t *hash,
                     struct span *ret_path)
{
    struct http_static *s = &x->search;

    if (s->name.len + DELTA_SUFFIX_LEN >= HTTP_PATH_MAX)
        return false;
    if (s->name.ptr != x->path) {
        memcpy(x->path, s->name.ptr, s->name.len);
        s->name.ptr = x->path;
    }
    delta_suffix_put(format_of(coding), hash, x->path + s->name.len);
    *ret_path = span_make(x->path, s->name.len + DELTA_SUFFIX_LEN);
    return true;
}

/* Is it one that may be sent? A delta that is older than its file may be one of what that was
 * before. */
static bool may_be_delta(const struct file_entry *file, const struct file_entry *delta)
{
    return file_entry_is_file(delta) && delta->delta != DELTA_WRONG &&
           delta->meta.mtime_s >= file->meta.mtime_s;
}

static void judge(struct file_entry *entry, enum coding coding, const uint8_t *hash,
                  const void *octets, size_t len)
{
    bool right = delta_head_is(format_of(coding), hash, octets, len, entry->meta.size);

    entry->delta = right ? DELTA_RIGHT : DELTA_WRONG;
}

/* Has the head of the file read. */
static enum http_static_result want_head(struct http_exchange *x, struct file_entry *entry)
{
    struct delta_probe *probe = calloc(1, sizeof(*probe));

    if (probe == NULL) {
        file_entry_unref(entry);
        return do_without(x);
    }
    probe->source.read = probe_read;
    probe->entry = entry;
    x->search.delta_probe = probe;
    http_search_set(&x->search.opened, NULL);
    file_job_init_make(&x->job, &probe->source, NULL, 0);
    x->job.remote = entry->meta.remote;
    x->job_state = HTTP_JOB_WANTED;
    return HTTP_STATIC_NEXT;
}

/* The head has been read. */
static void head_done(struct http_exchange *x, enum coding coding, const uint8_t *hash)
{
    const struct delta_probe *probe = x->search.delta_probe;

    x->job_state = HTTP_JOB_NONE;
    if (x->job.res == 0)
        judge(probe->entry, coding, hash, probe->head, probe->len);
    else
        x->search.coding_index++; /* not at this moment */
    http_delta_drop(x);
}

/* Looks for the delta in one coding, and at it. NEXT with `*ret_passed`: it is not there. */
static enum http_static_result look(struct http_exchange *x, enum coding coding,
                                    const uint8_t *hash, bool *ret_passed)
{
    struct http_static *s = &x->search;
    struct file_entry *entry;
    struct span path;

    if (!put_path(x, coding, hash, &path)) {
        *ret_passed = true;
        return HTTP_STATIC_NEXT;
    }
    entry = http_search_look_up(x, path);
    if (entry == NULL)
        return HTTP_STATIC_NEXT;
    if (may_be_delta(s->entry, entry) && entry->delta == DELTA_UNKNOWN) {
        if (entry->content == NULL && entry->meta.size > 0)
            return want_head(x, entry);
        judge(entry, coding, hash, entry->content,
              entry->content != NULL ? (size_t)entry->meta.size : 0);
    }
    if (may_be_delta(s->entry, entry)) {
        http_search_set(&s->sidecar, entry);
        s->step = HTTP_SEARCH_RESPOND;
        return HTTP_STATIC_NEXT;
    }
    file_entry_unref(entry);
    *ret_passed = true;
    return HTTP_STATIC_NEXT;
}

enum http_static_result http_delta_choose(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    uint8_t hash[DELTA_HASH_SIZE];

    if (s->entry->error != 0 || (x->request.repeated >> HTTP_FIELD_AVAILABLE_DICTIONARY & 1) != 0 ||
        !http_available_dictionary_parse(
            http_request_field(&x->request, HTTP_FIELD_AVAILABLE_DICTIONARY), hash) ||
        !is_secure(x) || !is_readable(x))
        return do_without(x);
    if (!s->codings_ordered)
        order_codings(x);
    if (x->job_state == HTTP_JOB_DONE)
        head_done(x, s->codings[s->coding_index], hash);
    while (s->coding_index < s->codings_count) {
        enum coding coding = s->codings[s->coding_index];
        bool passed = false;
        enum http_static_result result;

        if ((s->location->deltas & 1u << coding) == 0)
            break; /* the client likes better what has no dictionary */
        result = look(x, coding, hash, &passed);
        if (!passed)
            return result;
        s->coding_index++;
    }
    return do_without(x);
}

/* decompress.c: a step of the search: where a file is there as sidecars alone, and the client takes
 * none of their codings, what one of them holds is sent. See search.h.
 *
 * It is made as compress.c has it: by jobs, whole, once, and kept beside what was compressed. So an
 * answer has a length, a tag and ranges, and never begins with octets of a sidecar that turns out
 * to be damaged. What is longer than decompress_max is not found, as it would be without this step.
 */
#include "http/search.h"

#include "core/check.h"
#include "core/log_repeat.h"
#include "http/decompressor.h"

#include <errno.h>

/* The sidecars by what they take to read, the least first. */
static const enum coding by_cost[] = { CODING_ZSTD, CODING_GZIP, CODING_BR };

/* The coding of the sidecar to read; CODING_IDENTITY: none. */
static enum coding choose(const struct http_exchange *x)
{
    for (size_t i = 0; i < ARRAY_LEN(by_cost); i++)
        if ((x->search.found_codings & 1u << by_cost[i]) != 0 &&
            decompressor_find(by_cost[i]) != NULL)
            return by_cost[i];
    return CODING_IDENTITY;
}

bool http_decompress_can(const struct http_exchange *x)
{
    return x->env->config->limits.decompress_max > 0 && choose(x) != CODING_IDENTITY;
}

/* The sidecar will not do. */
static enum http_static_result do_without(struct http_exchange *x, enum coding coding)
{
    http_compress_drop(x);
    http_search_set(&x->search.sidecar, NULL);
    x->search.found_codings &= (uint8_t) ~(1u << coding);
    if (!http_decompress_can(x))
        x->search.step = HTTP_SEARCH_NOT_FOUND;
    return HTTP_STATIC_NEXT;
}

static enum http_static_result fail(struct http_exchange *x, int status)
{
    http_compress_drop(x);
    http_search_set(&x->search.sidecar, NULL);
    http_static_begin_error(x, status);
    return HTTP_STATIC_NEXT;
}

/* A sidecar that cannot be read: `what` is wrong with it. At most one line a second tells which.
 * What `try` has behind it may still be the answer: "/backup" is perhaps not what backup.gz holds,
 * but backup.html; but where nothing else is, it is not said that there is nothing. */
static enum http_static_result pass_damaged(struct http_exchange *x, enum coding coding,
                                            const char *what)
{
    struct http_env *env = x->env;
    struct span path = http_sidecar_path(x, coding);

    if (log_is_due(&env->decompress_log_ms, env->clock->now_ms))
        log_error("%.*s %s; who does not take %.*s gets what else there is, or 500", (int)path.len,
                  path.ptr, what, (int)http_coding_name(coding).len, http_coding_name(coding).ptr);
    x->search.damaged = true;
    return do_without(x, coding);
}

static enum http_static_result too_large(struct http_exchange *x, enum coding coding)
{
    struct http_env *env = x->env;
    struct span path = http_sidecar_path(x, coding);

    if (log_is_due(&env->decompress_log_ms, env->clock->now_ms))
        log_warn("%.*s holds more than decompress_max = %u bytes; who does not take %.*s is "
                 "answered 404",
                 (int)path.len, path.ptr, env->config->limits.decompress_max,
                 (int)http_coding_name(coding).len, http_coding_name(coding).ptr);
    return do_without(x, coding);
}

/* A slice is done, perhaps the last one. */
static enum http_static_result slice_done(struct http_exchange *x, enum coding coding)
{
    struct http_static *s = &x->search;
    enum compression_end end;
    int error = 0;

    x->job_state = HTTP_JOB_NONE;
    if (x->job.res == 1)
        return http_compress_want_slice(x);
    if (x->job.res < 0) /* nobody could execute it */
        return fail(x, 503);
    end = compression_end(s->compression, &error);
    s->made = compress_cache_store(x->env->compressed, s->compression);
    s->compression = NULL;
    switch (end) {
    case COMPRESSION_MADE:
        s->step = HTTP_SEARCH_RESPOND;
        return s->made != NULL ? HTTP_STATIC_NEXT : fail(x, 503);
    case COMPRESSION_USELESS:
        return too_large(x, coding);
    case COMPRESSION_CHANGED: /* it is looked for anew */
        file_entry_forget(s->sidecar);
        http_search_set(&s->sidecar, NULL);
        return ++s->lookups_untrue < 8 ? HTTP_STATIC_NEXT : fail(x, 503);
    case COMPRESSION_FAILED:
        break;
    }
    if (error == EBADMSG)
        return pass_damaged(x, coding, "is damaged");
    return error == ENOMEM ? fail(x, 503) : pass_damaged(x, coding, "cannot be read");
}

enum http_static_result http_decompress_choose(struct http_exchange *x)
{
    struct http_static *s = &x->search;
    enum coding coding = choose(x);

    CHECK(coding != CODING_IDENTITY);
    if (x->job_state == HTTP_JOB_DONE)
        return slice_done(x, coding);
    CHECK(s->made == NULL && s->compression == NULL);
    if (s->sidecar == NULL) {
        struct file_entry *entry = http_search_look_up(x, http_sidecar_path(x, coding));

        if (entry == NULL)
            return HTTP_STATIC_NEXT;
        http_search_set(&s->sidecar, entry);
    }
    if (!file_entry_is_file(s->sidecar)) /* gone since it was probed */
        return do_without(x, coding);
    if (s->sidecar->meta.size == 0)
        return pass_damaged(x, coding, "is empty");
    s->made_coding = CODING_IDENTITY;
    switch (compress_cache_find_content(x->env->compressed, s->sidecar, decompressor_find(coding),
                                        x->env->config->limits.decompress_max,
                                        http_out_empty(&x->out), &s->made, &s->compression)) {
    case COMPRESS_READY:
        s->step = HTTP_SEARCH_RESPOND;
        return HTTP_STATIC_NEXT;
    case COMPRESS_PLAIN:
        return too_large(x, coding);
    case COMPRESS_BUSY:
        return fail(x, 503);
    case COMPRESS_MAKING:
        return http_compress_want_slice(x);
    case COMPRESS_MISSING: /* earlier answers go first */
        return HTTP_STATIC_ROOM;
    }
    UNREACHABLE();
}

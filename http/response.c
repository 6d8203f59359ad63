/* response.c: composes answers. See response.h. Multipart answers: multipart.c. */
#include "http/response.h"

#include "core/check.h"
#include "config/config_text.h"
#include "core/decimal.h"
#include "http/condition.h"
#include "http/access.h"
#include "http/answer_fields.h"
#include "http/disposition.h"
#include "http/early_hints.h"
#include "http/fields.h"
#include "http/mix.h"
#include "http/multipart.h"
#include "http/request_id.h"
#include "http/status.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With an empty queue every answer fits, but for the Location field of a long target (414). */
static_assert(2 * CONFIG_FIELD_VALUE_MAX + HTTP_MIX_FIELDS_MAX + HTTP_HEAD_END_MAX +
                      2 * CONFIG_EARLY_HINTS_SIZE_MAX + HTTP_DISPOSITION_MAX + HTTP_COPY_MAX +
                      2048 <=
                  HTTP_OUT_SIZE,
              "the longest head, with a body that is copied, must fit");

enum {
    CONDITIONAL_FIELDS = 1 << HTTP_FIELD_IF_MATCH | 1 << HTTP_FIELD_IF_NONE_MATCH |
                         1 << HTTP_FIELD_IF_MODIFIED_SINCE | 1 << HTTP_FIELD_IF_UNMODIFIED_SINCE
};

/* What ends a head: the Connection field where one is due (RFC 9112 section 9.3), and the empty
 * line. */
static inline struct span connection_end(const struct http_exchange *x)
{
    if (!x->keep_alive)
        return SPAN_LIT("Connection: close\r\n\r\n");
    if (x->request.version_minor == 0)
        return SPAN_LIT("Connection: keep-alive\r\n\r\n");
    return SPAN_LIT("\r\n");
}

/* Likewise, behind the fields that hang on the request, and its id. `varies`: the head has a Vary
 * line already, where one is due. */
static struct span fields_and_end(struct http_exchange *x, bool varies)
{
    bool tells_id = (x->env->needs & ACCESS_NEEDS_ID_SENT) != 0;
    struct span texts[] = { tells_id ? SPAN_LIT("X-Request-Id: ") : SPAN_LIT(""),
                            tells_id ? http_request_id(x) : SPAN_LIT(""),
                            tells_id ? SPAN_LIT("\r\n") : SPAN_LIT(""), connection_end(x) };
    char *const begin = x->env->head_end, *const end = begin + sizeof(x->env->head_end);
    char *out = begin + http_answer_fields_put(x, varies, begin, sizeof(x->env->head_end));

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK(texts[i].len <= (size_t)(end - out));
        memcpy(out, texts[i].ptr, texts[i].len);
        out += texts[i].len;
    }
    return span_make(begin, (size_t)(out - begin));
}

static inline struct span head_end(struct http_exchange *x, bool varies)
{
    return (x->env->needs & (ACCESS_NEEDS_ID_SENT | HTTP_NEEDS_ANSWER_FIELDS)) != 0
               ? fields_and_end(x, varies)
               : connection_end(x);
}

/* What was put of an answer, for the access log. */
static bool keep_sent(struct http_exchange *x, const struct span *texts, size_t count)
{
    size_t len = 0;

    /* A 103 in front is none of it. */
    bool interim = texts[0].len > 12 && memcmp(texts[0].ptr, "HTTP/1.1 103", 12) == 0;
    for (size_t i = interim; i < count; i++)
        len += texts[i].len;
    http_access_keep_sent(x, span_make(x->out.memory.data + x->out.memory.end - len, len));
    return true;
}

/* Puts a head, and what is copied behind it. */
static inline bool put_head(struct http_exchange *x, const struct span *texts, size_t count)
{
    if (!http_out_put(&x->out, texts, count))
        return false;
    return (x->env->needs & ACCESS_NEEDS_SENT) == 0 || keep_sent(x, texts, count);
}

/* Fields of an answer that is no file, at a location where they hang on the path asked for; before
 * that is known, and where they cannot be told, those of the location. */
static struct span fields_by_path(const struct http_exchange *x, const struct location *location,
                                  bool error, bool own_page)
{
    const struct http_mix *mix = NULL;

    if (x->target.path.len == 0 ||
        http_mix_find(x->env, location, x->target.path, span_make("", 0), &mix) < 0)
        return own_page && location->policy_is_preset
                   ? http_answer_fields_of_own_page(x->env, location)
                   : x->env->location_fields[location->id];
    if (own_page)
        return error ? mix->own_errors : mix->own_success;
    return error ? mix->errors : mix->success;
}

static struct span location_fields(const struct http_exchange *x, const struct location *location,
                                   int status)
{
    if (location == NULL)
        return span_make("", 0);
    return location->has_fields ? fields_by_path(x, location, status >= 400, false)
                                : x->env->location_fields[location->id];
}

/* Likewise, of a page that the server makes itself. */
static struct span own_page_fields(const struct http_exchange *x, const struct location *location,
                                   int status)
{
    if (location != NULL && location->has_fields)
        return fields_by_path(x, location, status >= 400, true);
    return location != NULL && location->policy_is_preset
               ? http_answer_fields_of_own_page(x->env, location)
               : location_fields(x, location, status);
}

/* After the answer is queued, body and all. */
static void set_status(struct http_exchange *x, int status, uint64_t body_len)
{
    x->status = status;
    x->body_len = x->body_omitted ? 0 : body_len;
    x->body_start = x->out.queued - x->body_len;
}

/* Puts a head of ready-made texts and `len` octets at `off` of the entry as its body. */
static bool put_with_content(struct http_exchange *x, struct span *texts, size_t count,
                             struct file_entry *entry, uint64_t off, uint64_t len)
{
    struct http_out *out = &x->out;
    if (x->body_omitted || len == 0)
        return put_head(x, texts, count);
    if (entry->content != NULL && len <= HTTP_COPY_MAX) {
        texts[count++] = span_make(entry->content + off, len);
        return put_head(x, texts, count);
    }
    if (http_out_segments_free(out) < 3 || !put_head(x, texts, count))
        return false;
    if (entry->content != NULL)
        http_out_add_content(out, entry, off, len);
    else
        http_out_add_file(out, entry, off, len);
    return true;
}

/* The mix for the file that is sent; NULL: the location has none. */
static const struct http_mix *mix_of_file(struct http_exchange *x, const struct location *location)
{
    const struct http_mix *mix = NULL;
    char text[HTTP_URL_MAX];

    if (!location->has_fields ||
        http_mix_find(x->env, location, x->target.path,
                      http_fields_path(location, x->search.name, text), &mix) < 0)
        return NULL;
    return mix;
}

/* The 103 that goes before them, if one does. */
static struct span interim(struct http_exchange *x, const struct location *location,
                           const struct file_fields *fields)
{
    const struct http_mix *mix;

    if (!fields->hints)
        return http_early_hints_interim(x, location);
    mix = http_early_hints_wanted(x) ? mix_of_file(x, location) : NULL;
    return mix != NULL ? mix->hints : span_make("", 0);
}

/* `location`: whose fields they are. */
static bool respond_whole(struct http_exchange *x, const struct location *location,
                          struct file_entry *entry, const struct file_fields *fields)
{
    uint64_t size = entry->meta.size;
    struct span texts[6] = { { NULL, 0 }, /* for a 103 */
                             http_status_line(200),
                             http_env_stamp(x->env),
                             span_make(fields->text, fields->len),
                             head_end(x, true) };
    struct span *first = &texts[1];
    if (fields->hinted || fields->hints) {
        texts[0] = interim(x, location, fields);
        first -= texts[0].len > 0;
    }
    if (!put_with_content(x, first, (size_t)(&texts[5] - first), entry, 0, size))
        return false;
    set_status(x, 200, size);
    return true;
}

static bool respond_not_modified(struct http_exchange *x, const struct file_fields *fields)
{
    struct span texts[] = { http_status_line(304), http_env_stamp(x->env),
                            span_make(fields->text + fields->representation_len,
                                      fields->len - fields->representation_len),
                            head_end(x, true) };
    if (!put_head(x, texts, ARRAY_LEN(texts)))
        return false;
    set_status(x, 304, 0);
    return true;
}

/* One range (RFC 9110 section 15.3.7.1). The type and coding lines are those of the whole, in front
 * of its Content-Length line. */
static bool respond_range(struct http_exchange *x, struct file_entry *entry,
                          const struct file_fields *fields, const struct http_range *range)
{
    uint64_t len = range->last - range->first + 1;
    const char *length_line =
        memmem(fields->text, fields->representation_len, "\r\nContent-Length: ", 18);
    CHECK(length_line != NULL);
    struct decimal room[4];
    struct span texts[] = { http_status_line(206),
                            http_env_stamp(x->env),
                            span_make(fields->text, (size_t)(length_line + 2 - fields->text)),
                            SPAN_LIT("Content-Length: "),
                            decimal_text(len, &room[0]),
                            SPAN_LIT("\r\nAccept-Ranges: bytes\r\nContent-Range: bytes "),
                            decimal_text(range->first, &room[1]),
                            SPAN_LIT("-"),
                            decimal_text(range->last, &room[2]),
                            SPAN_LIT("/"),
                            decimal_text(entry->meta.size, &room[3]),
                            SPAN_LIT("\r\n"),
                            span_make(fields->text + fields->representation_len,
                                      fields->len - fields->representation_len),
                            head_end(x, true),
                            { NULL, 0 } }; /* for the content */
    if (!put_with_content(x, texts, ARRAY_LEN(texts) - 1, entry, range->first, len))
        return false;
    set_status(x, 206, len);
    return true;
}

/* Several ranges; takes `ranges`, from env->ranges, if it returns true. */
static bool respond_multipart(struct http_exchange *x, const struct location *location,
                              struct file_entry *entry, const struct file_fields *fields,
                              struct span name, struct http_range *ranges, size_t count)
{
    if (!http_out_empty(&x->out))
        return false;
    struct http_multipart *m = &x->multipart;
    const struct http_mix *mix = mix_of_file(x, location);
    struct span type =
        mix != NULL && mix->type.len > 0 ? mix->type : mime_find(x->env->mime, location, name);
    char charset[64];
    http_multipart_begin(m, x->env->ranges, ranges, count, entry, type,
                         http_fields_charset(location, type, charset).len > 0 ? location->charset
                                                                              : "",
                         x->env->boundaries++);
    const char *coding =
        memmem(fields->text, fields->representation_len, "\r\nContent-Encoding: ", 20);
    size_t coding_len = 0;
    if (coding != NULL) {
        coding += 2;
        coding_len = (size_t)((const char *)memchr(coding, '\n', fields->len) - coding) + 1;
    }
    char boundary[16];
    struct decimal room;
    uint64_t len = http_multipart_length(m);
    struct span texts[] = { http_status_line(206),
                            http_env_stamp(x->env),
                            SPAN_LIT("Content-Type: multipart/byteranges; boundary="),
                            http_multipart_boundary(m, boundary),
                            SPAN_LIT("\r\nContent-Length: "),
                            decimal_text(len, &room),
                            SPAN_LIT("\r\nAccept-Ranges: bytes\r\n"),
                            span_make(coding, coding_len),
                            span_make(fields->text + fields->representation_len,
                                      fields->len - fields->representation_len),
                            head_end(x, true) };
    MUST(put_head(x, texts, ARRAY_LEN(texts)));
    set_status(x, 206, len);
    x->body_start = x->out.queued; /* no part is queued yet */
    if (x->body_omitted)
        http_multipart_end(m);
    else
        http_response_more_parts(x);
    return true;
}

/* What the Range field asks for: the whole, one range, several, or none that exists (416). */
static int respond_ranges(struct http_exchange *x, const struct location *location,
                          struct file_entry *entry, const struct file_fields *fields,
                          struct span name)
{
    struct pool *pool = x->env->ranges;
    struct http_range *ranges = pool_get(pool);
    enum http_range_result result = HTTP_RANGE_NONE;
    size_t count = 0;
    bool done = false;
    if (ranges != NULL) /* else the whole is as good an answer (RFC 9110 section 14.2) */
        result =
            http_range_parse(http_request_field(&x->request, HTTP_FIELD_RANGE), entry->meta.size,
                             x->env->config->limits.ranges_max, ranges, &count);
    if (result == HTTP_RANGE_PARTIAL && count > 1) {
        done = respond_multipart(x, location, entry, fields, name, ranges, count);
        if (!done)
            pool_put(pool, ranges);
        return done ? 0 : -ENOBUFS;
    }
    if (result == HTTP_RANGE_PARTIAL)
        done = respond_range(x, entry, fields, &ranges[0]);
    else if (result == HTTP_RANGE_NONE)
        done = respond_whole(x, location, entry, fields);
    if (ranges != NULL)
        pool_put(pool, ranges);
    if (result == HTTP_RANGE_UNSATISFIABLE) {
        snprintf(x->extra, sizeof(x->extra), "Content-Range: bytes */%llu\r\n",
                 (unsigned long long)entry->meta.size);
        return 416;
    }
    return done ? 0 : -ENOBUFS;
}

int http_response_file(struct http_exchange *x, const struct location *location,
                       struct file_entry *entry, enum coding coding, bool vary, struct span name)
{
    const struct file_fields *fields = NULL;
    int status =
        http_fields_get(x->env, entry, location, coding, vary, name, x->target.path, &fields);
    if (status != 0)
        return status;
    x->asked = location;
    uint32_t present = x->request.present;
    if ((present & (CONDITIONAL_FIELDS | 1u << HTTP_FIELD_RANGE)) == 0)
        return respond_whole(x, location, entry, fields) ? 0 : -ENOBUFS;

    struct http_validators validators = {
        .etag = span_make(entry->etag, entry->etag_len),
        .has_last_modified = entry->has_last_modified,
        .last_modified_s = entry->meta.mtime_s,
        .modified_exact = location->if_modified_since == IF_MODIFIED_SINCE_EXACT,
    };
    int64_t now_s = x->env->clock->wall_s;
    if ((present & CONDITIONAL_FIELDS) != 0) {
        switch (http_condition_evaluate(&x->request, &validators, now_s)) {
        case HTTP_CONDITION_NOT_MODIFIED:
            return respond_not_modified(x, fields) ? 0 : -ENOBUFS;
        case HTTP_CONDITION_FAILED:
            return 412;
        case HTTP_CONDITION_PASS:
            break;
        }
    }
    if (!http_request_has(&x->request, HTTP_FIELD_RANGE) || x->request.method != HTTP_GET ||
        (x->request.repeated >> HTTP_FIELD_RANGE & 1) != 0 ||
        !http_condition_range_allowed(&x->request, &validators, now_s))
        return respond_whole(x, location, entry, fields) ? 0 : -ENOBUFS;
    return respond_ranges(x, location, entry, fields, name);
}

/* The fields of this error alone. */
static struct span fields_of_error(const struct http_exchange *x, int status)
{
    return span_str(status == 401 ? x->challenge : x->extra);
}

bool http_response_error_file(struct http_exchange *x, const struct location *location, int status,
                              struct file_entry *entry, struct span name)
{
    struct span type = mime_find(x->env->mime, location, name);
    char charset[64];
    struct decimal room;
    struct span texts[] = { http_status_line(status),
                            http_env_stamp(x->env),
                            SPAN_LIT("Content-Type: "),
                            type,
                            http_fields_charset(location, type, charset),
                            SPAN_LIT("\r\nContent-Length: "),
                            decimal_text(entry->meta.size, &room),
                            SPAN_LIT("\r\n"),
                            fields_of_error(x, status),
                            location_fields(x, location, status),
                            head_end(x, x->extra[0] == 'V'),
                            { NULL, 0 } }; /* for the content */
    if (!put_with_content(x, texts, ARRAY_LEN(texts) - 1, entry, 0, entry->meta.size))
        return false;
    set_status(x, status, entry->meta.size);
    return true;
}

bool http_response_error(struct http_exchange *x, const struct location *location, int status)
{
    struct span page = http_status_page(status);
    struct decimal room;
    struct span texts[] = { http_status_line(status),
                            http_env_stamp(x->env),
                            SPAN_LIT("Content-Type: text/html; charset=utf-8\r\n"
                                     "Content-Length: "),
                            decimal_text(page.len, &room),
                            SPAN_LIT("\r\n"),
                            fields_of_error(x, status),
                            own_page_fields(x, location, status),
                            head_end(x, x->extra[0] == 'V'),
                            span_make(page.ptr, x->body_omitted ? 0 : page.len) };
    if (!put_head(x, texts, ARRAY_LEN(texts)))
        return false;
    set_status(x, status, page.len);
    return true;
}

bool http_response_redirect(struct http_exchange *x, const struct location *location, int status,
                            struct span to)
{
    struct span texts[] = { http_status_line(status),
                            http_env_stamp(x->env),
                            SPAN_LIT("Location: "),
                            to,
                            SPAN_LIT("\r\nContent-Length: 0\r\n"),
                            location_fields(x, location, status),
                            head_end(x, x->extra[0] == 'V') };
    if (!put_head(x, texts, ARRAY_LEN(texts)))
        return false;
    set_status(x, status, 0);
    return true;
}

bool http_response_options(struct http_exchange *x, const struct location *location)
{
    struct span texts[] = { http_status_line(204), http_env_stamp(x->env),
                            SPAN_LIT("Allow: GET, HEAD, OPTIONS\r\n"),
                            location_fields(x, location, 204), head_end(x, x->extra[0] == 'V') };
    if (!put_head(x, texts, ARRAY_LEN(texts)))
        return false;
    set_status(x, 204, 0);
    return true;
}

/* The head of a generated text. */
static void put_text_head(struct http_exchange *x, const struct location *location,
                          struct span fields, uint64_t len)
{
    unsigned varies = HTTP_VARIES_ACCEPT | (x->search.varies ? HTTP_VARIES_CODING : 0);
    char vary[HTTP_VARY_MAX];
    struct decimal room;
    x->asked = location;
    struct span texts[] = { http_status_line(200),
                            http_env_stamp(x->env),
                            fields,
                            SPAN_LIT("Content-Length: "),
                            decimal_text(len, &room),
                            SPAN_LIT("\r\n"),
                            http_fields_vary(location, varies, vary),
                            own_page_fields(x, location, 200),
                            head_end(x, true) };
    CHECK(http_out_empty(&x->out) && put_head(x, texts, ARRAY_LEN(texts)));
}

void http_response_text(struct http_exchange *x, const struct location *location,
                        struct span fields, char *text, size_t len)
{
    put_text_head(x, location, fields, len);
    if (x->body_omitted || len == 0)
        free(text);
    else
        http_out_add_text(&x->out, text, len);
    set_status(x, 200, len);
}

void http_response_report(struct http_exchange *x, int status, struct span type, char *text,
                          size_t len)
{
    struct decimal room;
    struct span texts[] = { http_status_line(status),
                            http_env_stamp(x->env),
                            SPAN_LIT("Content-Type: "),
                            type,
                            SPAN_LIT("\r\nContent-Length: "),
                            decimal_text(len, &room),
                            SPAN_LIT("\r\nCache-Control: no-store\r\n"
                                     "Vary: Accept\r\n"
                                     "X-Content-Type-Options: nosniff\r\n"),
                            head_end(x, false) };
    CHECK(http_out_empty(&x->out) && http_out_put(&x->out, texts, ARRAY_LEN(texts)));
    if (x->body_omitted || len == 0)
        free(text);
    else
        http_out_add_text(&x->out, text, len);
    set_status(x, status, len);
}

void http_response_listing(struct http_exchange *x, const struct location *location,
                           struct span fields, struct http_listing *listing, uint64_t len)
{
    put_text_head(x, location, fields, len);
    if (x->body_omitted)
        http_listing_free(listing);
    else
        http_out_add_listing(&x->out, listing, len);
    set_status(x, 200, len);
}

void http_response_made(struct http_exchange *x, const struct location *location, int status,
                        struct span fields, struct http_listing *made, uint64_t len)
{
    char vary[HTTP_VARY_MAX];
    struct decimal room;
    struct span none = { "", 0 };
    x->asked = location;
    struct span texts[] = { http_status_line(status),
                            http_env_stamp(x->env),
                            fields,
                            status == 304 ? none : SPAN_LIT("Content-Length: "),
                            status == 304 ? none : decimal_text(len, &room),
                            status == 304 ? none : SPAN_LIT("\r\n"),
                            http_fields_vary(location, 0, vary),
                            location_fields(x, location, status),
                            head_end(x, true) };
    CHECK(http_out_empty(&x->out) && put_head(x, texts, ARRAY_LEN(texts)));
    if (status == 304)
        len = 0;
    if (x->body_omitted || len == 0)
        http_listing_free(made);
    else
        http_out_add_listing(&x->out, made, len);
    set_status(x, status, len);
}

void http_response_more_parts(struct http_exchange *x)
{
    struct http_multipart *m = &x->multipart;
    /* A part takes at most two segments; one more stays free for a READ. */
    while (m->entry != NULL && http_out_segments_free(&x->out) >= 4)
        if (!http_multipart_put_next(m, &x->out))
            return;
}

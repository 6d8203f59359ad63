/* fields.c: field lines of a representation. See fields.h. Not on the hot path: called once an
 * entry, or once a second with Expires. */
#include "http/fields.h"

#include "core/check.h"
#include "config/config_text.h"
#include "config/dictionary_rule.h"
#include "core/decimal.h"
#include "core/log_repeat.h"
#include "http/accept.h"
#include "http/compress_types.h"
#include "http/content_hash.h"
#include "http/date.h"
#include "http/delta.h"
#include "http/disposition.h"
#include "http/early_hints.h"
#include "http/etag.h"
#include "http/mix.h"
#include "http/target.h"
#include "http/use_dictionary.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_TEXT_MAX = 16 * 1024 };

static const char NO_MEMORY[] = "no memory for a file's header fields; the answer is 503";

/* A media type, Cache-Control, the location's fields, and what is of a known length: validators,
 * dates, Content-Length. */
static_assert((int)HTTP_MIX_FIELDS_MAX >= (int)HTTP_LOCATION_FIELDS_MAX, "whichever is put");
static_assert(2 * CONFIG_FIELD_VALUE_MAX + HTTP_MIX_FIELDS_MAX + CONFIG_EARLY_HINTS_SIZE_MAX +
                          HTTP_DISPOSITION_MAX + 2 * DICTIONARY_RULE_MAX + 1024 <=
                      FIELDS_TEXT_MAX &&
                  FIELDS_TEXT_MAX <= UINT16_MAX,
              "the longest fields that can be configured must fit");

struct text {
    size_t len;
    char octets[FIELDS_TEXT_MAX];
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->octets + text->len, sizeof(text->octets) - text->len, format, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < sizeof(text->octets) - text->len); /* config limits each value */
    text->len += (size_t)n;
}

static void put_span(struct text *text, struct span s)
{
    CHECK(s.len < sizeof(text->octets) - text->len);
    if (s.len > 0)
        memcpy(text->octets + text->len, s.ptr, s.len);
    text->len += s.len;
}

/* A field line; what every file has is put by this, since a put() takes some 500 instructions. */
static void put_line(struct text *text, struct span name, struct span value)
{
    put_span(text, name);
    put_span(text, value);
    put_span(text, SPAN_LIT("\r\n"));
}

/* A type that has a parameter has its charset there, or wants none. */
static bool takes_charset(const struct location *location, struct span type)
{
    if (location->charset_types_count == 0)
        return mime_is_text(type);
    for (size_t i = 0; i < location->charset_types_count; i++)
        if (http_media_range_has(span_str(location->charset_types[i]), type))
            return memchr(type.ptr, ';', type.len) == NULL;
    return false;
}

struct span http_fields_charset(const struct location *location, struct span type, char *ret_text)
{
    if (location->charset[0] == '\0' || !takes_charset(location, type))
        return span_make(ret_text, 0);
    int n = snprintf(ret_text, 64, "; charset=%.40s", location->charset);
    return span_make(ret_text, (size_t)n);
}

struct span http_fields_vary(const struct location *location, unsigned varies, char *ret_text)
{
    bool by_origin =
        location != NULL && location->cors_count > 0 && strcmp(location->cors[0], "*") != 0;
    const char *const names[] = { (varies & HTTP_VARIES_ACCEPT) != 0 ? "Accept" : NULL,
                                  (varies & HTTP_VARIES_CODING) != 0 ? "Accept-Encoding" : NULL,
                                  (varies & HTTP_VARIES_DICTIONARY) != 0 ? "Available-Dictionary"
                                                                         : NULL,
                                  by_origin ? "Origin" : NULL };
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i] != NULL)
            len += (size_t)snprintf(ret_text + len, HTTP_VARY_MAX - len, "%s%s",
                                    len > 0 ? ", " : "Vary: ", names[i]);
    }
    if (len > 0)
        len += (size_t)snprintf(ret_text + len, HTTP_VARY_MAX - len, "\r\n");
    CHECK(len < HTTP_VARY_MAX);
    return span_make(ret_text, len);
}

static_assert((int)HTTP_URL_MAX >= 2 * HTTP_PATH_MAX, "a prefix and a name must fit");

struct span http_fields_path(const struct location *location, struct span name, char *text)
{
    struct span prefix = location->strip_prefix ? location->prefix : SPAN_LIT("/");

    if (location->file.len > 0)
        return location->pattern.text;
    CHECK(prefix.len + name.len <= HTTP_URL_MAX);
    memcpy(text, prefix.ptr, prefix.len);
    memcpy(text + prefix.len, name.ptr, name.len);
    return span_make(text, prefix.len + name.len);
}

/* What is sent where an expression cannot be told to match within its bounds: nobody keeps it. */
static const struct cache_rule unknown_rule = { .control = (char[]){ "no-store" },
                                                .expires_s = -1 };

static const struct cache_rule *find_in(struct http_env *env, const struct cache_rules *rules,
                                        struct span path)
{
    int found =
        rules != NULL ? pattern_set_find(rules->set, env->regexes, path, NULL) : PATTERN_NONE;

    if (found >= 0)
        return &rules->rules[found];
    if (found == PATTERN_NONE)
        return NULL;
    log_repeated(LOG_ERROR, "a regular expression of a cache block takes too long", E2BIG,
                 "a regular expression of a cache block takes more than regex_steps_max = %u steps "
                 "over a path; the answer has Cache-Control: no-store: %.*s",
                 env->config->limits.regex_steps_max, path.len < 200 ? (int)path.len : 200,
                 path.ptr);
    return &unknown_rule;
}

static const struct cache_rule *find_cache_rule(struct http_env *env,
                                                const struct location *location, struct span path)
{
    const struct cache_rule *rule = find_in(env, location->cache_own, path);

    return rule != NULL ? rule : find_in(env, location->cache_outer, path);
}

bool http_fields_have_cache_rule(struct http_env *env, const struct location *location,
                                 struct span name)
{
    char text[HTTP_URL_MAX];

    if (location->cache_own == NULL && location->cache_outer == NULL)
        return false;
    return find_cache_rule(env, location, http_fields_path(location, name, text)) != NULL;
}

/* Content-Disposition, for a file that is to be saved; where that cannot be told, it is. */
static void put_download(struct http_env *env, struct text *text, const struct location *location,
                         struct span path, struct span name)
{
    char line[HTTP_DISPOSITION_MAX];

    for (size_t i = 0; i < location->download_count; i++) {
        if (pattern_match(&location->download_patterns[i], env->regexes, path, NULL) == 0)
            continue;
        put_span(text, span_make(line, http_disposition_format(name, line)));
        return;
    }
}

/* Do the configured fields of the location hold this one already? They are the more explicit word.
 */
static bool is_configured(const struct location *location, const char *name)
{
    for (size_t i = 0; i < location->headers_count; i++)
        if (strcasecmp(location->headers[i].name, name) == 0)
            return true;
    return false;
}

/* Cache-Control and Expires; true when a date in them depends on the present second. */
static bool put_cache_rule(struct text *text, const struct cache_rule *rule, int64_t now_s)
{
    if (rule->control != NULL)
        put(text, "Cache-Control: %s\r\n", rule->control);
    else
        put(text, "Cache-Control: max-age=%lld\r\n", (long long)rule->expires_s);
    if (rule->expires_s < 0)
        return false;
    char date[HTTP_DATE_LEN + 1];
    http_date_format(now_s + rule->expires_s, date);
    put(text, "Expires: %s\r\n", date);
    return true;
}

/* The configured fields of the location; but for what a cache rule, which is for fewer paths, says
 * in their place. */
static void put_location_fields(struct http_env *env, struct text *text,
                                const struct location *location, const struct cache_rule *rule)
{
    if (rule == NULL ||
        (!is_configured(location, "Cache-Control") && !is_configured(location, "Expires"))) {
        put_span(text, env->location_fields[location->id]);
        return;
    }
    for (size_t i = 0; i < location->headers_count; i++) {
        const struct header_rule *header = &location->headers[i];

        if (header->varying == NULL && !http_fields_is_caching(header->name))
            put(text, "%s: %s\r\n", header->name, header->value);
    }
}

/* Is it tagged by size and time? */
static bool is_portable(const struct http_env *env, const struct location *location,
                        const struct file_meta *meta)
{
    return location->etag == ETAG_PORTABLE ||
           (location->etag == ETAG_CONTENT && meta->size > env->config->limits.etag_content_max);
}

/* Last-Modified and ETag, which the entry keeps as well; `meta` is the file's. */
static void put_validators(struct http_env *env, struct text *text, struct file_entry *entry,
                           const struct location *location, const struct file_meta *meta,
                           enum coding coding)
{
    int64_t now_s = env->clock->wall_s;
    uint16_t recipe = coding >= CODING_DCB ? http_delta_recipe(entry) : entry->recipe;
    size_t len = 0;

    if (location->etag == ETAG_INODE)
        len = http_etag_inode(meta, coding, recipe, now_s, entry->etag);
    else if (is_portable(env, location, meta))
        len = http_etag_portable(meta, coding, recipe, now_s, entry->etag);
    else if (location->etag == ETAG_CONTENT && http_content_hash_of(entry, meta->size) != NULL)
        len = http_etag_content(http_content_hash_of(entry, meta->size), CONTENT_HASH_SIZE, coding,
                                recipe, entry->etag);
    entry->etag_len = (uint8_t)len;
    entry->has_last_modified = location->last_modified && http_etag_dated(meta, now_s);
    if (entry->has_last_modified) {
        char date[HTTP_DATE_LEN + 1];
        http_date_format(meta->mtime_s, date);
        put_line(text, SPAN_LIT("Last-Modified: "), span_make(date, HTTP_DATE_LEN));
    }
    if (len > 0)
        put_line(text, SPAN_LIT("ETag: "), span_make(entry->etag, len));
}

static struct file_fields *make(struct http_env *env, struct file_entry *entry,
                                const struct location *location, enum coding coding, bool vary,
                                struct span name, struct span path, const struct http_mix *mix,
                                struct span asked)
{
    struct text text; /* 16 KiB, which need not be zeroed for each file */
    text.len = 0;
    int64_t now_s = env->clock->wall_s;
    char charset[64];
    struct span type =
        mix != NULL && mix->type.len > 0 ? mix->type : mime_find(env->mime, location, name);

    put_span(&text, SPAN_LIT("Content-Type: "));
    put_span(&text, type);
    put_span(&text, http_fields_charset(location, type, charset));
    if (coding != CODING_IDENTITY) {
        put_span(&text, SPAN_LIT("\r\nContent-Encoding: "));
        put_span(&text, http_coding_name(coding));
    }
    struct decimal size;
    put_line(&text, SPAN_LIT("\r\nContent-Length: "), decimal_text(entry->meta.size, &size));
    if (env->config->limits.ranges_max > 0)
        put_span(&text, SPAN_LIT("Accept-Ranges: bytes\r\n"));
    size_t representation_len = text.len;

    static_assert(sizeof(entry->etag) >= HTTP_ETAG_MAX, "a tag must fit");
    struct file_meta meta = entry->meta;
    if (entry->recipe != 0)
        meta.size = entry->file_size;
    put_validators(env, &text, entry, location, &meta, coding);
    char vary_text[HTTP_VARY_MAX];
    unsigned varies = vary ? HTTP_VARIES_CODING : 0;
    if (location->deltas != 0) /* RFC 9842 section 6.2; on every form, as each may be cached */
        varies = HTTP_VARIES_CODING | HTTP_VARIES_DICTIONARY;
    put_span(&text, http_fields_vary(location, varies, vary_text));
    const struct cache_rule *rule =
        mix != NULL && mix->caching ? NULL : find_cache_rule(env, location, path);
    bool ages = rule != NULL && put_cache_rule(&text, rule, now_s);
    if (location->download_count > 0 && (mix == NULL || !mix->disposition) &&
        !is_configured(location, "Content-Disposition"))
        put_download(env, &text, location, path, name);
    if (location->use_as_dictionary_count > 0 && !is_configured(location, "Use-As-Dictionary"))
        text.len += http_use_dictionary_put(location, name, text.octets + text.len);
    bool is_page = http_early_hints_suits(type);
    bool hinted = location->early_hints_count > 0 && is_page;
    if (hinted)
        put_span(&text, http_early_hints_links(env, location));
    if (mix != NULL)
        put_span(&text, rule != NULL ? mix->cached : mix->success);
    else
        put_location_fields(env, &text, location, rule);

    struct file_fields *fields = malloc(sizeof(*fields) + text.len + asked.len);
    if (fields == NULL) {
        log_fault(NO_MEMORY, ENOMEM);
        return NULL;
    }
    fields->location_id = location->id;
    fields->variant = (unsigned)coding << 1 | vary;
    fields->made_s = now_s;
    fields->len = (uint16_t)text.len;
    fields->representation_len = (uint16_t)representation_len;
    /* An mtime in the future becomes a validator as soon as that moment has passed. */
    fields->ages = ages || entry->meta.mtime_s >= now_s ||
                   (is_portable(env, location, &meta) && http_etag_is_settling(&meta, now_s));
    fields->hinted = hinted;
    fields->mix = mix != NULL ? mix->number : 0;
    fields->hints = mix != NULL && mix->hints.len > 0 && is_page;
    fields->asked_len = (uint16_t)asked.len;
    memcpy(fields->text, text.octets, text.len);
    if (asked.len > 0)
        memcpy(fields->text + text.len, asked.ptr, asked.len);
    return fields;
}

/* Are they for that path? */
static inline bool is_asked(const struct file_fields *fields, struct span asked)
{
    return fields->asked_len == asked.len &&
           memcmp(fields->text + fields->len, asked.ptr, asked.len) == 0;
}

/* Makes them anew, unless those that there are, if any are in time, have the same mix. */
static int renew(struct http_env *env, struct file_entry *entry, const struct location *location,
                 enum coding coding, bool vary, struct span name, struct span asked, bool in_time)
{
    char path_text[HTTP_URL_MAX];
    struct span path = { "", 0 };
    const struct http_mix *mix = NULL;
    struct file_fields *fields;

    if (location->cache_own != NULL || location->cache_outer != NULL ||
        location->download_count > 0 || location->has_fields)
        path = http_fields_path(location, name, path_text);
    if (location->has_fields) {
        int res = http_mix_find(env, location, asked, path, &mix);

        if (res == -E2BIG)
            return 500;
        if (res < 0) {
            log_fault(NO_MEMORY, -res);
            return 503;
        }
        if (in_time && mix->number == entry->fields->mix)
            return 0;
    }
    fields = make(env, entry, location, coding, vary, name, path, mix,
                  mix != NULL ? asked : span_make("", 0));
    if (fields == NULL)
        return 503;
    file_entry_set_fields(entry, fields);
    return 0;
}

int http_fields_get(struct http_env *env, struct file_entry *entry, const struct location *location,
                    enum coding coding, bool vary, struct span name, struct span asked,
                    const struct file_fields **ret_fields)
{
    struct file_fields *have = entry->fields;
    bool in_time = have != NULL && have->location_id == location->id &&
                   have->variant == ((unsigned)coding << 1 | vary) &&
                   (!have->ages || have->made_s == env->clock->wall_s);

    if (!in_time || (location->has_fields && !is_asked(have, asked))) {
        int status = renew(env, entry, location, coding, vary, name, asked, in_time);

        if (status != 0)
            return status;
    }
    *ret_fields = entry->fields;
    return 0;
}

/* cors.c: see cors.h. */
#include "http/cors.h"

#include "core/check.h"
#include "http/vhost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `*.name` in the place of a host: at least one label in front of ".name". */
static bool pattern_matches(const char *pattern, struct span origin)
{
    const char *star = strstr(pattern, "://*.");
    size_t scheme_len, tail_len;

    if (star == NULL)
        return span_eq(span_str(pattern), origin);
    scheme_len = (size_t)(star - pattern) + 3;
    tail_len = strlen(star + 4); /* with its dot */
    if (origin.len <= scheme_len + tail_len || memcmp(origin.ptr, pattern, scheme_len) != 0 ||
        memcmp(origin.ptr + origin.len - tail_len, star + 4, tail_len) != 0)
        return false;
    for (size_t i = scheme_len; i < origin.len - tail_len; i++) {
        char c = origin.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return origin.ptr[scheme_len] != '.' && origin.ptr[origin.len - tail_len - 1] != '.';
}

static bool is_any(const struct location *location)
{
    return location->cors_count == 1 && strcmp(location->cors[0], "*") == 0;
}

bool http_cors_allows(const struct location *location, struct span origin)
{
    for (size_t i = 0; i < location->cors_count; i++)
        if (pattern_matches(location->cors[i], origin))
            return true;
    return false;
}

/* "Name: a, b\r\n", or nothing of an empty list. */
static void print_list(FILE *out, const char *name, char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? name : ", ", texts[i]);
    if (count > 0)
        fputs("\r\n", out);
}

typedef void print_function(FILE *out, const struct location *location);

static void print_always(FILE *out, const struct location *location)
{
    if (!is_any(location))
        return;
    fputs("Access-Control-Allow-Origin: *\r\n", out);
    print_list(out, "Access-Control-Expose-Headers: ", location->cors_expose,
               location->cors_expose_count);
}

static void print_allowed(FILE *out, const struct location *location)
{
    if (is_any(location))
        return;
    if (location->cors_credentials)
        fputs("Access-Control-Allow-Credentials: true\r\n", out);
    print_list(out, "Access-Control-Expose-Headers: ", location->cors_expose,
               location->cors_expose_count);
}

static void print_preflight(FILE *out, const struct location *location)
{
    fputs("Access-Control-Allow-Methods: GET, HEAD\r\n", out);
    print_list(out, "Access-Control-Allow-Headers: ", location->cors_headers,
               location->cors_headers_count);
    fprintf(out, "Access-Control-Max-Age: %u\r\n", location->cors_max_age_ms / 1000);
}

static int make_text(print_function *print, const struct location *location, struct span *ret_text)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool failed;

    if (out == NULL)
        return -ENOMEM;
    print(out, location);
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return -ENOMEM;
    }
    *ret_text = span_make(text, len);
    return 0;
}

int http_cors_prepare(const struct location *location, struct http_answer_fields *fields)
{
    int res = make_text(print_always, location, &fields->cors);

    if (res == 0)
        res = make_text(print_allowed, location, &fields->cors_allowed);
    return res < 0 ? res : make_text(print_preflight, location, &fields->cors_preflight);
}

static char *put(char *out, struct span text)
{
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    return out + text.len;
}

/* OPTIONS with the two fields that a browser asks with beforehand. */
static bool asks_beforehand(const struct http_exchange *x)
{
    return x->request.method == HTTP_OPTIONS && http_request_has(&x->request, HTTP_FIELD_ORIGIN) &&
           http_request_named(&x->request, SPAN_LIT("access_control_request_method")).len > 0;
}

bool http_cors_is_preflight(const struct http_exchange *x)
{
    const struct location *location;

    if (x->env->answer_fields == NULL || !asks_beforehand(x) ||
        x->target.form == HTTP_TARGET_ASTERISK)
        return false;
    return http_location_find(x->server, x->env->regexes, x->target.path, NULL, &location) == 0 &&
           location != NULL && location->cors_count > 0;
}

char *http_cors_put(const struct http_exchange *x, const struct location *location,
                    const struct http_answer_fields *fields, bool varies, char *out)
{
    struct span origin = http_request_field(&x->request, HTTP_FIELD_ORIGIN);
    bool is_one = http_request_has(&x->request, HTTP_FIELD_ORIGIN) &&
                  (x->request.repeated >> HTTP_FIELD_ORIGIN & 1) == 0;

    out = put(out, fields->cors);
    if (!is_any(location)) {
        if (!varies)
            out = put(out, SPAN_LIT("Vary: Origin\r\n"));
        if (!is_one || !http_cors_allows(location, origin))
            return out;
        out = put(out, SPAN_LIT("Access-Control-Allow-Origin: "));
        out = put(out, origin);
        out = put(out, SPAN_LIT("\r\n"));
        out = put(out, fields->cors_allowed);
    }
    return asks_beforehand(x) ? put(out, fields->cors_preflight) : out;
}

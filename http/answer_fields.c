/* answer_fields.c: see answer_fields.h. */
#include "http/answer_fields.h"

#include "config/node.h"
#include "config/security_headers.h"
#include "core/check.h"
#include "http/cors.h"
#include "http/early_hints.h"
#include "http/vhost.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ORIGIN_MAX = 300, /* octets: a scheme, a name of 253, a port */
    HSTS_MAX = 100    /* config_text_hsts() */
};

/* Two lists of names, an origin, and the names of the fields. */
static_assert(2 * CONFIG_CORS_NAMES_SIZE_MAX + ORIGIN_MAX + HSTS_MAX + 512 <=
                  HTTP_ANSWER_FIELDS_MAX,
              "they must fit");

static bool has_some(const struct location *location)
{
    return location->policy_is_preset || location->hsts[0] != '\0' || location->cors_count > 0 ||
           location->early_hints_count > 0 || location->server_timing != SERVER_TIMING_OFF;
}

/* The location's fields with the policy of the server's own pages in the place of the site's. */
static int prepare_own_page(const struct location *location, struct span *ret_text)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool failed;

    if (out == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < location->headers_count; i++) {
        const struct header_rule *header = &location->headers[i];
        bool is_policy = strcasecmp(header->name, "Content-Security-Policy") == 0;

        if (header->varying != NULL)
            continue; /* behind these */
        fprintf(out, "%s: %s\r\n", header->name,
                is_policy ? security_own_pages_policy : header->value);
    }
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return -ENOMEM;
    }
    *ret_text = span_make(text, len);
    return 0;
}

static int prepare_secure(const struct location *location, struct span *ret_text)
{
    char *text = NULL;
    int len = asprintf(&text, "Strict-Transport-Security: %s\r\n", location->hsts);

    if (len < 0)
        return -ENOMEM;
    *ret_text = span_make(text, (size_t)len);
    return 0;
}

/* Server-Timing (W3C) with one metric, which tells no time: browsers and tools show it. */
static int prepare_timing(const struct config *config, struct span *ret_text)
{
    char name[CONFIG_NODE_MAX + 1];
    char *text = NULL;

    config_node(config, name);
    int len = asprintf(&text, "Server-Timing: node;desc=\"%s\"\r\n", name);
    if (len < 0)
        return -ENOMEM;
    *ret_text = span_make(text, (size_t)len);
    return 0;
}

static int prepare(const struct config *config, const struct location *location,
                   struct http_answer_fields *fields)
{
    int res = 0;

    if (location->policy_is_preset)
        res = prepare_own_page(location, &fields->own_page);
    if (res == 0 && location->hsts[0] != '\0')
        res = prepare_secure(location, &fields->secure);
    if (res == 0 && location->cors_count > 0)
        res = http_cors_prepare(location, fields);
    if (res == 0 && location->early_hints_count > 0)
        res = http_early_hints_prepare(location, fields);
    if (res == 0 && location->server_timing != SERVER_TIMING_OFF)
        res = prepare_timing(config, &fields->timing);
    return res;
}

int http_answer_fields_create(struct http_env *env)
{
    const struct config *config = env->config;
    bool found = false;
    int res = 0;

    for (size_t i = 0; i < config->servers_count; i++)
        for (size_t j = 0; j < config->servers[i].locations_count; j++)
            found |= has_some(&config->servers[i].locations[j]);
    if (!found)
        return 0;
    env->answer_fields = calloc(config->locations_count, sizeof(env->answer_fields[0]));
    if (env->answer_fields == NULL)
        return -ENOMEM;
    env->needs |= HTTP_NEEDS_ANSWER_FIELDS;
    for (size_t i = 0; i < config->servers_count; i++) {
        for (size_t j = 0; res == 0 && j < config->servers[i].locations_count; j++) {
            const struct location *location = &config->servers[i].locations[j];

            CHECK(location->id < config->locations_count);
            res = prepare(config, location, &env->answer_fields[location->id]);
        }
    }
    return res;
}

void http_answer_fields_destroy(struct http_env *env)
{
    for (size_t i = 0; env->answer_fields != NULL && i < env->config->locations_count; i++) {
        const struct http_answer_fields *fields = &env->answer_fields[i];
        const struct span *const texts[] = { &fields->own_page,       &fields->secure,
                                             &fields->cors,           &fields->cors_allowed,
                                             &fields->cors_preflight, &fields->hints,
                                             &fields->timing };

        for (size_t j = 0; j < ARRAY_LEN(texts); j++)
            free((char *)(uintptr_t)texts[j]->ptr);
    }
    free(env->answer_fields);
    env->answer_fields = NULL;
}

const struct location *http_answer_fields_location(const struct http_exchange *x)
{
    return x->asked != NULL ? x->asked : http_location_slash(x->server);
}

static bool is_timing_due(const struct http_exchange *x, const struct location *location)
{
    return location->server_timing == SERVER_TIMING_ON ||
           http_request_named(&x->request, SPAN_LIT("server_timing")).len > 0;
}

size_t http_answer_fields_put(const struct http_exchange *x, bool varies, char *text, size_t size)
{
    const struct location *location;
    const struct http_answer_fields *fields;
    char *out = text;

    if (x->env->answer_fields == NULL)
        return 0;
    location = http_answer_fields_location(x);
    if (location == NULL)
        return 0;
    CHECK(size >= HTTP_ANSWER_FIELDS_MAX);
    fields = &x->env->answer_fields[location->id];
    if (x->secure && fields->secure.len > 0) {
        memcpy(out, fields->secure.ptr, fields->secure.len);
        out += fields->secure.len;
    }
    if (fields->timing.len > 0 && is_timing_due(x, location)) {
        memcpy(out, fields->timing.ptr, fields->timing.len);
        out += fields->timing.len;
    }
    if (location->cors_count > 0)
        out = http_cors_put(x, location, fields, varies, out);
    return (size_t)(out - text);
}

struct span http_answer_fields_of_own_page(const struct http_env *env,
                                           const struct location *location)
{
    CHECK(env->answer_fields != NULL && location->policy_is_preset);
    return env->answer_fields[location->id].own_page;
}

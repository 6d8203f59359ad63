/* config_values.c: names that only the configuration knows: the engine, this machine, its
 * environment.
 */
#include "config/config_values.h"

#include "config/map_values.h"
#include "config/node.h"
#include "core/check.h"
#include "match/template_url.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char environment_prefix[] = "env_";

/* What the environment says; a variable that is not there is refused, since the answer would be
 * another one than was meant. */
static enum template_known find_environment(const struct config_scope *scope, struct span name,
                                            const char **ret_text)
{
    char *variable = arena_strndup(scope->build->scratch, name.ptr, name.len);
    const char *value = variable != NULL ? getenv(variable) : NULL;

    if (value != NULL) {
        *ret_text = value;
        return TEMPLATE_IS_TEXT;
    }
    *ret_text = arena_printf(scope->build->scratch,
                             "holds $env_%.*s, but the environment has no %.*s; set it before the "
                             "start",
                             (int)name.len, name.ptr, (int)name.len, name.ptr);
    if (*ret_text == NULL)
        *ret_text = "holds a variable that the environment does not have";
    return TEMPLATE_IS_REFUSED;
}

/* The machine's name, or with `node` that of this server among others. */
static enum template_known find_own_name(const struct config_scope *scope, bool node,
                                         const char **ret_text)
{
    char name[256] = "";

    static_assert(sizeof(name) > CONFIG_NODE_MAX, "a node's name fits");
    if (node)
        config_node(scope->config, name);
    else if (gethostname(name, sizeof(name) - 1) != 0)
        name[0] = '\0';
    *ret_text = arena_strdup(scope->build->scratch, name);
    return *ret_text != NULL ? TEMPLATE_IS_TEXT : TEMPLATE_UNKNOWN;
}

/* Names that are known, but not here; NULL: it is none. */
static const char *find_elsewhere(const struct config_scope *scope, struct span name)
{
    if (span_eq(name, SPAN_LIT("ssl_client_fingerprint")))
        return "holds $ssl_client_fingerprint, which is SHA-1 in nginx; "
               "$tls_client_fingerprint is SHA-256";
    if (scope->logged || !access_format_knows(name) ||
        (name.len > 5 && memcmp(name.ptr, "http_", 5) == 0))
        return NULL;
    return arena_printf(scope->build->scratch,
                        "holds $%.*s, which only access_log_format knows: it is of an answer that "
                        "was sent, or of the log",
                        (int)name.len, name.ptr);
}

/* The number of a group with that name; 0: there is none that is captured. */
static unsigned group_of(const struct regex *regex, struct span name)
{
    char text[TEMPLATE_NAME_MAX + 1];
    unsigned group;

    CHECK(name.len < sizeof(text));
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    group = regex_group_of(regex, text);
    return group < CAPTURES_MAX ? group : 0;
}

static enum template_known find_name(void *context, struct span name, const char **ret_text,
                                     uint8_t *ret_index)
{
    const struct config_scope *scope = context;
    size_t prefix = sizeof(environment_prefix) - 1;
    unsigned group = scope->regex != NULL ? group_of(scope->regex, name) : 0;

    if (group > 0) {
        *ret_index = (uint8_t)group;
        return TEMPLATE_IS_CAPTURE;
    }
    for (size_t i = 0; i < scope->config->maps_count; i++) {
        if (!span_eq(name, span_str(scope->config->maps[i].name)))
            continue;
        *ret_index = (uint8_t)i;
        return TEMPLATE_IS_MAP;
    }
    if (span_eq(name, SPAN_LIT("engine"))) {
        *ret_text = scope->config->engine;
        return TEMPLATE_IS_TEXT;
    }
    if (span_eq(name, SPAN_LIT("hostname")))
        return find_own_name(scope, false, ret_text);
    if (span_eq(name, SPAN_LIT("node")))
        return find_own_name(scope, true, ret_text);
    if (name.len > prefix && memcmp(name.ptr, environment_prefix, prefix) == 0)
        return find_environment(scope, span_make(name.ptr + prefix, name.len - prefix), ret_text);
    *ret_text = find_elsewhere(scope, name);
    return *ret_text != NULL ? TEMPLATE_IS_REFUSED : TEMPLATE_UNKNOWN;
}

static const char *name_at(void *context, size_t i)
{
    static const char *const names[] = { "engine", "hostname", "node" };
    const struct config_scope *scope = context;
    const struct config *config = scope->config;

    if (i < ARRAY_LEN(names))
        return names[i];
    i -= ARRAY_LEN(names);
    if (i < config->maps_count)
        return config->maps[i].name;
    return scope->logged ? access_format_name_at(i - config->maps_count) : NULL;
}

int config_template_of(const struct config_scope *scope, const char *text, char *what,
                       size_t what_size, const struct template **ret_template)
{
    unsigned groups = scope->regex != NULL ? regex_groups(scope->regex) : 0;
    const struct template_names names = {
        .find = find_name,
        .name_at = name_at,
        .context = (void *)scope,
        .captures = scope->regex != NULL,
        .groups = groups < CAPTURES_MAX ? groups : CAPTURES_MAX - 1,
    };
    int res = template_compile(scope->build->arena, text, &names, what, what_size, ret_template);

    if (res == 0)
        scope->config->template_uses |= (*ret_template)->uses;
    return res;
}

int config_template(const struct config_scope *scope, struct config_place place,
                    const char *subject, const char *text, const struct template **ret_template)
{
    char what[512];
    int res = config_template_of(scope, text, what, sizeof(what), ret_template);

    return res == -EINVAL ? config_fail(scope->build, place, subject, "\"%.200s\" %s", text, what)
                          : res;
}

int config_template_url(const struct config_scope *scope, struct config_place place,
                        const char *subject, const char *text, const struct template **ret_template)
{
    const struct template *template = NULL;
    int res = config_template(scope, place, subject, text, &template);
    const char *what = res == 0 ? template_url_check(template) : NULL;

    if (what != NULL)
        return config_fail_allowed(scope->build, place, subject,
                                   "a path that begins with '/', or a URL that begins with http:// "
                                   "or https://",
                                   "\"%.200s\" %s", text, what);
    if (res == 0)
        *ret_template = template;
    return res;
}

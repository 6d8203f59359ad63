/* config_browser.c: see config_browser.h. */
#include "config/config_browser.h"
#include "config/dictionary_rule.h"
#include "config/security_headers.h"
#include "core/check.h"

#include <errno.h>
#include <string.h>

static struct header_rule *find_header(const struct location *location, const char *name)
{
    for (size_t i = 0; i < location->headers_count; i++) {
        if (strcasecmp(location->headers[i].name, name) == 0)
            return &location->headers[i];
    }
    return NULL;
}

int config_security_headers_add(const struct config_build *build, struct location *location)
{
    size_t count;
    const struct security_field *fields = security_fields(location->security_headers, &count);

    for (size_t i = 0; i < count; i++) {
        struct header_rule *header = find_header(location, fields[i].name);

        if (header == NULL)
            header = &location->headers[location->headers_count++];
        header->name = arena_strdup(build->arena, fields[i].name);
        header->value = arena_strdup(build->arena, fields[i].value);
        if (header->name == NULL || header->value == NULL)
            return -ENOMEM;
        header->written = header->value;
        header->varying = NULL;
    }
    return 0;
}

int config_security_headers_finish(const struct config_build *build,
                                   const struct config_entry *hsts, struct location *location)
{
    const struct header_rule *policy = find_header(location, "Content-Security-Policy");
    const char *preset =
        security_field_value(location->security_headers, "Content-Security-Policy");
    bool named = find_header(location, "Strict-Transport-Security") != NULL;

    location->policy_is_preset =
        policy != NULL && preset != NULL && strcmp(policy->value, preset) == 0;
    if (hsts != NULL && location->hsts[0] != '\0' && named)
        return config_fail_advise(build, hsts->place, "hsts", "take one of the two away",
                                  "Strict-Transport-Security stands in headers as well");
    if (hsts == NULL && !named)
        location->hsts = security_hsts(location->security_headers);
    return 0;
}

/* The names of the list, and what stands between them: do they fit, and does a star stand alone? */
static int names_check(const struct config_build *build, const struct config_entry *cors,
                       const char *key, char **names, size_t count, bool credentials)
{
    size_t octets = 0;

    for (size_t i = 0; i < count; i++) {
        octets += strlen(names[i]) + 2;
        if (strcmp(names[i], "*") == 0 && credentials)
            return config_fail_advise(build, cors->place, key, "name the fields",
                                      "with cors_credentials a \"*\" is no word for all of them");
    }
    if (octets > CONFIG_CORS_NAMES_SIZE_MAX)
        return config_fail(build, cors->place, key, "the names have %zu octets; allowed: %d",
                           octets, CONFIG_CORS_NAMES_SIZE_MAX);
    return 0;
}

int config_early_hints_check(const struct config_build *build, const struct config_entry *hints,
                             const struct location *location)
{
    size_t octets = 0;

    for (size_t i = 0; i < location->early_hints_count; i++)
        octets += strlen(location->early_hints[i]) + 2;
    if (octets > CONFIG_EARLY_HINTS_SIZE_MAX)
        return config_fail(build, hints->place, "early_hints",
                           "the fields have %zu octets; allowed: %d", octets,
                           CONFIG_EARLY_HINTS_SIZE_MAX);
    return 0;
}

int config_dictionaries_finish(const struct config_build *build, const struct config_entry *entry,
                               bool own, struct location *location)
{
    size_t kept = 0;
    struct glob *globs =
        arena_array(build->arena, location->use_as_dictionary_count, sizeof(globs[0]));

    if (globs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < location->use_as_dictionary_count; i++) {
        struct dictionary_rule rule;
        char *text = location->use_as_dictionary[i];
        const char *pattern, *what = NULL;
        int res;

        CHECK(dictionary_rule_parse(text, &rule) == NULL);
        if (location->strip_prefix && !rule.match_said) {
            if (!own)
                continue;
            return config_fail_advise(build, entry->place, "use_as_dictionary",
                                      "add match=/path to it, the path in the URL",
                                      "with alias, \"%.200s\" is not the path that clients ask for",
                                      text);
        }
        pattern = arena_strndup(build->scratch, rule.pattern.ptr, rule.pattern.len);
        res = pattern != NULL ? glob_compile(build->arena, pattern, &globs[kept], &what) : -ENOMEM;
        if (res == -EINVAL)
            return config_fail(build, entry->place, "use_as_dictionary", "\"%.200s\" %s", text,
                               what);
        if (res < 0)
            return res;
        location->use_as_dictionary[kept++] = text;
    }
    location->use_as_dictionary_count = kept;
    location->dictionary_globs = globs;
    return 0;
}

int config_cors_check(const struct config_build *build, const struct config_entry *cors,
                      const struct location *location)
{
    bool credentials = location->cors_credentials;
    int res;

    if (find_header(location, "Access-Control-Allow-Origin") != NULL)
        return config_fail_advise(build, cors->place, "cors", "take one of the two away",
                                  "Access-Control-Allow-Origin stands in headers as well");
    for (size_t i = 0; i < location->cors_count; i++) {
        if (strcmp(location->cors[i], "*") != 0)
            continue;
        if (location->cors_count > 1)
            return config_fail_advise(
                build, cors->place, "cors", "take the others away",
                "\"*\" stands for all origins, and there are others beside it");
        if (credentials)
            return config_fail_advise(
                build, cors->place, "cors", "name the origins",
                "with cors_credentials \"*\" would let every site read what is a user's own");
    }
    res = names_check(build, cors, "cors_expose", location->cors_expose,
                      location->cors_expose_count, credentials);
    if (res == 0)
        res = names_check(build, cors, "cors_headers", location->cors_headers,
                          location->cors_headers_count, credentials);
    return res;
}

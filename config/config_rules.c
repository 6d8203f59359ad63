/* config_rules.c: one function for each notation. */
#include "config/config_rules.h"
#include "config/config_notes.h"
#include "core/check.h"
#include "config/config_text.h"
#include "config/config_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAIL(...) config_fail_item(build, item, key, __VA_ARGS__)

static void lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
    }
}

/* A value that is the same for every answer has to be fit for a field as a whole: the environment
 * may have brought anything. */
static int header_value_make(const struct config_scope *scope, const struct config_key *key,
                             const struct config_item *item, struct header_rule *rule)
{
    const struct template *template = NULL;
    int res = config_template(scope, item->place, key->name, rule->value, &template);

    if (res < 0)
        return res;
    if (!template_is_constant(template)) {
        rule->varying = template;
        return 0;
    }
    struct span value = span_trim(template_constant(template));
    rule->value = arena_strndup(scope->build->arena, value.ptr, value.len);
    if (rule->value == NULL)
        return -ENOMEM;
    const char *what = config_text_field_value(rule->value);
    return what == NULL ? 0
                        : config_fail_item(scope->build, item, key, "the value of \"%.200s\" %s",
                                           item->text, what);
}

int config_header_parse(const struct config_scope *scope, const struct config_key *key,
                        const struct config_item *item, struct header_rule *ret_rule)
{
    const struct config_build *build = scope->build;
    const char *colon = strchr(item->text, ':');
    struct header_rule rule = { 0 };
    const char *what;
    struct span value;

    if (colon == NULL)
        return FAIL("\"%.200s\" has no ':'", item->text);
    what = config_text_field_name(span_make(item->text, (size_t)(colon - item->text)));
    if (what != NULL)
        return FAIL("\"%.200s\" %s", item->text, what);
    value = span_trim(span_str(colon + 1));
    what = value.len > 0 ? config_text_field_value(colon + 1) : NULL;
    if (what != NULL)
        return FAIL("the value of \"%.200s\" %s", item->text, what);
    rule.name = arena_strndup(build->arena, item->text, (size_t)(colon - item->text));
    rule.value = arena_strndup(build->arena, value.ptr, value.len);
    rule.written = rule.value;
    if (rule.name == NULL || rule.value == NULL)
        return -ENOMEM;
    int res = value.len > 0 ? header_value_make(scope, key, item, &rule) : 0;
    if (res == 0) {
        config_note(scope->build, rule.value, item->place);
        *ret_rule = rule;
    }
    return res;
}

int config_type_parse(const struct config_build *build, const struct config_key *key,
                      const struct config_item *item, struct header_rule *ret_type)
{
    const char *equals = strchr(item->text, '=');
    struct header_rule type = { 0 };
    const char *what;

    if (equals == NULL)
        return FAIL("\"%.200s\" has no '='", item->text);
    if (equals == item->text || strcspn(item->text, "./ \t") < (size_t)(equals - item->text))
        return FAIL("\"%.200s\" has no extension, without a dot, before the '='", item->text);
    if (item->text[0] == '*' && equals == item->text + 1 && (key->blocks & 1u << CONFIG_TOP) != 0)
        return FAIL("\"*\" is for a server or a location; here it is default_type");
    what = config_text_media_type(equals + 1);
    if (what != NULL)
        return FAIL("\"%.200s\" %s", equals + 1, what);
    type.name = arena_strndup(build->arena, item->text, (size_t)(equals - item->text));
    type.value = arena_strdup(build->arena, equals + 1);
    if (type.name == NULL || type.value == NULL)
        return -ENOMEM;
    lower(type.name);
    *ret_type = type;
    return 0;
}

int config_error_page_parse(const struct config_scope *scope, const struct config_key *key,
                            const struct config_item *item, struct error_page *ret_page)
{
    const struct config_build *build = scope->build;
    const struct template *template = NULL;
    const char *equals = strchr(item->text, '=');
    struct error_page page;
    const char *what;
    char *digits;
    uint64_t status = 0;

    if (equals == NULL)
        return FAIL("\"%.200s\" has no '='", item->text);
    digits = arena_strndup(build->scratch, item->text, (size_t)(equals - item->text));
    if (digits == NULL)
        return -ENOMEM;
    if (config_count_parse(digits, &status) < 0 || status < 400 || status > 599)
        return FAIL("\"%.200s\" is no status of an error", digits);
    what = config_text_path(equals + 1);
    if (what != NULL)
        return FAIL("\"%.200s\" %s", equals + 1, what);
    int res = config_template(scope, item->place, key->name, equals + 1, &template);
    if (res < 0)
        return res;
    page.status = (int)status;
    page.varying = template_is_constant(template) ? NULL : template;
    page.written = template->text;
    page.uri = page.varying != NULL ? template->text : template_constant(template).ptr;
    *ret_page = page;
    return 0;
}

const char *config_coding_name(enum coding coding)
{
    static const char *const names[CODING_COUNT] = {
        [CODING_GZIP] = "gzip", [CODING_BR] = "br",   [CODING_ZSTD] = "zstd",
        [CODING_DCB] = "dcb",   [CODING_DCZ] = "dcz",
    };

    CHECK(coding < CODING_COUNT);
    return names[coding];
}

int config_coding_parse(const struct config_build *build, const struct config_key *key,
                        const struct config_item *item, unsigned *ret_bit)
{
    bool deltas = strcmp(key->name, "deltas") == 0;

    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        const char *name = config_coding_name((enum coding)coding);

        if (name == NULL || strcmp(name, item->text) != 0)
            continue;
        if (deltas != (coding >= CODING_DCB))
            return deltas ? FAIL("\"%s\" is made without a dictionary", name)
                          : FAIL("\"%s\" is made with a dictionary, and belongs in deltas", name);
        *ret_bit = 1u << coding;
        return 0;
    }
    return FAIL("\"%.100s\" is no content coding known here", item->text);
}

int config_host_parse(const struct config_build *build, struct config_place place,
                      const char *subject, const char *text, char **ret_host)
{
    const char *what = config_text_host(text);
    char *host;

    if (what != NULL)
        return config_fail_allowed(build, place, subject,
                                   "a host name, or *.name for those below it", "\"%.100s\" %s",
                                   text, what);
    host = arena_strdup(build->arena, text);
    if (host == NULL)
        return -ENOMEM;
    lower(host);
    *ret_host = host;
    return 0;
}

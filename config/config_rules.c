/* config_rules.c: one function for each notation. */
#include "config/config_rules.h"
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
    struct header_rule rule = { NULL, NULL, NULL, NULL };
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
    if (res == 0)
        *ret_rule = rule;
    return res;
}

int config_type_parse(const struct config_build *build, const struct config_key *key,
                      const struct config_item *item, struct header_rule *ret_type)
{
    const char *equals = strchr(item->text, '=');
    struct header_rule type = { NULL, NULL, NULL, NULL };
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
        [CODING_GZIP] = "gzip",
        [CODING_BR] = "br",
        [CODING_ZSTD] = "zstd",
    };

    CHECK(coding < CODING_COUNT);
    return names[coding];
}

int config_coding_parse(const struct config_build *build, const struct config_key *key,
                        const struct config_item *item, unsigned *ret_bit)
{
    for (unsigned coding = 0; coding < CODING_COUNT; coding++) {
        const char *name = config_coding_name((enum coding)coding);

        if (name != NULL && strcmp(name, item->text) == 0) {
            *ret_bit = 1u << coding;
            return 0;
        }
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

/* Would the answer lead to itself, for ever? `path` is `to` with what redirect->from makes of $uri.
 */
static bool redirect_loops(const struct redirect *redirect, const char *path)
{
    struct span to = span_make(path, strcspn(path, "?#"));

    if (redirect->from.ptr[redirect->from.len - 1] != '/')
        return span_eq(to, redirect->from);
    return to.len >= redirect->from.len &&
           memcmp(to.ptr, redirect->from.ptr, redirect->from.len) == 0;
}

/* Where the redirect leads from redirect->from itself, as far as a path tells; in scratch; "" where
 * it depends on more than the path. NULL: no memory. */
static const char *example_path(const struct config_build *build, const struct redirect *redirect)
{
    const uint32_t paths = UINT32_C(1) << TEMPLATE_URI | UINT32_C(1) << TEMPLATE_REQUEST_URI;
    const uint32_t queries = UINT32_C(1) << TEMPLATE_ARGS | UINT32_C(1) << TEMPLATE_IS_ARGS;
    const struct template *to = redirect->target;
    const char *path = "";

    if ((to->uses & ~(paths | queries)) != 0)
        return "";
    for (size_t i = 0; path != NULL && i < to->count; i++) {
        const struct template_piece *piece = &to->pieces[i];

        path =
            arena_printf(build->scratch, "%s%.*s%s", path, (int)piece->text.len, piece->text.ptr,
                         piece->variable != TEMPLATE_NOTHING && (paths >> piece->variable & 1) != 0
                             ? redirect->from.ptr
                             : "");
    }
    return path;
}

/* What is appended to `to`: the rest of the path where `from` is a prefix, unless `to` holds a path
 * of the request or a query; the query, unless it holds one. */
static void find_what_is_kept(struct redirect *redirect)
{
    const uint32_t queries = UINT32_C(1) << TEMPLATE_ARGS | UINT32_C(1) << TEMPLATE_REQUEST_URI |
                             UINT32_C(1) << TEMPLATE_IS_ARGS;
    const uint32_t paths = queries | UINT32_C(1) << TEMPLATE_URI | UINT32_C(1) << TEMPLATE_CAPTURE |
                           UINT32_C(1) << TEMPLATE_MAP;
    uint32_t uses = redirect->target->uses;

    bool has_query = strchr(redirect->to, '?') != NULL; /* behind which nothing is a path */

    redirect->keeps_rest =
        (uses & paths) == 0 && !has_query && redirect->from.ptr[redirect->from.len - 1] == '/';
    redirect->keeps_query = (uses & queries) == 0 && !has_query;
}

int config_redirect_parse(const struct config_scope *scope, const struct config_block *defaults,
                          const struct config_block *block, struct redirect *ret_redirect)
{
    static const unsigned allowed[] = { 301, 302, 303, 307, 308 };
    const struct config_build *build = scope->build;
    const struct config_key *key = config_key_find("status");
    const struct config_entry *to = config_entry_at(block, "to");
    const struct config_entry *entry = config_entry_at(block, "status");
    const struct config_item *item = entry->is_set ? entry->items : NULL;
    const char *what = config_text_path(block->title);
    struct redirect redirect;
    uint64_t status = 0;
    const char *path;
    char *from;
    int res;

    if (what != NULL)
        return config_fail_allowed(build, block->place, "redirect", "a path that begins with '/'",
                                   "\"%.200s\" %s", block->title, what);
    if (strchr(block->title, '?') != NULL)
        return config_fail_advise(build, block->place, "redirect",
                                  "take away what stands from it on, or use $arg_NAME in a return",
                                  "\"%.200s\" holds a '?', but a redirect covers a path, whatever "
                                  "its query is",
                                  block->title);
    if (strchr(block->title, '*') != NULL)
        return config_fail_advise(build, block->place, "redirect",
                                  "write one for each path, or a path that ends in '/' for all "
                                  "below it",
                                  "\"%.200s\" holds a '*', which covers only itself here",
                                  block->title);
    if (!to->is_set)
        return config_fail_advise(build, block->place, "redirect", "add to = \"/new/\" to it",
                                  "\"%.200s\" does not say where to", block->title);
    if (item == NULL)
        item = config_entry_at(defaults, "status")->items;
    if (config_count_parse(item->text, &status) < 0)
        return FAIL("\"%.100s\" is not a status", item->text);
    for (size_t i = 0; i < ARRAY_LEN(allowed) && status != allowed[i]; i++) {
        if (i + 1 == ARRAY_LEN(allowed))
            return FAIL("\"%.100s\" is no status of a redirect", item->text);
    }
    redirect.status = (int)status;
    res = config_text(build, config_key_find("to"), to->items, &redirect.to);
    if (res < 0)
        return res;
    res = config_template_url(scope, to->items->place, "to", redirect.to, &redirect.target);
    if (res < 0)
        return res;
    from = arena_strdup(build->arena, block->title);
    if (from == NULL)
        return -ENOMEM;
    redirect.from = span_str(from);
    find_what_is_kept(&redirect);
    path = example_path(build, &redirect);
    if (path == NULL)
        return -ENOMEM;
    if (redirect_loops(&redirect, path))
        return config_fail_advise(
            build, to->place, "to", "name a path that the redirect does not cover",
            "\"%.200s\" is redirected again by redirect \"%.200s\", for ever", redirect.to, from);
    *ret_redirect = redirect;
    return 0;
}

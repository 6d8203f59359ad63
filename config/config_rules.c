/* config_rules.c: one function for each notation. */
#include "config/config_rules.h"
#include "config/config_notes.h"
#include "core/check.h"
#include "config/config_text.h"
#include "config/config_value.h"
#include "config/redirect_to.h"

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

static const char engine_variable[] = "$engine";

/* `value` with every $engine replaced; NULL: no memory. */
static char *engine_insert(struct arena *arena, struct span value, const char *engine)
{
    const char *end = value.ptr + value.len;
    char *text = arena_strndup(arena, "", 0);

    for (const char *at = value.ptr; text != NULL;) {
        const char *found =
            memmem(at, (size_t)(end - at), engine_variable, sizeof(engine_variable) - 1);
        const char *stop = found != NULL ? found : end;

        text = arena_printf(arena, "%s%.*s%s", text, (int)(stop - at), at,
                            found != NULL ? engine : "");
        if (found == NULL)
            break;
        at = found + sizeof(engine_variable) - 1;
    }
    return text;
}

int config_header_parse(const struct config_build *build, const struct config_key *key,
                        const struct config_item *item, const char *engine,
                        struct header_rule *ret_rule)
{
    const char *colon = strchr(item->text, ':');
    struct header_rule rule;
    const char *what;
    struct span value;

    if (colon == NULL)
        return FAIL("\"%.200s\" has no ':'", item->text);
    what = config_text_field_name(span_make(item->text, (size_t)(colon - item->text)));
    if (what != NULL)
        return FAIL("\"%.200s\" %s", item->text, what);
    value = span_trim(span_str(colon + 1));
    if (value.len > 0 && value.len <= CONFIG_FIELD_VALUE_MAX) {
        rule.value = engine_insert(build->arena, value, engine);
        what = rule.value != NULL ? config_text_field_value(rule.value) : NULL;
        /* An engine of an odd name; what -T prints would not be the same any more. */
        if (rule.value != NULL && what == NULL && strstr(rule.value, engine_variable) != NULL)
            what = "still holds $engine when that is replaced";
    } else {
        rule.value = arena_strdup(build->arena, "");
        what = value.len > 0 ? config_text_field_value(colon + 1) : NULL;
    }
    if (what != NULL)
        return FAIL("the value of \"%.200s\" %s", item->text, what);
    rule.name = arena_strndup(build->arena, item->text, (size_t)(colon - item->text));
    if (rule.name == NULL || rule.value == NULL)
        return -ENOMEM;
    config_note(build, rule.value, item->place);
    *ret_rule = rule;
    return 0;
}

int config_type_parse(const struct config_build *build, const struct config_key *key,
                      const struct config_item *item, struct header_rule *ret_type)
{
    const char *equals = strchr(item->text, '=');
    struct header_rule type;
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

int config_error_page_parse(const struct config_build *build, const struct config_key *key,
                            const struct config_item *item, struct error_page *ret_page)
{
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
    page.status = (int)status;
    page.uri = arena_strdup(build->arena, equals + 1);
    if (page.uri == NULL)
        return -ENOMEM;
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

/* Where the redirect leads from redirect->from itself, as far as a path tells; in scratch. NULL: no
 * memory. */
static const char *example_path(const struct config_build *build, const struct redirect *redirect)
{
    struct span to = span_str(redirect->to), text;
    enum redirect_variable variable;
    const char *path = "";

    do {
        variable = redirect_to_next(&to, &text);
        path = arena_printf(build->scratch, "%s%.*s%s", path, (int)text.len, text.ptr,
                            variable == REDIRECT_URI ? redirect->from.ptr : "");
    } while (path != NULL && variable != REDIRECT_END);
    return path;
}

int config_redirect_parse(const struct config_build *build, const struct config_block *defaults,
                          const struct config_block *block, struct redirect *ret_redirect)
{
    static const unsigned allowed[] = { 301, 302, 303, 307, 308 };
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
    from = arena_strdup(build->arena, block->title);
    if (from == NULL)
        return -ENOMEM;
    redirect.from = span_str(from);
    path = example_path(build, &redirect);
    if (path == NULL)
        return -ENOMEM;
    if (redirect_loops(&redirect, path))
        return config_fail_advise(
            build, to->place, "to", "name a path that the redirect does not cover",
            "\"%.200s\" is redirected again by redirect \"%.200s\", for ever", redirect.to, from);
    config_note(build, from, block->place);
    *ret_redirect = redirect;
    return 0;
}

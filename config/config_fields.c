/* config_fields.c: see config_fields.h. What comes of several blocks that are for one path is put
 * together by http/mix.c. */
#include "config/config_fields.h"
#include "config/config_pattern.h"
#include "config/config_rules.h"
#include "config/config_store.h"
#include "config/config_text.h"
#include "core/check.h"

#include <errno.h>
#include <string.h>

static bool is_one_of(struct span name, const char *const *names)
{
    while (*names != NULL && !span_caseeq(name, span_str(*names)))
        names++;
    return *names != NULL;
}

bool config_field_is_caching(const char *name)
{
    static const char *const names[] = { "Cache-Control",
                                         "Expires",
                                         "CDN-Cache-Control",
                                         "Surrogate-Control",
                                         "Cloudflare-CDN-Cache-Control",
                                         "Netlify-CDN-Cache-Control",
                                         NULL };

    return is_one_of(span_str(name), names);
}

bool config_field_is_others(const struct location *location, const char *name)
{
    return (location->hsts[0] != '\0' && strcasecmp(name, "Strict-Transport-Security") == 0) ||
           (location->cors_count > 0 && strncasecmp(name, "Access-Control-", 15) == 0);
}

const char *config_field_refused(enum field_deed deed, struct span name)
{
    static const char *const type[] = { "Content-Type", NULL }, *const vary[] = { "Vary", NULL };
    const char *what = config_text_field_name(name);

    if (is_one_of(name, type) && deed == FIELD_SET)
        return NULL;
    if (is_one_of(name, type))
        return "is Content-Type, of which there is one always; it can be set";
    if (is_one_of(name, vary) && (deed == FIELD_ADD || deed == FIELD_APPEND))
        return NULL;
    if (is_one_of(name, vary))
        return "is Vary, without which caches would mix up answers; something can be added to it";
    return what;
}

/* "Name: value" of set, add and append. */
static int rule_parse(const struct config_scope *scope, const struct config_key *key,
                      const struct config_item *item, enum field_deed deed,
                      struct field_rule *ret_rule)
{
    const struct config_build *build = scope->build;
    struct span name = span_make(item->text, strcspn(item->text, ":"));
    struct span value;
    const char *what = config_field_refused(deed, name);
    bool own_kind = what == NULL && config_text_field_name(name) != NULL;

    ret_rule->deed = deed;
    if (item->text[name.len] != ':')
        return config_fail_item(build, item, key, "\"%.200s\" has no ':'", item->text);
    value = span_trim(span_str(item->text + name.len + 1));
    if (what != NULL)
        return config_fail_item(build, item, key, "\"%.200s\" %s", item->text, what);
    if (value.len == 0)
        return config_fail_advise(build, item->place, key->name,
                                  "write the name alone in remove, if it is not to be there",
                                  "\"%.200s\" has no value", item->text);
    if (!own_kind)
        return config_header_parse(scope, key, item, &ret_rule->field);
    ret_rule->field.name = arena_strndup(build->arena, name.ptr, name.len);
    ret_rule->field.value = arena_strndup(build->arena, value.ptr, value.len);
    if (ret_rule->field.name == NULL || ret_rule->field.value == NULL)
        return -ENOMEM;
    what = deed == FIELD_SET ? config_text_media_type(ret_rule->field.value)
                             : config_text_field_value(ret_rule->field.value);
    return what == NULL
               ? 0
               : config_fail_item(build, item, key, "the value of \"%.200s\" %s", item->text, what);
}

/* A name in remove. */
static int removal_parse(const struct config_build *build, const struct config_key *key,
                         const struct config_item *item, struct field_rule *ret_rule)
{
    const char *what = config_is_token(span_str(item->text))
                           ? config_field_refused(FIELD_REMOVE, span_str(item->text))
                           : "is no name of a header field";

    ret_rule->deed = FIELD_REMOVE;
    ret_rule->field.name = arena_strdup(build->arena, item->text);
    if (what != NULL)
        return config_fail_item(build, item, key, "\"%.200s\" %s", item->text, what);
    return ret_rule->field.name != NULL ? 0 : -ENOMEM;
}

/* In the order in which they are done. */
static const struct {
    const char *key;
    enum field_deed deed;
} deeds[] = {
    { "remove", FIELD_REMOVE },
    { "set", FIELD_SET },
    { "add", FIELD_ADD },
    { "append", FIELD_APPEND },
};

/* Is the field set in this block already? The second would hide the first. */
static bool is_set(const struct header_block *made, const struct field_rule *rule)
{
    for (size_t i = 0; rule->deed == FIELD_SET && i < made->count; i++) {
        if (made->rules[i].deed == FIELD_SET &&
            strcasecmp(made->rules[i].field.name, rule->field.name) == 0)
            return true;
    }
    return false;
}

static int rules_parse(const struct config_scope *scope, const struct config_block *block,
                       struct header_block *made)
{
    const struct config_build *build = scope->build;

    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        const struct config_key *key = config_key_in(CONFIG_FIELDS, deeds[i].key);
        const struct config_entry *entry = config_entry_at(block, deeds[i].key);

        for (size_t j = 0; entry->is_set && j < entry->count; j++) {
            const struct config_item *item = &entry->items[j];
            struct field_rule rule = { 0 };
            int res = deeds[i].deed == FIELD_REMOVE
                          ? removal_parse(build, key, item, &rule)
                          : rule_parse(scope, key, item, deeds[i].deed, &rule);

            if (res < 0)
                return res;
            if (is_set(made, &rule))
                return config_fail_advise(build, item->place, key->name,
                                          "write the second one in add, if both are meant",
                                          "\"%.100s\" stands twice in the list", rule.field.name);
            if (rule.field.varying != NULL && template_uses(rule.field.varying, TEMPLATE_CAPTURE))
                rule.field.captured = &made->pattern;
            made->rules[made->count++] = rule;
        }
    }
    return 0;
}

static int block_parse(const struct config_build *build, const struct config_block *block,
                       struct config *config, struct header_block *made)
{
    const struct config_entry *answers = config_entry_at(block, "answers");
    size_t count = 0;
    int res = config_path_pattern(build, config, block->place, "headers", block->word, block->title,
                                  &made->pattern);

    for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
        count += config_entry_at(block, deeds[i].key)->count;
    if (res == 0 && count == 0)
        return config_fail_advise(build, block->place, "headers",
                                  "add set, add, append or remove to it", "\"%.200s\" does nothing",
                                  block->title);
    if (res == 0 && answers->is_set)
        res = config_store(build, config_key_find("answers"), answers, made);
    if (res < 0)
        return res;
    const struct config_scope scope = {
        .build = build,
        .config = config,
        .regex = pattern_is_regex(made->pattern.kind) ? made->pattern.regex : NULL,
    };
    made->rules = arena_array(build->arena, count, sizeof(made->rules[0]));
    return made->rules == NULL ? -ENOMEM : rules_parse(&scope, block, made);
}

int config_fields_make(const struct config_build *build, const struct config_block *block,
                       struct config *config, const struct header_blocks **ret_blocks)
{
    size_t count = config_blocks_of(block, CONFIG_FIELDS);
    const struct pattern **patterns = arena_array(build->scratch, count, sizeof(patterns[0]));
    struct header_blocks *blocks;
    int res = 0;

    *ret_blocks = NULL;
    if (count == 0)
        return 0;
    blocks = arena_alloc(build->arena, sizeof(*blocks));
    if (blocks == NULL || patterns == NULL)
        return -ENOMEM;
    blocks->blocks = arena_array(build->arena, count, sizeof(blocks->blocks[0]));
    if (blocks->blocks == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < block->blocks_count; i++) {
        struct header_block *made = &blocks->blocks[blocks->count];

        if (block->blocks[i]->kind != CONFIG_FIELDS)
            continue;
        patterns[blocks->count++] = &made->pattern;
        res = block_parse(build, block->blocks[i], config, made);
    }
    *ret_blocks = blocks;
    return res < 0 ? res : pattern_set_make(build->arena, patterns, count, &blocks->set);
}

bool config_fields_vary(const struct location *location)
{
    const struct header_blocks *layers[] = { location->fields_file, location->fields_outer,
                                             location->fields_own };
    bool vary = location->has_varying;

    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        for (size_t j = 0; layers[i] != NULL && j < layers[i]->count; j++) {
            for (size_t k = 0; k < layers[i]->blocks[j].count; k++)
                vary |= layers[i]->blocks[j].rules[k].field.varying != NULL;
        }
    }
    return vary;
}

/* Block number `index` of those that `blocks` were made of. */
static const struct config_block *block_at(const struct config_block *outer, size_t index)
{
    for (size_t i = 0; i < outer->blocks_count; i++) {
        if (outer->blocks[i]->kind == CONFIG_FIELDS && index-- == 0)
            return outer->blocks[i];
    }
    UNREACHABLE();
}

int config_fields_check(const struct config_build *build, const struct config_block *outer,
                        const struct header_blocks *blocks, const struct location *location)
{
    for (size_t i = 0; blocks != NULL && i < blocks->count; i++) {
        for (size_t j = 0; j < blocks->blocks[i].count; j++) {
            const char *name = blocks->blocks[i].rules[j].field.name;
            bool is_hsts = strcasecmp(name, "Strict-Transport-Security") == 0;

            if (!config_field_is_others(location, name))
                continue;
            return config_fail_advise(
                build, block_at(outer, i)->place, "headers",
                is_hsts ? "take it away, or set hsts = \"\"" : "take it away, or set cors = {}",
                "%.100s is what %s says at location \"%.200s\"", name,
                is_hsts ? "hsts, or security_headers," : "cors", location->pattern.text.ptr);
        }
    }
    return 0;
}

/* config_cache.c: see config_cache.h. */
#include "config/config_cache.h"
#include "config/config_notes.h"
#include "config/config_pattern.h"
#include "config/config_store.h"

#include <errno.h>
#include <string.h>

/* No file has a path that ends with '/', and who writes one means the page that is shown there. */
static int judge_exact(const struct config_build *build, struct config_place place,
                       const char *subject, const struct pattern *pattern)
{
    struct span text = pattern->text;

    if (pattern->kind != PATTERN_EXACT || text.ptr[text.len - 1] != '/')
        return 0;
    return config_fail_advise(build, place, subject,
                              "name the file that is sent, such as \"index.html\" behind it",
                              "\"%.200s\" ends with '/', as no file does", text.ptr);
}

static int rule_parse(const struct config_build *build, const struct config_block *block,
                      struct config *config, struct cache_rule *ret_rule)
{
    const struct config_entry *control = config_entry_at(block, "control");
    const struct config_entry *expires = config_entry_at(block, "expires");
    struct cache_rule rule = { .expires_s = -1 };
    uint64_t seconds = 0;
    int res;

    if (block->title[0] == '\0')
        return config_fail_allowed(build, block->place, "cache", "a pattern such as \"*.css\"",
                                   "its title is empty");
    if (!control->is_set && !expires->is_set)
        return config_fail_advise(build, block->place, "cache",
                                  "add control, expires or both to it", "\"%.200s\" says nothing",
                                  block->title);
    res = config_path_pattern(build, config, block->place, "cache", block->word, block->title,
                              &rule.pattern);
    if (res == 0)
        res = judge_exact(build, block->place, "cache", &rule.pattern);
    if (res == 0 && control->is_set)
        res = config_text(build, config_key_in(CONFIG_CACHE, "control"), control->items,
                          &rule.control);
    if (res == 0 && expires->is_set) {
        res = config_number(build, config_key_find("expires"), expires->items, &seconds);
        rule.expires_s = (int64_t)seconds;
    }
    if (res == 0) {
        config_note(build, rule.pattern.text.ptr, block->place);
        *ret_rule = rule;
    }
    return res;
}

int config_cache_make(const struct config_build *build, const struct config_block *block,
                      struct config *config, const struct cache_rules **ret_rules)
{
    size_t count = config_blocks_of(block, CONFIG_CACHE);
    const struct pattern **patterns = arena_array(build->scratch, count, sizeof(patterns[0]));
    struct cache_rules *rules;
    int res = 0;

    *ret_rules = NULL;
    if (count == 0)
        return 0;
    rules = arena_alloc(build->arena, sizeof(*rules));
    if (rules == NULL || patterns == NULL)
        return -ENOMEM;
    rules->rules = arena_array(build->arena, count, sizeof(rules->rules[0]));
    if (rules->rules == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < block->blocks_count; i++) {
        if (block->blocks[i]->kind != CONFIG_CACHE)
            continue;
        patterns[rules->count] = &rules->rules[rules->count].pattern;
        res = rule_parse(build, block->blocks[i], config, &rules->rules[rules->count++]);
    }
    *ret_rules = rules;
    return res < 0 ? res : pattern_set_make(build->arena, patterns, count, &rules->set);
}

int config_download_make(const struct config_build *build, const struct config_entry *entry,
                         struct config *config, struct location *location)
{
    struct pattern *patterns =
        arena_array(build->arena, location->download_count, sizeof(patterns[0]));
    int res = patterns == NULL ? -ENOMEM : 0;

    for (size_t i = 0; res == 0 && i < location->download_count; i++) {
        const struct config_item *item = &entry->items[i];

        res = config_item_pattern(build, config, item, "download", &patterns[i]);
        if (res == 0)
            res = judge_exact(build, item->place, "download", &patterns[i]);
    }
    location->download_patterns = patterns;
    return res;
}

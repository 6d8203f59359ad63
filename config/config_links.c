/* config_links.c: see config_links.h. */
#include "config/config_links.h"

#include "config/config_store.h"
#include "config/config_text.h"
#include "core/check.h"
#include "core/signed_link.h"
#include "match/regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the innermost layer says of the key; an empty list: nothing. */
static const struct config_entry *entry_in_force(const struct config_layers *layers,
                                                 const char *key)
{
    const struct config_block *blocks[] = { layers->location, layers->server };

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        if (blocks[i] != NULL && config_entry_at(blocks[i], key)->is_set)
            return config_entry_at(blocks[i], key);
    }
    return config_entry_at(layers->defaults, key);
}

/* ---- signed ---- */

/* The key that the file at `path`, which `item` names, holds. */
static int key_read(const struct config_build *build, const struct config_item *item,
                    const char *path, struct span *ret_key)
{
    const char *what = NULL;
    char *text = NULL, *kept = NULL;
    size_t len = 0;
    int res = config_data_read(build, path, &text, &len, &what);
    struct span key;

    if (res == -ENOMEM)
        return res;
    if (res < 0)
        return config_fail(build, item->place, "signed", "%.400s cannot be read: %s", path,
                           what != NULL ? what : strerror(-res));
    key = signed_link_key(span_make(text, len));
    if (key.len < SIGNED_KEY_MIN || key.len > SIGNED_KEY_MAX) {
        res = config_fail_advise(build, item->place, "signed", "make one with openssl rand -hex 32",
                                 "%.400s does not hold a key of %d to %d bytes", path,
                                 SIGNED_KEY_MIN, SIGNED_KEY_MAX);
    } else {
        kept = arena_strndup(build->arena, key.ptr, key.len);
        res = kept != NULL ? 0 : -ENOMEM;
        *ret_key = span_make(kept, key.len);
    }
    explicit_bzero(text, len);
    free(text);
    return res;
}

int config_signed_make(const struct config_build *build, const struct config_layers *layers,
                       const struct signed_rules **ret_rules)
{
    const struct config_key *key = config_key_find("signed");
    const struct config_entry *entry = entry_in_force(layers, key->name);
    struct signed_rules *rules;
    int res = 0;

    *ret_rules = NULL;
    if (entry->count == 0)
        return 0;
    if (entry->count > CONFIG_SIGNED_MAX)
        return config_fail(build, entry->place, key->name,
                           "the list has %zu elements; allowed: %d at most", entry->count,
                           CONFIG_SIGNED_MAX);
    rules = arena_alloc(build->arena, sizeof(*rules));
    if (rules == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < entry->count; i++) {
        res = config_text(build, key, &entry->items[i], &rules->paths[i]);
        if (res == 0)
            res = key_read(build, &entry->items[i], rules->paths[i], &rules->keys[i]);
    }
    rules->count = entry->count;
    *ret_rules = rules;
    return res;
}

/* ---- referers ---- */

/* The words that are no names. */
static bool *word_in(struct referer_rules *rules, const char *text)
{
    return strcmp(text, "none") == 0           ? &rules->none
           : strcmp(text, "blocked") == 0      ? &rules->blocked
           : strcmp(text, "server_names") == 0 ? &rules->server_names
                                               : NULL;
}

const char *config_text_referer(const char *text)
{
    struct referer_rules rules;

    return word_in(&rules, text) != NULL || text[0] == '~' ? NULL : config_text_host(text);
}

/* "~ EXPRESSION", or "~*" where case does not matter; nginx has no blank there. */
static int regex_make(const struct config_build *build, const struct config_item *item,
                      struct referer_rules *rules)
{
    const char *text = item->text + 1;
    bool caseless = *text == '*';
    char what[300];
    int res;

    text += caseless;
    text += strspn(text, " ");
    if (*text == '\0')
        return config_fail(build, item->place, "referers",
                           "\"%.200s\" has no expression, which would let everybody in",
                           item->text);
    if (rules->regexes_count == CONFIG_REFERERS_REGEXES_MAX)
        return config_fail(build, item->place, "referers",
                           "the list has more than %d expressions, of which each is tried",
                           CONFIG_REFERERS_REGEXES_MAX);
    res = regex_compile(build->arena, text, caseless, what, sizeof(what),
                        &rules->regexes[rules->regexes_count]);
    if (res == -EINVAL)
        return config_fail(build, item->place, "referers", "\"%.200s\" %s", item->text, what);
    rules->regexes_count += res == 0;
    return res;
}

int config_referers_make(const struct config_build *build, const struct config_layers *layers,
                         const struct referer_rules **ret_rules)
{
    const struct config_key *key = config_key_find("referers");
    const struct config_entry *entry = entry_in_force(layers, key->name);
    struct referer_rules *rules;
    int res = 0;

    *ret_rules = NULL;
    if (entry->count == 0)
        return 0;
    if (entry->count > key->max)
        return config_fail(build, entry->place, key->name,
                           "the list has %zu elements; allowed: %llu at most", entry->count,
                           (unsigned long long)key->max);
    rules = arena_alloc(build->arena, sizeof(*rules));
    if (rules == NULL)
        return -ENOMEM;
    rules->texts = arena_array(build->arena, entry->count, sizeof(rules->texts[0]));
    rules->hosts = arena_array(build->arena, entry->count, sizeof(rules->hosts[0]));
    rules->regexes = arena_array(build->arena, CONFIG_REFERERS_REGEXES_MAX, sizeof(char *));
    if (rules->texts == NULL || rules->hosts == NULL || rules->regexes == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < entry->count; i++) {
        bool *word = word_in(rules, entry->items[i].text);

        res = config_text(build, key, &entry->items[i], &rules->texts[i]);
        if (res == 0 && entry->items[i].text[0] == '~')
            res = regex_make(build, &entry->items[i], rules);
        else if (word != NULL)
            *word = true;
        else
            rules->hosts[rules->hosts_count++] = rules->texts[i];
    }
    rules->count = entry->count;
    *ret_rules = rules;
    return res;
}

/* config_admission.c: `allow` and `deny`; the other ways are config_auth.c's and config_links.c's.
 * What one list says is read and sorted once, however many locations share it: a file may hold a
 * hundred thousand networks, and a configuration a thousand servers. */
#include "config/config_admission.h"

#include "config/config_auth.h"
#include "config/config_links.h"
#include "config/config_store.h"
#include "core/address_lines.h"
#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char file_prefix[] = "file:";

/* The path behind "file:", or NULL. */
static const char *file_of(const char *text)
{
    size_t len = sizeof(file_prefix) - 1;

    return strncmp(text, file_prefix, len) == 0 ? text + len : NULL;
}

static bool is_all(const char *text)
{
    return strcmp(text, "all") == 0;
}

const char *config_text_client(const char *text)
{
    const char *file = file_of(text);

    if (file != NULL)
        return file[0] == '\0' ? "names no file" : NULL;
    return is_all(text) ? NULL : address_range_check(text);
}

/* Adds the elements of the file `path`, which `item` names. */
static int file_add(const struct config_build *build, const struct config_key *key,
                    const struct config_item *item, const char *path, struct address_list *list)
{
    bool excluded = strcmp(key->name, "deny") == 0;
    struct address_lines_fault fault;
    const char *what = NULL;
    char *text = NULL;
    size_t len = 0;
    int res = config_data_read(build, path, &text, &len, &what);

    if (res == -ENOMEM)
        return res;
    if (res < 0)
        return config_fail(build, item->place, key->name, "%.400s cannot be read: %s", path,
                           what != NULL ? what : strerror(-res));
    res = address_lines_add(span_make(text, len), excluded, list, &fault);
    if (res == -EINVAL) {
        struct config_place place = { path, (int)fault.line, 1 };

        res = config_fail_allowed(build, place, key->name,
                                  "one address, or one network, a line, and comments behind '#'",
                                  "\"%.*s\" %s", fault.text.len < 100 ? (int)fault.text.len : 100,
                                  fault.text.ptr, fault.what);
    }
    free(text);
    return res;
}

static int element_add(const struct config_build *build, const struct config_key *key,
                       const struct config_item *item, const char *text, struct address_list *list)
{
    bool excluded = strcmp(key->name, "deny") == 0;
    const char *path = file_of(text);
    struct address_range range;

    if (path != NULL)
        return file_add(build, key, item, path, list);
    if (is_all(text))
        return 0; /* who is in no element: rest_may() */
    MUST(address_range_parse(span_str(text), &range) == NULL);
    range.excluded = excluded;
    return address_list_add(list, &range);
}

/* The elements of a list as they are in force: paths are absolute. */
static int texts_make(const struct config_build *build, const struct config_key *key,
                      const struct config_entry *entry, char ***ret_texts)
{
    char **texts = arena_array(build->arena, entry->count, sizeof(texts[0]));
    int res = texts != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; res == 0 && i < entry->count; i++) {
        res = config_text(build, key, &entry->items[i], &texts[i]);
        const char *file = res == 0 ? file_of(texts[i]) : NULL;
        if (file == NULL)
            continue;
        const char *path = config_path(build, entry->items[i].place, file);
        texts[i] = path != NULL ? arena_printf(build->arena, "%s%s", file_prefix, path) : NULL;
        if (texts[i] == NULL)
            res = -ENOMEM;
    }
    *ret_texts = texts;
    return res;
}

/* What tells two pairs of lists apart: their texts, in memory that the caller frees; NULL: none. */
static char *name_make(const struct client_rules *rules, size_t *ret_len)
{
    char *name = NULL;
    FILE *out = open_memstream(&name, ret_len);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < rules->allow_count; i++)
        fprintf(out, "+%s%c", rules->allow[i], '\0');
    for (size_t i = 0; i < rules->deny_count; i++)
        fprintf(out, "-%s%c", rules->deny[i], '\0');
    if (fclose(out) == 0)
        return name;
    free(name);
    return NULL;
}

static bool has_all(char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_all(texts[i]))
            return true;
    }
    return false;
}

/* May those who are in no network of either list? `all` is larger than any. */
static bool rest_may(const struct client_rules *rules)
{
    return !has_all(rules->deny, rules->deny_count) &&
           (rules->allow_count == 0 || has_all(rules->allow, rules->allow_count));
}

/* Fills rules->clients. */
static int clients_make(const struct config_build *build, const struct config_entry *allow,
                        const struct config_entry *deny, struct client_rules *rules)
{
    const struct config_key *allow_key = config_key_find("allow");
    const struct config_key *deny_key = config_key_find("deny");
    struct address_list list = { 0 };
    int res = 0;

    for (size_t i = 0; res == 0 && i < rules->allow_count; i++)
        res = element_add(build, allow_key, &allow->items[i], rules->allow[i], &list);
    for (size_t i = 0; res == 0 && i < rules->deny_count; i++)
        res = element_add(build, deny_key, &deny->items[i], rules->deny[i], &list);
    if (res == 0)
        res = address_list_make_set(&list, rest_may(rules), build->arena, &rules->clients);
    address_list_free(&list);
    return res;
}

/* The rules of two lists, of which one is not empty. */
static int rules_make(const struct config_build *build, const struct config_entry *allow,
                      const struct config_entry *deny, const struct client_rules **ret_rules)
{
    struct config_shared *shared = build->shared;
    struct client_rules *rules = arena_alloc(build->arena, sizeof(*rules));
    const struct name_slot *slot;
    char *name = NULL, *kept;
    size_t len = 0;
    int res;

    if (rules == NULL)
        return -ENOMEM;
    rules->allow_count = allow->count;
    rules->deny_count = deny->count;
    res = texts_make(build, config_key_find("allow"), allow, &rules->allow);
    if (res == 0)
        res = texts_make(build, config_key_find("deny"), deny, &rules->deny);
    if (res < 0)
        return res;
    name = name_make(rules, &len);
    if (name == NULL)
        return -ENOMEM;
    slot = name_table_find(&shared->clients, name_hash(span_make(name, len)), span_make(name, len));
    if (slot != NULL) {
        *ret_rules = shared->client_rules[slot->index];
        free(name);
        return 0;
    }
    kept = arena_strndup(build->scratch, name, len);
    free(name);
    if (kept == NULL)
        return -ENOMEM;
    res = clients_make(build, allow, deny, rules);
    if (res < 0)
        return res;
    name_table_add(&shared->clients, span_make(kept, len), shared->client_rules_count);
    shared->client_rules[shared->client_rules_count++] = rules;
    *ret_rules = rules;
    return 0;
}

/* The block that says who may, the innermost first: `allow` and `deny` are one rule, so one that
 * says either says both. */
static const struct config_block *clients_block(const struct config_layers *layers)
{
    const struct config_block *blocks[] = { layers->location, layers->server };

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        if (blocks[i] != NULL && (config_entry_at(blocks[i], "allow")->is_set ||
                                  config_entry_at(blocks[i], "deny")->is_set))
            return blocks[i];
    }
    return layers->defaults;
}

static int by_address_make(const struct config_build *build, const struct config_layers *layers,
                           const struct client_rules **ret_rules)
{
    const struct config_block *block = clients_block(layers);
    const struct config_entry *allow = config_entry_at(block, "allow");
    const struct config_entry *deny = config_entry_at(block, "deny");

    *ret_rules = NULL;
    return allow->count + deny->count > 0 ? rules_make(build, allow, deny, ret_rules) : 0;
}

int config_admission_make(const struct config_build *build, const struct config_layers *layers,
                          struct location *location)
{
    struct admission *admission = arena_alloc(build->arena, sizeof(*admission));
    int res = admission != NULL ? 0 : -ENOMEM;

    if (res == 0)
        res = by_address_make(build, layers, &admission->by_address);
    if (res == 0)
        res = config_auth_make(build, layers, &admission->auth);
    if (res == 0)
        res = config_signed_make(build, layers, &admission->signed_by);
    if (res == 0)
        res = config_referers_make(build, layers, &admission->referers);
    if (res == 0 && (admission->by_address != NULL || admission->auth != NULL ||
                     admission->signed_by != NULL || admission->referers != NULL))
        location->admission = admission;
    return res;
}

static bool is_same_key(const struct signed_rules *a, const struct signed_rules *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!span_eq(a->keys[i], b->keys[i]))
            return false;
    }
    return a->count == b->count;
}

/* May whoever has what lies at `outer` have what lies at `inner`, too? */
static bool is_as_open(const struct location *outer, const struct location *inner)
{
    static const struct admission open;
    const struct admission *a = outer->admission != NULL ? outer->admission : &open;
    const struct admission *b = inner->admission;

    if (b == NULL)
        return true;
    const struct htpasswd *users = a->auth != NULL ? a->auth->users : NULL;

    return a->by_address == b->by_address && outer->satisfy == inner->satisfy &&
           users == (b->auth != NULL ? b->auth->users : NULL) &&
           is_same_key(a->signed_by, b->signed_by);
}

/* May a path that begins with one of `heads` lie below `prefix`? */
static bool heads_may_lie_below(const struct literals *heads, struct span prefix)
{
    for (size_t i = 0; i < heads->count; i++) {
        size_t len = heads->texts[i].len < prefix.len ? heads->texts[i].len : prefix.len;
        if (strncasecmp(heads->texts[i].ptr, prefix.ptr, len) == 0)
            return true;
    }
    return heads->count == 0;
}

/* The same of a glob or an expression, as far as its beginning tells. Without memory: perhaps. */
static bool may_match_below(struct arena *arena, struct span prefix, const struct pattern *pattern)
{
    struct literal_needs needs;

    if (pattern_literals(arena, pattern, &needs) < 0)
        return true;
    for (size_t i = 0; i < needs.count; i++) {
        if (heads_may_lie_below(&needs.branches[i].at[LITERAL_HEAD], prefix))
            return true;
    }
    return needs.count == 0;
}

/* May `inner` be for paths below those of `outer`? */
static bool may_lie_below(struct arena *arena, const struct location *outer,
                          const struct location *inner)
{
    if (inner == outer)
        return false;
    if (!pattern_is_prefix(inner->pattern.kind) && inner->pattern.kind != PATTERN_EXACT)
        return may_match_below(arena, outer->prefix, &inner->pattern);
    return inner->prefix.len >= outer->prefix.len &&
           memcmp(inner->prefix.ptr, outer->prefix.ptr, outer->prefix.len) == 0;
}

int config_check_archives(const struct config_build *build, struct config_place place,
                          const struct server *server)
{
    for (size_t i = 0; i < server->locations_count; i++) {
        const struct location *outer = &server->locations[i];

        for (size_t j = 0; outer->archive != 0 && j < server->locations_count; j++) {
            const struct location *inner = &server->locations[j];

            if (may_lie_below(build->arena, outer, inner) && !is_as_open(outer, inner))
                return config_fail_advise(
                    build, place, "archive", "set archive = {} there",
                    "an archive of location \"%.*s\" would hold what location \"%.*s\" keeps from "
                    "some",
                    (int)outer->pattern.text.len, outer->pattern.text.ptr,
                    (int)inner->pattern.text.len, inner->pattern.text.ptr);
        }
    }
    return 0;
}

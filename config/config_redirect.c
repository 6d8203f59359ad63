/* config_redirect.c: see config_redirect.h. */
#include "config/config_redirect.h"

#include "core/check.h"
#include "config/config_notes.h"
#include "config/config_pattern.h"
#include "config/config_store.h"
#include "config/config_text.h"
#include "config/config_value.h"
#include "config/redirect_find.h"
#include "config/redirect_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FAIL(...) config_fail_item(build, item, key, __VA_ARGS__)

enum redirect_group config_redirect_group(const struct config_block *block)
{
    const char *title = block->title;
    size_t len = strlen(title);

    if (block->word[0] == '=')
        return strchr(title, '?') != NULL || (len > 0 && title[len - 1] == '/') ? REDIRECT_EXACT
                                                                                : REDIRECT_PLAIN;
    return block->word[0] == '~' || (block->word[0] == '\0' && glob_is_one(title))
               ? REDIRECT_PATTERN
               : REDIRECT_PLAIN;
}

/* NULL, or what is wrong with it. */
static const char *query_judge(const char *query)
{
    for (const char *at = query; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '#')
            return "holds what no query has; write %XX for it";
    }
    return NULL;
}

static int pattern_make(const struct config_build *build, const struct config_block *block,
                        struct redirect *redirect)
{
    struct pattern *pattern = arena_alloc(build->arena, sizeof(*pattern));
    int res = pattern != NULL ? config_redirect_pattern(build, block, pattern) : -ENOMEM;

    if (res < 0)
        return res;
    redirect->pattern = pattern;
    redirect->from = pattern->text;
    return 0;
}

int config_redirect_title(const struct config_build *build, const struct config_block *block,
                          struct redirect *redirect)
{
    const char *subject = config_block_type_at(block->kind)->name, *what = NULL;
    enum redirect_group group = config_redirect_group(block);
    const char *mark = group == REDIRECT_EXACT ? strchr(block->title, '?') : NULL;
    char *from, *path;

    if (group == REDIRECT_PATTERN)
        return pattern_make(build, block, redirect);
    from = arena_strdup(build->arena, block->title);
    path = arena_strndup(build->scratch, block->title, strcspn(block->title, "?"));
    if (from == NULL || path == NULL)
        return -ENOMEM;
    redirect->exact = block->word[0] == '=';
    redirect->firm = block->word[0] == '^';
    if (redirect->firm && (from[0] == '\0' || from[strlen(from) - 1] != '/'))
        return config_fail_advise(build, block->place, subject, "write a '/' behind it",
                                  "\"%.200s\" is no prefix, so that no ^~ is of use before it",
                                  from);
    what = config_text_path(mark != NULL ? path : from);
    if (what != NULL)
        return config_fail_allowed(build, block->place, subject, "a path that begins with '/'",
                                   "\"%.200s\" %s", from, what);
    redirect->from = span_str(from);
    if (mark == NULL)
        return 0;
    redirect->from.len = (size_t)(mark - block->title);
    redirect->query = span_str(from + redirect->from.len + 1);
    what = query_judge(redirect->query.ptr);
    return what == NULL ? 0
                        : config_fail(build, block->place, subject, "the query of \"%.200s\" %s",
                                      from, what);
}

bool config_redirect_covers(const struct redirect *redirect, struct span path)
{
    struct regex_room *room = NULL;
    bool covers;

    if (redirect->pattern != NULL) {
        if (regex_room_create(REGEX_STEPS_DEFAULT, &room) < 0)
            return false;
        covers = pattern_match(redirect->pattern, room, path, NULL) == 1;
        regex_room_destroy(room);
        return covers;
    }
    if (!redirect_is_prefix(redirect))
        return span_eq(path, redirect->from);
    return path.len >= redirect->from.len &&
           memcmp(path.ptr, redirect->from.ptr, redirect->from.len) == 0;
}

/* Would the answer lead to itself, for ever? `to` is where it leads with what redirect->from makes
 * of $uri. */
static bool loops(const struct redirect *redirect, const char *to)
{
    if (redirect->query.ptr != NULL) /* what it leads to has another query, or none */
        return strcmp(to, redirect->from.ptr) == 0;
    return to[0] == '/' && config_redirect_covers(redirect, span_make(to, strcspn(to, "?#")));
}

/* Where the redirect leads from redirect->from itself, as far as a path tells; in scratch; "" where
 * it depends on more than the path. NULL: no memory. */
static const char *example_path(const struct config_build *build, const struct redirect *redirect)
{
    const uint32_t paths = redirect->pattern != NULL
                               ? 0
                               : UINT32_C(1) << TEMPLATE_URI | UINT32_C(1) << TEMPLATE_REQUEST_URI;
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

    redirect->keeps_rest = (uses & paths) == 0 && !has_query && redirect_is_prefix(redirect);
    redirect->keeps_query = (uses & queries) == 0 && !has_query && redirect->query.ptr == NULL;
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
    struct config_scope own = *scope;
    struct redirect redirect = { .pattern = NULL };
    uint64_t status = 0;
    const char *path;
    int res = config_redirect_title(build, block, &redirect);

    if (res < 0)
        return res;
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
    if (redirect.pattern != NULL && pattern_is_regex(redirect.pattern->kind))
        own.regex = redirect.pattern->regex;
    res = config_template_url(&own, to->items->place, "to", redirect.to, &redirect.target);
    if (res < 0)
        return res;
    find_what_is_kept(&redirect);
    path = example_path(build, &redirect);
    if (path == NULL)
        return -ENOMEM;
    if (loops(&redirect, path))
        return config_fail_advise(build, to->place, "to",
                                  "name a path that the redirect does not cover",
                                  "\"%.200s\" is redirected again by redirect \"%.200s\", for ever",
                                  redirect.to, block->title);
    config_note(build, redirect.from.ptr, block->place);
    *ret_redirect = redirect;
    return 0;
}

/* The longest first, so that the first that matches is the one; equal ones by their text, so that
 * it is the same every time. */
static int compare_plain(const void *a, const void *b)
{
    const struct redirect *x = a, *y = b;

    if (x->from.len != y->from.len)
        return x->from.len > y->from.len ? -1 : 1;
    return memcmp(x->from.ptr, y->from.ptr, x->from.len);
}

/* Room for `count` more of a group. */
static struct redirect *room_for(const struct config_build *build, const struct config_block *block,
                                 enum redirect_group group)
{
    size_t count = 0;

    for (size_t i = 0; i < block->blocks_count; i++)
        count += block->blocks[i]->kind == CONFIG_REDIRECT &&
                 config_redirect_group(block->blocks[i]) == group;
    return arena_array(build->arena, count, sizeof(struct redirect));
}

static int patterns_make(struct arena *arena, struct redirect_patterns *patterns)
{
    const struct pattern **all = arena_array(arena, patterns->count, sizeof(*all));

    if (all == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < patterns->count; i++)
        all[i] = patterns->items[i].pattern;
    return patterns->count == 0 ? 0 : pattern_set_make(arena, all, patterns->count, &patterns->set);
}

static void add(struct config *config, struct server *server, enum redirect_group group,
                const struct redirect *redirect)
{
    switch (group) {
    case REDIRECT_PLAIN:
        server->redirects[server->redirects_count++] = *redirect;
        return;
    case REDIRECT_EXACT:
        server->redirects_exact[server->redirects_exact_count++] = *redirect;
        return;
    case REDIRECT_PATTERN:
        config->has_regex |= pattern_is_regex(redirect->pattern->kind);
        server->redirects_patterns.items[server->redirects_patterns.count++] = *redirect;
        return;
    }
    UNREACHABLE();
}

int config_redirects_make(const struct config_scope *scope, const struct config_block *defaults,
                          const struct config_block *block, struct server *server)
{
    const struct config_build *build = scope->build;
    int res = 0;

    server->redirects = room_for(build, block, REDIRECT_PLAIN);
    server->redirects_exact = room_for(build, block, REDIRECT_EXACT);
    server->redirects_patterns.items = room_for(build, block, REDIRECT_PATTERN);
    if (server->redirects == NULL || server->redirects_exact == NULL ||
        server->redirects_patterns.items == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < block->blocks_count; i++) {
        struct redirect redirect;

        if (block->blocks[i]->kind != CONFIG_REDIRECT)
            continue;
        res = config_redirect_parse(scope, defaults, block->blocks[i], &redirect);
        if (res == 0)
            add(scope->config, server, config_redirect_group(block->blocks[i]), &redirect);
    }
    if (res < 0)
        return res;
    qsort(server->redirects, server->redirects_count, sizeof(struct redirect), compare_plain);
    if (server->redirects_count > REDIRECTS_FEW &&
        redirect_table_make(build->arena, build->hash_key, server) < 0)
        return -ENOMEM;
    redirects_exact_sort(server);
    server->redirects_any =
        server->redirects_count + server->redirects_exact_count + server->redirects_patterns.count >
        0;
    return patterns_make(build->arena, &server->redirects_patterns);
}

/* redirect_rules.c: rules are chained by the folder that all that they match lies in, and the
 * chains are found by hash: of a path, each of its folders has one at most. See redirect_rules.h.
 */
#include "match/redirect_rules.h"

#include "core/check.h"
#include "core/hex.h"
#include "match/redirect_pattern.h"
#include "match/text_table.h"

#include <errno.h>
#include <stdlib.h>

/* A parameter of the query that has to be there. */
struct rule_param {
    struct span name;
    struct span value; /* that it must have, decoded */
    uint8_t group;     /* not 0: any, and it is captured */
};

/* A rule, and how it is found. */
struct compiled {
    struct redirect_rule rule;
    struct redirect_pattern pattern;
    struct rule_param *params;
    uint32_t params_count;
    uint32_t next; /* in its chain, REDIRECT_RULE_NONE behind the last */
};

struct redirect_rules {
    struct compiled *all;
    uint32_t count;
    struct text_table paths;   /* of the first of each chain: rules for one path alone */
    struct text_table folders; /* likewise, by folder: the others */
    uint64_t *lengths;         /* bits: there is a folder of so many octets */
};

struct redirect_rules_maker {
    struct arena *arena;
    struct compiled *all; /* malloc(3) */
    size_t count, room;
};

/* ---- making ---- */

int redirect_rules_begin(struct arena *arena, struct redirect_rules_maker **ret_maker)
{
    struct redirect_rules_maker *maker = calloc(1, sizeof(*maker));

    if (maker == NULL)
        return -ENOMEM;
    maker->arena = arena;
    *ret_maker = maker;
    return 0;
}

void redirect_rules_end(struct redirect_rules_maker *maker)
{
    if (maker == NULL)
        return;
    free(maker->all);
    free(maker);
}

size_t redirect_rules_made(const struct redirect_rules_maker *maker)
{
    return maker->count;
}

void redirect_rules_drop(struct redirect_rules_maker *maker)
{
    CHECK(maker->count > 0);
    maker->count--;
}

const struct redirect_rule *redirect_rules_last(const struct redirect_rules_maker *maker)
{
    CHECK(maker->count > 0);
    return &maker->all[maker->count - 1].rule;
}

static int params_add(struct arena *arena, const struct redirect_line *line,
                      struct compiled *compiled, const char **ret_what)
{
    compiled->params = arena_array(arena, line->params_count, sizeof(compiled->params[0]));
    if (compiled->params == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < line->params_count; i++) {
        struct span text = line->params[i];
        const char *equals = memchr(text.ptr, '=', text.len);
        struct span value;
        bool is_bad;

        CHECK(equals != NULL);
        text = redirect_decode(arena, text, &is_bad);
        if (text.ptr == NULL)
            return -ENOMEM;
        equals = memchr(text.ptr, '=', text.len);
        if (is_bad || equals == NULL || equals == text.ptr) {
            *ret_what = "has a parameter with a percent-escape that is bad";
            return -EINVAL;
        }
        value = span_make(equals + 1, text.len - (size_t)(equals - text.ptr) - 1);
        struct rule_param param = { span_make(text.ptr, (size_t)(equals - text.ptr)), value, 0 };
        if (value.len > 1 && value.ptr[0] == ':' &&
            redirect_name_len(span_make(value.ptr + 1, value.len - 1)) == value.len - 1) {
            struct span name = span_make(value.ptr + 1, value.len - 1);

            if (redirect_pattern_group(&compiled->pattern, name) == 0)
                param.group = redirect_pattern_add_group(&compiled->pattern, name);
            if (param.group == 0) {
                *ret_what = "captures one name twice, or more than nine times";
                return -EINVAL;
            }
        }
        compiled->params[compiled->params_count++] = param;
    }
    return 0;
}

/* A template while it is written. */
struct target {
    char *text;
    size_t len;
};

static void put_octet(struct target *target, char octet, bool is_url)
{
    if ((unsigned char)octet >= 0x80 && is_url) {
        target->text[target->len++] = '%';
        hex_put(target->text + target->len, (unsigned char)octet);
        target->len += 2;
        return;
    }
    if (octet == '$') /* a dollar sign of a template's */
        target->text[target->len++] = '$';
    target->text[target->len++] = octet;
}

/* `to` as a template: names that were captured are groups. */
static int target_make(struct arena *arena, struct compiled *compiled, struct span to, bool is_url,
                       const char **ret_what)
{
    struct target target = { arena_alloc(arena, 4 * to.len + 1), 0 };
    size_t rest = 0;

    if (target.text == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < to.len; i += 1 + rest) {
        size_t len =
            to.ptr[i] == ':' ? redirect_name_len(span_make(to.ptr + i + 1, to.len - i - 1)) : 0;
        uint8_t group = redirect_pattern_group(&compiled->pattern, span_make(to.ptr + i + 1, len));

        rest = 0;
        if (len > 0 && group != 0) { /* ":id", longer than "$1" or as long */
            target.text[target.len++] = '$';
            target.text[target.len++] = (char)('0' + group);
            rest = len;
        } else if (len > 0 && i > 0 && to.ptr[i - 1] == '/') {
            *ret_what = "has a placeholder in what it leads to that nothing before it captures";
            return -EINVAL;
        } else {
            put_octet(&target, to.ptr[i], is_url);
        }
    }
    target.text[target.len] = '\0';
    compiled->rule.target = target.text;
    return 0;
}

/* Does a redirect lead to a path that it is for? Then the client would come again, and again. */
static bool leads_to_itself(struct arena *arena, struct compiled *compiled, struct span to)
{
    struct captures captures;
    size_t end = 0;
    bool is_bad;

    while (end < to.len && to.ptr[end] != '?' && to.ptr[end] != '#')
        end++;
    to = redirect_decode(arena, span_make(to.ptr, end), &is_bad);
    if (to.ptr == NULL || is_bad || compiled->params_count > 0 ||
        strchr(compiled->rule.target, '$') != NULL ||
        !redirect_pattern_match(&compiled->pattern, to, &captures))
        return false;
    if (redirect_pattern_is_static(&compiled->pattern) &&
        compiled->pattern.ends_with_slash != (redirect_pattern_trim(to).len < to.len)) {
        compiled->pattern.slash_counts = true; /* "/a /a/": it is all that it is about */
        return false;
    }
    /* A file may be there, and win: "/app/ * /app/". */
    return compiled->rule.force || redirect_pattern_is_static(&compiled->pattern);
}

static int compile(struct arena *arena, const struct redirect_line *line, struct compiled *compiled,
                   const char **ret_what)
{
    struct redirect_rule *rule = &compiled->rule;
    bool is_redirect = line->status > 300 && line->status < 400, is_bad;
    struct span to = line->to;
    int res = redirect_pattern_make(arena, line->from, &compiled->pattern, ret_what);

    if (res == 0)
        res = params_add(arena, line, compiled, ret_what);
    if (res < 0)
        return res;
    rule->from = arena_strndup(arena, line->from.ptr, line->from.len);
    rule->to = arena_strndup(arena, to.ptr, to.len);
    if (rule->from == NULL || rule->to == NULL)
        return -ENOMEM;
    rule->status = line->status;
    rule->force = line->force;
    rule->has_params = line->params_count > 0;
    rule->number = line->number;
    rule->target = "";
    rule->groups = compiled->pattern.groups;
    if (to.len == 0)
        return 0;
    rule->keeps_query = memchr(to.ptr, '?', to.len) == NULL && memchr(to.ptr, '#', to.len) == NULL;
    if (!is_redirect) { /* a file has no query */
        for (size_t i = 0; i < to.len; i++)
            if (to.ptr[i] == '?' || to.ptr[i] == '#')
                to.len = i;
        to = redirect_decode(arena, to, &is_bad);
        if (to.ptr == NULL)
            return -ENOMEM;
        if (is_bad) {
            *ret_what = "leads to a percent-escape that is bad, or %00";
            return -EINVAL;
        }
    }
    res = target_make(arena, compiled, to, is_redirect, ret_what);
    if (res == 0 && is_redirect && to.ptr[0] == '/' && leads_to_itself(arena, compiled, to)) {
        *ret_what = "leads to itself, for ever";
        res = -EINVAL;
    }
    return res;
}

int redirect_rules_add(struct redirect_rules_maker *maker, const struct redirect_line *line,
                       const char **ret_what)
{
    struct compiled compiled = { .next = REDIRECT_RULE_NONE };
    int res = compile(maker->arena, line, &compiled, ret_what);

    if (res < 0)
        return res;
    if (maker->count == maker->room) {
        size_t room = maker->room > 0 ? 2 * maker->room : 64;
        struct compiled *grown = realloc(maker->all, room * sizeof(grown[0]));

        if (grown == NULL)
            return -ENOMEM;
        maker->all = grown;
        maker->room = room;
    }
    maker->all[maker->count++] = compiled;
    return 0;
}

/* Puts each rule at the end of its chain. */
static int chains_make(struct redirect_rules *rules)
{
    uint32_t *lasts = calloc(rules->count + 1, sizeof(lasts[0])); /* by the first of a chain */

    if (lasts == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < rules->count; i++) {
        bool is_static = redirect_pattern_is_static(&rules->all[i].pattern);
        size_t len = redirect_pattern_folder(&rules->all[i].pattern).len;
        uint32_t first = text_table_add(is_static ? &rules->paths : &rules->folders, i);

        if (!is_static)
            rules->lengths[len / 64] |= UINT64_C(1) << len % 64;
        if (first == TEXT_TABLE_NONE) {
            lasts[i] = i;
            continue;
        }
        rules->all[lasts[first]].next = i;
        lasts[first] = i;
    }
    free(lasts);
    return 0;
}

int redirect_rules_make(struct redirect_rules_maker *maker, const uint64_t hash_key[2],
                        const struct redirect_rules **ret_rules)
{
    struct arena *arena = maker->arena;
    struct redirect_rules *rules = arena_alloc(arena, sizeof(*rules));
    struct span *texts = arena_array(arena, maker->count, sizeof(texts[0]));
    size_t statics = 0, longest = 0;

    if (rules == NULL || texts == NULL || maker->count > UINT32_MAX / 4)
        return -ENOMEM;
    rules->all = arena_array(arena, maker->count, sizeof(rules->all[0]));
    if (rules->all == NULL)
        return -ENOMEM;
    if (maker->count > 0)
        memcpy(rules->all, maker->all, maker->count * sizeof(rules->all[0]));
    rules->count = (uint32_t)maker->count;
    for (size_t i = 0; i < maker->count; i++) {
        texts[i] = redirect_pattern_folder(&rules->all[i].pattern);
        statics += redirect_pattern_is_static(&rules->all[i].pattern);
        longest = texts[i].len > longest ? texts[i].len : longest;
    }
    rules->lengths = arena_array(arena, longest / 64 + 1, sizeof(rules->lengths[0]));
    if (rules->lengths == NULL ||
        text_table_make(arena, texts, statics, hash_key, &rules->paths) < 0 ||
        text_table_make(arena, texts, maker->count - statics, hash_key, &rules->folders) < 0 ||
        chains_make(rules) < 0)
        return -ENOMEM;
    *ret_rules = rules;
    return 0;
}

size_t redirect_rules_count(const struct redirect_rules *rules)
{
    return rules->count;
}

const struct redirect_rule *redirect_rules_at(const struct redirect_rules *rules, uint32_t index)
{
    CHECK(index < rules->count);
    return &rules->all[index].rule;
}

/* ---- finding ---- */

/* A request that is looked for. */
struct request {
    struct span path, query;
    char *scratch; /* what is left of it behind what the best has taken */
    size_t cap;
    struct captures *captures; /* of the best */
};

/* The first parameter `name`=value, as sent; false: there is none. */
static bool find_param(struct span query, struct span name, struct span *ret_value)
{
    while (query.len > 0) {
        const char *end = memchr(query.ptr, '&', query.len);
        size_t len = end != NULL ? (size_t)(end - query.ptr) : query.len;

        if (len > name.len && query.ptr[name.len] == '=' &&
            memcmp(query.ptr, name.ptr, name.len) == 0) {
            *ret_value = span_make(query.ptr + name.len + 1, len - name.len - 1);
            return true;
        }
        len += end != NULL;
        query = span_make(query.ptr + len, query.len - len);
    }
    return false;
}

/* A value of a form, decoded to the scratch, of which it takes what it needs. */
static bool decode_value(struct span value, char **scratch, size_t *cap, struct span *ret_value)
{
    char *out = *scratch;
    size_t len = 0;

    if (value.len > *cap)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        int octet = redirect_escape(value, i);

        out[len++] = octet >= 0 ? (char)octet : value.ptr[i] == '+' ? ' ' : value.ptr[i];
        i += octet >= 0 ? 2 : 0;
    }
    *scratch += len;
    *cap -= len;
    *ret_value = span_make(out, len);
    return true;
}

static bool params_match(const struct compiled *compiled, struct request *request,
                         struct captures *captures)
{
    char *scratch = request->scratch;
    size_t cap = request->cap;

    for (size_t i = 0; i < compiled->params_count; i++) {
        const struct rule_param *param = &compiled->params[i];
        struct span value;

        if (!find_param(request->query, param->name, &value) ||
            !decode_value(value, &scratch, &cap, &value))
            return false;
        if (param->group != 0)
            captures->groups[param->group] = value;
        else if (!span_eq(value, param->value))
            return false;
    }
    request->scratch = scratch;
    request->cap = cap;
    return true;
}

/* The first of the chain that matches and comes before `best`, with its captures; else `best`. */
static uint32_t follow_chain(const struct redirect_rules *rules, uint32_t first, uint32_t best,
                             struct request *request)
{
    for (uint32_t i = first; i < best; i = rules->all[i].next) {
        const struct compiled *compiled = &rules->all[i];
        struct captures captures = { .count = CAPTURES_MAX };

        captures.groups[0] = request->path;
        if (!redirect_pattern_match(&compiled->pattern, request->path, &captures) ||
            !params_match(compiled, request, &captures))
            continue;
        *request->captures = captures;
        return i;
    }
    return best;
}

uint32_t redirect_rules_find(const struct redirect_rules *rules, struct span path,
                             struct span query, char *scratch, size_t cap,
                             struct captures *ret_captures)
{
    struct request request = { path, query, scratch, cap, ret_captures };
    struct span trimmed = redirect_pattern_trim(path);
    uint32_t best = REDIRECT_RULE_NONE;
    size_t end = path.len < rules->folders.len_max ? path.len : rules->folders.len_max;

    best = follow_chain(rules, text_table_find(&rules->paths, trimmed), best, &request);
    for (size_t len = 0; rules->folders.slots != NULL && len <= end; len++) {
        bool is_folder = len == path.len || path.ptr[len] == '/';

        if (is_folder && (rules->lengths[len / 64] >> len % 64 & 1) != 0)
            best = follow_chain(rules, text_table_find(&rules->folders, span_make(path.ptr, len)),
                                best, &request);
    }
    return best;
}

/* pattern_set.c: two hash tables, an order, and what leaves most of it out (prefilter.h). See
 * pattern_set.h. */
#include "match/pattern_set.h"

#include "core/check.h"
#include "match/prefilter.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

/* FNV-1a, from the front, so that on the way it is the hash of each prefix. All that is in the
 * tables is the operator's: the hash needs no key. */
#define HASH_START UINT32_C(2166136261)

struct slot {
    struct span text; /* ptr NULL: free */
    uint32_t hash;
    uint32_t index;
};

/* Open addressing, linear probing, at most half full. */
struct table {
    struct slot *slots;
    uint32_t mask;
    size_t len_min, len_max; /* of its texts; len_max 0: it is empty */
};

struct pattern_set {
    const struct pattern *const *patterns;
    struct table exact, prefix;
    uint32_t *tried; /* expressions, then globs, in the order in which they are tried */
    size_t regexes, globs;
    const struct prefilter *prefilter; /* which of them may match; NULL: all */
    bool firm;                         /* there is a firm prefix */
};

static inline uint32_t hash_add(uint32_t hash, char byte)
{
    return (hash ^ (uint8_t)byte) * UINT32_C(16777619);
}

static int table_make(struct arena *arena, size_t count, struct table *table)
{
    size_t slots = 2;

    while (slots / 2 < count)
        slots *= 2;
    table->mask = (uint32_t)(slots - 1);
    table->len_min = SIZE_MAX;
    table->slots = arena_array(arena, slots, sizeof(table->slots[0]));
    return table->slots != NULL ? 0 : -ENOMEM;
}

static inline size_t slot_at(const struct table *table, uint32_t hash)
{
    return (hash ^ hash >> 15) & table->mask;
}

static void table_add(struct table *table, struct span text, size_t index)
{
    uint32_t hash = HASH_START;
    size_t i;

    for (size_t at = 0; at < text.len; at++)
        hash = hash_add(hash, text.ptr[at]);
    for (i = slot_at(table, hash); table->slots[i].text.ptr != NULL; i = (i + 1) & table->mask)
        CHECK(!span_eq(table->slots[i].text, text));
    table->slots[i] = (struct slot){ text, hash, (uint32_t)index };
    table->len_min = text.len < table->len_min ? text.len : table->len_min;
    table->len_max = text.len > table->len_max ? text.len : table->len_max;
}

/* The slot whose text has `len` bytes and begins as the path does; `len` is at most one more than
 * those of the path, and that one would be a '/'. */
static const struct slot *table_find(const struct table *table, uint32_t hash, struct span path,
                                     size_t len)
{
    size_t compared = len < path.len ? len : path.len;

    for (size_t i = slot_at(table, hash);; i = (i + 1) & table->mask) {
        const struct slot *slot = &table->slots[i];

        if (slot->text.ptr == NULL)
            return NULL;
        if (slot->hash == hash && slot->text.len == len &&
            memcmp(slot->text.ptr, path.ptr, compared) == 0)
            return slot;
    }
}

/* ---- making ---- */

/* A glob, to be sorted. */
struct glob_order {
    size_t literals;
    uint32_t index;
};

static int compare_globs(const void *a, const void *b)
{
    const struct glob_order *x = a, *y = b;

    if (x->literals != y->literals)
        return x->literals > y->literals ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int order_make(struct arena *arena, struct pattern_set *set, size_t count)
{
    struct glob_order *globs = calloc(count + 1, sizeof(globs[0]));

    set->tried = arena_array(arena, count, sizeof(set->tried[0]));
    if (globs == NULL || set->tried == NULL) {
        free(globs);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct pattern *pattern = set->patterns[i];

        if (pattern_is_regex(pattern->kind))
            set->tried[set->regexes++] = (uint32_t)i;
        else if (pattern->kind == PATTERN_GLOB)
            globs[set->globs++] = (struct glob_order){ pattern->glob.literals, (uint32_t)i };
    }
    qsort(globs, set->globs, sizeof(globs[0]), compare_globs);
    for (size_t i = 0; i < set->globs; i++)
        set->tried[set->regexes + i] = globs[i].index;
    free(globs);
    return 0;
}

/* Globs and expressions up to which all are tried: to look for literals takes as long. */
enum { TRIED_FEW = 3 };

static int prefilter_of(struct arena *arena, struct pattern_set *set)
{
    size_t count = set->regexes + set->globs;
    const struct pattern **in_order;
    int res;

    if (count <= TRIED_FEW)
        return 0;
    in_order = calloc(count, sizeof(in_order[0]));
    if (in_order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        in_order[i] = set->patterns[set->tried[i]];
    res = prefilter_make(arena, in_order, count, &set->prefilter);
    if (res == 0 && prefilter_always(set->prefilter) == count)
        set->prefilter = NULL;
    free(in_order);
    return res;
}

int pattern_set_make(struct arena *arena, const struct pattern *const *patterns, size_t count,
                     const struct pattern_set **ret_set)
{
    struct pattern_set *set = arena_alloc(arena, sizeof(*set));
    const struct pattern **copy = arena_array(arena, count, sizeof(copy[0]));
    size_t exact = 0, prefixes = 0;

    CHECK(count < INT_MAX);
    if (set == NULL || copy == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        copy[i] = patterns[i];
        exact += patterns[i]->kind == PATTERN_EXACT;
        prefixes += pattern_is_prefix(patterns[i]->kind);
    }
    set->patterns = copy;
    if (table_make(arena, exact, &set->exact) < 0 ||
        table_make(arena, prefixes, &set->prefix) < 0 || order_make(arena, set, count) < 0 ||
        prefilter_of(arena, set) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (patterns[i]->kind == PATTERN_EXACT)
            table_add(&set->exact, patterns[i]->text, i);
        if (pattern_is_prefix(patterns[i]->kind))
            table_add(&set->prefix, patterns[i]->text, i);
        set->firm |= patterns[i]->kind == PATTERN_PREFIX_FIRM;
    }
    *ret_set = set;
    return 0;
}

bool pattern_set_has_regex(const struct pattern_set *set)
{
    return set->regexes > 0;
}

/* ---- finding ---- */

/* The exact path's index, or PATTERN_NONE; and the longest prefix's, likewise. */
static int find_hashed(const struct pattern_set *set, struct span path, int *ret_prefix)
{
    const struct table *prefixes = &set->prefix;
    size_t wanted = prefixes->len_max > set->exact.len_max ? prefixes->len_max : set->exact.len_max;
    size_t end = path.len < wanted ? path.len : wanted;
    const struct slot *prefix = NULL, *slot;
    uint32_t hash = HASH_START;

    for (size_t i = 0; i < end; i++) {
        hash = hash_add(hash, path.ptr[i]);
        if (path.ptr[i] != '/' || i + 1 > prefixes->len_max || i + 1 < prefixes->len_min)
            continue;
        slot = table_find(prefixes, hash, path, i + 1);
        if (slot != NULL)
            prefix = slot;
    }
    if (end == path.len && path.len > 0 && path.ptr[path.len - 1] != '/' &&
        path.len < prefixes->len_max) {
        slot = table_find(prefixes, hash_add(hash, '/'), path, path.len + 1);
        if (slot != NULL)
            prefix = slot;
    }
    *ret_prefix = prefix != NULL ? (int)prefix->index : PATTERN_NONE;
    if (path.len > set->exact.len_max || path.len < set->exact.len_min)
        return PATTERN_NONE;
    slot = table_find(&set->exact, hash, path, path.len);
    return slot != NULL ? (int)slot->index : PATTERN_NONE;
}

/* A way through set->tried: those that may match the path, in their order. */
struct trying {
    size_t next; /* without a prefilter */
    struct prefilter_found found;
};

static void trying_begin(const struct pattern_set *set, struct span path, struct trying *trying)
{
    trying->next = 0;
    if (set->prefilter != NULL)
        prefilter_find(set->prefilter, path, &trying->found);
}

/* The next one's place in set->tried, or PREFILTER_NONE. */
static int64_t trying_next(const struct pattern_set *set, struct trying *trying)
{
    if (set->prefilter != NULL)
        return prefilter_next(&trying->found);
    return trying->next < set->regexes + set->globs ? (int64_t)trying->next++ : PREFILTER_NONE;
}

/* The first of set->tried that matches: its index among the patterns, PATTERN_NONE, or -E2BIG. */
static int find_tried(const struct pattern_set *set, struct regex_room *room, struct span path,
                      struct captures *ret_captures)
{
    struct trying trying;
    int64_t at;

    trying_begin(set, path, &trying);
    while ((at = trying_next(set, &trying)) != PREFILTER_NONE) {
        int res = pattern_match(set->patterns[set->tried[at]], room, path, ret_captures);

        if (res != 0)
            return res < 0 ? res : (int)set->tried[at];
    }
    return PATTERN_NONE;
}

int pattern_set_find(const struct pattern_set *set, struct regex_room *room, struct span path,
                     struct captures *ret_captures)
{
    int prefix, found = find_hashed(set, path, &prefix);
    bool firm =
        set->firm && prefix != PATTERN_NONE && set->patterns[prefix]->kind == PATTERN_PREFIX_FIRM;

    if (found == PATTERN_NONE && firm)
        found = prefix;
    if (found == PATTERN_NONE && set->regexes + set->globs > 0) {
        found = find_tried(set, room, path, ret_captures);
        if (found < PATTERN_NONE ||
            (found != PATTERN_NONE && pattern_is_regex(set->patterns[found]->kind)))
            return found;
    }
    if (ret_captures != NULL)
        ret_captures->count = 0;
    return found != PATTERN_NONE ? found : prefix;
}

/* ---- finding all ---- */

/* What hits are gathered in. */
struct hits {
    struct pattern_hit *at;
    size_t count, max;
};

static int hit(struct hits *hits, uint64_t rank, size_t index)
{
    if (hits->count == hits->max)
        return -E2BIG;
    hits->at[hits->count++] = (struct pattern_hit){ rank, (uint32_t)index };
    return 0;
}

/* Prefixes come before all others, the shortest first. */
static int hit_prefixes(const struct pattern_set *set, struct span path, struct hits *hits)
{
    uint32_t hash = HASH_START;
    int res = 0;

    for (size_t i = 0; res == 0 && i <= path.len && i < set->prefix.len_max; i++) {
        char byte = i < path.len ? path.ptr[i] : '/';
        bool ends = i == path.len && (i == 0 || path.ptr[i - 1] == '/');
        const struct slot *slot;

        hash = hash_add(hash, byte);
        slot = byte == '/' && !ends ? table_find(&set->prefix, hash, path, i + 1) : NULL;
        if (slot != NULL)
            res = hit(hits, i + 1, slot->index);
    }
    return res;
}

/* Globs and expressions, the least specific first. */
static int hit_tried(const struct pattern_set *set, struct regex_room *room, struct span path,
                     struct hits *hits)
{
    size_t first = hits->count, count = set->regexes + set->globs;
    struct trying trying;
    int64_t at;
    int res = 0;

    trying_begin(set, path, &trying);
    while (res >= 0 && (at = trying_next(set, &trying)) != PREFILTER_NONE) {
        res = pattern_match(set->patterns[set->tried[at]], room, path, NULL);
        if (res == 1)
            res = hit(hits, (UINT64_C(1) << 32) + count - (size_t)at, set->tried[at]);
    }
    for (size_t last = hits->count; first + 1 < last; first++) { /* they came the other way */
        struct pattern_hit other = hits->at[--last];

        hits->at[last] = hits->at[first];
        hits->at[first] = other;
    }
    return res;
}

int pattern_set_find_all(const struct pattern_set *set, struct regex_room *room, struct span path,
                         struct pattern_hit *ret_hits, size_t max)
{
    struct hits hits = { ret_hits, 0, max };
    int prefix, exact = find_hashed(set, path, &prefix);
    int res = hit_prefixes(set, path, &hits);
    bool firm =
        set->firm && prefix != PATTERN_NONE && set->patterns[prefix]->kind == PATTERN_PREFIX_FIRM;

    if (res >= 0 && !firm)
        res = hit_tried(set, room, path, &hits);
    if (res >= 0 && exact != PATTERN_NONE)
        res = hit(&hits, UINT64_C(2) << 32, (size_t)exact);
    return res < 0 ? res : (int)hits.count;
}

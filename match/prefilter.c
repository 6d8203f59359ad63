/* prefilter.c: three tries, and what is always tried. See prefilter.h.
 *
 * A pattern may demand literals in several places; of these it is found by the one that fewest
 * others have: "/p1/" and not ".html" of "/p1/(star).html", where a thousand end so. */
#include "match/prefilter.h"

#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct prefilter {
    const struct literal_trie
        *tries[LITERAL_AT_COUNT]; /* NULL: nothing is to be looked for there */
    uint32_t *always; /* that may match whatever the path is; and all of them behind these */
    size_t always_count, count;
};

/* ---- counting ---- */

/* How many patterns have a literal: by hash alone, since it is a guess in any case. */
struct tally {
    uint32_t *counts;
    uint32_t mask;
};

static uint32_t *tally_of(const struct tally *tally, enum literal_at where, struct span text)
{
    uint32_t hash = UINT32_C(2166136261) + (uint32_t)where;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * UINT32_C(16777619);
    return &tally->counts[(hash ^ hash >> 15) & tally->mask];
}

static void tally_add(const struct tally *tally, const struct literal_needs *needs)
{
    for (size_t i = 0; i < needs->count; i++) {
        for (enum literal_at where = 0; where < LITERAL_AT_COUNT; where++) {
            const struct literals *literals = &needs->branches[i].at[where];

            for (size_t j = 0; j < literals->count; j++)
                ++*tally_of(tally, where, literals->texts[j]);
        }
    }
}

/* ---- choosing ---- */

struct building {
    struct prefilter *prefilter;
    struct arena *scratch;
    struct literal_needs *needs; /* of each pattern */
    struct tally tally;
    struct literal_entry *entries[LITERAL_AT_COUNT];
    size_t entries_count[LITERAL_AT_COUNT], room[LITERAL_AT_COUNT];
    size_t bytes[LITERAL_AT_COUNT]; /* of their texts, and so nodes at most */
};

/* Every path has what is shorter. */
static size_t least_len(enum literal_at where)
{
    return where == LITERAL_TAIL ? 1 : 2;
}

/* What it costs to be found by these: with whom they are shared; and each place in which something
 * is looked for costs every path. To look inside takes longest. */
static size_t price(const struct building *building, enum literal_at where,
                    const struct literals *literals)
{
    static const size_t factors[] = {
        [LITERAL_HEAD] = 1, [LITERAL_TAIL] = 2, [LITERAL_INSIDE] = 16
    };
    size_t sum = 0;

    if (literals_strength(literals) < least_len(where))
        return SIZE_MAX;
    for (size_t i = 0; i < literals->count; i++)
        sum += *tally_of(&building->tally, where, literals->texts[i]);
    return sum * factors[where];
}

/* The place in which a branch is looked for; LITERAL_AT_COUNT: it cannot be. */
static enum literal_at choose(const struct building *building, const struct literal_branch *branch)
{
    enum literal_at best = LITERAL_AT_COUNT;
    size_t least = SIZE_MAX;

    for (enum literal_at where = 0; where < LITERAL_AT_COUNT; where++) {
        size_t sum = price(building, where, &branch->at[where]);

        if (sum < least) {
            least = sum;
            best = where;
        }
    }
    return best;
}

/* Can all branches of the pattern be looked for, and are they few? */
static bool can_be_found(const struct building *building, const struct literal_needs *needs)
{
    size_t keys = 0;

    for (size_t i = 0; i < needs->count; i++) {
        enum literal_at where = choose(building, &needs->branches[i]);

        if (where == LITERAL_AT_COUNT)
            return false;
        keys += needs->branches[i].at[where].count;
        if (building->bytes[where] > LITERAL_TRIE_NODES_MAX - keys * LITERAL_LEN_MAX - 1)
            return false;
    }
    return needs->count > 0 && keys <= PREFILTER_KEYS_MAX;
}

/* ---- making ---- */

/* Has `number` found by each of the literals. */
static int entries_add(struct building *building, enum literal_at where,
                       const struct literals *literals, uint32_t number)
{
    size_t count = building->entries_count[where], room = building->room[where];

    if (count + literals->count > room) {
        room = room * 2 + PREFILTER_KEYS_MAX;
        struct literal_entry *grown =
            realloc(building->entries[where], room * sizeof(building->entries[where][0]));
        if (grown == NULL)
            return -ENOMEM;
        building->entries[where] = grown;
        building->room[where] = room;
    }
    for (size_t i = 0; i < literals->count; i++) {
        struct span text = literals->texts[i];

        if (text.len > LITERAL_LEN_MAX) /* a part will do */
            text =
                span_make(where == LITERAL_TAIL ? text.ptr + text.len - LITERAL_LEN_MAX : text.ptr,
                          LITERAL_LEN_MAX);
        building->entries[where][count++] = (struct literal_entry){ text, number };
        building->bytes[where] += text.len;
    }
    building->entries_count[where] = count;
    return 0;
}

static int pattern_add(struct building *building, const struct literal_needs *needs,
                       uint32_t number)
{
    struct prefilter *prefilter = building->prefilter;
    int res = 0;

    if (!can_be_found(building, needs)) {
        prefilter->always[prefilter->always_count++] = number;
        return 0;
    }
    for (size_t i = 0; res == 0 && i < needs->count; i++) {
        enum literal_at where = choose(building, &needs->branches[i]);

        res = entries_add(building, where, &needs->branches[i].at[where], number);
    }
    return res;
}

/* What each pattern demands, and how often each literal is among that. */
static int count_literals(struct building *building, const struct pattern *const *patterns,
                          size_t count)
{
    size_t slots = 4096;

    while (slots < 8 * count && slots < (size_t)1 << 24)
        slots *= 2;
    building->needs = calloc(count + 1, sizeof(building->needs[0]));
    building->tally.counts = calloc(slots, sizeof(building->tally.counts[0]));
    building->tally.mask = (uint32_t)(slots - 1);
    if (building->needs == NULL || building->tally.counts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int res = pattern_literals(building->scratch, patterns[i], &building->needs[i]);

        if (res < 0)
            return res;
        tally_add(&building->tally, &building->needs[i]);
    }
    return 0;
}

static int build(struct arena *arena, struct building *building,
                 const struct pattern *const *patterns, size_t count)
{
    struct prefilter *prefilter = building->prefilter;
    int res = count_literals(building, patterns, count);

    prefilter->count = count;
    prefilter->always = arena_array(arena, count, 2 * sizeof(prefilter->always[0]));
    if (prefilter->always == NULL)
        return -ENOMEM;
    for (size_t i = 0; res == 0 && i < count; i++)
        res = pattern_add(building, &building->needs[i], (uint32_t)i);
    for (size_t i = 0; i < count; i++)
        prefilter->always[prefilter->always_count + i] = (uint32_t)i;
    for (enum literal_at where = 0; res == 0 && where < LITERAL_AT_COUNT; where++) {
        if (building->entries_count[where] > 0)
            res = literal_trie_make(arena, where, building->entries[where],
                                    building->entries_count[where], &prefilter->tries[where]);
    }
    return res;
}

int prefilter_make(struct arena *arena, const struct pattern *const *patterns, size_t count,
                   const struct prefilter **ret_prefilter)
{
    struct building building = { .prefilter = arena_alloc(arena, sizeof(*building.prefilter)),
                                 .scratch = arena_create() };
    int res = -ENOMEM;

    CHECK(count <= INT32_MAX);
    if (building.prefilter != NULL && building.scratch != NULL)
        res = build(arena, &building, patterns, count);
    if (res == 0)
        *ret_prefilter = building.prefilter;
    for (enum literal_at where = 0; where < LITERAL_AT_COUNT; where++)
        free(building.entries[where]);
    free(building.needs);
    free(building.tally.counts);
    arena_destroy(building.scratch);
    return res;
}

size_t prefilter_always(const struct prefilter *prefilter)
{
    return prefilter->always_count;
}

/* ---- finding ---- */

void prefilter_find(const struct prefilter *prefilter, struct span path,
                    struct prefilter_found *ret_found)
{
    const uint32_t *always = prefilter->always, *all = always + prefilter->always_count;
    bool fits = path.len > 0 && path.ptr[0] == '/'; /* else nothing of the kind holds */

    ret_found->last = PREFILTER_NONE;
    ret_found->lists_count = 0;
    if (prefilter->always_count > 0)
        ret_found->lists[ret_found->lists_count++] = (struct number_list){ always, all };
    for (enum literal_at where = 0; fits && where < LITERAL_AT_COUNT; where++) {
        if (prefilter->tries[where] != NULL)
            fits = literal_trie_find(prefilter->tries[where], path, ret_found->lists,
                                     PREFILTER_LISTS_MAX, &ret_found->lists_count);
    }
    if (!fits) {
        ret_found->lists[0] = (struct number_list){ all, all + prefilter->count };
        ret_found->lists_count = 1;
    }
}

int64_t prefilter_next(struct prefilter_found *found)
{
    struct number_list *least = NULL;

    if (found->lists_count == 1) { /* nothing to be merged */
        least = &found->lists[0];
        return least->at < least->end ? (int64_t)*least->at++ : PREFILTER_NONE;
    }
    for (size_t i = 0; i < found->lists_count; i++) {
        struct number_list *list = &found->lists[i];

        while (list->at < list->end && *list->at <= found->last) /* told by another one, too */
            list->at++;
        if (list->at < list->end && (least == NULL || *list->at < *least->at))
            least = list;
    }
    if (least == NULL)
        return PREFILTER_NONE;
    found->last = *least->at++;
    return found->last;
}

/* prefilter.h: which of many globs and expressions may match a path at all: those of which it has a
 * literal that they demand (literals.h), and those that demand none. The word is RE2's.
 *
 * Patterns have numbers, their places in the order in which they are to be tried; what may match
 * comes in that order. */
#ifndef MATCH_PREFILTER_H
#define MATCH_PREFILTER_H

#include "match/literal_trie.h"
#include "match/pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PREFILTER_KEYS_MAX = 256, /* literals of one pattern; who has more is always tried */
    PREFILTER_LISTS_MAX = 32, /* that one path leads to; with more of them, all are tried */
    PREFILTER_NONE = -1
};

struct prefilter;

/* What a path has led to. */
struct prefilter_found {
    struct number_list lists[PREFILTER_LISTS_MAX];
    size_t lists_count;
    int64_t last; /* number that was told last */
};

/* Makes one of `count` patterns, each a glob or an expression, in the order in which they are to be
 * tried; nothing of them is kept. 0 and a prefilter in the arena, or -ENOMEM. */
int prefilter_make(struct arena *arena, const struct pattern *const *patterns, size_t count,
                   const struct prefilter **ret_prefilter);

/* Looks at the path, which begins with '/'. `ret_found` is borrowed from the prefilter. */
void prefilter_find(const struct prefilter *prefilter, struct span path,
                    struct prefilter_found *ret_found);

/* The next pattern that is to be tried, or PREFILTER_NONE. */
int64_t prefilter_next(struct prefilter_found *found);

/* How many patterns are tried whatever the path is. */
size_t prefilter_always(const struct prefilter *prefilter);

#endif

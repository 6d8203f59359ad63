/* pattern_set.h: which of many patterns a path belongs to: locations of a server, cache rules of a
 * location. One rule for all of them:
 *
 *   1. the path itself (=);
 *   2. the longest prefix, if it is a firm one (^~);
 *   3. the first regular expression that matches, in the order of the file (~ and ~*);
 *   4. the glob that matches and has the most literal bytes; among equals the first of the file;
 *   5. the longest prefix.
 *
 * Exact paths and prefixes are found by hash: one look for each segment of the path, however many
 * there are. Of expressions and globs those are tried, one after the other, of which the path has a
 * literal that they demand (prefilter.h). */
#ifndef MATCH_PATTERN_SET_H
#define MATCH_PATTERN_SET_H

#include "match/pattern.h"

struct pattern_set;

enum { PATTERN_NONE = -1 };

/* Makes a set of `count` patterns, fewer than INT_MAX, in the order of the file, which are
 * borrowed; no two of the same text, exact and prefixes each. 0 and a set in the arena, or -ENOMEM.
 */
int pattern_set_make(struct arena *arena, const struct pattern *const *patterns, size_t count,
                     const struct pattern_set **ret_set);

/* The index of the pattern that the path belongs to, PATTERN_NONE, or -E2BIG: an expression has hit
 * its bounds, *ret_captures is not changed. Captures of an expression go to `ret_captures`; of
 * others, its count is 0. NULL: nobody asks. `room`: pattern_match(). */
int pattern_set_find(const struct pattern_set *set, struct regex_room *room, struct span path,
                     struct captures *ret_captures);

/* One of several patterns that match. */
struct pattern_hit {
    uint64_t rank; /* how specific it is, in this set; only exact paths share one */
    uint32_t index;
};

/* All patterns that the path belongs to, the least specific first: prefixes by their length, globs,
 * expressions, the path itself; neither globs nor expressions where the longest prefix is a firm
 * one. How many they are, or -E2BIG: an expression has hit its bounds, or there are more than
 * `max`. `room`: pattern_match(). */
int pattern_set_find_all(const struct pattern_set *set, struct regex_room *room, struct span path,
                         struct pattern_hit *ret_hits, size_t max);

/* Has the set expressions, for which pattern_set_find() needs a room? */
bool pattern_set_has_regex(const struct pattern_set *set);

#endif

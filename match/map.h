/* map.h: a text becomes another, as nginx's map has it: by one of many keys, or by the first
 * regular expression that matches. Here it is found which entry holds; what that says is kept by
 * whoever made the map (config/config_map.c), under the same index. Pure, and read-only once made.
 *
 * In this order: the key itself, by hash, however many there are; of names of hosts the longest
 * "*.example.org", then the longest "www.example.*", by hash, too; then expressions, one after the
 * other in the order that they are written in; then the default. */
#ifndef MATCH_MAP_H
#define MATCH_MAP_H

#include "core/arena.h"
#include "core/span.h"
#include "match/captures.h"
#include "match/map_lines.h"
#include "match/regex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAP_NONE = -1,
    MAP_REGEXES_MAX = 1000, /* in one map: each is tried in turn */
    MAP_ENTRIES_MAX = 1 << 27
};

/* How keys are taken. */
enum {
    MAP_ANY_CASE = 1 << 0, /* compared without regard to the case of ASCII letters */
    MAP_HOSTNAMES = 1 << 1 /* "*.a.b" is what lies below a.b, ".a.b" a.b itself as well, "a.b.*"
                              what begins so: whole labels, any number of them */
};

struct map;

/* One entry: its key as written (map_lines.h), and where. */
struct map_entry {
    struct span key;
    const char *file;
    size_t line;
};

struct map_fault {
    size_t entry;     /* the index of the one that is wrong */
    const char *what; /* the end of a sentence that begins with its key; in the arena */
    size_t first;     /* SIZE_MAX, or the index of one that says the same */
};

/* Makes a map of `count` entries, MAP_ENTRIES_MAX at most, which are borrowed for the call; `how`:
 * bits as above; `hash_key`: siphash.h. 0 and a map in the arena; -ENOMEM; or -EINVAL and
 * *ret_fault. */
int map_make(struct arena *arena, const struct map_entry *entries, size_t count, unsigned how,
             const uint64_t hash_key[2], struct map_fault *ret_fault, const struct map **ret_map);

/* The index of the entry for `text`, or of the default; MAP_NONE: there is neither; or -E2BIG: an
 * expression has hit its bounds. What an expression captured goes to `ret_captures`, which borrows
 * the text; of a key, its count is 0. NULL: nobody asks. `room`: regex_match(); NULL will do where
 * the map has no expression. */
int map_find(const struct map *map, struct regex_room *room, struct span text,
             struct captures *ret_captures);

/* The index of the default, or MAP_NONE. */
int map_default(const struct map *map);

/* The expression that is the key of an entry, or NULL. */
const struct regex *map_regex_of(const struct map *map, size_t entry);

/* Has it expressions, for which map_find() needs a room? */
bool map_has_regex(const struct map *map);

/* Is it the key of the default? */
static inline bool map_key_is_default(struct span key)
{
    return span_eq(key, SPAN_LIT("default"));
}

#endif

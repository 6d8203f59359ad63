/* pattern.h: one pattern of a path: this path, what lies below it, a glob (glob.h), or a regular
 * expression (regex.h). As it is written, with the word before it:
 *
 *   = "/path"      that path alone
 *   "/path/"       what lies below it, whole segments, and "/path" itself
 *   ^~ "/path/"    likewise, and no expression and no glob is asked (pattern_set.h)
 *   "*.{js,css}"   a glob: a text with any of * ? [ { \ in it, or one that ends in no '/'
 *   ~ "^/a(.*)$"   a regular expression; ~* for upper and lower case alike
 *
 * Paths are decoded and begin with '/'. */
#ifndef MATCH_PATTERN_H
#define MATCH_PATTERN_H

#include "core/arena.h"
#include "core/span.h"
#include "match/captures.h"
#include "match/glob.h"
#include "match/literals.h"
#include "match/regex.h"

#include <stdbool.h>
#include <stddef.h>

enum pattern_kind {
    PATTERN_EXACT,
    PATTERN_PREFIX,
    PATTERN_PREFIX_FIRM, /* ^~ */
    PATTERN_GLOB,
    PATTERN_REGEX,
    PATTERN_REGEX_CASELESS, /* ~* */
};

struct pattern {
    enum pattern_kind kind;
    struct span text; /* as written, with a NUL behind it; in the arena */
    union {
        struct glob glob;
        const struct regex *regex;
    };
};

/* Is `word` one that may stand before a pattern? "" is one, too. */
bool pattern_word_is(const char *word);

/* The word of a kind: "~*", or "" for a plain prefix and a glob. */
const char *pattern_word(enum pattern_kind kind);

/* What a kind is called: "regular expression". */
const char *pattern_kind_name(enum pattern_kind kind);

/* Is it compiled by PCRE2? */
static inline bool pattern_is_regex(enum pattern_kind kind)
{
    return kind >= PATTERN_REGEX;
}

/* Does it match a path, and what lies below that? */
static inline bool pattern_is_prefix(enum pattern_kind kind)
{
    return kind == PATTERN_PREFIX || kind == PATTERN_PREFIX_FIRM;
}

/* Compiles `text`, which is not kept, with the word before it, which pattern_word_is(). 0; -ENOMEM;
 * or -EINVAL and in `what` what is wrong, as the end of a sentence that begins with the text: "does
 * not begin with '/'". */
int pattern_compile(struct arena *arena, const char *word, const char *text, char *what,
                    size_t what_size, struct pattern *ret_pattern);

/* Does the pattern match the path? 1, and what a regular expression captured, where `ret_captures`
 * is not NULL; 0; or -E2BIG: an expression has hit its bounds. `room` may be NULL where there are
 * none. */
int pattern_match(const struct pattern *pattern, struct regex_room *room, struct span path,
                  struct captures *ret_captures);

/* What a path that a glob or an expression matches has to have (literals.h), in the arena. 0 or
 * -ENOMEM. */
int pattern_literals(struct arena *arena, const struct pattern *pattern,
                     struct literal_needs *ret_needs);

/* Does `path` lie below `prefix`, which ends with '/', or is it the prefix without that '/'? Pure.
 */
static inline bool pattern_prefix_matches(struct span prefix, struct span path)
{
    if (path.len >= prefix.len)
        return memcmp(path.ptr, prefix.ptr, prefix.len) == 0;
    return path.len == prefix.len - 1 && path.len > 0 &&
           memcmp(path.ptr, prefix.ptr, path.len) == 0;
}

#endif

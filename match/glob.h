/* glob.h: patterns of paths as in a shell, compiled once and matched in time that grows with the
 * path alone, whatever the path: no pattern goes back over what it has passed. Bytes, no locale.
 *
 *   *       any bytes but '/', or none
 *   **      any bytes, or none; as a segment of its own, any number of segments, or none
 *   ?       one byte, not '/'
 *   [a-z]   one of these; [!a-z] and [^a-z]: one byte, none of these and not '/'; [[:digit:]] and
 *           alnum, alpha, lower, upper, xdigit, of ASCII
 *   {a,b}   one of these, which may hold more patterns
 *   \x      x itself
 *
 * A glob with a '/' is for a whole path, which begins with one, whether it says so or not; one
 * without is for the last segment. */
#ifndef MATCH_GLOB_H
#define MATCH_GLOB_H

#include "core/arena.h"
#include "core/span.h"
#include "match/literals.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    GLOB_TEXT_MAX = 4096,        /* octets */
    GLOB_ALTERNATIVES_MAX = 256, /* that its braces make */
    GLOB_NESTING_MAX = 8,        /* braces in braces */
    GLOB_TOKENS_MAX = 256,       /* that stand between the first and the last wildcard of one */
};

struct glob_alternative;

struct glob {
    const struct glob_alternative *alternatives; /* in the arena */
    size_t count;
    bool whole;      /* it has a '/' */
    size_t literals; /* bytes that a path needs to have; the least of all alternatives */
};

/* Does it hold a character with a meaning of its own? Without one it is plain text. */
bool glob_is_one(const char *text);

/* Compiles `text`, which is not kept. 0; -ENOMEM; or -EINVAL and in *ret_what, a literal, what is
 * wrong, as the end of a sentence: "has a [ without its ]". */
int glob_compile(struct arena *arena, const char *text, struct glob *ret_glob,
                 const char **ret_what);

/* What a path that it matches has to have (literals.h), in the arena. 0 or -ENOMEM. */
int glob_literals(struct arena *arena, const struct glob *glob, struct literal_needs *ret_needs);

/* Does the glob match the path, which begins with '/', or its last segment? */
bool glob_match(const struct glob *glob, struct span path);

#endif

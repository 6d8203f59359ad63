/* literals.h: texts of which a path has to have one, so that a pattern may match it: "/old/" at its
 * beginning for "^/old/(.*)$", ".js" or ".css" at its end for "*.{js,css}". They are what lets a
 * set of patterns (prefilter.h) leave most of them alone.
 *
 * What is said here always holds, and never says all: a path that has the literals need not match.
 */
#ifndef MATCH_LITERALS_H
#define MATCH_LITERALS_H

#include "core/arena.h"
#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LITERAL_LEN_MAX = 64, /* bytes of one; of longer ones a part is kept */
    LITERALS_MAX = 64,    /* in one choice */
};

/* Where in the path it has to be. */
enum literal_at { LITERAL_HEAD, LITERAL_TAIL, LITERAL_INSIDE, LITERAL_AT_COUNT };

/* One of these texts; count 0: nothing is known. */
struct literals {
    const struct span *texts;
    size_t count;
};

/* What one branch of a pattern ("a" and "b" of "a|b") demands, in each place. */
struct literal_branch {
    struct literals at[LITERAL_AT_COUNT];
};

/* What a pattern demands: all that stands in some branch. count 0: nothing is known. */
struct literal_needs {
    const struct literal_branch *branches;
    size_t count;
};

/* The literals of a regular expression that PCRE2 has compiled (pcre2pattern(3)), without UTF and
 * without PCRE2_MULTILINE and PCRE2_EXTENDED; ASCII letters are to be compared without case where
 * it is `caseless`, or says (?i). What this does not understand, it knows nothing of. 0, and what
 * is in the arena; or -ENOMEM. */
int regex_literals(struct arena *arena, const char *text, bool caseless,
                   struct literal_needs *ret_needs);

/* The same text alone: one choice of one. 0 or -ENOMEM. */
int literals_one(struct arena *arena, struct span text, struct literals *ret_literals);

/* How good a choice is for telling paths apart: the bytes of its shortest text; 0: it is none. */
size_t literals_strength(const struct literals *literals);

#endif

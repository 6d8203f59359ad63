/* regex.h: regular expressions over paths, by PCRE2 (pcre2pattern(3)): bytes, without UTF; `.` is
 * any of them, and `$` the very end. Compiled for the processor where that is allowed, else
 * interpreted. How long one may take is bounded either way, whoever wrote it. */
#ifndef MATCH_REGEX_H
#define MATCH_REGEX_H

#include "core/arena.h"
#include "core/span.h"
#include "match/captures.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REGEX_TEXT_MAX = 4096,        /* octets */
    REGEX_STEPS_DEFAULT = 100000, /* see regex_room_create() */
};

/* An expression, read-only: threads share it. */
struct regex;

/* What matching needs beside that: a thread has one for all expressions. */
struct regex_room;

/* Compiles `text`, which is not kept, into the arena. 0; -ENOMEM; or -EINVAL and in `what` what is
 * wrong, as the end of a sentence: "is no regular expression: missing closing parenthesis at
 * octet 7". */
int regex_compile(struct arena *arena, const char *text, bool caseless, char *what,
                  size_t what_size, const struct regex **ret_regex);

/* Its capturing groups. */
unsigned regex_groups(const struct regex *regex);

/* The number of the group of that name; 0: it has none. */
unsigned regex_group_of(const struct regex *regex, const char *name);

/* Is it compiled for the processor? */
bool regex_is_fast(const struct regex *regex);

/* Makes room; of one match PCRE2 makes `steps_max` steps at most, of which each goes on by some
 * bytes of the text, or back. 0 or -ENOMEM. The caller owns it; nothing else is allocated while
 * matching, but for what an interpreted expression needs when it does so for the first time. */
int regex_room_create(uint32_t steps_max, struct regex_room **ret_room);

/* NULL is allowed. */
void regex_room_destroy(struct regex_room *room);

/* Does the expression match anywhere in the text? 1, and captures, which borrow the text, where
 * `ret_captures` is not NULL; 0; or -E2BIG: it cannot be told within the bounds. */
int regex_match(const struct regex *regex, struct regex_room *room, struct span text,
                struct captures *ret_captures);

#endif

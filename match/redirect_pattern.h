/* redirect_pattern.h: the path of one rule of a `_redirects` file (redirect_rules.h): what it
 * matches, and what it captures. Pure. */
#ifndef MATCH_REDIRECT_PATTERN_H
#define MATCH_REDIRECT_PATTERN_H

#include "core/arena.h"
#include "core/span.h"
#include "match/captures.h"

#include <stdbool.h>
#include <stdint.h>

/* A text, or a segment whatever it is. */
struct redirect_piece {
    struct span text; /* a text, decoded; or the name of the segment */
    uint8_t group;    /* 0: a text */
};

/* head, and perhaps a splat and a tail. */
struct redirect_pattern {
    struct redirect_piece *pieces;
    uint8_t head, tail;   /* how many come before the splat, and behind it */
    uint8_t splat;        /* its group; 0: there is none */
    bool splat_in_folder; /* the splat ends it, behind a '/' that is not in the head: the folder
                             itself matches, too */
    bool slash_counts;    /* a '/' at the end is not left out of account */
    bool ends_with_slash;
    uint8_t groups; /* so far */
    struct span names[CAPTURES_MAX];
};

/* Compiles `from`, which begins with '/'; all is copied into the arena. 0, -ENOMEM, or -EINVAL and
 * *ret_what, the end of a sentence that begins with the line. */
int redirect_pattern_make(struct arena *arena, struct span from,
                          struct redirect_pattern *ret_pattern, const char **ret_what);

/* Another group, of a name that lives as long as the pattern: its number; 0: there are nine. */
uint8_t redirect_pattern_add_group(struct redirect_pattern *pattern, struct span name);

/* The group of the name; 0: there is none. */
uint8_t redirect_pattern_group(const struct redirect_pattern *pattern, struct span name);

/* Is it one path alone? */
static inline bool redirect_pattern_is_static(const struct redirect_pattern *pattern)
{
    return pattern->splat == 0 && pattern->head == 1 && pattern->pieces[0].group == 0;
}

/* The folder, without the '/' at its end, that all that it matches lies in; of one path alone, that
 * path without a '/' at its end. */
struct span redirect_pattern_folder(const struct redirect_pattern *pattern);

/* Does it match? Then captures of its own groups go to `captures`, which borrow the path. */
bool redirect_pattern_match(const struct redirect_pattern *pattern, struct span path,
                            struct captures *captures);

/* The path without the slash at its end; "" for "/". */
static inline struct span redirect_pattern_trim(struct span path)
{
    return path.len > 0 && path.ptr[path.len - 1] == '/' ? span_make(path.ptr, path.len - 1) : path;
}

/* The length of a name of letters, digits and '_' that begins with a letter, at the front. */
size_t redirect_name_len(struct span text);

/* The octet that the escape "%XX" at `at` stands for; -1: there is none. */
int redirect_escape(struct span text, size_t at);

/* `text` with its percent-escapes decoded, in the arena; ptr NULL: no memory; *ret_bad: one is bad,
 * or of a NUL. */
struct span redirect_decode(struct arena *arena, struct span text, bool *ret_bad);

#endif

/* redirect_rules.h: the rules of a `_redirects` file (redirect_lines.h), and which of them a
 * request belongs to: the first in the file that matches, found by hash among any number. Pure, and
 * read-only once made.
 *
 * A path is matched whole, decoded, whatever slash stands at its end. `:name` is a segment that is
 * not empty; `*`, once, is the rest, or what lies between, and where it is the last segment, the
 * folder itself. What they match stands in `to` as `:name` and `:splat`, and so do parameters of
 * the query. */
#ifndef MATCH_REDIRECT_RULES_H
#define MATCH_REDIRECT_RULES_H

#include "core/arena.h"
#include "core/span.h"
#include "match/captures.h"
#include "match/redirect_lines.h"

#include <stdint.h>

#define REDIRECT_RULE_NONE UINT32_MAX

struct redirect_rules;

struct redirect_rule {
    const char *from, *to; /* as written; to "": none was said */
    const char *target;    /* `to` as a template (template.h) with $1 to $9: of a redirect a URL, of
                              a rewrite a path, decoded and without its query; "": none */
    int status;
    bool force;       /* even where there is a file */
    bool has_params;  /* a query has a say in it */
    bool keeps_query; /* of a redirect: `to` has none of its own */
    unsigned groups;  /* that `target` may name; as of a regular expression */
    size_t number;    /* of its line */
};

/* Rules while they are collected. */
struct redirect_rules_maker;

/* The caller owns *ret_maker. 0 or -ENOMEM. */
int redirect_rules_begin(struct arena *arena, struct redirect_rules_maker **ret_maker);

/* NULL is allowed. What was made stays. */
void redirect_rules_end(struct redirect_rules_maker *maker);

/* Adds a rule, which is copied. 0; -ENOMEM; or -EINVAL: it is left out, and *ret_what, static, is
 * the end of a sentence that begins with the line. */
int redirect_rules_add(struct redirect_rules_maker *maker, const struct redirect_line *line,
                       const char **ret_what);

/* How many there are. */
size_t redirect_rules_made(const struct redirect_rules_maker *maker);

/* Takes the last rule back. */
void redirect_rules_drop(struct redirect_rules_maker *maker);

/* The rule that was added last. */
const struct redirect_rule *redirect_rules_last(const struct redirect_rules_maker *maker);

/* Makes what finds them, in the arena; `hash_key`: siphash.h. 0 or -ENOMEM. */
int redirect_rules_make(struct redirect_rules_maker *maker, const uint64_t hash_key[2],
                        const struct redirect_rules **ret_rules);

size_t redirect_rules_count(const struct redirect_rules *rules);
const struct redirect_rule *redirect_rules_at(const struct redirect_rules *rules, uint32_t index);

/* The rule for a path, decoded, that begins with '/', and a query, as sent, without its '?'; or
 * REDIRECT_RULE_NONE. Captures borrow the path and `scratch`, which has `cap` octets for decoded
 * parameters: where that does not suffice, the rule does not match. */
uint32_t redirect_rules_find(const struct redirect_rules *rules, struct span path,
                             struct span query, char *scratch, size_t cap,
                             struct captures *ret_captures);

#endif

/* dictionary_rule.h: an element of `use_as_dictionary`: "PATTERN [match=MATCH] [dest=WORD,WORD]".
 * Files that PATTERN matches are sent with Use-As-Dictionary (RFC 9842 section 2.1), so that the
 * client has them at hand when it asks for what MATCH, a URL pattern, matches. Pure. */
#ifndef CONFIG_DICTIONARY_RULE_H
#define CONFIG_DICTIONARY_RULE_H

#include "core/span.h"

#include <stdbool.h>

enum { DICTIONARY_RULE_MAX = 500 /* octets of an element */ };

struct dictionary_rule {
    struct span pattern; /* a glob (match/glob.h) */
    struct span match;   /* fit for a String of a structured field as it is; where none is said, the
                            pattern */
    bool match_said;
    struct span dests; /* as written, or empty: all destinations */
};

/* Reads an element, into which the result points. NULL, or what is wrong as the end of a sentence
 * that begins with the element. MATCH is a path from the root on, so it is of the same origin, and
 * holds what the URL Pattern standard and this server understand alike: `*`, and `:name` for a
 * segment; no expressions, which the RFC forbids (section 2.1.1). */
const char *dictionary_rule_parse(const char *text, struct dictionary_rule *ret_rule);

/* Likewise, for the table of keys. */
const char *dictionary_rule_check(const char *text);

/* Takes the next word off the front of `dests`. False: there is none left. */
bool dictionary_rule_next_dest(struct span *dests, struct span *ret_dest);

#endif

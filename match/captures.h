/* captures.h: what a pattern has found in a path: the text that each of its groups matched. Filled
 * in by a regular expression (pattern.h), read by templates as $1 to $9 and $0 (template.h). */
#ifndef MATCH_CAPTURES_H
#define MATCH_CAPTURES_H

#include "core/span.h"

enum { CAPTURES_MAX = 10 }; /* $0, which is the whole match, and $1 to $9 */

/* Borrows the text that was matched, which has to live as long. */
struct captures {
    unsigned count;                   /* 0: nothing was captured; else the groups below are valid */
    struct span groups[CAPTURES_MAX]; /* a group that took no part in the match is empty */
};

#endif

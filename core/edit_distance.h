/* edit_distance.h: how far two names are from each other, for sentences that say which one was
 * meant. Pure. */
#ifndef CORE_EDIT_DISTANCE_H
#define CORE_EDIT_DISTANCE_H

#include "core/span.h"

#include <stddef.h>

enum { EDIT_DISTANCE_NAME_MAX = 32 }; /* octets; longer names are far from everything */

/* Edits (insert, delete, replace an octet) that turn `a` into `b`: Levenshtein's distance.
 * SIZE_MAX: one of them is too long. */
size_t edit_distance(struct span a, struct span b);

/* Is `distance` no more than a slip of the pen in a name of `len` octets? */
static inline int edit_distance_is_slip(size_t distance, size_t len)
{
    return distance <= (len < 6 ? 2 : len / 3) && distance < len;
}

#endif

/* address_lines.h: a file of addresses and networks, as lists of them are published: one a line,
 * and what follows a '#' or a ';' is a comment. Pure. */
#ifndef CORE_ADDRESS_LINES_H
#define CORE_ADDRESS_LINES_H

#include "core/address_set.h"

/* What is wrong with such a text. */
struct address_lines_fault {
    size_t line;      /* counted from 1 */
    struct span text; /* the element, into the text */
    const char *what; /* the end of a sentence that begins with it, static */
};

/* Adds the elements of `text` to `list`, excluded or not; each may stand as often as it likes.
 * Blank lines are none, and lines may end with CRLF. 0; -ENOMEM; or -EINVAL and `*ret_fault`. */
int address_lines_add(struct span text, bool excluded, struct address_list *list,
                      struct address_lines_fault *ret_fault);

#endif

/* htpasswd.h: a file of names and passwords, as htpasswd(1) makes them: "name:hash" a line, perhaps
 * ":comment" behind it, as nginx has it; blank lines, and those that begin with '#', are none.
 * Pure. */
#ifndef CORE_HTPASSWD_H
#define CORE_HTPASSWD_H

#include "core/span.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

/* Octets of a name, at most (htpasswd(1)). */
enum { HTPASSWD_NAME_MAX = 255 };

struct htpasswd_user {
    const char *name, *hash; /* password.h */
    size_t line;
};

/* All of it lies in the arena. */
struct htpasswd {
    struct htpasswd_user *users; /* by name */
    size_t count;
};

/* What is wrong with a file. A hash, or what may be a password, is never quoted. */
struct htpasswd_fault {
    size_t line;      /* counted from 1 */
    const char *name; /* whose line; NULL: nobody's. In the arena */
    const char *what; /* the end of a sentence that begins with the name, or with "the line" */
    size_t first;     /* where the name stands first, when it stands twice; else 0 */
};

/* Reads a file. 0; -ENOMEM; or -EINVAL and `*ret_fault`. */
int htpasswd_parse(struct span text, struct arena *arena, struct htpasswd *ret_file,
                   struct htpasswd_fault *ret_fault);

/* The user of that name; NULL: there is none. */
const struct htpasswd_user *htpasswd_find(const struct htpasswd *file, struct span name);

#endif

/* arena.h: memory that is made piece by piece and freed all at once.
 *
 * For data that is built once and read for long, such as the configuration: whoever owns the arena
 * owns all that came from it, so that failing half-way needs no clean-up. Not for hot paths, and
 * not thread-safe. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

struct arena;

/* An empty arena that the caller owns, or NULL when there is no memory. */
struct arena *arena_create(void);

/* Frees the arena and everything that came from it. NULL is allowed. */
void arena_destroy(struct arena *arena);

/* Has `end` called with `what` when the arena is destroyed, before its memory goes, the last one
 * first: for what lies in the arena and holds more than memory of it. 0 or -ENOMEM. */
int arena_at_end(struct arena *arena, void (*end)(void *what), void *what);

/* `size` octets, zeroed and aligned for any object, or NULL when there is no memory. Size 0 gives a
 * pointer that must not be read through. */
void *arena_alloc(struct arena *arena, size_t size);

/* An array of `count` objects of `size` octets, zeroed; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of the first `len` octets of `text`, or NULL. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);

/* Likewise, of all of `text`. */
char *arena_strdup(struct arena *arena, const char *text);

/* The formatted text, or NULL. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

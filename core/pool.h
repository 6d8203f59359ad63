/* pool.h: a slab of equal objects with a limit. Not thread-safe: one pool a thread.
 *
 * The address space for all objects is reserved at creation and touched only when an object is
 * first handed out, so a high limit costs nothing until it is used. Last in, first out: what is
 * handed out next is what was given back last, and warm in the cache. Under AddressSanitizer
 * objects in the pool are poisoned. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* A pool of at most `count_max` objects of `object_size` octets, each aligned to 16. 0, -ENOMEM, or
 * -EINVAL for a size or count of 0. The caller owns the pool and ends it with pool_destroy().
 * `name` is borrowed (a literal), for messages. */
int pool_create(const char *name, size_t object_size, size_t count_max, struct pool **ret_pool);

/* Frees the pool; every object must have come back (checked). NULL is allowed. */
void pool_destroy(struct pool *pool);

/* An object, its contents undefined; NULL when all are out. The caller owns it until pool_put(). */
void *pool_get(struct pool *pool);

/* Takes an object back. */
void pool_put(struct pool *pool, void *object);

/* Gives the kernel the pages of objects that have not been out since the last call, but for what
 * the pool itself keeps in them, and these too when no object has been out. About once a second:
 * what a burst has needed does not stay with the process. A busy pool loses nothing. True: the next
 * call would find more to give back, though nothing happens until then. */
bool pool_trim(struct pool *pool);

/* Objects that are out now. */
size_t pool_used(const struct pool *pool);

#endif

/* pool.c: a slab with a limit, over one reservation of address space.
 *
 * Objects that were never handed out are known only by the index `fresh`; objects that came back
 * are linked through their own first octets. So an object's pages exist from its first use on. */
#include "core/pool.h"

#include "core/check.h"
#include "core/poison.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { POOL_MAGIC = 0x900190, POOL_ALIGN = 16, POISON_AHEAD = 1 << 20 };

/* What an object holds while it is in the pool. */
struct free_object {
    struct free_object *next;
    bool trimmed; /* its other pages are the kernel's; so are those of all behind it */
};

struct pool {
    unsigned magic;
    const char *name;
    size_t object_size; /* rounded up to POOL_ALIGN */
    size_t count_max;
    size_t fresh; /* objects below this index have been out at least once */
    size_t used;  /* objects that are out */
    size_t idle;  /* the least number of objects that were in the list since pool_trim() */
    struct free_object *free;
    char *base;      /* count_max * object_size octets */
    size_t poisoned; /* octets from base on whose state is known to AddressSanitizer */
};

/* AddressSanitizer keeps an octet for eight, and to poison is to write: of gigabytes that are only
 * reserved it would take hundreds of megabytes. So what lies far behind the first `fresh` objects
 * is poisoned when they come nearer. */
static void poison_ahead(struct pool *pool)
{
    size_t total = pool->object_size * pool->count_max;
    size_t wanted = (pool->fresh + 1) * pool->object_size;

    if (pool->poisoned == total || wanted < pool->poisoned)
        return;
    size_t until = total - wanted > POISON_AHEAD ? wanted + POISON_AHEAD : total;
    POISON(pool->base + pool->poisoned, until - pool->poisoned);
    pool->poisoned = until;
}

int pool_create(const char *name, size_t object_size, size_t count_max, struct pool **ret_pool)
{
    size_t rounded = 0, total = 0;

    if (object_size == 0 || count_max == 0)
        return -EINVAL;
    if (__builtin_add_overflow(object_size, POOL_ALIGN - 1, &rounded))
        return -ENOMEM;
    rounded &= ~(size_t)(POOL_ALIGN - 1);
    if (__builtin_mul_overflow(rounded, count_max, &total))
        return -ENOMEM;

    struct pool *pool = malloc(sizeof *pool);
    if (pool == NULL)
        return -ENOMEM;
    void *base = mmap(NULL, total, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        free(pool);
        return -ENOMEM;
    }
    /* A huge page would make the first object cost 2 MiB. Advice; a kernel without them refuses. */
    (void)madvise(base, total, MADV_NOHUGEPAGE);
    *pool = (struct pool){
        .magic = POOL_MAGIC,
        .name = name,
        .object_size = rounded,
        .count_max = count_max,
        .base = base,
    };
    poison_ahead(pool);
    *ret_pool = pool;
    return 0;
}

void pool_destroy(struct pool *pool)
{
    if (pool == NULL)
        return;
    CHECK_OBJ(pool, POOL_MAGIC);
    CHECK(pool->used == 0);
    size_t total = pool->object_size * pool->count_max;
    UNPOISON(pool->base, pool->poisoned); /* the addresses may be mapped for something else next */
    MUST(munmap(pool->base, total) == 0);
    pool->magic = 0;
    free(pool);
}

void *pool_get(struct pool *pool)
{
    CHECK_OBJ(pool, POOL_MAGIC);
    void *object = NULL;

    if (pool->free != NULL) {
        object = pool->free;
        UNPOISON(object, pool->object_size);
        pool->free = pool->free->next;
        if (pool->idle > pool->fresh - pool->used - 1)
            pool->idle = pool->fresh - pool->used - 1;
    } else if (pool->fresh < pool->count_max) {
        object = pool->base + pool->fresh++ * pool->object_size;
        poison_ahead(pool);
        UNPOISON(object, pool->object_size);
    } else {
        return NULL;
    }
    pool->used++;
    return object;
}

void pool_put(struct pool *pool, void *object)
{
    CHECK_OBJ(pool, POOL_MAGIC);
    CHECK(pool->used > 0);
    uintptr_t offset = (uintptr_t)object - (uintptr_t)pool->base;
    CHECK((uintptr_t)object >= (uintptr_t)pool->base);
    CHECK(offset < pool->fresh * pool->object_size && offset % pool->object_size == 0);
    CHECK(!IS_POISONED(object)); /* given back twice */

    struct free_object *returned = object;
    *returned = (struct free_object){ .next = pool->free };
    pool->free = returned;
    pool->used--;
    POISON(object, pool->object_size);
}

/* The pages that lie in the object as a whole, behind what the pool keeps in it. */
static void release_pages(const struct pool *pool, struct free_object *object)
{
    const uintptr_t page = 4096; /* where they are larger, the kernel refuses the odd ones */
    uintptr_t from = ((uintptr_t)(object + 1) + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)object + pool->object_size) & ~(page - 1);
    if (from < to)
        (void)madvise((char *)object + (from - (uintptr_t)object), to - from, MADV_DONTNEED);
    object->trimmed = true;
}

/* Nothing is out, or was: as if it never had been, so not even the links keep a page. */
static void forget_all(struct pool *pool)
{
    if (pool->fresh > 0)
        (void)madvise(pool->base, pool->fresh * pool->object_size, MADV_DONTNEED);
    pool->free = NULL;
    pool->fresh = 0;
    pool->idle = 0;
}

bool pool_trim(struct pool *pool)
{
    CHECK_OBJ(pool, POOL_MAGIC);
    if (pool->idle == pool->fresh) {
        forget_all(pool);
        return false;
    }
    size_t in_list = pool->fresh - pool->used;
    size_t place = 0;
    bool more = false;
    struct free_object *object = pool->free;

    CHECK(pool->idle <= in_list);
    while (object != NULL) {
        UNPOISON(object, sizeof(*object));
        struct free_object *next = object->next;
        bool trimmed = object->trimmed;
        if (place >= in_list - pool->idle && !trimmed)
            release_pages(pool, object);
        else
            more |= !trimmed;
        POISON(object, sizeof(*object));
        if (trimmed)
            break;
        object = next;
        place++;
    }
    pool->idle = in_list;
    return more;
}

size_t pool_used(const struct pool *pool)
{
    CHECK_OBJ(pool, POOL_MAGIC);
    return pool->used;
}

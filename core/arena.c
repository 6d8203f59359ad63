/* arena.c: a chain of chunks, filled from the front; what is larger than a chunk gets its own. */
#include "core/arena.h"
#include "core/check.h"

#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAGIC 0xa4e7a000u
#ifndef ARENA_CHUNK_SIZE /* a test sets it, so that every piece is an allocation of its own */
#define ARENA_CHUNK_SIZE ((size_t)16 << 10)
#endif

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

struct arena_end {
    struct arena_end *next;
    void (*call)(void *what);
    void *what;
};

struct arena {
    unsigned magic;
    struct arena_chunk *chunks; /* the one being filled comes first */
    struct arena_end *ends;     /* in the chunks; the last one comes first */
};

struct arena *arena_create(void)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena != NULL)
        arena->magic = ARENA_MAGIC;
    return arena;
}

void arena_destroy(struct arena *arena)
{
    struct arena_chunk *chunk, *next;

    if (arena == NULL)
        return;
    CHECK_OBJ(arena, ARENA_MAGIC);
    for (const struct arena_end *end = arena->ends; end != NULL; end = end->next)
        end->call(end->what);
    for (chunk = arena->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    arena->magic = 0;
    free(arena);
}

static struct arena_chunk *arena_chunk_add(struct arena *arena, size_t size_min)
{
    size_t size = size_min > ARENA_CHUNK_SIZE ? size_min : ARENA_CHUNK_SIZE;
    struct arena_chunk *chunk;

    if (size > SIZE_MAX - sizeof(*chunk))
        return NULL;
    chunk = calloc(1, sizeof(*chunk) + size);
    if (chunk == NULL)
        return NULL;
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk;
    void *mem;

    CHECK_OBJ(arena, ARENA_MAGIC);
    if (size > SIZE_MAX - alignof(max_align_t))
        return NULL;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < size)
        chunk = arena_chunk_add(arena, size);
    if (chunk == NULL)
        return NULL;
    mem = chunk->data + chunk->used;
    chunk->used += size;
    return mem;
}

int arena_at_end(struct arena *arena, void (*end)(void *what), void *what)
{
    struct arena_end *entry = arena_alloc(arena, sizeof(*entry));

    if (entry == NULL)
        return -ENOMEM;
    *entry = (struct arena_end){ arena->ends, end, what };
    arena->ends = entry;
    return 0;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy;

    CHECK(text != NULL);
    if (len == SIZE_MAX)
        return NULL;
    copy = arena_alloc(arena, len + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    CHECK(text != NULL);
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    text = arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

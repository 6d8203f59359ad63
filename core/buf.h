/* buf.h: a byte buffer of fixed capacity over memory that somebody else owns.
 *
 *   data ......[start ... valid octets ... end)......... cap
 *
 * Never grows: what does not fit is refused whole, and the caller decides. Not thread-safe. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/check.h"
#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data;     /* borrowed; NULL while no memory is attached */
    uint32_t cap;   /* octets at data */
    uint32_t start; /* first valid octet */
    uint32_t end;   /* behind the last valid octet */
};

/* A buffer over `cap` octets at `data`, empty. */
static inline void buf_init(struct buf *b, void *data, size_t cap)
{
    *b = (struct buf){ .data = data, .cap = (uint32_t)cap };
}

/* Octets that are valid. */
static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

/* Octets that still fit behind the valid ones, without moving any. */
static inline size_t buf_room(const struct buf *b)
{
    return b->cap - b->end;
}

static inline bool buf_empty(const struct buf *b)
{
    return b->end == b->start;
}

/* The valid octets; until the next change of the buffer. */
static inline struct span buf_span(const struct buf *b)
{
    if (buf_empty(b))
        return span_make("", 0); /* there may be no memory to point to */
    return span_make(b->data + b->start, b->end - b->start);
}

static inline void buf_clear(struct buf *b)
{
    b->start = b->end = 0;
}

/* Appends `len` octets; false, and nothing changed, when they do not fit. */
static inline bool buf_append(struct buf *b, const void *ptr, size_t len)
{
    if (len > buf_room(b))
        return false;
    if (len > 0)
        memcpy(b->data + b->end, ptr, len);
    b->end += (uint32_t)len;
    return true;
}

static inline bool buf_append_span(struct buf *b, struct span s)
{
    return buf_append(b, s.ptr, s.len);
}

/* Drops `len` valid octets from the front; an empty buffer begins at 0 again. */
static inline void buf_consume(struct buf *b, size_t len)
{
    CHECK(len <= buf_len(b));
    b->start += (uint32_t)len;
    if (b->start == b->end)
        b->start = b->end = 0;
}

/* Moves the valid octets to the start of the memory, so that all room is behind them. */
static inline void buf_compact(struct buf *b)
{
    if (b->start == 0)
        return;
    memmove(b->data, b->data + b->start, buf_len(b));
    b->end -= b->start;
    b->start = 0;
}

#endif

/* dir_pack.c: records one behind the other in chunks, and an array of their places, which is what
 * is sorted: blocks by qsort(3), then merged from the bottom up, between two arrays.
 *
 * A record: flags, the size, the time (each in as many octets as it needs), the name, a NUL. */
#include "core/dir_pack.h"

#include "core/check.h"
#include "core/natural.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DIR_PACK_MAGIC 0xd1a9acc5u

enum {
    CHUNK_BITS = 16, /* a place: so many bits are within the chunk */
    CHUNK_SIZE = 1 << CHUNK_BITS,
    CHUNKS_MAX = 1 << (32 - CHUNK_BITS),
    RECORD_HEAD_MAX = 1 + 10 + 10 + 5, /* flags, 64 bits, 64 bits, 32 bits, 7 to an octet */
    BLOCK = 256                        /* names that are sorted in one go */
};

enum { FLAG_DIR = 1, FLAG_FORBIDDEN = 2 };

struct dir_pack {
    unsigned magic;
    unsigned char **chunks;
    size_t chunks_count, chunks_cap;
    size_t used;     /* of the last chunk */
    uint32_t *order; /* places */
    size_t count, cap;
    /* sorting */
    bool begun;
    uint32_t *other; /* where the next pass goes; as large as order */
    size_t width;    /* of the runs; 0: blocks are still to be sorted */
    size_t first;    /* where the block, or the pair of runs, begins */
    size_t left, right, out;
};

struct dir_pack *dir_pack_create(void)
{
    struct dir_pack *p = calloc(1, sizeof(*p));

    if (p != NULL)
        p->magic = DIR_PACK_MAGIC;
    return p;
}

void dir_pack_free(struct dir_pack *p)
{
    if (p == NULL)
        return;
    CHECK_OBJ(p, DIR_PACK_MAGIC);
    for (size_t i = 0; i < p->chunks_count; i++)
        free(p->chunks[i]);
    free(p->chunks);
    free(p->order);
    free(p->other);
    p->magic = 0;
    free(p);
}

/* ---- records ---- */

static unsigned char *put_number(unsigned char *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (unsigned char)(value | 0x80);
    *to++ = (unsigned char)value;
    return to;
}

static const unsigned char *take_number(const unsigned char *from, uint64_t *ret_value)
{
    uint64_t value = *from & 0x7f;

    for (unsigned shift = 7; *from++ >= 0x80; shift += 7)
        value |= (uint64_t)(*from & 0x7f) << shift;
    *ret_value = value;
    return from;
}

/* A small number for a time that is near to 1970 on either side. */
static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ ((value & 1) != 0 ? UINT64_MAX : 0));
}

static const char *name_at(const struct dir_pack *p, uint32_t place, struct dir_item *ret_item)
{
    const unsigned char *at = p->chunks[place >> CHUNK_BITS] + (place & (CHUNK_SIZE - 1));
    unsigned flags = *at++;
    uint64_t mtime_s, mtime_ns;

    at = take_number(at, &ret_item->size);
    at = take_number(at, &mtime_s);
    at = take_number(at, &mtime_ns);
    ret_item->mtime_s = unzigzag(mtime_s);
    ret_item->mtime_ns = (int32_t)mtime_ns;
    ret_item->is_dir = (flags & FLAG_DIR) != 0;
    ret_item->forbidden = (flags & FLAG_FORBIDDEN) != 0;
    ret_item->name = (const char *)at;
    return ret_item->name;
}

/* Room for one more record and its place. 0 or -errno. */
static int reserve(struct dir_pack *p)
{
    if (p->count == p->cap) {
        /* By a half: what is reserved counts as taken. */
        size_t cap = p->cap == 0 ? 64 : p->cap + p->cap / 2;
        uint32_t *order = reallocarray(p->order, cap, sizeof(*order));

        if (order == NULL)
            return -ENOMEM;
        p->order = order;
        p->cap = cap;
    }
    if (p->chunks_count > 0 && CHUNK_SIZE - p->used > RECORD_HEAD_MAX + NAME_MAX + 1)
        return 0;
    if (p->chunks_count == CHUNKS_MAX)
        return -EFBIG;
    if (p->chunks_count == p->chunks_cap) {
        size_t cap = p->chunks_cap == 0 ? 8 : p->chunks_cap * 2;
        unsigned char **chunks = reallocarray(p->chunks, cap, sizeof(*chunks));

        if (chunks == NULL)
            return -ENOMEM;
        p->chunks = chunks;
        p->chunks_cap = cap;
    }
    p->chunks[p->chunks_count] = malloc(CHUNK_SIZE);
    if (p->chunks[p->chunks_count] == NULL)
        return -ENOMEM;
    p->chunks_count++;
    p->used = 0;
    return 0;
}

int dir_pack_add(struct dir_pack *p, const struct dir_item *item)
{
    size_t name_size = strlen(item->name) + 1;
    unsigned char *record, *at;
    int error;

    CHECK_OBJ(p, DIR_PACK_MAGIC);
    CHECK(!p->begun && name_size <= NAME_MAX + 1);
    error = reserve(p);
    if (error < 0)
        return error;
    record = at = p->chunks[p->chunks_count - 1] + p->used;
    *at++ = (unsigned char)((item->is_dir ? FLAG_DIR : 0) | (item->forbidden ? FLAG_FORBIDDEN : 0));
    at = put_number(at, item->size);
    at = put_number(at, zigzag(item->mtime_s));
    at = put_number(at, (uint32_t)item->mtime_ns);
    memcpy(at, item->name, name_size);
    p->order[p->count++] = (uint32_t)((p->chunks_count - 1) << CHUNK_BITS | p->used);
    p->used += (size_t)(at - record) + name_size;
    return 0;
}

size_t dir_pack_count(const struct dir_pack *p)
{
    return p->count;
}

struct dir_item dir_pack_get(const struct dir_pack *p, size_t index)
{
    struct dir_item item;

    CHECK(index < p->count);
    name_at(p, p->order[index], &item);
    return item;
}

size_t dir_pack_size(const struct dir_pack *p)
{
    return sizeof(*p) + p->chunks_count * CHUNK_SIZE + p->chunks_cap * sizeof(*p->chunks) +
           p->cap * sizeof(*p->order) + (p->other != NULL ? p->count * sizeof(*p->other) : 0);
}

/* ---- the order ---- */

struct comparison {
    const struct dir_pack *pack;
    const struct dir_wish *wish;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_places(const void *left, const void *right, void *comparison)
{
    const struct comparison *by = comparison;
    const struct dir_wish *wish = by->wish;
    struct dir_item a, b;
    int order = 0;

    name_at(by->pack, *(const uint32_t *)left, &a);
    name_at(by->pack, *(const uint32_t *)right, &b);
    if (a.is_dir != b.is_dir)
        return a.is_dir ? -1 : 1;
    if (wish->key == DIR_BY_SIZE && !a.is_dir)
        order = compare_numbers(a.size, b.size);
    else if (wish->key == DIR_BY_TIME)
        order = (a.mtime_s > b.mtime_s) - (a.mtime_s < b.mtime_s);
    else if (wish->key == DIR_BY_NAME && wish->descending)
        return natural_compare(b.name, a.name);
    if (order != 0)
        return wish->descending ? -order : order;
    return natural_compare(a.name, b.name);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Goes to the pair of runs that begins at `first`. */
static void begin_pair(struct dir_pack *p, size_t first)
{
    p->first = p->left = p->out = first;
    p->right = smaller(first + p->width, p->count);
}

/* Sorts blocks. How many steps are left. */
static size_t sort_blocks(struct dir_pack *p, struct comparison *by, size_t steps)
{
    for (bool any = false; p->first < p->count && (!any || steps >= BLOCK); any = true) {
        size_t len = smaller(p->count - p->first, BLOCK);

        qsort_r(p->order + p->first, len, sizeof(*p->order), compare_places, by);
        p->first += len;
        steps -= smaller(steps, len);
    }
    if (p->first == p->count) {
        p->width = BLOCK;
        begin_pair(p, 0);
    }
    return steps;
}

/* Merges the pair on. How many steps are left. */
static size_t merge(struct dir_pack *p, struct comparison *by, size_t steps)
{
    size_t middle = smaller(p->first + p->width, p->count);
    size_t end = smaller(middle + p->width, p->count);

    for (; steps > 0 && p->out < end; steps--) {
        bool takes_right =
            p->left == middle ||
            (p->right < end && compare_places(&p->order[p->right], &p->order[p->left], by) < 0);

        p->other[p->out++] = p->order[takes_right ? p->right++ : p->left++];
    }
    if (p->out == end)
        begin_pair(p, end);
    return steps;
}

int dir_pack_sort(struct dir_pack *p, const struct dir_wish *wish, size_t steps)
{
    struct comparison by = { p, wish };

    CHECK_OBJ(p, DIR_PACK_MAGIC);
    p->begun = true;
    if (p->width == 0)
        steps = sort_blocks(p, &by, steps);
    if (p->width == 0)
        return 1;
    if (p->width < p->count && p->other == NULL) {
        p->other = reallocarray(NULL, p->count, sizeof(*p->other));
        if (p->other == NULL)
            return -ENOMEM;
    }
    while (p->width < p->count) {
        if (steps == 0)
            return 1;
        steps = merge(p, &by, steps);
        if (p->first == p->count) { /* the pass is over */
            uint32_t *sorted = p->other;

            p->other = p->order;
            p->order = sorted;
            p->cap = p->count;
            p->width *= 2;
            begin_pair(p, 0);
        }
    }
    free(p->other);
    p->other = NULL;
    return 0;
}

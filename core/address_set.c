/* address_set.c: ranges, sorted and merged. See address_set.h. */
#include "core/address_set.h"

#include "core/arena.h"
#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, IPV4_BITS = 32, IPV6_BITS = 128 };

static bool is_mapped(const struct peer *peer)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    return peer->family == PEER_IPV6 && memcmp(peer->addr, mapped, sizeof(mapped)) == 0;
}

/* The key of one address. */
static void make_key(const struct peer *peer, uint8_t *ret_key)
{
    memset(ret_key, 0, ADDRESS_KEY_SIZE);
    if (is_mapped(peer)) {
        ret_key[0] = PEER_IPV4;
        memcpy(ret_key + 1, peer->addr + MAPPED_BITS / 8, IPV4_BITS / 8);
        return;
    }
    ret_key[0] = peer->family;
    if (peer->family != PEER_UNIX)
        memcpy(ret_key + 1, peer->addr, (peer->family == PEER_IPV4 ? IPV4_BITS : IPV6_BITS) / 8);
}

/* "0" to "128", without leading zeros; -1: anything else. */
static int prefix_parse(struct span text)
{
    int value = 0;

    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = 10 * value + (text.ptr[i] - '0');
    }
    return value;
}

/* Sets all bits of `key` behind the first `bits` of its address to `on`; returns whether one of
 * them was set before. */
static bool fill_rest(uint8_t *key, unsigned bits, unsigned width, bool on)
{
    bool had = false;

    for (unsigned i = bits; i < width; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        had |= (key[1 + i / 8] & bit) != 0;
        key[1 + i / 8] = (uint8_t)(on ? key[1 + i / 8] | bit : key[1 + i / 8] & ~bit);
    }
    return had;
}

/* NULL, or what is wrong. */
static const char *range_parse(const char *text, struct address_range *ret_range)
{
    const char *slash = strchr(text, '/');
    struct span address = span_make(text, slash != NULL ? (size_t)(slash - text) : strlen(text));
    struct peer peer;

    if (strcmp(text, "unix:") == 0) {
        *ret_range = (struct address_range){ .first = { PEER_UNIX }, .last = { PEER_UNIX } };
        return NULL;
    }
    if (!peer_parse(address, &peer))
        return "is no address";
    unsigned width = peer.family == PEER_IPV4 ? IPV4_BITS : IPV6_BITS;
    int bits = slash != NULL ? prefix_parse(span_str(slash + 1)) : (int)width;
    if (bits < 0 || (unsigned)bits > width)
        return width == IPV4_BITS ? "has no number from 0 to 32 behind the '/'"
                                  : "has no number from 0 to 128 behind the '/'";
    if (is_mapped(&peer)) {
        if (bits < MAPPED_BITS)
            return "holds all IPv4 addresses and others: write 0.0.0.0/0 for those";
        bits -= MAPPED_BITS;
        width = IPV4_BITS;
    }
    make_key(&peer, ret_range->first);
    memcpy(ret_range->last, ret_range->first, ADDRESS_KEY_SIZE);
    if (fill_rest(ret_range->last, (unsigned)bits, width, true))
        return "is an address within a network, not the network's own: the bits behind the prefix "
               "must be 0";
    return NULL;
}

const char *address_range_check(const char *text)
{
    struct address_range range;

    return range_parse(text, &range);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct address_range *x = a, *y = b;

    return memcmp(x->first, y->first, ADDRESS_KEY_SIZE);
}

int address_set_make(struct arena *arena, char *const *texts, size_t count,
                     struct address_set *ret_set)
{
    struct address_set set = { .ranges = arena_array(arena, count, sizeof(set.ranges[0])) };

    if (set.ranges == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        MUST(range_parse(texts[i], &set.ranges[i]) == NULL);
    if (count > 0)
        qsort(set.ranges, count, sizeof(set.ranges[0]), compare_ranges);
    /* Networks lie within each other or apart, so what begins within the last ends there. */
    for (size_t i = 0; i < count; i++) {
        struct address_range *last = set.count > 0 ? &set.ranges[set.count - 1] : NULL;

        if (last == NULL || memcmp(set.ranges[i].first, last->last, ADDRESS_KEY_SIZE) > 0)
            set.ranges[set.count++] = set.ranges[i];
        else if (memcmp(set.ranges[i].last, last->last, ADDRESS_KEY_SIZE) > 0)
            *last = set.ranges[i]; /* begins at the same address, and is larger */
    }
    *ret_set = set;
    return 0;
}

bool address_set_has(const struct address_set *set, const struct peer *peer)
{
    uint8_t key[ADDRESS_KEY_SIZE];
    size_t low = 0, high = set->count;

    if (high == 0)
        return false;
    make_key(peer, key);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct address_range *range = &set->ranges[middle];

        if (memcmp(key, range->first, sizeof(key)) < 0)
            high = middle;
        else if (memcmp(key, range->last, sizeof(key)) > 0)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

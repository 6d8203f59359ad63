/* address_set.c: borders, made by a sweep over sorted networks. See address_set.h. */
#include "core/address_set.h"

#include "core/arena.h"
#include "core/check.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, IPV4_BITS = 32, IPV6_BITS = 128 };

static bool is_mapped(const struct peer *peer)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    return peer->family == PEER_IPV6 && memcmp(peer->addr, mapped, sizeof(mapped)) == 0;
}

/* ---- addresses as numbers ---- */

static struct address_key ipv4_key(const uint8_t *addr)
{
    uint32_t number;

    memcpy(&number, addr, sizeof(number));
    return (struct address_key){ 0, be32toh(number) };
}

static struct address_key ipv6_key(const uint8_t *addr)
{
    uint64_t high, low;

    memcpy(&high, addr, sizeof(high));
    memcpy(&low, addr + sizeof(high), sizeof(low));
    return (struct address_key){ be64toh(high), be64toh(low) };
}

static inline bool key_less(struct address_key a, struct address_key b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static bool key_equal(struct address_key a, struct address_key b)
{
    return a.high == b.high && a.low == b.low;
}

/* The bits that a prefix of `bits` of `width` leaves open. */
static struct address_key open_bits(unsigned bits, unsigned width)
{
    unsigned open = width - bits;

    if (open >= 64)
        return (struct address_key){ open == 128 ? UINT64_MAX : (UINT64_C(1) << (open - 64)) - 1,
                                     UINT64_MAX };
    return (struct address_key){ 0, (UINT64_C(1) << open) - 1 };
}

/* The last number of a family. */
static struct address_key key_max(unsigned family)
{
    return family == PEER_IPV4 ? open_bits(0, IPV4_BITS) : open_bits(0, IPV6_BITS);
}

/* ---- elements ---- */

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

const char *address_range_parse(struct span text, struct address_range *ret_range)
{
    const char *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    size_t len = slash != NULL ? (size_t)(slash - text.ptr) : text.len;
    struct peer peer;

    if (span_eq(text, SPAN_LIT("unix:"))) {
        *ret_range = (struct address_range){ .family = PEER_UNIX };
        return NULL;
    }
    if (!peer_parse(span_make(text.ptr, len), &peer))
        return "is no address";
    unsigned width = peer.family == PEER_IPV4 ? IPV4_BITS : IPV6_BITS;
    int bits = slash != NULL ? prefix_parse(span_make(slash + 1, text.len - len - 1)) : (int)width;
    if (bits < 0 || (unsigned)bits > width)
        return width == IPV4_BITS ? "has no number from 0 to 32 behind the '/'"
                                  : "has no number from 0 to 128 behind the '/'";
    bool mapped = is_mapped(&peer);
    if (mapped && bits < MAPPED_BITS)
        return "holds all IPv4 addresses and others: write 0.0.0.0/0 for those";
    if (mapped) {
        bits -= MAPPED_BITS;
        width = IPV4_BITS;
    }
    struct address_key first = mapped                     ? ipv4_key(peer.addr + MAPPED_BITS / 8)
                               : peer.family == PEER_IPV4 ? ipv4_key(peer.addr)
                                                          : ipv6_key(peer.addr);
    struct address_key open = open_bits((unsigned)bits, width);
    if ((first.high & open.high) != 0 || (first.low & open.low) != 0)
        return "is an address within a network, not the network's own: the bits behind the prefix "
               "must be 0";
    *ret_range = (struct address_range){ .first = first,
                                         .last = { first.high | open.high, first.low | open.low },
                                         .family = mapped ? PEER_IPV4 : peer.family };
    return NULL;
}

const char *address_range_check(const char *text)
{
    struct address_range range;

    return address_range_parse(span_str(text), &range);
}

int address_list_add(struct address_list *list, const struct address_range *range)
{
    if (list->count == list->room) {
        size_t room = list->room * 2 + 16;
        struct address_range *grown = reallocarray(list->ranges, room, sizeof(grown[0]));

        if (grown == NULL)
            return -ENOMEM;
        list->ranges = grown;
        list->room = room;
    }
    list->ranges[list->count++] = *range;
    return 0;
}

void address_list_free(struct address_list *list)
{
    free(list->ranges);
    *list = (struct address_list){ 0 };
}

/* ---- from elements to borders ---- */

/* By family and first address, what holds more in front; of equal ones that which excludes last, so
 * that it lies within the other. */
static int compare_ranges(const void *a, const void *b)
{
    const struct address_range *x = a, *y = b;

    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    if (!key_equal(x->first, y->first))
        return key_less(x->first, y->first) ? -1 : 1;
    if (!key_equal(x->last, y->last))
        return key_less(y->last, x->last) ? -1 : 1;
    return (int)x->excluded - (int)y->excluded;
}

/* Borders on their way. */
struct borders {
    struct address_key *keys; /* two an element are enough: each element begins, and ends, once */
    size_t count;
    bool inside; /* behind the last */
};

/* From `key` on it is `inside`. Keys come in ascending order. */
static void border_put(struct borders *borders, struct address_key key, bool inside)
{
    if (borders->count > 0 && key_equal(borders->keys[borders->count - 1], key)) {
        borders->count--;
        borders->inside = !borders->inside;
    }
    if (inside == borders->inside)
        return;
    borders->keys[borders->count++] = key;
    borders->inside = inside;
}

/* The elements that the sweep is within, the largest first: their prefixes nest, and each is longer
 * than the one around it, or equal to it once, when one includes and the other excludes. */
struct nest {
    const struct address_range *ranges[2 * (IPV6_BITS + 1)];
    size_t depth;
    bool rest;
};

static bool nest_inside(const struct nest *nest)
{
    return nest->depth > 0 ? !nest->ranges[nest->depth - 1]->excluded : nest->rest;
}

/* Leaves the elements that end before `next`; all, where that is NULL. */
static void nest_leave(struct nest *nest, const struct address_range *next, struct borders *borders)
{
    while (nest->depth > 0) {
        const struct address_range *top = nest->ranges[nest->depth - 1];
        struct address_key end = { top->last.high + (top->last.low == UINT64_MAX),
                                   top->last.low + 1 };

        if (next != NULL && !key_less(top->last, next->first))
            break;
        nest->depth--;
        if (!key_equal(top->last, key_max(top->family))) /* else nothing is behind it */
            border_put(borders, end, nest_inside(nest));
    }
}

/* The borders of `count` sorted elements of one family. */
static void sweep(const struct address_range *ranges, size_t count, bool rest,
                  struct borders *borders)
{
    struct nest nest = { .rest = rest };

    border_put(borders, (struct address_key){ 0, 0 }, rest);
    for (size_t i = 0; i < count; i++) {
        const struct address_range *top = nest.depth > 0 ? nest.ranges[nest.depth - 1] : NULL;

        if (top != NULL && compare_ranges(top, &ranges[i]) == 0)
            continue; /* stands twice */
        nest_leave(&nest, &ranges[i], borders);
        CHECK(nest.depth < ARRAY_LEN(nest.ranges));
        nest.ranges[nest.depth++] = &ranges[i];
        border_put(borders, ranges[i].first, nest_inside(&nest));
    }
    nest_leave(&nest, NULL, borders);
}

static int ipv4_take(const struct borders *borders, struct arena *arena, struct address_set *set)
{
    uint32_t *ipv4 = arena_array(arena, borders->count, sizeof(ipv4[0]));

    if (ipv4 == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < borders->count; i++)
        ipv4[i] = (uint32_t)borders->keys[i].low;
    set->ipv4 = ipv4;
    set->ipv4_count = borders->count;
    return 0;
}

static int ipv6_take(const struct borders *borders, struct arena *arena, struct address_set *set)
{
    struct address_key *ipv6 = arena_array(arena, borders->count, sizeof(ipv6[0]));

    if (ipv6 == NULL)
        return -ENOMEM;
    if (borders->count > 0)
        memcpy(ipv6, borders->keys, borders->count * sizeof(ipv6[0]));
    set->ipv6 = ipv6;
    set->ipv6_count = borders->count;
    return 0;
}

int address_list_make_set(struct address_list *list, bool rest, struct arena *arena,
                          struct address_set *ret_set)
{
    struct address_set set = { .unix_sockets = rest };
    struct borders borders = { .keys = reallocarray(NULL, 2 * list->count + 1,
                                                    sizeof(borders.keys[0])) };
    size_t at = 0;
    int res = borders.keys != NULL ? 0 : -ENOMEM;

    if (res == 0 && list->count > 0)
        qsort(list->ranges, list->count, sizeof(list->ranges[0]), compare_ranges);
    for (unsigned family = PEER_UNIX; res == 0 && family <= PEER_IPV6; family++) {
        size_t first = at;

        while (at < list->count && list->ranges[at].family == family)
            at++;
        if (family == PEER_UNIX) {
            if (at > first)
                set.unix_sockets = !list->ranges[at - 1].excluded;
            continue;
        }
        borders.count = 0;
        borders.inside = false;
        sweep(at > first ? list->ranges + first : NULL, at - first, rest, &borders);
        res = family == PEER_IPV4 ? ipv4_take(&borders, arena, &set)
                                  : ipv6_take(&borders, arena, &set);
    }
    free(borders.keys);
    if (res == 0)
        *ret_set = set;
    return res;
}

int address_set_make(struct arena *arena, char *const *texts, size_t count,
                     struct address_set *ret_set)
{
    struct address_list list = { 0 };
    int res = 0;

    for (size_t i = 0; res == 0 && i < count; i++) {
        struct address_range range;

        MUST(address_range_parse(span_str(texts[i]), &range) == NULL);
        res = address_list_add(&list, &range);
    }
    if (res == 0)
        res = address_list_make_set(&list, false, arena, ret_set);
    address_list_free(&list);
    return res;
}

/* ---- questions ---- */

/* How many borders have been passed at the address. No branch depends on what is compared: what a
 * client's address is cannot be foreseen. */
static bool ipv4_has(const struct address_set *set, uint32_t key)
{
    const uint32_t *base = set->ipv4;
    size_t left = set->ipv4_count;

    if (left == 0)
        return false;
    while (left > 1) {
        size_t half = left / 2;

        base = base[half] <= key ? base + half : base;
        left -= half;
    }
    return ((size_t)(base - set->ipv4) + (*base <= key)) % 2 != 0;
}

static bool ipv6_has(const struct address_set *set, struct address_key key)
{
    const struct address_key *base = set->ipv6;
    size_t left = set->ipv6_count;

    if (left == 0)
        return false;
    while (left > 1) {
        size_t half = left / 2;

        base = key_less(key, base[half]) ? base : base + half;
        left -= half;
    }
    return ((size_t)(base - set->ipv6) + !key_less(key, *base)) % 2 != 0;
}

bool address_set_has(const struct address_set *set, const struct peer *peer)
{
    if (peer->family == PEER_UNIX)
        return set->unix_sockets;
    if (peer->family == PEER_IPV4)
        return ipv4_has(set, (uint32_t)ipv4_key(peer->addr).low);
    if (is_mapped(peer))
        return ipv4_has(set, (uint32_t)ipv4_key(peer->addr + MAPPED_BITS / 8).low);
    return ipv6_has(set, ipv6_key(peer->addr));
}

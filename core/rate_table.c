/* rate_table.c: see rate_table.h.
 *
 * A word is a tag of 20 bits, the rest of the client's hash, and a moment of 44 bits, in ticks: it
 * comes round every 12 days. A moment that lies further ahead than anything may is one of the past.
 * Two clients of a line with the same tag share a count: one in some 100,000 meets another one so,
 * and nobody can choose whom. */
#include "core/rate_table.h"

#include "core/check.h"
#include "core/client_hash.h"
#include "core/shared_memory.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { MOMENT_BITS = 44, TAKES_MAX = 16 /* tries of a word that others change meanwhile */ };

#define MOMENT_MASK ((UINT64_C(1) << MOMENT_BITS) - 1)

static_assert(RATE_SPAN_MAX < (UINT64_C(1) << (MOMENT_BITS - 2)), "what lies ahead is told apart");

struct line {
    _Alignas(64) _Atomic uint64_t words[RATE_TABLE_WAYS];
};

struct region {
    struct group {
        _Atomic uint64_t zone;   /* 0: free */
        _Atomic uint64_t moment; /* without a tag */
    } groups[RATE_TABLE_GROUPS];
    struct line lines[];
};

struct rate_table {
    uint64_t key[2];
    size_t size;        /* of the region, in bytes */
    uint64_t line_mask; /* their number, less one */
    struct region *region;
};

int rate_table_create(size_t clients, struct rate_table **ret_table)
{
    size_t lines = 1;

    CHECK(clients > 0 && clients <= SIZE_MAX / 4);
    while (lines * RATE_TABLE_WAYS < clients)
        lines *= 2;
    struct rate_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return -ENOMEM;
    table->size = sizeof(struct region) + lines * sizeof(struct line);
    table->line_mask = lines - 1;
    int res = client_hash_key(table->key);
    if (res == 0) {
        table->region = shared_memory_make("gearshift-limits", table->size, NULL);
        res = table->region != NULL ? 0 : -errno;
    }
    if (res < 0) {
        free(table);
        return res;
    }
    *ret_table = table;
    return 0;
}

void rate_table_destroy(struct rate_table *table)
{
    if (table == NULL)
        return;
    munmap(table->region, table->size);
    free(table);
}

uint64_t rate_table_client(const struct rate_table *table, uint64_t zone, const struct peer *peer,
                           const struct client_prefix *prefix)
{
    return client_hash(table->key, zone, peer, prefix);
}

/* How far a moment lies ahead of `now`; 0: it is past, or was never. */
static uint64_t ahead_of(uint64_t moment, uint64_t now)
{
    uint64_t ahead = (moment - now) & MOMENT_MASK;

    return ahead <= RATE_SPAN_MAX ? ahead : 0;
}

/* The GCRA: what becomes of a client that has `ahead` in advance, and in *ret_ahead, unless it is
 * refused, how much it has then. */
static enum rate_verdict judge(const struct rate_limit *limit, uint64_t ahead, uint64_t *ret_ahead,
                               uint64_t *ret_ticks)
{
    if (ahead > limit->burst + limit->interval)
        ahead = 0; /* more than it can have had: a moment of 12 days ago */
    if (ahead > limit->burst) {
        *ret_ticks = ahead - limit->burst;
        return RATE_REFUSE;
    }
    *ret_ahead = ahead + limit->interval;
    *ret_ticks = 0;
    if (ahead <= limit->delay)
        return RATE_GO;
    *ret_ticks = ahead - limit->delay;
    return RATE_WAIT;
}

static uint64_t tag_of(uint64_t client)
{
    uint64_t tag = client >> MOMENT_BITS;

    return (tag != 0 ? tag : 1) << MOMENT_BITS; /* 0 is a free word */
}

/* The word of the client, or, when it has none, that of whoever has the least in advance. */
static _Atomic uint64_t *find(struct rate_table *table, uint64_t client, uint64_t now,
                              uint64_t *ret_word)
{
    struct line *line = &table->region->lines[client & table->line_mask];
    uint64_t tag = tag_of(client), least = UINT64_MAX, word = 0;
    _Atomic uint64_t *found = NULL;

    for (size_t i = 0; i < RATE_TABLE_WAYS; i++) {
        uint64_t here = atomic_load_explicit(&line->words[i], memory_order_relaxed);
        if ((here & ~MOMENT_MASK) == tag) {
            *ret_word = here;
            return &line->words[i];
        }
        uint64_t ahead = here == 0 ? 0 : ahead_of(here & MOMENT_MASK, now);
        if (ahead < least) {
            least = ahead;
            word = here;
            found = &line->words[i];
        }
    }
    *ret_word = word;
    return found;
}

/* Who finds that others keep changing the word lets the client pass: so many at once are no reason
 * to wait for one another. */
enum rate_verdict rate_table_take(struct rate_table *table, uint64_t client,
                                  const struct rate_limit *limit, uint64_t now, uint64_t *ret_ticks)
{
    uint64_t tag = tag_of(client);

    for (int i = 0; i < TAKES_MAX; i++) {
        uint64_t word, ahead = 0, then = 0;
        _Atomic uint64_t *at = find(table, client, now, &word);
        if ((word & ~MOMENT_MASK) == tag)
            ahead = ahead_of(word & MOMENT_MASK, now);
        enum rate_verdict verdict = judge(limit, ahead, &then, ret_ticks);
        uint64_t next = tag | ((now + then) & MOMENT_MASK);
        if (verdict == RATE_REFUSE ||
            atomic_compare_exchange_weak_explicit(at, &word, next, memory_order_relaxed,
                                                  memory_order_relaxed))
            return verdict;
    }
    *ret_ticks = 0;
    return RATE_GO;
}

/* How far a moment lies behind `now`, RATE_CREDIT at most. */
static uint64_t behind_of(uint64_t moment, uint64_t now)
{
    uint64_t behind = (now - moment) & MOMENT_MASK;

    return behind < RATE_CREDIT ? behind : RATE_CREDIT;
}

uint64_t rate_table_reserve(struct rate_table *table, uint64_t client, uint64_t rate,
                            uint64_t wanted, uint64_t now, uint64_t *ret_ticks)
{
    uint64_t tag = tag_of(client), piece = 0;

    for (int i = 0; i < TAKES_MAX; i++) {
        uint64_t word, ahead = 0, behind = 0;
        _Atomic uint64_t *at = find(table, client, now, &word);
        if ((word & ~MOMENT_MASK) == tag) {
            ahead = ahead_of(word & MOMENT_MASK, now);
            behind = ahead == 0 ? behind_of(word & MOMENT_MASK, now) : 0;
        }
        piece = rate_piece(rate, behind);
        if (piece > wanted)
            piece = wanted;
        uint64_t then = now + ahead - behind + rate_ticks_of(rate, piece);
        *ret_ticks = ahead;
        if (atomic_compare_exchange_weak_explicit(at, &word, tag | (then & MOMENT_MASK),
                                                  memory_order_relaxed, memory_order_relaxed))
            break;
    }
    return piece;
}

/* The place of the zone; NULL: all that it may have are taken. One of which nothing lies ahead any
 * more is as good as free. */
static struct group *group_of(struct rate_table *table, uint64_t zone, uint64_t now)
{
    enum { PROBES = 16 };
    struct group *groups = table->region->groups, *idle = NULL;

    for (uint64_t i = 0; i < PROBES; i++) {
        struct group *group = &groups[(zone + i) % RATE_TABLE_GROUPS];
        uint64_t owner = atomic_load_explicit(&group->zone, memory_order_relaxed);
        if (owner == zone)
            return group;
        if (owner == 0 &&
            (atomic_compare_exchange_strong(&group->zone, &owner, zone) || owner == zone))
            return group;
        uint64_t moment = atomic_load_explicit(&group->moment, memory_order_relaxed);
        if (idle == NULL && ahead_of(moment & MOMENT_MASK, now) == 0)
            idle = group;
    }
    if (idle != NULL)
        atomic_store(&idle->zone, zone);
    return idle;
}

enum rate_verdict rate_table_take_of_all(struct rate_table *table, const struct rate_limit *limit,
                                         uint64_t now, uint64_t *ret_ticks)
{
    struct group *group = group_of(table, limit->zone, now);

    for (int i = 0; group != NULL && i < TAKES_MAX; i++) {
        uint64_t moment = atomic_load_explicit(&group->moment, memory_order_relaxed), then = 0;
        uint64_t ahead = moment == 0 ? 0 : ahead_of(moment & MOMENT_MASK, now);
        enum rate_verdict verdict = judge(limit, ahead, &then, ret_ticks);
        /* Never 0, which is no moment. */
        uint64_t next = ((now + then) & MOMENT_MASK) | UINT64_C(1) << MOMENT_BITS;
        if (verdict == RATE_REFUSE ||
            atomic_compare_exchange_weak_explicit(&group->moment, &moment, next,
                                                  memory_order_relaxed, memory_order_relaxed))
            return verdict;
    }
    *ret_ticks = 0;
    return RATE_GO;
}

/* conn_table.c: see conn_table.h. A word is the upper 40 bits of a client's hash, and a count. Two
 * threads that bring the same client at once may give it two words: the count is their sum. */
#include "core/conn_table.h"

#include "core/check.h"
#include "core/client_hash.h"
#include "core/shared_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WAYS = 8, COUNT_BITS = 24 };

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct line {
    _Alignas(64) _Atomic uint64_t words[WAYS];
};

struct region {
    _Atomic int owners[CONN_TABLE_PROCESSES]; /* a process; 0: nobody; -1: is being emptied */
    struct line lines[];                      /* those of the first part, then the second's, ... */
};

struct conn_table {
    uint64_t key[2];
    size_t size;        /* of the region, in bytes */
    uint64_t line_mask; /* lines of a part, less one */
    int mine;           /* the part of this process; -1: none */
    struct region *region;
};

int conn_table_create(uint32_t connections_max, struct conn_table **ret_table)
{
    size_t lines = 1;

    CHECK(connections_max > 0);
    while (lines * WAYS < (size_t)connections_max * 2)
        lines *= 2;
    struct conn_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return -ENOMEM;
    table->size = sizeof(struct region) + CONN_TABLE_PROCESSES * lines * sizeof(struct line);
    table->line_mask = lines - 1;
    table->mine = -1;
    int res = client_hash_key(table->key);
    if (res == 0) {
        table->region = shared_memory_make("gearshift-clients", table->size, NULL);
        res = table->region != NULL ? 0 : -errno;
    }
    if (res < 0) {
        free(table);
        return res;
    }
    *ret_table = table;
    return 0;
}

void conn_table_destroy(struct conn_table *table)
{
    if (table == NULL)
        return;
    munmap(table->region, table->size);
    free(table);
}

void conn_table_join(struct conn_table *table)
{
    for (int i = 0; i < CONN_TABLE_PROCESSES; i++) {
        int nobody = 0;
        if (!atomic_compare_exchange_strong(&table->region->owners[i], &nobody, (int)getpid()))
            continue;
        table->mine = i;
        return;
    }
    table->mine = -1;
}

static struct line *part(const struct conn_table *table, int index)
{
    return &table->region->lines[(size_t)index * (table->line_mask + 1)];
}

void conn_table_forget(struct conn_table *table, int process)
{
    for (int i = 0; i < CONN_TABLE_PROCESSES; i++) {
        int owner = process;
        if (!atomic_compare_exchange_strong(&table->region->owners[i], &owner, -1))
            continue;
        struct line *lines = part(table, i);
        for (size_t j = 0; j <= table->line_mask; j++) {
            for (unsigned k = 0; k < WAYS; k++) {
                if (atomic_load_explicit(&lines[j].words[k], memory_order_relaxed) != 0)
                    atomic_store_explicit(&lines[j].words[k], 0, memory_order_relaxed);
            }
        }
        atomic_store(&table->region->owners[i], 0);
    }
}

uint64_t conn_table_client(const struct conn_table *table, const struct peer *peer,
                           const struct client_prefix *prefix)
{
    return client_hash(table->key, 0, peer, prefix);
}

static uint64_t tag_of(uint64_t client)
{
    uint64_t tag = client >> COUNT_BITS;

    return (tag != 0 ? tag : 1) << COUNT_BITS;
}

/* Adds one in this process's part. False: there is no place. */
static bool add(struct line *line, uint64_t tag)
{
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&line->words[i], memory_order_relaxed);
        while ((word & ~COUNT_MASK) == tag && (word & COUNT_MASK) < COUNT_MASK) {
            if (atomic_compare_exchange_weak(&line->words[i], &word, word + 1))
                return true;
        }
    }
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = 0;
        if (atomic_compare_exchange_strong(&line->words[i], &word, tag | 1))
            return true;
    }
    return false;
}

static void take_off(struct line *line, uint64_t tag)
{
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&line->words[i], memory_order_relaxed);
        while ((word & ~COUNT_MASK) == tag) {
            uint64_t less = (word & COUNT_MASK) > 1 ? word - 1 : 0;
            if (atomic_compare_exchange_weak(&line->words[i], &word, less))
                return;
        }
    }
}

/* Of all processes. */
static uint64_t count(const struct conn_table *table, size_t at, uint64_t tag)
{
    uint64_t sum = 0;

    for (int i = 0; i < CONN_TABLE_PROCESSES; i++) {
        if (atomic_load_explicit(&table->region->owners[i], memory_order_relaxed) == 0)
            continue;
        const struct line *line = part(table, i) + at;
        for (unsigned j = 0; j < WAYS; j++) {
            uint64_t word = atomic_load_explicit(&line->words[j], memory_order_relaxed);
            sum += (word & ~COUNT_MASK) == tag ? word & COUNT_MASK : 0;
        }
    }
    return sum;
}

/* It is added before it is judged: of two that come at once both may be refused, but never are there
 * more than `max`. */
enum conn_verdict conn_table_add(struct conn_table *table, uint64_t client, uint32_t max)
{
    size_t at = client & table->line_mask;

    if (table->mine < 0 || !add(part(table, table->mine) + at, tag_of(client)))
        return CONN_UNCOUNTED;
    if (count(table, at, tag_of(client)) <= max)
        return CONN_COUNTED;
    conn_table_remove(table, client);
    return CONN_OVER;
}

void conn_table_remove(struct conn_table *table, uint64_t client)
{
    CHECK(table->mine >= 0);
    take_off(part(table, table->mine) + (client & table->line_mask), tag_of(client));
}

/* literal_trie.c: a trie whose edges are in a hash table. For literals inside a path its nodes know
 * where to go on when an edge is missing (Aho and Corasick, "Efficient string matching", 1975). See
 * literal_trie.h. */
#include "match/literal_trie.h"

#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The root is node 0; no edge leads there. */
struct node {
    uint32_t numbers, numbers_count; /* in trie->numbers: of the literal that ends here */
    uint32_t fail;                   /* the longest end of this node's text that is a node, too */
    uint32_t output; /* this node, or the first that it fails to, with numbers; 0: none */
};

struct edge {
    uint32_t key; /* node << 8 | byte; 0: free, since the root's edges are elsewhere */
    uint32_t to;
};

struct literal_trie {
    enum literal_at where;
    uint32_t root[256]; /* edges of the root, by byte; 0: none */
    struct edge *edges; /* open addressing, at most half full */
    uint32_t shift;     /* 32 - log2 of their number */
    struct node *nodes;
    uint32_t *numbers;
};

static inline uint8_t fold(char c)
{
    uint8_t byte = (uint8_t)c;

    return (uint8_t)(byte - 'A') < 26 ? byte | 0x20 : byte;
}

/* Nodes of siblings are as far apart as their bytes, more or less: multiplied alone, they would lie
 * in heaps. */
static inline uint32_t edge_at(const struct literal_trie *trie, uint32_t key)
{
    key = (key ^ key >> 15) * UINT32_C(0x2c1b3c6d);
    return ((key ^ key >> 12) * UINT32_C(0x297a2d39)) >> trie->shift;
}

/* The node that `byte` leads to from `node`; 0: none. */
static inline uint32_t follow(const struct literal_trie *trie, uint32_t node, uint8_t byte)
{
    uint32_t key = node << 8 | byte, mask = UINT32_MAX >> trie->shift;

    if (node == 0)
        return trie->root[byte];
    for (uint32_t i = edge_at(trie, key);; i = (i + 1) & mask) {
        if (trie->edges[i].key == key)
            return trie->edges[i].to;
        if (trie->edges[i].key == 0)
            return 0;
    }
}

/* ---- making ---- */

/* What is needed for a while, by node; freed at the end. */
struct building {
    struct literal_trie *trie;
    uint32_t nodes;     /* made so far, with the root */
    uint32_t *parent;   /* of each node */
    uint8_t *byte;      /* that leads to it from there */
    uint8_t *depth;     /* bytes of its text */
    uint32_t *ends;     /* of each entry: the node at which it ends */
    uint32_t *in_order; /* nodes, those of least depth first */
};

static uint32_t node_add(struct building *building, uint32_t parent, uint8_t byte)
{
    struct literal_trie *trie = building->trie;
    uint32_t node = building->nodes++, mask = UINT32_MAX >> trie->shift;

    building->parent[node] = parent;
    building->byte[node] = byte;
    building->depth[node] = (uint8_t)(building->depth[parent] + 1);
    if (parent == 0) {
        trie->root[byte] = node;
        return node;
    }
    uint32_t key = parent << 8 | byte, i = edge_at(trie, key);
    while (trie->edges[i].key != 0)
        i = (i + 1) & mask;
    trie->edges[i] = (struct edge){ key, node };
    return node;
}

/* The node at which the text ends. */
static uint32_t text_add(struct building *building, struct span text)
{
    bool backwards = building->trie->where == LITERAL_TAIL;
    uint32_t node = 0;

    CHECK(text.len > 0 && text.len <= LITERAL_LEN_MAX);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = fold(text.ptr[backwards ? text.len - 1 - i : i]);
        uint32_t next = follow(building->trie, node, byte);

        node = next != 0 ? next : node_add(building, node, byte);
    }
    return node;
}

/* Puts each entry's number where its node finds it. Entries are in ascending order of numbers. */
static void numbers_lay(struct building *building, const struct literal_entry *entries,
                        size_t count)
{
    struct literal_trie *trie = building->trie;
    uint32_t used = 0;

    for (size_t i = 0; i < count; i++)
        trie->nodes[building->ends[i]].numbers_count++;
    for (uint32_t node = 0; node < building->nodes; node++) {
        trie->nodes[node].numbers = used;
        used += trie->nodes[node].numbers_count;
        trie->nodes[node].numbers_count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct node *node = &trie->nodes[building->ends[i]];
        uint32_t *numbers = trie->numbers + node->numbers;

        CHECK(node->numbers_count == 0 || numbers[node->numbers_count - 1] <= entries[i].number);
        numbers[node->numbers_count++] = entries[i].number;
    }
}

static void order_nodes(struct building *building)
{
    uint32_t at[LITERAL_LEN_MAX + 2] = { 0 };

    for (uint32_t node = 0; node < building->nodes; node++)
        at[building->depth[node] + 1]++;
    for (size_t depth = 1; depth < ARRAY_LEN(at); depth++)
        at[depth] += at[depth - 1];
    for (uint32_t node = 0; node < building->nodes; node++)
        building->in_order[at[building->depth[node]]++] = node;
}

/* Where to go on, and what else ends there. */
static void link_nodes(struct building *building)
{
    struct literal_trie *trie = building->trie;

    order_nodes(building);
    for (uint32_t i = 1; i < building->nodes; i++) { /* the root comes first */
        uint32_t node = building->in_order[i], parent = building->parent[node];
        uint32_t fail = 0;

        for (uint32_t from = parent; from != 0 && fail == 0;) {
            from = trie->nodes[from].fail;
            fail = follow(trie, from, building->byte[node]);
        }
        trie->nodes[node].fail = fail;
        trie->nodes[node].output =
            trie->nodes[node].numbers_count > 0 ? node : trie->nodes[fail].output;
    }
}

static int building_make(struct arena *arena, struct building *building,
                         const struct literal_entry *entries, size_t count)
{
    struct literal_trie *trie = building->trie;
    size_t nodes = 1, edges = 2;

    for (size_t i = 0; i < count; i++)
        nodes += entries[i].text.len;
    CHECK(nodes <= LITERAL_TRIE_NODES_MAX);
    building->parent = calloc(nodes, sizeof(building->parent[0]));
    building->byte = calloc(nodes, sizeof(building->byte[0]));
    building->depth = calloc(nodes, sizeof(building->depth[0]));
    building->in_order = calloc(nodes, sizeof(building->in_order[0]));
    building->ends = calloc(count + 1, sizeof(building->ends[0]));
    for (trie->shift = 31; edges < 2 * nodes; edges *= 2)
        trie->shift--;
    trie->edges = arena_array(arena, edges, sizeof(trie->edges[0]));
    trie->numbers = arena_array(arena, count, sizeof(trie->numbers[0]));
    return building->parent == NULL || building->byte == NULL || building->depth == NULL ||
                   building->in_order == NULL || building->ends == NULL || trie->edges == NULL ||
                   trie->numbers == NULL
               ? -ENOMEM
               : 0;
}

static void building_free(struct building *building)
{
    free(building->parent);
    free(building->byte);
    free(building->depth);
    free(building->in_order);
    free(building->ends);
}

int literal_trie_make(struct arena *arena, enum literal_at where,
                      const struct literal_entry *entries, size_t count,
                      const struct literal_trie **ret_trie)
{
    struct building building = { .trie = arena_alloc(arena, sizeof(*building.trie)), .nodes = 1 };
    int res;

    if (building.trie == NULL)
        return -ENOMEM;
    building.trie->where = where;
    res = building_make(arena, &building, entries, count);
    for (size_t i = 0; res == 0 && i < count; i++)
        building.ends[i] = text_add(&building, entries[i].text);
    if (res == 0) {
        building.trie->nodes = arena_array(arena, building.nodes, sizeof(struct node));
        res = building.trie->nodes != NULL ? 0 : -ENOMEM;
    }
    if (res == 0) {
        numbers_lay(&building, entries, count);
        link_nodes(&building);
        *ret_trie = building.trie;
    }
    building_free(&building);
    return res;
}

/* ---- finding ---- */

/* Adds a node's list. False: there is no room. */
static inline bool add_list(const struct literal_trie *trie, uint32_t node,
                            struct number_list *lists, size_t max, size_t *count)
{
    const uint32_t *numbers = trie->numbers + trie->nodes[node].numbers;

    if (*count == max)
        return false;
    lists[(*count)++] = (struct number_list){ numbers, numbers + trie->nodes[node].numbers_count };
    return true;
}

/* From one end of the path, as far as an edge leads. */
static bool find_at_end(const struct literal_trie *trie, struct span path,
                        struct number_list *lists, size_t max, size_t *count)
{
    const char *at = trie->where == LITERAL_HEAD ? path.ptr : path.ptr + path.len - 1;
    ptrdiff_t step = trie->where == LITERAL_HEAD ? 1 : -1;
    uint32_t node = 0;

    for (size_t left = path.len; left > 0; left--, at += step) {
        node = follow(trie, node, fold(*at));
        if (node == 0)
            break;
        if (trie->nodes[node].numbers_count > 0 && !add_list(trie, node, lists, max, count))
            return false;
    }
    return true;
}

static bool find_inside(const struct literal_trie *trie, struct span path,
                        struct number_list *lists, size_t max, size_t *count)
{
    uint32_t node = 0;

    for (size_t i = 0; i < path.len; i++) {
        uint8_t byte = fold(path.ptr[i]);
        uint32_t next = follow(trie, node, byte);

        while (next == 0 && node != 0) {
            node = trie->nodes[node].fail;
            next = follow(trie, node, byte);
        }
        node = next;
        for (uint32_t out = trie->nodes[node].output; out != 0;
             out = trie->nodes[trie->nodes[out].fail].output) {
            if (!add_list(trie, out, lists, max, count))
                return false;
        }
    }
    return true;
}

bool literal_trie_find(const struct literal_trie *trie, struct span path, struct number_list *lists,
                       size_t max, size_t *count)
{
    return trie->where == LITERAL_INSIDE ? find_inside(trie, path, lists, max, count)
                                         : find_at_end(trie, path, lists, max, count);
}

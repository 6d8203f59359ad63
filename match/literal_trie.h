/* literal_trie.h: many literals, looked for in a path all at once: a step for each byte of the
 * path, however many there are. ASCII letters are compared without case.
 *
 * Each literal stands for numbers, those of the patterns that demand it. What is found are lists
 * of them, each in ascending order. */
#ifndef MATCH_LITERAL_TRIE_H
#define MATCH_LITERAL_TRIE_H

#include "core/arena.h"
#include "core/span.h"
#include "match/literals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nodes of one trie, which is bytes of its literals, at most. */
#define LITERAL_TRIE_NODES_MAX (UINT32_C(1) << 24)

struct literal_trie;

/* A literal, and one number that it stands for. */
struct literal_entry {
    struct span text; /* 1 to LITERAL_LEN_MAX bytes */
    uint32_t number;
};

/* Numbers in ascending order. */
struct number_list {
    const uint32_t *at, *end;
};

/* Makes a trie of literals that stand at `where`; the texts are not kept, and no longer together
 * than LITERAL_TRIE_NODES_MAX bytes. 0 and a trie in the arena, or -ENOMEM. */
int literal_trie_make(struct arena *arena, enum literal_at where,
                      const struct literal_entry *entries, size_t count,
                      const struct literal_trie **ret_trie);

/* Adds to `lists`, which has `*count` of at most `max`, those of the literals that the path has.
 * False: there is no room for all of them. */
bool literal_trie_find(const struct literal_trie *trie, struct span path, struct number_list *lists,
                       size_t max, size_t *count);

#endif

/* redirect_table.h: the redirect of a path among many, in one step for the path itself and one for
 * each length that a prefix has: what 100,000 redirects cost is what one costs. */
#ifndef CONFIG_REDIRECT_TABLE_H
#define CONFIG_REDIRECT_TABLE_H

#include "config/config.h"
#include "match/text_table.h"

/* Redirects of a server up to which they are looked at in turn: no hash is as quick. */
enum { REDIRECTS_FEW = 8 };

struct redirect_table {
    struct text_table exact, prefix; /* of indices into the server's redirects */
    uint64_t *lengths; /* bits: there is a prefix of so many octets, up to prefix.len_max */
};

/* Makes the table of server->redirects; of several with the same `from` the first is found. `key`:
 * siphash.h. 0 and server->redirects_table, in the arena, or -ENOMEM. */
int redirect_table_make(struct arena *arena, const uint64_t key[2], struct server *server);

/* The index of the longest redirect whose `from` is the path, or ends in '/' and begins it;
 * TEXT_TABLE_NONE: there is none. */
uint32_t redirect_table_find(const struct redirect_table *table, struct span path);

#endif

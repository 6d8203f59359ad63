/* listen_share.h: the listening sockets of an engine that has several loops or rings: for each of
 * them a socket of its own beside the first one's (accept = reuseport), or the same one (shared,
 * and unix sockets, of which an address can have but one). */
#ifndef ENGINES_LISTEN_SHARE_H
#define ENGINES_LISTEN_SHARE_H

#include "config/config.h"
#include "engines/engine.h"

#include <stdatomic.h>
#include <stddef.h>

struct listen_share {
    struct listener *first;  /* the caller's, borrowed: those of the first loop */
    size_t count;            /* addresses */
    unsigned loops;          /* above 0 */
    struct listener *others; /* of the loops from the second on: `count` each; owned */
    atomic_uint *holders;    /* of the sockets that all loops hold, by address; owned */
};

/* For `loops` loops over the `count` listeners at `first`. 0, or -errno and a sentence. The caller
 * owns it (listen_share_close()). */
int listen_share_open(struct listener *first, size_t count, unsigned loops, enum accept_mode mode,
                      char *why, size_t why_size, struct listen_share *ret_share);

/* The listeners of loop `index`, one an address; borrowed. */
struct listener *listen_share_of(const struct listen_share *share, unsigned index);

/* Closes all but the first loop's, of which the caller is the only holder again. Does nothing for a
 * zeroed one. */
void listen_share_close(struct listen_share *share);

#endif

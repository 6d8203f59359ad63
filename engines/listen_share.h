/* listen_share.h: the listening sockets of an engine that has several loops or rings. With accept =
 * reuseport each of them has a socket of its own of an address; else, and of a unix socket, of
 * which there can be but one, all have the same ones.
 *
 * Whoever starts the engine may give it more sockets of an address than it has loops, since those
 * of a predecessor that had more loops stay open: in the queue of each there may be clients, and
 * the kernel goes on to send some there. So they are dealt out. Where there are fewer, more are
 * opened.
 */
#ifndef ENGINES_LISTEN_SHARE_H
#define ENGINES_LISTEN_SHARE_H

#include "config/config.h"
#include "engines/engine.h"

#include <stdatomic.h>
#include <stddef.h>

struct listen_share {
    struct listener *given; /* the caller's, borrowed */
    size_t count;           /* of them */
    unsigned loops;         /* above 0 */
    struct listener *dealt; /* room for `count` of each loop; owned */
    size_t *origins;        /* of those: their place in `given`, SIZE_MAX: a copy, or opened here */
    size_t *counts;         /* of each loop */
    atomic_uint *holders;   /* of the sockets that all loops hold, by their place; owned */
};

/* For `loops` loops over the `count` listeners at `given`, which may have several of an address
 * (listener.config). 0, or -errno and a sentence. The caller owns it (listen_share_close()), and
 * leaves what was given alone until then. */
int listen_share_open(struct listener *given, size_t count, unsigned loops, enum accept_mode mode,
                      char *why, size_t why_size, struct listen_share *ret_share);

/* The listeners of loop `index`, *ret_count of them; borrowed. */
struct listener *listen_share_of(const struct listen_share *share, unsigned index,
                                 size_t *ret_count);

/* Closes what was opened here; what was given is the caller's again, but for what a loop has closed
 * (fd -1). Does nothing for a zeroed one. */
void listen_share_close(struct listen_share *share);

#endif

/* loop_inbox.h: what one thread gives to the loop of another: a ring of accepted connections, for
 * one giver and one taker, without a lock. One wake-up announces however many have gathered. */
#ifndef ENGINES_REACTOR_LOOP_INBOX_H
#define ENGINES_REACTOR_LOOP_INBOX_H

#include "config/config.h"
#include "core/peer.h"

#include <stdbool.h>

struct loop_arrival {
    int fd;
    const struct listen_config *listen;
    struct peer peer;
    bool moved; /* it was another process's: */
    uint32_t requests;
    unsigned flags; /* as in struct session_moved, as is: */
    uint64_t since_ms;
};

struct loop_inbox;

/* Room for `size` arrivals, a power of two. 0 or -ENOMEM. The caller owns it. */
int loop_inbox_create(unsigned size, struct loop_inbox **ret_inbox);

/* Closes the descriptors that nobody has taken, and frees. NULL is allowed. */
void loop_inbox_destroy(struct loop_inbox *inbox);

/* The giver's: is there room? It stays until a loop_inbox_give(). */
bool loop_inbox_has_room(const struct loop_inbox *inbox);

/* The giver's: how many more fit. */
unsigned loop_inbox_room(const struct loop_inbox *inbox);

/* The giver's: there is room. True: the taker is to be woken, since it does not know yet. */
bool loop_inbox_give(struct loop_inbox *inbox, const struct loop_arrival *arrival);

/* The giver's, or anybody's once it gives no more: the taker can rely on loop_inbox_ended(). */
void loop_inbox_end(struct loop_inbox *inbox);

/* The taker's: the next arrival. False when there is none: whoever comes next wakes it. */
bool loop_inbox_take(struct loop_inbox *inbox, struct loop_arrival *ret_arrival);

/* The taker's: has the giver ended, and is there nothing left to take? */
bool loop_inbox_ended(const struct loop_inbox *inbox);

#endif

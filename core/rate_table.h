/* rate_table.h: who has asked how often of late: the times of many clients, a word each, in memory
 * that threads and processes share. Lock-free; nothing is allocated after it is made.
 *
 * The algorithm is the GCRA (virtual scheduling, ITU-T I.371): of each client one moment is kept,
 * when all that it has asked for would have been answered at the rate it is allowed. What lies in
 * the past is nothing; the further it lies ahead, the more the client has had in advance.
 *
 * The table is bounded and never full: a line of RATE_TABLE_WAYS clients is chosen by a keyed hash,
 * and in it a newcomer takes the place of whoever has had the least in advance. So clients that
 * come once, however many, push out one another; who is limited stays, until as many others as a
 * line holds, of which nobody can tell who they are, have had more than that in advance. Who is
 * pushed out begins anew, as a stranger: the table forgets, it never refuses whom it does not know.
 */
#ifndef CORE_RATE_TABLE_H
#define CORE_RATE_TABLE_H

#include "core/client_hash.h"
#include "core/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RATE_TABLE_WAYS = 8,      /* clients in a line: 64 bytes */
    RATE_TABLE_GROUPS = 1024, /* limits of which all clients together are one */
};

#define RATE_TICKS_A_SECOND UINT64_C(16000000) /* a tick is 62.5 ns */

/* The longest that anything may be had in advance: a day. */
#define RATE_SPAN_MAX (24 * 3600 * RATE_TICKS_A_SECOND)

/* `burst` more than the rate allows are let through, and the rest is refused; or, behind the first
 * `delay` of these, they wait for their moment. */
struct rate_limit {
    uint64_t interval; /* ticks between two at the rate; above 0 */
    uint64_t burst;    /* ticks that may be had in advance */
    uint64_t delay;    /* ticks of these without a wait; UINT64_MAX: nothing ever waits */
    uint64_t zone;     /* limits with the same one share their counts; never 0 */
};

enum rate_verdict { RATE_GO, RATE_WAIT, RATE_REFUSE };

struct rate_table;

/* A table of about `clients` (above 0), rounded up to a power of two, 8 bytes each, in memory that
 * processes share which are forked from now on; its key comes from getrandom(2). 0 or -errno. The
 * caller owns it. */
int rate_table_create(size_t clients, struct rate_table **ret_table);

/* Unmaps it in this process. NULL is allowed. */
void rate_table_destroy(struct rate_table *table);

/* A number that stands for the client and what its counts are of. Clients with the same prefix are
 * one; an IPv4-mapped IPv6 address is the IPv4 address that it maps. Never 0. */
uint64_t rate_table_client(const struct rate_table *table, uint64_t zone, const struct peer *peer,
                           const struct client_prefix *prefix);

/* CLOCK_MONOTONIC in nanoseconds, in ticks. */
static inline uint64_t rate_ticks(uint64_t now_ns)
{
    return now_ns / 125 * 2;
}

/* One more of `client` at `now` (rate_ticks()). GO; WAIT, for *ret_ticks; or REFUSE: nothing was
 * noted, and in *ret_ticks it would be GO or WAIT. */
enum rate_verdict rate_table_take(struct rate_table *table, uint64_t client,
                                  const struct rate_limit *limit, uint64_t now,
                                  uint64_t *ret_ticks);

/* A flow of bytes is let through in pieces, so that it is even: what becomes due in RATE_SLICE, but
 * a segment of TCP at least, and what has become due before and was not had yet, of RATE_CREDIT at
 * most: who is woken late makes up for it. */
#define RATE_SLICE   (RATE_TICKS_A_SECOND / 20)
#define RATE_CREDIT  (RATE_TICKS_A_SECOND / 4)
#define RATE_SEGMENT 1460

/* The bytes of such a piece at `rate` bytes a second (at most 2^40), when the flow is `behind` ticks
 * behind its time. Pure. */
static inline uint64_t rate_piece(uint64_t rate, uint64_t behind)
{
    uint64_t piece = rate * (behind + RATE_SLICE) / RATE_TICKS_A_SECOND;

    return piece < RATE_SEGMENT ? RATE_SEGMENT : piece;
}

/* The ticks that `bytes` of a piece stand for. Pure. */
static inline uint64_t rate_ticks_of(uint64_t rate, uint64_t bytes)
{
    return bytes * RATE_TICKS_A_SECOND / rate;
}

/* The next piece of a flow that all answers to `client` share, at `rate` bytes a second: at most
 * `wanted` bytes, which may be had in *ret_ticks, and are noted as had. Who asks next gets the
 * moment behind that: so each gets its turn. */
uint64_t rate_table_reserve(struct rate_table *table, uint64_t client, uint64_t rate,
                            uint64_t wanted, uint64_t now, uint64_t *ret_ticks);

/* One more of all clients together, whose place is `limit->zone`'s own: no client pushes it out.
 * Where there are more than RATE_TABLE_GROUPS of these at a time, those without a place are not
 * limited. */
enum rate_verdict rate_table_take_of_all(struct rate_table *table, const struct rate_limit *limit,
                                         uint64_t now, uint64_t *ret_ticks);

#endif

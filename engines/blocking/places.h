/* places.h: the places of an engine whose connections have a thread or a process each: who is
 * served, who waits for a request, and what is asked of whom.
 *
 * The table is shared memory, so that a process that was forked for a connection tells its parent
 * by a store when it is idle, and is asked by one. One thread, the accepting one, takes places;
 * whoever has served a connection gives its place back. */
#ifndef ENGINES_BLOCKING_PLACES_H
#define ENGINES_BLOCKING_PLACES_H

#include "core/peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct listen_config;

struct place {
    _Atomic uint64_t idle_since; /* since when its connection waits for a request (place_now());
                                    0: it does not */
    atomic_uint asks;            /* enum driver_ask, of this connection alone */
    atomic_bool shut;            /* its receiving side was shut by us, to wake who waits there */
    atomic_bool waits;           /* its connection waits in recv(2), and minds an order to move */
    _Atomic uint64_t client;     /* by whom it is counted: session_env_note_client() */
    atomic_int tid;              /* of the thread that serves it; 0: none yet */
    bool used;
    bool tcp;
    bool moved;        /* another process has accepted it: */
    uint32_t requests; /* begun there */
    uint64_t since_ms; /* as in struct session_moved, as are: */
    unsigned flags;
    int fd;    /* of the connection; -1 when it is closed, or a child has it. Under the mutex where
                  other threads close it */
    pid_t pid; /* of the child that serves it; 0: none */
    struct peer peer;
    const struct listen_config *listen;
    struct place *next; /* in the list of those that are free, or in an engine's queue */
};

/* CLOCK_MONOTONIC in nanoseconds, above 0: fine enough for the order of two. */
uint64_t place_now(void);

struct places {
    pthread_mutex_t mutex;
    struct place *all;     /* `count` of them, then as many connection objects of `size` octets */
    unsigned char *memory; /* the first of these */
    size_t size, mapped;
    unsigned count;
    struct place *free; /* those that were given back; the last one first */
    unsigned fresh;     /* from this one on none was ever taken */
    unsigned used;
    bool awaited; /* the accepting thread waits for one to be given back */
    int wake_fd;  /* an eventfd(2) that is written then; borrowed */
};

/* `count` (above 0) places with `size` octets of memory each, aligned to 64, which nobody touches
 * before they are taken; `wake_fd` is for places_await(). 0 or -errno. The caller ends them by
 * places_destroy(). */
int places_create(struct places *places, unsigned count, size_t size, int wake_fd);

/* All have been given back. */
void places_destroy(struct places *places);

/* A place, for the connection `fd`; NULL: all are taken. */
struct place *places_take(struct places *places, int fd, const struct listen_config *listen,
                          const struct peer *peer);

/* The connection is over: its descriptor, which the caller closes afterwards, is nobody's to touch
 * any more, and the place is free. Returns the descriptor, or -1. */
int places_give(struct places *places, struct place *place);

/* How many are taken. Thread-safe. */
unsigned places_used(struct places *places);

/* The next one that is given back writes wake_fd, and nobody else after it. How many are taken:
 * with none, nobody touches the table any more. */
unsigned places_await(struct places *places);

/* Has none been given back since? */
bool places_awaited(struct places *places);

/* The memory of a place. */
static inline void *places_memory(const struct places *places, const struct place *place)
{
    return places->memory + (size_t)(place - places->all) * places->size;
}

/* Of those that wait for a request, and are not asked to end yet, the one that does for longest;
 * NULL: none does. Looks at all of them, a load each. */
struct place *places_longest_idle(const struct places *places);

/* Asks a connection of a thread of this process, and wakes it where it waits: shutdown(2) of the
 * receiving side, after which what lies in the socket is still read, and what is sent still leaves;
 * of both sides, to stop. Thread-safe. */
void places_ask(struct places *places, struct place *place, unsigned asks);

/* Calls `ask` for each that is taken. */
void places_ask_all(struct places *places, unsigned asks,
                    void (*ask)(struct places *places, struct place *place, unsigned asks));

#endif

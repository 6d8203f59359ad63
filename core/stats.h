/* stats.h: counters of what the server does, one slot a thread, in memory that processes share.
 *
 * A slot is written by its thread alone, with relaxed loads and stores, and read by anybody at any
 * moment: no lock, no atomic read-modify-write. A thread takes a slot with its first count and
 * gives it back when it ends; the next one goes on with the numbers that are there, so nothing is
 * lost. When all slots are taken, further threads share the last one, by atomic additions. The
 * region is made before any thread or process is; those forked afterwards count in it, too. Without
 * one (unit tests) counts go to a slot that nobody reads.
 *
 * Servers and addresses are counted at places that have their names: a place means the same to the
 * processes of all configurations. What readers see is in stats_read.h.
 *
 * The families, by which counters are shown, are in stats_names.c. */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/histogram.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the families of stats_names.c. What comes before STATS_ACCEPTED is counted up and
 * down, so that only the sum over all slots means something. */
enum stats_counter {
    STATS_READING, /* connections, by state */
    STATS_WRITING,
    STATS_IDLE,
    STATS_HANDSHAKING,
    STATS_CLOSING,
    STATS_CACHE_FILES,   /* what file caches hold: names and files, */
    STATS_CACHE_MEMORY,  /* and octets of memory for them */
    STATS_CACHE_WATCHES, /* folders that the kernel tells changes of */
    STATS_ACCEPTED,
    STATS_CLOSED,
    STATS_MOVED, /* taken over from a predecessor: neither accepted nor closed */
    STATS_GET,   /* requests, by method */
    STATS_HEAD,
    STATS_OPTIONS,
    STATS_OTHER_METHOD,
    STATS_UNANSWERED, /* answers, by class */
    STATS_2XX,
    STATS_3XX,
    STATS_4XX,
    STATS_5XX,
    STATS_BYTES_IN,
    STATS_BYTES_OUT,
    STATS_CACHE_HIT,
    STATS_CACHE_SHARED, /* missed by this thread, and found with all of them */
    STATS_CACHE_MISS,
    STATS_CACHE_REVALIDATED,
    STATS_NOTICE_CHANGE, /* what inotify(7) has told */
    STATS_NOTICE_OVERFLOW,
    STATS_NOTICE_UNWATCHED, /* folders that could not be watched */
    STATS_JOB_OPEN,         /* file jobs, in the order of enum file_job_kind */
    STATS_JOB_READ,
    STATS_JOB_STAT,
    STATS_JOB_LIST,
    STATS_JOB_ROOT,
    STATS_JOB_NS_OPEN, /* how long they took, waiting included: nanoseconds */
    STATS_JOB_NS_READ,
    STATS_JOB_NS_STAT,
    STATS_JOB_NS_LIST,
    STATS_JOB_NS_ROOT,
    STATS_TLS_FULL,
    STATS_TLS_RESUMED,
    STATS_TLS_FAILED_PROTOCOL,
    STATS_TLS_FAILED_CLOSED,
    STATS_TLS_FAILED_TIMEOUT,
    STATS_TLS_FAILED_PLAIN,
    STATS_TLS_FAILED_CERTIFICATE, /* the client's */
    STATS_DEADLINE_HANDSHAKE,
    STATS_DEADLINE_HEADER,
    STATS_DEADLINE_BODY,
    STATS_DEADLINE_KEEPALIVE,
    STATS_DEADLINE_SEND,
    STATS_DEADLINE_LINGER,
    STATS_REFUSED_BAD_REQUEST,
    STATS_REFUSED_TIMEOUT,
    STATS_REFUSED_TOO_LARGE,
    STATS_REFUSED_METHOD,
    STATS_REFUSED_MISDIRECTED,
    STATS_REFUSED_VERSION,
    STATS_REFUSED_UNAVAILABLE,
    STATS_REFUSED_ADDRESS,
    STATS_REFUSED_CREDENTIALS,
    STATS_REFUSED_SIGNATURE,
    STATS_REFUSED_REFERER,
    STATS_REFUSED_TOO_MANY,
    STATS_LIMIT_CLIENT_REQUESTS, /* what limits by client and server have refused or delayed */
    STATS_LIMIT_SERVER_REQUESTS,
    STATS_LIMIT_DELAYED,
    STATS_LIMIT_RATE,
    STATS_LIMIT_CONNECTIONS,
    STATS_PROXY_UNTRUSTED, /* PROXY headers, in the order of enum session_proxy_refusal */
    STATS_PROXY_MISSING,
    STATS_PROXY_WRONG,
    STATS_PROXY_LONG,
    STATS_PROXY_CUT,
    STATS_PROXY_LATE,
    STATS_LOG_DROPPED,
    STATS_TURNS,
    STATS_EVENTS,
    STATS_CALL_ACCEPT, /* system calls of the engine */
    STATS_CALL_RECV,
    STATS_CALL_SEND,
    STATS_CALL_SENDFILE,
    STATS_CALL_SPLICE,
    STATS_CALL_WAIT,
    STATS_CALL_SHUTDOWN,
    STATS_CALL_CLOSE,
    STATS_COUNTERS
};

enum stats_time { STATS_FIRST_BYTE, STATS_ANSWER, STATS_TIMES };

/* Threads with counters of their own; others share the last slot. */
enum { STATS_SLOTS = 256 };

enum {
    STATS_SERVERS = 64,
    STATS_LISTENS = 32,      /* those for which no place is left count at the last one */
    STATS_CERTIFICATES = 64, /* likewise: it tells of the one that ends first */
    STATS_NAME_MAX = 128
};

enum stats_kind { STATS_KIND_SERVER, STATS_KIND_LISTEN, STATS_KINDS };

/* Of one server: the answers to requests for it, and the bytes of their bodies. */
struct stats_server {
    _Atomic uint64_t requests, body_bytes;
};

struct stats_times {
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum;
};

struct stats_slot {
    _Alignas(64) bool shared; /* several threads write: atomic additions */
    _Atomic int owner;        /* process id of the thread that has it; 0: free; -1: not for now */
    _Atomic int process;      /* whose connections its states count: its last owner's */
    _Atomic int thread;       /* its thread id */
    _Atomic uint64_t cpu_ns;  /* of its thread, as last looked at */
    _Atomic uint64_t counters[STATS_COUNTERS];
    struct stats_server servers[STATS_SERVERS];
    _Atomic uint64_t listens[STATS_LISTENS]; /* connections accepted */
    struct stats_times times[STATS_TIMES];
};

/* Makes the region, with room for `slots` threads at a time; before any other thread or process is
 * made, once. 0 or -errno. It lives as long as the process. */
int stats_create(size_t slots);

/* The descriptor of the region, by which another program of this process comes to it; -1: there is
 * none. It stays the region's. */
int stats_memory(void);

/* In a worker: closes that descriptor; the region stays. */
void stats_forget_memory(void);

/* In place of stats_create(): the region that another program of this process has made, with all
 * that was counted. Takes `memory`, also on failure. 0; -EPROTO: that program counts other things;
 * or another -errno. */
int stats_adopt(int memory, size_t slots);

/* This thread counts no more, or ends: its slot is free. A thread's end does so by itself. */
void stats_leave(void);

/* The same of a process, whose end is exit(3) or _exit(2): it has one thread by now. */
void stats_leave_process(void);

/* That process has ended, perhaps without a word, and has just been waited for: its slots are free,
 * and its connections closed. */
void stats_forget_process(int process);

/* Notes how much CPU time this thread, and its process, have had; once in a while, for readers in
 * other processes. */
void stats_tick(void);

/* Gives server, or address, `index` of the configuration the place of that name, for all counts of
 * this process (and those forked from it): the one that it has, or a new one. New names come in one
 * process alone, which forks the others; before that a process has the places 0, 1, 2, ... */
void stats_name(enum stats_kind kind, size_t index, const char *name);

/* Certificates are read from now on, and each is told of: it lies in the file `name`, and is valid
 * from `since_s` to `until_s`, seconds since 1970. Once all are read, those are in use, and no
 * others; where one cannot be read, all stays as it was. In the process that forks the others. */
void stats_certificates_begin(void);
void stats_certificate(const char *name, int64_t since_s, int64_t until_s);
void stats_certificates_end(void);

extern _Thread_local struct stats_slot *stats_mine; /* NULL: not taken yet */

/* Takes a slot for this thread. */
struct stats_slot *stats_take(void);

static inline struct stats_slot *stats_slot(void)
{
    struct stats_slot *slot = stats_mine;
    return __builtin_expect(slot != NULL, 1) ? slot : stats_take();
}

static inline void stats_add_to(const struct stats_slot *slot, _Atomic uint64_t *counter,
                                uint64_t n)
{
    if (__builtin_expect(slot->shared, 0))
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    else
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                              memory_order_relaxed);
}

static inline void stats_add(enum stats_counter counter, uint64_t n)
{
    struct stats_slot *slot = stats_slot();
    stats_add_to(slot, &slot->counters[counter], n);
}

static inline void stats_count(enum stats_counter counter)
{
    stats_add(counter, 1);
}

/* A wait of an event loop has brought `events`; below 0: an error. */
static inline void stats_turn(int events)
{
    stats_count(STATS_TURNS);
    if (events > 0)
        stats_add(STATS_EVENTS, (uint64_t)events);
}

/* A connection goes from one state to another. */
static inline void stats_move(enum stats_counter from, enum stats_counter to)
{
    struct stats_slot *slot = stats_slot();
    stats_add_to(slot, &slot->counters[from], UINT64_MAX); /* -1 */
    stats_add_to(slot, &slot->counters[to], 1);
}

/* So much more of what is counted up and down; below 0: so much less. */
static inline void stats_change(enum stats_counter counter, int64_t by)
{
    stats_add(counter, (uint64_t)by);
}

/* Notes that something took `ns` nanoseconds. */
static inline void stats_time(enum stats_time time, uint64_t ns)
{
    struct stats_slot *slot = stats_slot();
    stats_add_to(slot, &slot->times[time].buckets[histogram_bucket(ns)], 1);
    stats_add_to(slot, &slot->times[time].sum, ns);
}

/* By index in the configuration: the place. */
extern uint8_t stats_server_places[STATS_SERVERS], stats_listen_places[STATS_LISTENS];

/* An answer of server `index` of the configuration, with so many bytes of body. */
static inline void stats_server(size_t index, uint64_t body_bytes)
{
    struct stats_slot *slot = stats_slot();
    size_t place = stats_server_places[index < STATS_SERVERS ? index : STATS_SERVERS - 1];
    stats_add_to(slot, &slot->servers[place].requests, 1);
    stats_add_to(slot, &slot->servers[place].body_bytes, body_bytes);
}

/* A connection accepted at address `index` of the configuration. */
static inline void stats_listen(size_t index)
{
    struct stats_slot *slot = stats_slot();
    size_t place = stats_listen_places[index < STATS_LISTENS ? index : STATS_LISTENS - 1];
    stats_add_to(slot, &slot->listens[place], 1);
}

#endif

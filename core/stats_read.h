/* stats_read.h: the counters of stats.h for those who look: sums over all slots, the threads that
 * have one, the CPU time of all processes, and what everything is called. */
#ifndef CORE_STATS_READ_H
#define CORE_STATS_READ_H

#include "core/stats.h"

/* All slots together. */
struct stats_sums {
    uint64_t counters[STATS_COUNTERS];
    struct {
        uint64_t requests, body_bytes;
    } servers[STATS_SERVERS];
    uint64_t listens[STATS_LISTENS];
    struct histogram times[STATS_TIMES];
    uint64_t cpu_ns;   /* of all processes that count, and that have counted */
    int64_t started_s; /* when the region was made: seconds since 1970 */
};

/* Connections that are open now, of all processes. */
uint64_t stats_connections(void);

/* One thread that has a slot now. */
struct stats_thread {
    int process, thread;
    uint64_t cpu_ns;
};

/* Adds up. Counts that are made meanwhile may be missing. Processes that have ended without a word
 * are forgotten first (stats_forget_process()). */
void stats_read(struct stats_sums *ret_sums);

/* Fills in up to `max` threads that have slots of their own, and returns how many. */
size_t stats_threads(struct stats_thread *ret_threads, size_t max);

/* Until when a certificate is valid. */
struct stats_validity {
    const char *name; /* of its file */
    int64_t since_s, until_s;
};

/* Certificate `index`, below STATS_CERTIFICATES. False: there is none in use. The last one has the
 * name "others", and tells of the one among those that ends first. */
bool stats_certificate_at(size_t index, struct stats_validity *ret_validity);

/* The name of place `place`; NULL: it has none. The last one of a kind has "others" as soon as
 * something counts there that has a name. */
const char *stats_place_name(enum stats_kind kind, size_t place);

/* Counters that are shown together under one name, told apart by a label. */
struct stats_family {
    const char *name;          /* as Prometheus has it, without the prefix "gearshift_" */
    const char *help;          /* a sentence without a full stop */
    const char *label;         /* its name; NULL: there is one counter, without a label */
    const char *const *values; /* of the label, one for each counter */
    enum stats_counter first;
    size_t count;
    bool gauge; /* goes down, too */
    bool ns;    /* counted in nanoseconds, shown in seconds */
};

/* Family `index`; NULL behind the last. */
const struct stats_family *stats_family_at(size_t index);

#endif

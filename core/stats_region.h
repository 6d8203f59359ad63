/* stats_region.h: the memory of stats.h that processes share; for core/stats*.c alone. */
#ifndef CORE_STATS_REGION_H
#define CORE_STATS_REGION_H

#include "core/stats.h"

enum {
    STATS_PROCESSES = 512 /* whose CPU time is known while they run; others add it at their end */
};

/* CPU time of a process. */
struct stats_process {
    _Atomic int pid;         /* 0: free */
    _Atomic uint64_t cpu_ns; /* as last looked at */
};

struct stats_place {
    _Atomic bool used;
    char name[STATS_NAME_MAX]; /* before `used` */
};

struct stats_certificate {
    struct stats_place place;
    _Atomic int64_t since_s, until_s; /* until_s 0: it is not in use */
    /* The writer's own: when it was told of last, and what was said. */
    unsigned round;
    int64_t next_since_s, next_until_s;
};

struct stats_region {
    uint64_t layout;     /* two binaries with the same mean the same with each byte */
    size_t count;        /* of slots; the last one is shared */
    _Atomic size_t used; /* the first so many have ever been taken: nobody looks at the others */
    int64_t started_s;
    _Atomic uint64_t cpu_ended_ns; /* of processes that have ended */
    struct stats_process processes[STATS_PROCESSES];
    struct stats_place servers[STATS_SERVERS], listens[STATS_LISTENS];
    struct stats_certificate certificates[STATS_CERTIFICATES];
    unsigned certificates_round; /* the writer's own */
    struct stats_slot slots[];
};

extern struct stats_region *stats_region; /* NULL: there is none */

static inline uint64_t stats_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- stats_cpu.c ---- */

/* What a clock of CPU time says, in nanoseconds; 0: nothing. */
uint64_t stats_clock_ns(int clock);

/* This process counts from now on; called again, it does nothing. After a fork(2) the child is
 * another process. */
void stats_cpu_join(void);
void stats_cpu_forked(void);

/* Notes the CPU time of this process. */
void stats_cpu_tick(void);

/* Adds it for good: of this process, which ends; or of one that has ended, as last looked at. */
void stats_cpu_leave(void);
void stats_cpu_forget(int process);

/* The CPU time of all processes: those that run are looked at now. */
uint64_t stats_cpu_read(void);

#endif

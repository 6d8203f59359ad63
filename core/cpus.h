/* cpus.h: which CPUs the process may use, and how many of them are worth a thread: the affinity
 * mask (sched_setaffinity(2), cpusets) and the quota of its control group (version 2, cpu.max). */
#ifndef CORE_CPUS_H
#define CORE_CPUS_H

#include <stddef.h>

struct cpus {
    unsigned *ids;        /* those of the affinity mask, in ascending order; owned */
    unsigned count;       /* their number, above 0 */
    unsigned quota_milli; /* thousandths of a CPU that the control group grants; 0: no limit */
    unsigned threads;     /* threads that can run at a time: count, or the quota rounded up */
};

/* Asks the kernel. 0, or -ENOMEM, or another -errno. The caller owns it (cpus_free()). */
int cpus_find(struct cpus *ret_cpus);

void cpus_free(struct cpus *cpus);

/* Binds the calling thread to one of them: `index`, counted round. 0 or -errno. */
int cpus_pin(const struct cpus *cpus, unsigned index);

/* How many event loops `threads` of the configuration asks for: itself, or, where it is 0, as many
 * as can run at a time. Never 0, and 1 when the kernel does not tell. */
unsigned cpus_threads(unsigned threads);

/* How many tasks, threads and processes together, its control group may have (pids.max of version
 * 2, the smallest of those that it lies in; systemd's TasksMax=); 0: no limit, or none that can be
 * read. */
unsigned cpus_tasks_max(void);

#endif

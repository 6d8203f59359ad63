/* stats_cpu.c: CPU time by process: of those that run, as the kernel knows it, with threads that
 * count nothing (who reads files, who writes logs, io_uring's); of those that have ended, as it
 * was. What is noted never goes down, whoever notes it. */
#include "core/stats_region.h"

#include "core/check.h"

#include <time.h>
#include <unistd.h>

static _Atomic(struct stats_process *) mine; /* NULL: not joined, or all are taken */
static _Atomic bool joined;

uint64_t stats_clock_ns(int clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) < 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void stats_cpu_join(void)
{
    if (stats_region == NULL || atomic_exchange(&joined, true))
        return;
    for (size_t i = 0; i < STATS_PROCESSES; i++) {
        struct stats_process *process = &stats_region->processes[i];
        int nobody = 0;
        if (atomic_load_explicit(&process->pid, memory_order_relaxed) != 0 ||
            !atomic_compare_exchange_strong(&process->pid, &nobody, (int)getpid()))
            continue;
        atomic_store(&mine, process);
        return;
    }
}

void stats_cpu_forked(void)
{
    atomic_store(&mine, NULL);
    atomic_store(&joined, false);
}

static void note(struct stats_process *process, int pid, uint64_t ns)
{
    uint64_t noted = stats_get(&process->cpu_ns);

    while (noted < ns && atomic_load(&process->pid) == pid &&
           !atomic_compare_exchange_weak(&process->cpu_ns, &noted, ns)) {
    }
}

void stats_cpu_tick(void)
{
    struct stats_process *process = atomic_load(&mine);

    if (process != NULL)
        note(process, (int)getpid(), stats_clock_ns(CLOCK_PROCESS_CPUTIME_ID));
}

/* Moves what is noted to what stays. Readers in between may miss it for a moment. */
static void give_back(struct stats_process *process)
{
    atomic_fetch_add(&stats_region->cpu_ended_ns, atomic_exchange(&process->cpu_ns, 0));
    atomic_store(&process->pid, 0);
}

void stats_cpu_leave(void)
{
    struct stats_process *process = atomic_exchange(&mine, NULL);

    if (process != NULL) {
        note(process, (int)getpid(), stats_clock_ns(CLOCK_PROCESS_CPUTIME_ID));
        give_back(process);
    } else if (atomic_load(&joined)) {
        atomic_fetch_add(&stats_region->cpu_ended_ns, stats_clock_ns(CLOCK_PROCESS_CPUTIME_ID));
    }
}

void stats_cpu_forget(int process)
{
    for (size_t i = 0; i < STATS_PROCESSES; i++)
        if (atomic_load(&stats_region->processes[i].pid) == process)
            give_back(&stats_region->processes[i]);
}

uint64_t stats_cpu_read(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < STATS_PROCESSES; i++) {
        struct stats_process *process = &stats_region->processes[i];
        int pid = atomic_load(&process->pid);
        clockid_t clock;
        if (pid == 0)
            continue;
        if (clock_getcpuclockid(pid, &clock) == 0)
            note(process, pid, stats_clock_ns(clock));
        sum += stats_get(&process->cpu_ns);
    }
    return sum + atomic_load(&stats_region->cpu_ended_ns);
}

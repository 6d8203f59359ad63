/* cpus.c: reads the affinity mask and, level by level, cpu.max of the control group. */
#include "core/cpus.h"

#include "core/check.h"
#include "core/setting.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where version 2 is mounted: alone, or beside version 1. */
static const char *const cgroup_mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

enum { CPUS_MAX = 1 << 16 /* far more than any kernel has */ };

/* The mask of the calling thread; the kernel refuses one that is smaller than its own. */
static int find_mask(cpu_set_t **ret_mask, unsigned *ret_cpus)
{
    for (unsigned cpus = CPU_SETSIZE; cpus <= CPUS_MAX; cpus *= 2) {
        cpu_set_t *mask = CPU_ALLOC(cpus);
        if (mask == NULL)
            return -ENOMEM;
        CPU_ZERO_S(CPU_ALLOC_SIZE(cpus), mask);
        if (sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), mask) == 0) {
            *ret_mask = mask;
            *ret_cpus = cpus;
            return 0;
        }
        int error = errno;
        CPU_FREE(mask);
        if (error != EINVAL)
            return -error;
    }
    return -EINVAL;
}

static int find_ids(struct cpus *cpus)
{
    cpu_set_t *mask = NULL;
    unsigned mask_cpus = 0;
    int res = find_mask(&mask, &mask_cpus);
    if (res < 0)
        return res;
    size_t size = CPU_ALLOC_SIZE(mask_cpus);
    cpus->ids = calloc((size_t)CPU_COUNT_S(size, mask), sizeof(cpus->ids[0]));
    for (unsigned cpu = 0; cpus->ids != NULL && cpu < mask_cpus; cpu++) {
        if (CPU_ISSET_S(cpu, size, mask))
            cpus->ids[cpus->count++] = cpu;
    }
    CPU_FREE(mask);
    return cpus->ids == NULL ? -ENOMEM : 0;
}

/* The path of our control group of version 2: the line "0::/path" of /proc/self/cgroup. */
static bool find_group(char *ret_path, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    if (file == NULL)
        return false;
    while (!found && fgets(ret_path, (int)size, file) != NULL)
        found = strncmp(ret_path, "0::/", 4) == 0;
    fclose(file);
    if (found) {
        memmove(ret_path, ret_path + 3, strlen(ret_path + 3) + 1);
        ret_path[strcspn(ret_path, "\n")] = '\0';
    }
    return found;
}

/* "MICROSECONDS PERIOD", or "max PERIOD". Thousandths of a CPU, rounded up; 0: no limit, or not in
 * that form. */
static unsigned parse_quota(const char *line)
{
    char *end;
    errno = 0;
    unsigned long quota_us = strtoul(line, &end, 10);
    if (end == line || *end != ' ' || errno != 0 || quota_us == 0)
        return 0;
    const char *period = end + 1;
    unsigned long period_us = strtoul(period, &end, 10);
    if (end == period || *end != '\0' || errno != 0 || period_us == 0 ||
        quota_us > (ULONG_MAX - period_us) / 1000)
        return 0;
    unsigned long milli = (quota_us * 1000 + period_us - 1) / period_us;
    return milli < UINT_MAX ? (unsigned)milli : 0;
}

/* The smallest limit in `name` of a group and those that it lies in; 0: none. */
static unsigned find_least(const char *mount, const char *group_path, const char *name,
                           unsigned (*parse)(const char *line))
{
    char group[PATH_MAX], file[PATH_MAX * 2], line[128];
    unsigned least = 0;
    snprintf(group, sizeof(group), "%s", group_path);
    for (char *slash = group + strlen(group); slash != NULL; slash = strrchr(group, '/')) {
        *slash = '\0';
        snprintf(file, sizeof(file), "%s%s/%s", mount, group, name);
        unsigned limit = setting_read(file, line, sizeof(line)) ? parse(line) : 0;
        if (limit != 0 && (least == 0 || limit < least))
            least = limit;
    }
    return least;
}

static unsigned find_quota(const char *mount, const char *group_path)
{
    return find_least(mount, group_path, "cpu.max", parse_quota);
}

/* "NUMBER", or "max": 0. */
static unsigned parse_count(const char *line)
{
    char *end;
    errno = 0;
    unsigned long count = strtoul(line, &end, 10);
    return end != line && *end == '\0' && errno == 0 && count < UINT_MAX ? (unsigned)count : 0;
}

unsigned cpus_tasks_max(void)
{
    char group[PATH_MAX];
    unsigned least = 0;
    if (!find_group(group, sizeof(group)))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(cgroup_mounts) && least == 0; i++)
        least = find_least(cgroup_mounts[i], group, "pids.max", parse_count);
    return least;
}

static unsigned threads_of(unsigned count, unsigned quota_milli)
{
    unsigned granted = quota_milli / 1000 + (quota_milli % 1000 != 0);
    return granted != 0 && granted < count ? granted : count;
}

int cpus_find(struct cpus *ret_cpus)
{
    struct cpus cpus = { 0 };
    char group[PATH_MAX];
    int res = find_ids(&cpus);
    if (res < 0)
        return res;
    CHECK(cpus.count > 0);
    if (find_group(group, sizeof(group))) {
        for (size_t i = 0; i < ARRAY_LEN(cgroup_mounts) && cpus.quota_milli == 0; i++)
            cpus.quota_milli = find_quota(cgroup_mounts[i], group);
    }
    cpus.threads = threads_of(cpus.count, cpus.quota_milli);
    *ret_cpus = cpus;
    return 0;
}

void cpus_free(struct cpus *cpus)
{
    free(cpus->ids);
    *cpus = (struct cpus){ 0 };
}

int cpus_pin(const struct cpus *cpus, unsigned index)
{
    unsigned cpu = cpus->ids[index % cpus->count];
    cpu_set_t *mask = CPU_ALLOC(cpu + 1);
    if (mask == NULL)
        return -ENOMEM;
    size_t size = CPU_ALLOC_SIZE(cpu + 1);
    CPU_ZERO_S(size, mask);
    CPU_SET_S(cpu, size, mask);
    int res = sched_setaffinity(0, size, mask) == 0 ? 0 : -errno;
    CPU_FREE(mask);
    return res;
}

unsigned cpus_threads(unsigned threads)
{
    struct cpus cpus;
    if (threads > 0)
        return threads;
    if (cpus_find(&cpus) < 0)
        return 1;
    threads = cpus.threads;
    cpus_free(&cpus);
    return threads;
}

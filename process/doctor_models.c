/* doctor_models.c: what `gearshift doctor` tells of the other names of engines (-e poll, -e sigio):
 * whether they can run here, and what the model costs; and of the limits that are theirs alone. */
#include "process/doctor.h"

#include "config/config.h"
#include "core/check.h"
#include "core/setting.h"
#include "engines/engine.h"
#include "engines/files/file_executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    CONNECTIONS_USUAL = 10240, /* connections_max by default */
    SIGNALS_FEW = 1024         /* fewer are used up by a few busy clients */
};

/* Asked with the setting of the alias, and all others as they are by default. */
static int probe_alias(const struct engine_alias *alias, char *why, size_t why_size)
{
    const struct config_source source = {
        .root = "/",
        .engine = alias->engine,
        .settings = &alias->setting,
        .settings_count = 1,
    };
    struct config *config;
    int res = config_load(&source, why, why_size, &config);
    if (res < 0)
        return res;
    res = engine_find(alias->engine)->probe(config, why, why_size);
    config_free(config);
    return res;
}

static void examine_aliases(struct doctor_report *report)
{
    char why[512];

    for (size_t i = 0; engine_alias_at(i) != NULL; i++) {
        const struct engine_alias *alias = engine_alias_at(i);
        bool ok = probe_alias(alias, why, sizeof(why)) == 0;
        struct doctor_finding *finding = doctor_add(report, DOCTOR_ENGINES, alias->name, ok);
        if (ok)
            doctor_say(finding, "can run: %s with %s; cost: %s", alias->engine, alias->setting,
                       alias->cost);
        else
            doctor_say(finding, "cannot run: %s", why);
    }
}

static void examine_signals(struct doctor_report *report)
{
    struct rlimit limit;
    MUST(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    bool ok = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= SIGNALS_FEW;
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "sigpending", ok);
    char number[32] = "no limit";
    if (limit.rlim_cur != RLIM_INFINITY)
        snprintf(number, sizeof(number), "%llu", (unsigned long long)limit.rlim_cur);
    doctor_say(finding,
               "%s: signals that may wait, of all processes of the user together; "
               "demultiplexer = sigio needs them, and file_jobs = posix-aio a few",
               number);
    if (!ok)
        doctor_advise(finding,
                      "with demultiplexer = sigio every connection is looked at whenever they are "
                      "used up: raise it (LimitSIGPENDING= of systemd, or limits.conf)");
}

static void examine_aio(struct doctor_report *report)
{
    char most[64], taken[64];
    if (!setting_read("/proc/sys/fs/aio-max-nr", most, sizeof(most)) ||
        !setting_read("/proc/sys/fs/aio-nr", taken, sizeof(taken)))
        return;
    unsigned long long max = strtoull(most, NULL, 10), used = strtoull(taken, NULL, 10);
    bool ok = max > used && max - used > CONNECTIONS_USUAL;
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "aio-max-nr", ok);
    doctor_say(finding,
               "%s, of which %s are taken: connections that demultiplexer = aio can wait "
               "for, and %u reads of file_jobs = linux-aio for each event loop, of all processes "
               "together",
               most, taken, (unsigned)FILE_EXECUTOR_DEPTH);
    if (!ok)
        doctor_advise(finding, "fewer are left than connections_max has by default: sysctl "
                               "fs.aio-max-nr=1048576, or lower connections_max");
}

void doctor_examine_models(struct doctor_report *report)
{
    examine_aliases(report);
    examine_signals(report);
    examine_aio(report);
}

/* doctor_checks.c: what `gearshift doctor` looks at: engines, ways to a file, CPUs, limits and the
 * settings of the kernel that count for a web server. */
#include "process/doctor.h"

#include "core/check.h"
#include "core/file_probe.h"
#include "process/auto.h"
#include "core/cpus.h"
#include "engines/engine.h"
#include "engines/files/file_executor.h"
#include "core/setting.h"
#include "engines/proactor/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

struct doctor_finding *doctor_add(struct doctor_report *report, enum doctor_group group,
                                  const char *name, bool ok)
{
    CHECK(report->count < DOCTOR_FINDINGS_MAX);
    struct doctor_finding *finding = &report->findings[report->count++];
    finding->group = group;
    finding->ok = ok;
    snprintf(finding->name, sizeof(finding->name), "%s", name);
    return finding;
}

void doctor_say(struct doctor_finding *finding, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(finding->text, sizeof(finding->text), format, values);
    va_end(values);
}

void doctor_advise(struct doctor_finding *finding, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(finding->advice, sizeof(finding->advice), format, values);
    va_end(values);
}

static void examine_engines(struct doctor_report *report)
{
    char why[512];

    for (size_t i = 0; engine_at(i) != NULL; i++) {
        const struct engine_ops *ops = engine_at(i);
        bool ok = ops->probe(NULL, why, sizeof(why)) == 0;
        struct doctor_finding *finding = doctor_add(report, DOCTOR_ENGINES, ops->name, ok);
        report->can_serve |= ok;
        if (!ok) {
            doctor_say(finding, "cannot run: %s", why);
            continue;
        }
        snprintf(why, sizeof(why), "%s", ops->summary);
        if (ops->features != NULL)
            ops->features(NULL, why, sizeof(why));
        doctor_say(finding, "can run: %s; cost: %s", why, ops->cost);
    }
    const struct engine_ops *best = auto_best(NULL, 0, NULL, why, sizeof(why));
    doctor_say(doctor_add(report, DOCTOR_ENGINES, ENGINE_AUTO, best != NULL), "takes %s%s%s",
               best != NULL ? best->name : "none", why[0] != '\0' ? "; " : "", why);
}

static void add_result(struct doctor_report *report, enum doctor_group group, const char *name,
                       int res, const char *works, const char *otherwise)
{
    struct doctor_finding *finding = doctor_add(report, group, name, res == 0);
    if (res == 0)
        doctor_say(finding, "%s", works);
    else
        doctor_say(finding, "%s: %s", strerror(-res), otherwise);
}

static int try_sendfile(int socket_fd, int file_fd)
{
    off_t off = 0;
    return sendfile(socket_fd, file_fd, &off, 1) < 0 ? -errno : 0;
}

static int try_splice_by(const int ends[2], int socket_fd, int file_fd)
{
    off_t off = 0;
    if (splice(file_fd, &off, ends[1], NULL, 1, 0) < 0 ||
        splice(ends[0], NULL, socket_fd, NULL, 1, 0) < 0)
        return -errno;
    return 0;
}

static int try_splice(int socket_fd, int file_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    int res = try_splice_by(ends, socket_fd, file_fd);
    close(ends[0]);
    close(ends[1]);
    return res;
}

/* The ways of a file to a socket. Where there is no file to try them with (no /proc), or no socket,
 * that is what is told. */
static void examine_file_io(struct doctor_report *report)
{
    int pair[2] = { -1, -1 };
    int file = file_probe_open();
    int res = file < 0 ? file : 0;
    if (res == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        res = -errno;
    add_result(report, DOCTOR_FILES, "file_io = sendfile",
               res < 0 ? res : try_sendfile(pair[0], file),
               "works, with every engine; what file_io = auto takes",
               "cannot be tried or does not work; set file_io = read");
    add_result(report, DOCTOR_FILES, "file_io = splice", res < 0 ? res : try_splice(pair[0], file),
               "works, with engine proactor",
               "cannot be tried or does not work; set file_io = sendfile or read");
    add_result(report, DOCTOR_FILES, "file_io = read", 0, "works, with every engine", "");
    add_result(report, DOCTOR_FILES, "page cache", file < 0 ? file : file_probe_nowait(file),
               "can be asked, on the file system of this program (preadv2, RWF_NOWAIT)",
               "cannot be asked whether it holds a file: cold files may hold up others");
    if (file >= 0)
        close(file);
    if (pair[0] >= 0) {
        close(pair[0]);
        close(pair[1]);
    }
}

/* Who may read the files of an event loop instead of its workers. */
static void examine_file_jobs(struct doctor_report *report)
{
    char why[512], name[64];
    for (size_t i = 0; file_executor_at(i) != NULL; i++) {
        const struct file_executor_ops *ops = file_executor_at(i);
        bool ok = ops->probe(cpus_threads(0), why, sizeof(why)) == 0;
        snprintf(name, sizeof(name), "file_jobs = %s", ops->name);
        struct doctor_finding *finding = doctor_add(report, DOCTOR_FILES, name, ok);
        if (ok)
            doctor_say(finding, "can run, with the reactors; cost: %s", ops->cost);
        else
            doctor_say(finding, "cannot run: %s", why);
    }
}

static void examine_files(struct doctor_report *report)
{
    add_result(report, DOCTOR_FILES, "openat2", file_probe_beneath(),
               "paths are resolved beneath the root by the kernel",
               "paths are walked segment by segment, which takes more calls");
    add_result(report, DOCTOR_FILES, "openat2 cached", file_probe_cached(),
               "event loops open what the kernel has in memory themselves",
               "event loops leave every open to helpers, where they have some");
    examine_file_io(report);
    examine_file_jobs(report);
}

static void examine_cpus(struct doctor_report *report)
{
    struct cpus cpus;
    int res = cpus_find(&cpus);
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "CPUs", res == 0);
    if (res < 0) {
        doctor_say(finding, "%s", strerror(-res));
        return;
    }
    char quota[64] = "no quota";
    if (cpus.quota_milli > 0)
        snprintf(quota, sizeof(quota), "a quota of %u.%03u (cpu.max)", cpus.quota_milli / 1000,
                 cpus.quota_milli % 1000);
    doctor_say(finding, "%u allowed, %s: %u event loop%s unless `threads` is set", cpus.count,
               quota, cpus.threads, cpus.threads == 1 ? "" : "s");
    if (cpus.quota_milli > 0 && cpus.threads < cpus.count)
        doctor_advise(finding,
                      "the quota holds for all threads together: with it used up, all of them "
                      "stand still until the period ends");
    cpus_free(&cpus);
}

static void format_limit(rlim_t limit, char *ret_text, size_t size)
{
    if (limit == RLIM_INFINITY)
        snprintf(ret_text, size, "no limit");
    else
        snprintf(ret_text, size, "%llu", (unsigned long long)limit);
}

static void add_limit(struct doctor_report *report, const char *name, const struct rlimit *limit,
                      const char *what, bool ok, const char *advice)
{
    char soft[32], hard[32];
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, name, ok);
    format_limit(limit->rlim_cur, soft, sizeof(soft));
    format_limit(limit->rlim_max, hard, sizeof(hard));
    doctor_say(finding, "%s, at most %s%s", soft, hard, what);
    if (!ok)
        doctor_advise(finding, "%s", advice);
}

static bool is_enough(rlim_t limit, rlim_t wanted)
{
    return limit == RLIM_INFINITY || limit >= wanted;
}

static void examine_limits(struct doctor_report *report)
{
    struct rlimit limit;
    /* The start raises the soft limit itself. With the defaults it needs fewer than so many. */
    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    add_limit(report, "nofile", &limit, "; raised by the start as far as it may",
              is_enough(limit.rlim_max, 16384),
              "one for each connection and each cached file: raise the hard limit (LimitNOFILE= of "
              "systemd, or limits.conf), or lower connections_max");

    rlim_t wanted = (rlim_t)URING_LOCKED_KIB * 1024 * cpus_threads(0);
    MUST(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    add_limit(report, "memlock", &limit, " octets; not counted for root",
              geteuid() == 0 || is_enough(limit.rlim_cur, wanted),
              "some kernels count the rings of engine proactor, 128 KiB for each thread: raise it "
              "(LimitMEMLOCK= of systemd, or limits.conf), or set fewer threads");
}

/* Threads and processes: what the engines with one for each connection are limited by, besides
 * `connections_max`. Root is not held to RLIMIT_NPROC (setrlimit(2)). */
static void examine_tasks(struct doctor_report *report)
{
    const uint64_t wanted = 10240 + 64; /* connections_max by default */
    struct rlimit limit;
    char of_user[32], of_group[32] = "no limit";

    MUST(getrlimit(RLIMIT_NPROC, &limit) == 0);
    format_limit(limit.rlim_cur, of_user, sizeof(of_user));
    unsigned group_max = cpus_tasks_max();
    if (group_max != 0)
        snprintf(of_group, sizeof(of_group), "%u", group_max);
    bool ok = (group_max == 0 || group_max >= wanted) &&
              (geteuid() == 0 || is_enough(limit.rlim_cur, wanted));
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "tasks", ok);
    doctor_say(finding, "%s for this user (nproc%s), %s for this control group (pids.max)", of_user,
               geteuid() == 0 ? ", not counted for root" : "", of_group);
    if (!ok)
        doctor_advise(finding,
                      "engines thread-per-connection and process-per-connection take one for each "
                      "connection, and let clients wait when there are none left: raise it "
                      "(TasksMax= and LimitNPROC= of systemd, ulimit -u), or lower "
                      "connections_max");
}

static void examine_backlog(struct doctor_report *report)
{
    char line[64];
    if (!setting_read("/proc/sys/net/core/somaxconn", line, sizeof(line)))
        return;
    bool ok = strtoul(line, NULL, 10) >= 1024;
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "somaxconn", ok);
    doctor_say(finding, "%s: the most that backlog= of `listen` can get", line);
    if (!ok)
        doctor_advise(finding, "bursts of new connections are cut: sysctl net.core.somaxconn=4096");
}

static void examine_congestion(struct doctor_report *report)
{
    char line[64];
    if (!setting_read("/proc/sys/net/ipv4/tcp_congestion_control", line, sizeof(line)))
        return;
    bool paced = strcmp(line, "bbr") == 0;
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "congestion control", true);
    doctor_say(finding, "%s", line);
    if (paced)
        doctor_advise(
            finding,
            "made for long lines: over loopback, as behind a proxy on the same machine or in a "
            "measurement, large files take several times as long; there, set congestion=reno "
            "in `listen`");
}

static void examine_migration(struct doctor_report *report)
{
    char line[64];
    if (!setting_read("/proc/sys/net/ipv4/tcp_migrate_req", line, sizeof(line)))
        return;
    bool on = strcmp(line, "0") != 0;
    struct doctor_finding *finding = doctor_add(report, DOCTOR_MACHINE, "tcp_migrate_req", true);
    doctor_say(finding,
               on ? "on: a listening socket that is closed hands its waiting clients to the others"
                  : "off: what reaches a listening socket in the moment of its closing is refused");
    if (!on)
        doctor_advise(finding,
                      "matters when a server is replaced while it runs, with accept = reuseport: "
                      "sysctl net.ipv4.tcp_migrate_req=1");
}

void doctor_examine(struct doctor_report *report)
{
    examine_engines(report);
    doctor_examine_models(report);
    examine_files(report);
    doctor_examine_tls(report);
    examine_cpus(report);
    examine_limits(report);
    examine_tasks(report);
    examine_backlog(report);
    examine_congestion(report);
    examine_migration(report);
}

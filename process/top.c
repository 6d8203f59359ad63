/* top.c: see top.h. Asks for the counters once a second (the order `stats`), and shows what lies
 * between two looks. */
#include "process/top.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/histogram.h"
#include "process/control.h"
#include "process/control_client.h"
#include "process/exit_status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the command line says. */
struct wish {
    const char *path, *file;
    unsigned long looks; /* 0: without end */
};

/* One look; figures that are not there are 0. */
struct look {
    uint64_t at_ms;
    char engine[32], version[32];
    bool draining;
    double started, cpu_s;
    double requests, received, sent, accepted, closed, moved, syscalls, jobs, handshakes, refusals,
        deadlines, dropped, hits, misses, limited, denied, wrong;
    double states[5];
    struct histogram first_byte, answer;
};

static const char *const states[] = { "reading", "writing", "idle", "handshaking", "closing" };

/* ---- reading ---- */

/* What stands behind the first `"name": `; NULL: nothing. Names of the counters stand before
 * anything that an operator has named. */
static const char *find(const char *json, const char *name)
{
    char quoted[64];

    int len = snprintf(quoted, sizeof quoted, "\"%s\": ", name);
    CHECK(len > 0 && (size_t)len < sizeof quoted);
    const char *at = json != NULL ? strstr(json, quoted) : NULL;
    return at != NULL ? at + len : NULL;
}

/* A number, or the sum of an object's. */
static double sum_of(const char *json, const char *name)
{
    const char *at = find(json, name);
    double sum = 0;

    if (at == NULL)
        return 0;
    if (*at != '{')
        return strtod(at, NULL);
    for (; *at != '}' && *at != '\0'; at++) {
        if (*at == ':')
            sum += strtod(at + 1, NULL);
    }
    return sum;
}

static double member_of(const char *json, const char *family, const char *name)
{
    return sum_of(find(json, family), name);
}

static void read_text(const char *json, const char *name, char *text, size_t size)
{
    const char *at = find(json, name);
    size_t len = at != NULL && *at == '"' ? strcspn(++at, "\"") : 0;

    snprintf(text, size, "%.*s", (int)len, at != NULL ? at : "");
}

/* [[middle,count],...] */
static void read_buckets(const char *json, const char *name, struct histogram *ret)
{
    const char *at = find(find(json, name), "buckets_ns");
    char *end;

    for (at = at != NULL ? at + 1 : ""; *at == '[' || *at == ',';) {
        at += *at == ',' ? 2 : 1;
        uint64_t middle = strtoull(at, &end, 10);
        if (*end != ',')
            return;
        ret->buckets[histogram_bucket(middle)] = strtoull(end + 1, &end, 10);
        if (*end != ']')
            return;
        at = end + 1;
    }
}

static void read_look(const char *json, struct look *ret)
{
    *ret = (struct look){ .at_ms = clock_monotonic_ms() };
    read_text(json, "engine", ret->engine, sizeof ret->engine);
    read_text(json, "version", ret->version, sizeof ret->version);
    const char *draining = find(json, "draining");
    ret->draining = draining != NULL && *draining == 't';
    ret->started = sum_of(json, "started");
    ret->cpu_s = sum_of(json, "cpu_seconds_total");
    ret->requests = sum_of(json, "requests_total");
    ret->received = sum_of(json, "received_bytes_total");
    ret->sent = sum_of(json, "sent_bytes_total");
    ret->accepted = sum_of(json, "connections_accepted_total");
    ret->closed = sum_of(json, "connections_closed_total");
    ret->moved = sum_of(json, "connections_moved_total");
    ret->syscalls = sum_of(json, "syscalls_total");
    ret->jobs = sum_of(json, "file_jobs_total");
    ret->handshakes = sum_of(json, "tls_handshakes_total");
    ret->refusals = sum_of(json, "refusals_total");
    ret->deadlines = sum_of(json, "deadlines_total");
    ret->limited = sum_of(json, "limited_total");
    ret->denied = member_of(json, "refusals_total", "address");
    ret->wrong = member_of(json, "refusals_total", "credentials");
    ret->dropped = sum_of(json, "log_lines_dropped_total");
    ret->hits =
        member_of(json, "file_cache_total", "hit") + member_of(json, "file_cache_total", "shared");
    ret->misses = member_of(json, "file_cache_total", "miss");
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        ret->states[i] = member_of(json, "connections", states[i]);
    read_buckets(json, "first_byte_seconds", &ret->first_byte);
    read_buckets(json, "answer_seconds", &ret->answer);
}

/* ---- showing ---- */

/* What lies between: in `now`, from there on. */
static void subtract(struct histogram *now, const struct histogram *before)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        now->buckets[i] -=
            before->buckets[i] < now->buckets[i] ? before->buckets[i] : now->buckets[i];
}

static double ms_at(const struct histogram *h, double part)
{
    return (double)histogram_at(h, part) / 1e6;
}

/* The looks that are compared. */
struct shown {
    const struct look *now, *before;
    double seconds;
    struct histogram first_byte, answer; /* of what was answered in between */
    bool terminal;
};

static double rate(const struct shown *s, double now, double before)
{
    return (now - before) / s->seconds;
}

static double each(double what, double requests)
{
    return requests > 0 ? what / requests : 0;
}

static void show_line(const struct shown *s)
{
    const struct look *now = s->now, *before = s->before;
    double requests = now->requests - before->requests, open = 0;

    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        open += now->states[i];
    printf("%s%s: %.0f requests/s, %.0f bytes/s, %.0f connections, CPU %.1f %%, %.1f us and %.2f "
           "system calls a request, answer p50 %.3f p99 %.3f ms\n",
           now->engine, now->draining ? " (draining)" : "", requests / s->seconds,
           rate(s, now->sent, before->sent), open, 100 * rate(s, now->cpu_s, before->cpu_s),
           1e6 * each(now->cpu_s - before->cpu_s, requests),
           each(now->syscalls - before->syscalls, requests), ms_at(&s->answer, 0.5),
           ms_at(&s->answer, 0.99));
}

static void show_times(const char *what, const struct histogram *h)
{
    printf("%-12s %10.3f %10.3f %10.3f %10.3f\n", what, ms_at(h, 0.5), ms_at(h, 0.9),
           ms_at(h, 0.99), ms_at(h, 0.999));
}

static void show_screen(const struct shown *s)
{
    const struct look *now = s->now, *before = s->before;
    double requests = now->requests - before->requests;
    double hits = now->hits - before->hits, looks = hits + now->misses - before->misses;

    printf("\033[H\033[J"); /* home, and clear what is below */
    printf("gearshift %s   engine %s%s\n\n", now->version, now->engine,
           now->draining ? "   draining" : "");
    printf("%12.1f requests/s    %12.0f bytes sent/s  %12.0f bytes received/s\n",
           requests / s->seconds, rate(s, now->sent, before->sent),
           rate(s, now->received, before->received));
    printf("%12.1f %% CPU         %12.1f us a request  %12.2f system calls a request\n\n",
           100 * rate(s, now->cpu_s, before->cpu_s),
           1e6 * each(now->cpu_s - before->cpu_s, requests),
           each(now->syscalls - before->syscalls, requests));
    printf("connections ");
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        printf("%10.0f %s", now->states[i], states[i]);
    printf("\n%12.1f accepted/s %12.1f closed/s %12.1f moved/s\n\n",
           rate(s, now->accepted, before->accepted), rate(s, now->closed, before->closed),
           rate(s, now->moved, before->moved));
    printf("%-12s %10s %10s %10s %10s\n", "ms", "p50", "p90", "p99", "p99.9");
    show_times("first byte", &s->first_byte);
    show_times("answer", &s->answer);
    printf("\n%12.1f %% cache hits %11.1f file jobs/s %12.1f TLS handshakes/s\n",
           100 * each(hits, looks), rate(s, now->jobs, before->jobs),
           rate(s, now->handshakes, before->handshakes));
    printf("%12.0f refusals     %12.0f deadlines      %12.0f log lines dropped\n", now->refusals,
           now->deadlines, now->dropped);
    printf("%12.0f limited      %12.0f denied         %12.0f without a right password\n",
           now->limited, now->denied, now->wrong);
}

static void show(const struct look *now, const struct look *before, bool terminal)
{
    struct shown s = { .now = now, .before = before, .terminal = terminal };
    static const struct look nothing;

    if (before->started != now->started) /* it has begun anew */
        s.before = &nothing;
    s.seconds = (double)(now->at_ms - before->at_ms) / 1000;
    if (s.seconds <= 0)
        s.seconds = 0.001;
    s.first_byte = now->first_byte;
    s.answer = now->answer;
    subtract(&s.first_byte, &s.before->first_byte);
    subtract(&s.answer, &s.before->answer);
    if (terminal)
        show_screen(&s);
    else
        show_line(&s);
    fflush(stdout);
}

/* ---- the loop ---- */

static int refuse(const char *sentence)
{
    fprintf(stderr, "gearshift: %s\n", sentence);
    return STATUS_USAGE;
}

static int read_arguments(int argc, char **argv, struct wish *wish)
{
    for (int i = 1; i < argc; i++) {
        bool looks = strcmp(argv[i], "-n") == 0;
        const char **text = strcmp(argv[i], "--control") == 0 ? &wish->path
                            : strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0
                                ? &wish->file
                                : NULL;
        char *end = NULL;
        if ((!looks && text == NULL) || i + 1 == argc)
            return refuse("top takes --control PATH, -c FILE and -n N");
        i++;
        if (text != NULL)
            *text = argv[i];
        else
            wish->looks = strtoul(argv[i], &end, 10);
        if (looks && (argv[i][0] < '0' || argv[i][0] > '9' || *end != '\0' || wish->looks == 0))
            return refuse("-n takes a number of looks from 1 on");
    }
    return STATUS_OK;
}

static int ask(int fd, char *answer, size_t size, struct look *ret_look)
{
    static const char order[] = "stats\n";

    /* Where the server has ended, reading says so. */
    if (send(fd, order, sizeof order - 1, MSG_NOSIGNAL) < 0 && errno != EPIPE) {
        fprintf(stderr, "gearshift: the control socket: %s\n", strerror(errno));
        return STATUS_RUNTIME;
    }
    int status = control_client_read(fd, answer, size);
    if (status != STATUS_OK)
        return status;
    const char *stats = strstr(answer, "\"stats\":{");
    if (stats == NULL) {
        fprintf(stderr, "gearshift: the server tells no counters: %.200s\n", answer);
        return STATUS_RUNTIME;
    }
    read_look(stats, ret_look);
    return STATUS_OK;
}

static int watch(int fd, const struct wish *wish, char *answer, struct look *looks)
{
    bool terminal = isatty(STDOUT_FILENO) != 0;

    int status = ask(fd, answer, CONTROL_ANSWER_MAX, &looks[0]);
    for (unsigned long i = 1; status == STATUS_OK; i++) {
        sleep(1);
        status = ask(fd, answer, CONTROL_ANSWER_MAX, &looks[i % 2]);
        if (status == STATUS_OK)
            show(&looks[i % 2], &looks[(i + 1) % 2], terminal);
        if (i == wish->looks || ferror(stdout) != 0)
            break;
    }
    return status;
}

int top(int argc, char **argv)
{
    struct wish wish = { .looks = 0 };
    int fd = -1;

    int status = read_arguments(argc, argv, &wish);
    if (status == STATUS_OK)
        status = control_client_connect(wish.path, wish.file, &fd);
    if (status != STATUS_OK)
        return status;
    char *answer = malloc(CONTROL_ANSWER_MAX);
    struct look *looks = calloc(2, sizeof looks[0]);
    status = STATUS_RUNTIME;
    if (answer == NULL || looks == NULL)
        fprintf(stderr, "gearshift: out of memory\n");
    else
        status = watch(fd, &wish, answer, looks);
    free(answer);
    free(looks);
    close(fd);
    return status;
}

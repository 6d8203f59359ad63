/* report_text.c: see report_text.h. What counters are called: core/stats_names.c. */
#include "http/report_text.h"

#include "core/draining.h"
#include "core/stats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 64 /* shown one by one */, LEAST_BIT = 12, BIT_STEP = 2 };

static const struct {
    const char *name, *help;
} times[STATS_TIMES] = {
    { "first_byte_seconds", "From the first byte of a request to the first byte of its answer" },
    { "answer_seconds", "From the first byte of a request to the last byte of its answer" },
};

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

/* A text between quotes, for JSON and for a label alike. */
static void quote(const char *text, FILE *out)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
    putc('"', out);
}

static void put_count(const struct stats_family *family, uint64_t count, FILE *out)
{
    if (family->ns)
        fprintf(out, "%.6f", seconds(count));
    else
        fprintf(out, "%" PRIu64, count);
}

static size_t shown(size_t count, size_t max)
{
    return count < max ? count : max;
}

/* Those that have no counter of their own are counted together. */
static const char *server_name(const struct config *config, size_t i)
{
    bool others = i == STATS_SERVERS - 1 && config->servers_count > STATS_SERVERS;
    return others ? "others" : config->servers[i].name;
}

static const char *listen_name(const struct config *config, size_t i)
{
    bool others = i == STATS_LISTENS - 1 && config->listens_count > STATS_LISTENS;
    return others ? "others" : config->listens[i].text;
}

/* ---- JSON ---- */

static void json_times(const struct stats_sums *sums, FILE *out)
{
    static const struct {
        const char *name;
        double part;
    } parts[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };

    for (size_t i = 0; i < STATS_TIMES; i++) {
        const struct histogram *h = &sums->times[i];
        fprintf(out, ",\n  \"%s\": {\"count\": %" PRIu64 ", \"sum\": %.6f", times[i].name,
                histogram_count(h), seconds(h->sum));
        for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++)
            fprintf(out, ", \"%s\": %.9f", parts[j].name, seconds(histogram_at(h, parts[j].part)));
        putc('}', out);
    }
}

static void json_families(const struct stats_sums *sums, FILE *out)
{
    const struct stats_family *family;

    for (size_t i = 0; (family = stats_family_at(i)) != NULL; i++) {
        fprintf(out, ",\n  \"%s\": %s", family->name, family->values != NULL ? "{" : "");
        for (size_t j = 0; j < family->count; j++) {
            if (family->values != NULL)
                fprintf(out, "%s\"%s\": ", j > 0 ? ", " : "", family->values[j]);
            put_count(family, sums->counters[family->first + j], out);
        }
        if (family->values != NULL)
            putc('}', out);
    }
}

static void json_places(const struct config *config, const struct stats_sums *sums, FILE *out)
{
    fprintf(out, ",\n  \"servers\": [");
    for (size_t i = 0; i < shown(config->servers_count, STATS_SERVERS); i++) {
        fprintf(out, "%s{\"server\": ", i > 0 ? ", " : "");
        quote(server_name(config, i), out);
        fprintf(out, ", \"requests_total\": %" PRIu64 ", \"body_bytes_total\": %" PRIu64 "}",
                sums->servers[i].requests, sums->servers[i].body_bytes);
    }
    fprintf(out, "],\n  \"listeners\": [");
    for (size_t i = 0; i < shown(config->listens_count, STATS_LISTENS); i++) {
        fprintf(out, "%s{\"address\": ", i > 0 ? ", " : "");
        quote(listen_name(config, i), out);
        fprintf(out, ", \"connections_total\": %" PRIu64 "}", sums->listens[i]);
    }
    fprintf(out, "]");
}

static void json_threads(FILE *out)
{
    struct stats_thread threads[THREADS_MAX];
    size_t count = stats_threads(threads, THREADS_MAX);

    fprintf(out, ",\n  \"threads\": [");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s{\"process\": %d, \"thread\": %d, \"cpu_seconds\": %.6f}",
                i > 0 ? ", " : "", threads[i].process, threads[i].thread,
                seconds(threads[i].cpu_ns));
    fprintf(out, "]");
}

void http_report_json(const struct config *config, FILE *out)
{
    struct stats_sums *sums = malloc(sizeof(*sums));
    if (sums == NULL)
        return;
    stats_read(sums);
    fprintf(out, "{\n  \"version\": \"%s\",\n  \"engine\": ", GEARSHIFT_VERSION);
    quote(config->engine, out);
    fprintf(out, ",\n  \"process\": %d,\n  \"draining\": %s,\n  \"started\": %" PRId64,
            (int)getpid(), draining_has_begun() ? "true" : "false", sums->started_s);
    fprintf(out, ",\n  \"cpu_seconds_total\": %.6f", seconds(sums->cpu_ns));
    json_families(sums, out);
    json_times(sums, out);
    json_places(config, sums, out);
    json_threads(out);
    fprintf(out, "\n}\n");
    free(sums);
}

/* ---- Prometheus ---- */

static void head(const char *name, const char *help, const char *type, FILE *out)
{
    fprintf(out, "# HELP gearshift_%s %s.\n# TYPE gearshift_%s %s\n", name, help, name, type);
}

static void prometheus_families(const struct stats_sums *sums, FILE *out)
{
    const struct stats_family *family;

    for (size_t i = 0; (family = stats_family_at(i)) != NULL; i++) {
        head(family->name, family->help, family->gauge ? "gauge" : "counter", out);
        for (size_t j = 0; j < family->count; j++) {
            fprintf(out, "gearshift_%s", family->name);
            if (family->values != NULL)
                fprintf(out, "{%s=\"%s\"}", family->label, family->values[j]);
            putc(' ', out);
            put_count(family, sums->counters[family->first + j], out);
            putc('\n', out);
        }
    }
}

/* In buckets of four times the one before: from 4 microseconds to an hour. */
static void prometheus_times(const struct stats_sums *sums, FILE *out)
{
    for (size_t i = 0; i < STATS_TIMES; i++) {
        const struct histogram *h = &sums->times[i];
        head(times[i].name, times[i].help, "histogram", out);
        for (unsigned bit = LEAST_BIT; bit < HISTOGRAM_BITS; bit += BIT_STEP)
            fprintf(out, "gearshift_%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", times[i].name,
                    seconds(UINT64_C(1) << bit), histogram_below(h, UINT64_C(1) << bit));
        fprintf(out,
                "gearshift_%s_bucket{le=\"+Inf\"} %" PRIu64 "\ngearshift_%s_sum %.9f\n"
                "gearshift_%s_count %" PRIu64 "\n",
                times[i].name, histogram_count(h), times[i].name, seconds(h->sum), times[i].name,
                histogram_count(h));
    }
}

static void prometheus_places(const struct config *config, const struct stats_sums *sums, FILE *out)
{
    head("server_requests_total", "Requests by server", "counter", out);
    for (size_t i = 0; i < shown(config->servers_count, STATS_SERVERS); i++) {
        fprintf(out, "gearshift_server_requests_total{server=");
        quote(server_name(config, i), out);
        fprintf(out, "} %" PRIu64 "\n", sums->servers[i].requests);
    }
    head("server_body_bytes_total", "Bytes of answers' bodies by server", "counter", out);
    for (size_t i = 0; i < shown(config->servers_count, STATS_SERVERS); i++) {
        fprintf(out, "gearshift_server_body_bytes_total{server=");
        quote(server_name(config, i), out);
        fprintf(out, "} %" PRIu64 "\n", sums->servers[i].body_bytes);
    }
    head("listener_connections_total", "Connections accepted by address", "counter", out);
    for (size_t i = 0; i < shown(config->listens_count, STATS_LISTENS); i++) {
        fprintf(out, "gearshift_listener_connections_total{address=");
        quote(listen_name(config, i), out);
        fprintf(out, "} %" PRIu64 "\n", sums->listens[i]);
    }
}

void http_report_prometheus(const struct config *config, FILE *out)
{
    struct stats_sums *sums = malloc(sizeof(*sums));
    if (sums == NULL)
        return;
    stats_read(sums);
    head("build_info", "Version and engine", "gauge", out);
    fprintf(out, "gearshift_build_info{version=\"%s\",engine=", GEARSHIFT_VERSION);
    quote(config->engine, out);
    fprintf(out, "} 1\n");
    head("start_time_seconds", "When the server began to count, since 1970", "gauge", out);
    fprintf(out, "gearshift_start_time_seconds %" PRId64 "\n", sums->started_s);
    head("draining", "1 while the server drains", "gauge", out);
    fprintf(out, "gearshift_draining %d\n", draining_has_begun() ? 1 : 0);
    head("cpu_seconds_total", "CPU time of the threads that count", "counter", out);
    fprintf(out, "gearshift_cpu_seconds_total %.6f\n", seconds(sums->cpu_ns));
    prometheus_families(sums, out);
    prometheus_times(sums, out);
    prometheus_places(config, sums, out);
    free(sums);
}

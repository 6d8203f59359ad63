/* stats_text.c: see stats_text.h. What counters are called: stats_names.c. */
#include "core/stats_text.h"

#include "core/stats_read.h"

#include <inttypes.h>
#include <stdlib.h>

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

/* ---- JSON ---- */

/* Those that are not empty: the middle in nanoseconds, and how many; of two looks, who asks can
 * tell the percentiles of what was between. */
static void json_buckets(const struct histogram *h, FILE *out)
{
    const char *comma = "";

    fprintf(out, ", \"buckets_ns\": [");
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (h->buckets[i] == 0)
            continue;
        fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", comma, histogram_middle(i), h->buckets[i]);
        comma = ",";
    }
    putc(']', out);
}

static void json_times(const struct stats_sums *sums, FILE *out)
{
    static const struct {
        const char *name;
        double part;
    } parts[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };

    for (size_t i = 0; i < STATS_TIMES; i++) {
        const struct histogram *h = &sums->times[i];
        fprintf(out, ", \"%s\": {\"count\": %" PRIu64 ", \"sum\": %.6f", times[i].name,
                histogram_count(h), seconds(h->sum));
        for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++)
            fprintf(out, ", \"%s\": %.9f", parts[j].name, seconds(histogram_at(h, parts[j].part)));
        json_buckets(h, out);
        putc('}', out);
    }
}

static void json_families(const struct stats_sums *sums, FILE *out)
{
    const struct stats_family *family;

    for (size_t i = 0; (family = stats_family_at(i)) != NULL; i++) {
        fprintf(out, ", \"%s\": %s", family->name, family->values != NULL ? "{" : "");
        for (size_t j = 0; j < family->count; j++) {
            if (family->values != NULL)
                fprintf(out, "%s\"%s\": ", j > 0 ? ", " : "", family->values[j]);
            put_count(family, sums->counters[family->first + j], out);
        }
        if (family->values != NULL)
            putc('}', out);
    }
}

static void json_places(const struct stats_sums *sums, FILE *out)
{
    const char *name, *comma = "";

    fprintf(out, ", \"servers\": [");
    for (size_t i = 0; i < STATS_SERVERS; i++) {
        if ((name = stats_place_name(STATS_KIND_SERVER, i)) == NULL)
            continue;
        fprintf(out, "%s{\"server\": ", comma);
        quote(name, out);
        fprintf(out, ", \"requests_total\": %" PRIu64 ", \"body_bytes_total\": %" PRIu64 "}",
                sums->servers[i].requests, sums->servers[i].body_bytes);
        comma = ", ";
    }
    fprintf(out, "], \"listeners\": [");
    comma = "";
    for (size_t i = 0; i < STATS_LISTENS; i++) {
        if ((name = stats_place_name(STATS_KIND_LISTEN, i)) == NULL)
            continue;
        fprintf(out, "%s{\"address\": ", comma);
        quote(name, out);
        fprintf(out, ", \"connections_total\": %" PRIu64 "}", sums->listens[i]);
        comma = ", ";
    }
    fprintf(out, "]");
}

static void json_certificates(FILE *out)
{
    struct stats_validity validity;
    const char *comma = "";

    fprintf(out, ", \"tls_certificates\": [");
    for (size_t i = 0; i < STATS_CERTIFICATES; i++) {
        if (!stats_certificate_at(i, &validity))
            continue;
        fprintf(out, "%s{\"file\": ", comma);
        quote(validity.name, out);
        fprintf(out, ", \"expires\": %" PRId64 "}", validity.until_s);
        comma = ", ";
    }
    fprintf(out, "]");
}

static void json_threads(FILE *out)
{
    struct stats_thread threads[THREADS_MAX];
    size_t count = stats_threads(threads, THREADS_MAX);

    fprintf(out, ", \"threads\": [");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s{\"process\": %d, \"thread\": %d, \"cpu_seconds\": %.6f}",
                i > 0 ? ", " : "", threads[i].process, threads[i].thread,
                seconds(threads[i].cpu_ns));
    fprintf(out, "]");
}

void stats_text_json(const struct stats_teller *teller, FILE *out)
{
    struct stats_sums *sums = malloc(sizeof(*sums));
    if (sums == NULL)
        return;
    stats_read(sums);
    fprintf(out, "{\"version\": ");
    quote(teller->version, out);
    fprintf(out, ", \"engine\": ");
    quote(teller->engine, out);
    fprintf(out, ", \"process\": %d, \"draining\": %s, \"started\": %" PRId64, teller->process,
            teller->draining ? "true" : "false", sums->started_s);
    fprintf(out, ", \"cpu_seconds_total\": %.6f", seconds(sums->cpu_ns));
    json_families(sums, out);
    json_times(sums, out);
    json_places(sums, out);
    json_certificates(out);
    json_threads(out);
    fprintf(out, "}\n");
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

static void prometheus_servers(const struct stats_sums *sums, bool bytes, FILE *out)
{
    const char *family = bytes ? "server_body_bytes_total" : "server_requests_total", *name;

    head(family, bytes ? "Bytes of answers' bodies by server" : "Requests by server", "counter",
         out);
    for (size_t i = 0; i < STATS_SERVERS; i++) {
        if ((name = stats_place_name(STATS_KIND_SERVER, i)) == NULL)
            continue;
        fprintf(out, "gearshift_%s{server=", family);
        quote(name, out);
        fprintf(out, "} %" PRIu64 "\n",
                bytes ? sums->servers[i].body_bytes : sums->servers[i].requests);
    }
}

static void prometheus_listens(const struct stats_sums *sums, FILE *out)
{
    const char *name;

    head("listener_connections_total", "Connections accepted by address", "counter", out);
    for (size_t i = 0; i < STATS_LISTENS; i++) {
        if ((name = stats_place_name(STATS_KIND_LISTEN, i)) == NULL)
            continue;
        fprintf(out, "gearshift_listener_connections_total{address=");
        quote(name, out);
        fprintf(out, "} %" PRIu64 "\n", sums->listens[i]);
    }
}

static void prometheus_certificates(FILE *out)
{
    struct stats_validity validity;

    head("tls_certificate_expiry_seconds", "When a certificate ends, since 1970, by its file",
         "gauge", out);
    for (size_t i = 0; i < STATS_CERTIFICATES; i++) {
        if (!stats_certificate_at(i, &validity))
            continue;
        fprintf(out, "gearshift_tls_certificate_expiry_seconds{file=");
        quote(validity.name, out);
        fprintf(out, "} %" PRId64 "\n", validity.until_s);
    }
}

void stats_text_prometheus(const struct stats_teller *teller, FILE *out)
{
    struct stats_sums *sums = malloc(sizeof(*sums));
    if (sums == NULL)
        return;
    stats_read(sums);
    head("build_info", "Version, and the engine of the worker that was asked", "gauge", out);
    fprintf(out, "gearshift_build_info{version=");
    quote(teller->version, out);
    fprintf(out, ",engine=");
    quote(teller->engine, out);
    fprintf(out, "} 1\n");
    head("start_time_seconds", "When the server began to count, since 1970", "gauge", out);
    fprintf(out, "gearshift_start_time_seconds %" PRId64 "\n", sums->started_s);
    head("draining", "1 while the server drains", "gauge", out);
    fprintf(out, "gearshift_draining %d\n", teller->draining ? 1 : 0);
    head("cpu_seconds_total", "CPU time of all processes that serve", "counter", out);
    fprintf(out, "gearshift_cpu_seconds_total %.6f\n", seconds(sums->cpu_ns));
    prometheus_families(sums, out);
    prometheus_times(sums, out);
    prometheus_servers(sums, false, out);
    prometheus_servers(sums, true, out);
    prometheus_listens(sums, out);
    prometheus_certificates(out);
    free(sums);
}

/* sim_many.c: seeded simulation of many sessions over one environment, with jobs that end in any
 * order. Two sites have the same names and other contents.
 *
 * By default nothing changes on the disk: each session's answers are the octets that it would have
 * got alone. With --changes files are replaced meanwhile, and clients wait for each answer: every
 * answer is one version of the file that was asked for, and not an older one than any client had
 * received before it asked. With --faults as well, jobs and sends fail and peers vanish; what
 * arrives whole is right all the same. No descriptor is left at the end of a run.
 *
 *   sim_many [--seed N] [--runs N | --seconds N] [--changes [--faults]]
 *
 * A failure prints the seed; --seed SEED --runs 1 repeats it. */
#include "sim_changes.h"
#include "sim_engine.h"
#include "sim_sites.h"

#include "core/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLIENTS_MAX = 8, REQUESTS_MAX = 12, INPUT_MAX = REQUESTS_MAX * 256 };

/* What is asked for, beneath either site. */
static const char *const TARGETS[] = {
    "/",          "/index.html", "/page.html",    "/page.html", "/page",
    "/style.css", "/large.bin",  "/plain.txt",    "/missing",   "/sub/",
    "/sub",       "/sub/a.txt",  "/br/b.txt",     "/br/",       "/404.html",
    "/br/none",   "/a%20b/",     "/page.html.gz", "/either/x",
};

static const char *const FIELDS[] = {
    "",
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: zstd, br, gzip\r\n",
    "Accept-Encoding: br\r\n",
    "Range: bytes=5-9\r\n",
    "Accept: application/json\r\n",
};

static size_t draw_input(uint64_t *random, char *input)
{
    size_t len = 0, count = 1 + sim_random(random) % REQUESTS_MAX;
    for (size_t i = 0; i < count; i++) {
        const char *target = TARGETS[sim_random(random) % ARRAY_LEN(TARGETS)];
        const char *field = FIELDS[sim_random(random) % ARRAY_LEN(FIELDS)];
        int n = snprintf(input + len, INPUT_MAX - len, "%s %s HTTP/1.1\r\nHost: %c\r\n%s\r\n",
                         sim_random(random) % 8 == 0 ? "HEAD" : "GET", target,
                         'a' + (int)(sim_random(random) % SIM_SITES), field);
        CHECK(n > 0 && (size_t)n < INPUT_MAX - len);
        len += (size_t)n;
    }
    return len;
}

/* The octets from the last blank line before `at` on, for a person to read. */
static void print_around(const char *what, const struct sim_result *result, size_t at)
{
    size_t from = at < 300 ? 0 : at - 300;
    size_t len = result->sent_len - from < 500 ? result->sent_len - from : 500;
    fprintf(stderr, "---- %s\n%.*s\n", what, (int)len, result->sent + from);
}

static void compare(uint64_t seed, const struct sim_client *client, const struct sim_result *want)
{
    const struct sim_result *have = &client->result;
    size_t at = 0;
    while (at < want->sent_len && at < have->sent_len && want->sent[at] == have->sent[at])
        at++;
    if (at == want->sent_len && at == have->sent_len)
        return;
    fprintf(stderr,
            "seed %llu: beside others a session is sent %zu octets, alone %zu; they differ at "
            "octet %zu\n---- requests\n%.*s",
            (unsigned long long)seed, have->sent_len, want->sent_len, at, (int)client->input_len,
            client->input);
    print_around("alone", want, at);
    print_around("beside others", have, at);
    exit(1);
}

/* Nothing changes on the disk. */
static void run_still(const struct sim_sites *sites, uint64_t seed)
{
    static char inputs[CLIENTS_MAX][INPUT_MAX];
    struct sim_client clients[CLIENTS_MAX];
    uint64_t random = seed;
    size_t count = 2 + sim_random(&random) % (CLIENTS_MAX - 1);
    struct sim_options options = { .seed = seed,
                                   .chop = sim_random(&random) % 2 == 0,
                                   .file_segments = sim_random(&random) % 2 == 0,
                                   .pause_max_ms = (unsigned)(sim_random(&random) % 4) };
    for (size_t i = 0; i < count; i++)
        clients[i] = (struct sim_client){ .listen = sim_random(&random) % 4 == 0,
                                          .input = inputs[i],
                                          .input_len = draw_input(&random, inputs[i]) };
    sim_run_all(sites->config, &options, clients, count);
    for (size_t i = 0; i < count; i++) {
        const struct sim_options plain = { .seed = seed, .file_segments = true };
        struct sim_client alone = clients[i];
        sim_run_all(sites->config, &plain, &alone, 1);
        compare(seed, &clients[i], &alone.result);
        free(alone.result.sent);
        free(clients[i].result.sent);
    }
}

static size_t descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    size_t count = 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static double seconds_now(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, runs = 1000;
    double seconds = 0;
    bool changes = false, faults = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--changes") == 0) {
            changes = true;
        } else if (strcmp(argv[i], "--faults") == 0) {
            faults = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[++i], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--runs") == 0) {
            runs = strtoull(argv[++i], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0) {
            seconds = strtod(argv[++i], NULL);
        } else {
            fprintf(stderr, "usage: sim_many [--seed N] [--runs N | --seconds N] [--changes "
                            "[--faults]]\n");
            return 2;
        }
    }
    struct sim_sites sites;
    sim_sites_create(&sites, changes);
    double end = seconds_now() + seconds;
    uint64_t done = 0, compressed = 0;
    for (; seconds > 0 ? seconds_now() < end : done < runs; done++, seed++) {
        size_t before = descriptors();
        if (getenv("SIM_VERBOSE") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        if (changes)
            compressed += sim_changes_run(&sites, seed, faults);
        else
            run_still(&sites, seed);
        if (descriptors() != before) {
            fprintf(stderr, "seed %llu: %zu descriptors before the run, %zu after it\n",
                    (unsigned long long)seed, before, descriptors());
            return 1;
        }
    }
    sim_sites_destroy(&sites);
    CHECK(!changes || done < 50 || compressed > 0); /* else nothing is checked of them */
    printf("%llu runs, last seed %llu: ok\n1 passed, 0 failed\n", (unsigned long long)done,
           (unsigned long long)(seed - 1));
    return 0;
}

/* sim_session.c: seeded simulation. Each run draws a list of requests, has a session answer them
 * undisturbed, and again with chopped input, short sends and late jobs, with and without file
 * segments, and wrapped in TLS: the octets must be the same. With --faults, jobs and sends fail,
 * time jumps and peers vanish: every answer that arrives is a whole one or the last, nothing leaks,
 * nothing hangs.
 *
 *   sim_session [--seed N] [--runs N] [--faults]
 *
 * A failure prints the seed; --seed SEED --runs 1 repeats it. */
#include "sim_engine.h"
#include "sim_site.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 256 * 1024 };

/* Requests after which the connection goes on. */
static const char *const REQUESTS[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /index.html HTTP/1.1\r\nHost: a\r\nUser-Agent: sim\r\nReferer: x\r\n\r\n",
    "\r\nHEAD /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /empty.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /one.txt?q=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /copied.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /lent.bin HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /small.css HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /small.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br;q=0.5\r\n\r\n",
    "GET /copied.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nRange: bytes=3-\r\n\r\n",
    "GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=1-300000\r\n\r\n",
    "GET /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9,100-199,-400000\r\n\r\n",
    "HEAD /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9,100-199\r\n\r\n",
    "GET /small.css HTTP/1.1\r\nHost: a\r\nRange: "
    "bytes=0-0,5-5,10-10,100-100,200-8000,16383-\r\n\r\n",
    "GET /one.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=5-\r\n\r\n",
    "GET /one.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n",
    "GET /one.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"no\"\r\n\r\n",
    "GET /sub HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /sub/?x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /list/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /list/ HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n",
    "GET /list/a%20%26%20b.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /caf\xe9%0A.txt?\xc3\xa9|[] HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /sub?\xff\"<> HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /missing HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /missing HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "DELETE /one.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nGET / HTTP/",
    "GET /one.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nT: v\r\n\r\n",
    "GET /one.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
};

/* Requests after which it is closed. */
static const char *const LAST_REQUESTS[] = {
    "GET /huge.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /one.txt HTTP/1.0\r\n\r\n",
    "GET /one.txt HTTP/1.1\r\n\r\n",
    "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nnot all of it",
    "GET /cut HTTP/1.1\r\nHo",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET /one.txt HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\nGET / HTT",
    ("BREW / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
     "3\r\nabc\r\n0\r\n\r\n"),
};

static size_t draw_input(uint64_t *random, char *input)
{
    size_t len = 0, count = 1 + sim_random(random) % 24;
    for (size_t i = 0; i <= count; i++) {
        bool last = i == count;
        const char *request = last ? LAST_REQUESTS[sim_random(random) % ARRAY_LEN(LAST_REQUESTS)]
                                   : REQUESTS[sim_random(random) % ARRAY_LEN(REQUESTS)];
        if (last && sim_random(random) % 3 == 0)
            break;
        size_t n = strlen(request);
        CHECK(len + n <= INPUT_MAX);
        memcpy(input + len, request, n);
        len += n;
    }
    return len;
}

/* Does what was sent consist of whole answers, the last of which may be cut? Reads lengths as a
 * client would; heads of answers to HEAD are told by the requests, so here only the beginnings are
 * checked: an answer begins where the one before ended. */
static void check_first_answer(const struct sim_result *result)
{
    if (result->sent_len >= 9)
        CHECK(memcmp(result->sent, "HTTP/1.1 ", 9) == 0);
}

static void compare(uint64_t seed, const struct sim_result *want, const struct sim_result *have,
                    const char *what)
{
    if (want->sent_len == have->sent_len &&
        (want->sent_len == 0 || memcmp(want->sent, have->sent, want->sent_len) == 0))
        return;
    size_t at = 0;
    while (at < want->sent_len && at < have->sent_len && want->sent[at] == have->sent[at])
        at++;
    fprintf(stderr, "seed %llu: %s: answers differ at octet %zu (%zu octets, %zu wanted)\n",
            (unsigned long long)seed, what, at, have->sent_len, want->sent_len);
    size_t from = at < 300 ? 0 : at - 300;
    fprintf(stderr, "---- wanted\n%.*s\n---- got\n%.*s\n",
            (int)(want->sent_len - from < 600 ? want->sent_len - from : 600), want->sent + from,
            (int)(have->sent_len - from < 600 ? have->sent_len - from : 600), have->sent + from);
    exit(1);
}

static void run_equal(struct config *config, uint64_t seed, const char *input, size_t len)
{
    struct sim_options plain = { .seed = seed, .file_segments = true };
    struct sim_result want;
    sim_run(config, &plain, input, len, &want);
    CHECK(want.sent_len > 0 || len < 100);
    for (int segments = 0; segments < 2; segments++) {
        struct sim_options chopped = { .seed = seed + 1, .chop = true, .file_segments = segments };
        struct sim_result have;
        config->listens[0].proxy_protocol = (seed + (uint64_t)segments) % 2 != 0;
        sim_run(config, &chopped, input, len, &have);
        compare(seed, &want, &have, segments ? "chopped" : "chopped, read by jobs");
        free(have.sent);
    }
    config->listens[0].tls = true;
    for (unsigned i = 0; i < 8; i++) {
        struct sim_options encrypted = { .seed = seed + i,
                                         .chop = (i & 1) != 0,
                                         .file_segments = (i & 2) != 0,
                                         .ktls = (i & 4) != 0,
                                         .tls_chatter = (i & 4) == 0 };
        struct sim_result have;
        config->listens[0].proxy_protocol = (seed + i / 2) % 2 != 0;
        sim_run(config, &encrypted, input, len, &have);
        compare(seed, &want, &have, encrypted.ktls ? "TLS by the kernel" : "TLS");
        free(have.sent);
    }
    config->listens[0].tls = config->listens[0].proxy_protocol = false;
    free(want.sent);
}

static void run_faults(struct config *config, uint64_t seed, const char *input, size_t len)
{
    for (unsigned i = 0; i < 8; i++) {
        struct sim_options options = { .seed = seed,
                                       .chop = seed % 3 != 0,
                                       .faults = true,
                                       .file_segments = (i & 1) != 0,
                                       .ktls = (i & 4) != 0,
                                       .tls_chatter = true,
                                       .drain_in = seed % 5 == 0 ? 1 + (unsigned)(seed % 97) : 0 };
        struct sim_result result;
        config->listens[0].tls = (i & 6) != 0;
        config->listens[0].proxy_protocol = (seed + i / 2) % 2 != 0;
        sim_run(config, &options, input, len, &result);
        check_first_answer(&result);
        free(result.sent);
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, runs = 1000;
    bool faults = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--faults") == 0) {
            faults = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[++i], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--runs") == 0) {
            runs = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: sim_session [--seed N] [--runs N] [--faults]\n");
            return 2;
        }
    }
    struct sim_site site;
    sim_site_create(&site);
    static char input[INPUT_MAX];
    for (uint64_t i = 0; i < runs; i++, seed++) {
        uint64_t random = seed;
        size_t len = draw_input(&random, input);
        if (getenv("SIM_VERBOSE") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        if (faults)
            run_faults(site.config, seed, input, len);
        else
            run_equal(site.config, seed, input, len);
    }
    sim_site_destroy(&site);
    printf("%llu runs, last seed %llu: ok\n1 passed, 0 failed\n", (unsigned long long)runs,
           (unsigned long long)(seed - 1));
    return 0;
}

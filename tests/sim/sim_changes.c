/* sim_changes.c: see sim_changes.h. Clients ask for one file at a time; each answer tells by its
 * octets which version of which file it is. What any client has received of a file is the oldest
 * that a client may get which asks from then on: a cache that puts an older file back is found. Of
 * a long file that is written in place the length tells the version: no answer announces less than
 * there was when it was asked for. In some runs sites are switched to new releases meanwhile, and
 * what only one kind of release has tells whether an answer was searched for in one of them. */
#include "sim_changes.h"
#include "sim_engine.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PLAIN_MAX = 1 << 18 /* no file is as long */ };

enum { CLIENTS = 6, REQUESTS = 10, INPUT_MAX = REQUESTS * 128 };

struct request {
    unsigned site;
    const char *name;                 /* of the file; NULL: none is there */
    size_t end;                       /* of it in the input */
    unsigned versions_min[SIM_FILES]; /* what had been received when it was sent; of a file that
                                         grows, what was there */
    unsigned release_min;             /* likewise, the release */
};

struct client {
    char input[INPUT_MAX];
    struct request requests[REQUESTS];
    size_t asked;    /* requests sent; all but the last one are answered */
    size_t answered; /* octets of the answers before */
};

struct changes {
    struct sim_sites *sites;
    uint64_t seed;
    bool faults;
    bool switches;         /* to new releases */
    unsigned decompressed; /* answers */
    struct client clients[CLIENTS];
    struct sim_client sims[CLIENTS];
    unsigned received[SIM_SITES][SIM_FILES]; /* newest version that anybody has */
    unsigned releases[SIM_SITES];            /* newest release that anybody has seen */
};

static const char *const NAMES[] = { "index.html", "page.html", "page.html", "style.css",
                                     "large.bin",  "plain.txt", "sub/a.txt", "br/b.txt",
                                     "grown.bin",  "grown.bin", NULL,        SIM_EITHER };

static void ask_next(struct changes *run, struct client *client)
{
    if (client->asked == REQUESTS)
        return;
    struct request *request = &client->requests[client->asked++];
    memcpy(request->versions_min, run->received[request->site], sizeof(request->versions_min));
    request->release_min = run->releases[request->site];
    for (unsigned file = 0; file < SIM_FILES; file++)
        if (sim_files[file].grows && !run->switches) /* else the old release's may come */
            request->versions_min[file] = run->sites->versions[request->site][file];
}

/* Of few names, many clients ask for the same one at a time. */
static void draw_client(struct client *client, size_t names, uint64_t *random)
{
    static const char *const codings[] = { "", "gzip", "br", "zstd, br, gzip" };
    size_t len = 0;
    client->asked = client->answered = 0;
    for (size_t i = 0; i < REQUESTS; i++) {
        struct request *request = &client->requests[i];
        request->site = (unsigned)(sim_random(random) % SIM_SITES);
        request->name = NAMES[sim_random(random) % names];
        int n =
            snprintf(client->input + len, INPUT_MAX - len,
                     "GET /%s HTTP/1.1\r\nHost: %c\r\nAccept-Encoding: %s\r\n\r\n",
                     request->name != NULL ? request->name : "br/none", 'a' + (int)request->site,
                     codings[sim_random(random) % ARRAY_LEN(codings)]);
        CHECK(n > 0 && (size_t)n < INPUT_MAX - len);
        len += (size_t)n;
        request->end = len;
    }
}

static void fail(const struct changes *run, const struct request *request, const char *answer,
                 const char *what)
{
    fprintf(stderr, "seed %llu: %s: /%s of site %c:\n%.300s\n", (unsigned long long)run->seed, what,
            request->name != NULL ? request->name : "br/none", 'a' + (int)request->site, answer);
    exit(1);
}

/* The name that is asked for. Site b's `try` ends with its index; a's page for 404 is none of a
 * 200. NULL: there is nothing. */
static const char *asked_name(const struct request *request)
{
    return request->name == NULL && request->site == 1 ? "index.html" : request->name;
}

static int asked_file(const struct request *request)
{
    const char *name = asked_name(request);
    return name != NULL ? sim_sites_find(name, strlen(name)) : -1;
}

/* The file that a 200 announces: the one asked for, or its sidecar. -1: there is no such. */
static int announced_file(const struct request *request, const char *answer, const char *body)
{
    static const char *const suffixes[][2] = { { "gzip", ".gz" },
                                               { "br", ".br" },
                                               { "zstd", ".zst" } };
    static const char field[] = "\r\nContent-Encoding: ";
    char name[64];
    const char *coding = memmem(answer, (size_t)(body - answer), field, sizeof(field) - 1);
    const char *suffix = "";
    const char *asked = asked_name(request);
    if (asked == NULL)
        return -1;
    for (size_t i = 0; coding != NULL && i < ARRAY_LEN(suffixes); i++)
        if (strncmp(coding + sizeof(field) - 1, suffixes[i][0], strlen(suffixes[i][0])) == 0)
            suffix = suffixes[i][1];
    CHECK((coding == NULL) == (suffix[0] == '\0'));
    int len = snprintf(name, sizeof(name), "%s%s", asked, suffix);
    return sim_sites_find(name, (size_t)len);
}

/* Is the body some version of the file? One that is too old is a failure. */
static bool is_version(struct changes *run, const struct request *request, int file,
                       const char *answer, const char *body, size_t len)
{
    unsigned newest = run->sites->versions[request->site][file];
    for (unsigned version = newest; version > 0; version--) {
        if (!sim_sites_is(request->site, (unsigned)file, version, body, len))
            continue;
        if (version < request->versions_min[file])
            fail(run, request, answer, "an older version than has been sent before");
        if (version > run->received[request->site][file])
            run->received[request->site][file] = version;
        return true;
    }
    return false;
}

/* It may have been written to while it was sent, but not before it was announced. */
static void check_grown(const struct changes *run, const struct request *request, unsigned file,
                        const char *answer, const char *body, size_t len)
{
    unsigned oldest = request->versions_min[file];
    unsigned newest = run->sites->versions[request->site][file];
    unsigned announced = oldest;
    while (announced <= newest && sim_sites_size(file, announced) != len)
        announced++;
    if (announced > newest)
        fail(run, request, answer, "a length that the file no longer had when it was asked for");
    for (size_t i = 0; i < len; i++) {
        unsigned version = oldest;
        while (version <= newest && body[i] != sim_sites_octet(request->site, file, version, i))
            version++;
        if (version > newest)
            fail(run, request, answer, "octets that the file no longer had");
    }
}

/* A body that the server has compressed: 0x1f begins no file. Octets in `plain`, or 0: it is none.
 */
static size_t decompress(const char *body, size_t len, char plain[PLAIN_MAX])
{
    z_stream z = { .next_in = (unsigned char *)(uintptr_t)body,
                   .avail_in = (uInt)len,
                   .next_out = (unsigned char *)plain,
                   .avail_out = PLAIN_MAX };
    if (len == 0 || body[0] != 0x1f)
        return 0;
    CHECK(inflateInit2(&z, 15 + 16) == Z_OK);
    CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0);
    CHECK(inflateEnd(&z) == Z_OK);
    return z.total_out;
}

static void check_file(struct changes *run, const struct request *request, const char *answer,
                       const char *body, size_t len)
{
    static char plain[PLAIN_MAX];
    int file = announced_file(request, answer, body);
    size_t plain_len = decompress(body, len, plain);
    if (plain_len > 0) {
        CHECK(request->site == 1);
        file = asked_file(request);
        body = plain;
        len = plain_len;
        run->decompressed++;
    }
    bool grows = file >= 0 && sim_files[file].grows;
    if (file >= 0 && !grows && is_version(run, request, file, answer, body, len))
        return;
    /* Where a job fails with ENOENT, site b's `try` goes on to its last. */
    int last = sim_sites_find("index.html", 10);
    if (run->faults && request->site == 1 && is_version(run, request, last, answer, body, len))
        return;
    if (!grows)
        fail(run, request, answer, "no version of this file");
    check_grown(run, request, (unsigned)file, answer, body, len);
}

/* What only one kind of release has: there is always one of the two. */
static void check_either(struct changes *run, const struct request *request, const char *answer,
                         const char *body, size_t len)
{
    unsigned release = sim_sites_release(run->sites, request->site, body, len);
    if (release == 0)
        fail(run, request, answer, "no file of one release");
    if (release < request->release_min)
        fail(run, request, answer, "an older release than has been sent before");
    if (release > run->releases[request->site])
        run->releases[request->site] = release;
}

static bool asks_for_either(const struct request *request)
{
    return request->name != NULL && strcmp(request->name, SIM_EITHER) == 0;
}

/* Checks the answer that is due, if all of it is there. */
static void sent(void *context, size_t index)
{
    struct changes *run = context;
    struct client *client = &run->clients[index];
    const struct sim_result *result = &run->sims[index].result;
    if (result->sent_len == client->answered)
        return;
    const struct request *request = &client->requests[client->asked - 1];
    const char *answer = result->sent + client->answered;
    size_t there = result->sent_len - client->answered;
    const char *empty = memmem(answer, there, "\r\n\r\n", 4);
    if (empty == NULL)
        return;
    const char *body = empty + 4;
    static const char field[] = "\r\nContent-Length: ";
    const char *length = memmem(answer, (size_t)(body - answer), field, sizeof(field) - 1);
    CHECK(length != NULL);
    size_t len = strtoul(length + sizeof(field) - 1, NULL, 10);
    if (there < (size_t)(body - answer) + len)
        return;
    CHECK(there == (size_t)(body - answer) + len);
    CHECK(memcmp(answer, "HTTP/1.1 ", 9) == 0);
    int status = atoi(answer + 9);
    bool may_fail = run->faults && (status == 403 || status == 404 || status >= 500);
    if (status == 200 && asks_for_either(request))
        check_either(run, request, answer, body, len);
    else if (status == 200)
        check_file(run, request, answer, body, len);
    else if (!may_fail && !(status == 404 && request->name == NULL && request->site == 0))
        fail(run, request, answer, "no answer to this request");
    client->answered += (size_t)(body - answer) + len;
    ask_next(run, client);
}

static size_t input_there(void *context, size_t index)
{
    const struct changes *run = context;
    const struct client *client = &run->clients[index];
    return client->requests[client->asked - 1].end;
}

static void step(void *context, uint64_t *random)
{
    struct changes *run = context;
    if (run->switches && sim_random(random) % 150 == 0)
        sim_sites_switch(run->sites, (unsigned)(sim_random(random) % SIM_SITES));
    if (sim_random(random) % 24 != 0)
        return;
    enum { GROWN = SIM_FILES - 1 }; /* as likely as all others together */
    unsigned file = (unsigned)(sim_random(random) % (2 * SIM_FILES));
    if (file >= SIM_FILES)
        file = GROWN;
    if (sim_files[file].changes)
        sim_sites_replace(run->sites, (unsigned)(sim_random(random) % SIM_SITES), file);
}

unsigned sim_changes_run(struct sim_sites *sites, uint64_t seed, bool faults)
{
    static struct changes run;
    uint64_t random = seed;
    const struct sim_hooks hooks = { &run, input_there, sent, step };
    const struct sim_options options = { .seed = seed,
                                         .chop = sim_random(&random) % 4 == 0,
                                         .file_segments = sim_random(&random) % 2 == 0,
                                         .faults = faults,
                                         .pause_max_ms = (unsigned)(sim_random(&random) % 4),
                                         .hooks = &hooks };
    size_t names = 1 + sim_random(&random) % ARRAY_LEN(NAMES);
    run = (struct changes){
        .sites = sites, .seed = seed, .faults = faults, .switches = sim_random(&random) % 2 == 0
    };
    sim_sites_reset(sites);
    for (size_t i = 0; i < CLIENTS; i++) {
        draw_client(&run.clients[i], names, &random);
        ask_next(&run, &run.clients[i]);
        run.sims[i] = (struct sim_client){ .input = run.clients[i].input,
                                           .input_len = run.clients[i].requests[REQUESTS - 1].end };
    }
    sim_run_all(sites->config, &options, run.sims, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        CHECK(faults || run.sims[i].result.unread == 0);
        free(run.sims[i].result.sent);
    }
    sim_sites_tidy(sites);
    return run.decompressed;
}

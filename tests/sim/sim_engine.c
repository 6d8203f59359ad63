/* sim_engine.c: drives the sessions of one environment, without a socket and in any order. See
 * sim_engine.h. */
#include "sim_engine.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/rate_table.h"
#include "session/session.h"
#include "tests/unit/fake_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS_MAX = 2000000, START_MS = 1000000, SWEEP_ONE_IN = 16 };

/* A run: what its sessions share. */
struct sim {
    const struct sim_options *options;
    struct clock clock;
    uint64_t random;
    struct session_env *env;
};

/* One session, and what its engine knows of it. */
struct actor {
    struct sim *sim;
    struct sim_client *client;
    size_t index; /* among the clients */
    struct session *session;
    const char *input;
    char *encrypted;  /* the input, where it had to be wrapped; else NULL. Owned */
    char *introduced; /* all of that behind a proxy's header, where one is due; else NULL. Owned */
    size_t input_len, input_at;
    bool closed;
    bool ended;            /* end of stream was reported */
    unsigned inflight;     /* of SESSION_WANT_SEND and SESSION_WANT_FILE: begun, not reported yet */
    struct send_plan plan; /* in flight */
    char *plan_copy;       /* its memory as it was when it was lent */
    size_t plan_memory;
    struct file_job *job; /* in flight */
    bool job_done;        /* ... and has been executed: only the report is due */
    size_t job_turns;     /* ... and is not reported before so many turns have passed */
    size_t sent_cap;
    bool offloaded; /* "the kernel" encrypts what is sent from here on */
    unsigned steps;
};

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A number below `bound`. */
static size_t pick(struct sim *sim, size_t bound)
{
    return (size_t)(sim_random(&sim->random) % bound);
}

static bool fault(struct sim *sim, size_t one_in)
{
    return sim->options->faults && pick(sim, one_in) == 0;
}

/* A piece of `len` octets: all of it, or some, small pieces as likely as large ones. */
static size_t piece(struct sim *sim, size_t len)
{
    if (!sim->options->chop || len <= 1)
        return len;
    size_t bound = (size_t)2 << pick(sim, 18);
    size_t n = 1 + pick(sim, bound);
    return n < len ? n : len;
}

static void take(struct actor *actor, const void *octets, size_t len)
{
    struct sim_result *result = &actor->client->result;
    if (result->sent_len + len > actor->sent_cap) {
        actor->sent_cap = (result->sent_len + len) * 2;
        result->sent = realloc(result->sent, actor->sent_cap);
        CHECK(result->sent != NULL);
    }
    memcpy(result->sent + result->sent_len, octets, len);
    result->sent_len += len;
}

/* What the peer receives when these octets are sent. */
static void transmit(struct actor *actor, const char *octets, size_t len)
{
    int type = actor->plan.record_type != 0 ? actor->plan.record_type : FAKE_DATA;
    for (size_t n; actor->offloaded && len > 0; octets += n, len -= n) {
        char record[FAKE_HEADER + TLS_PLAIN_MAX];
        n = len < TLS_PLAIN_MAX ? len : TLS_PLAIN_MAX;
        take(actor, record, fake_record(record, type, octets, n));
    }
    take(actor, octets, len);
}

/* Octets of the input that have come so far. */
static size_t input_there(const struct actor *actor)
{
    const struct sim_hooks *hooks = actor->sim->options->hooks;
    return hooks != NULL && hooks->input_there != NULL
               ? hooks->input_there(hooks->context, actor->index)
               : actor->input_len;
}

static bool nothing_came(const struct actor *actor)
{
    return actor->input_at == input_there(actor) && actor->input_at < actor->input_len;
}

static void step_receive(struct actor *actor)
{
    static const int errors[] = { -ECONNRESET, -ETIMEDOUT, -EPIPE };
    struct sim *sim = actor->sim;
    size_t left = input_there(actor) - actor->input_at;
    if (fault(sim, 40)) {
        session_received(actor->session, NULL, errors[pick(sim, ARRAY_LEN(errors))]);
        actor->ended = true;
        return;
    }
    if (left == 0) {
        CHECK(!actor->ended);
        actor->ended = true;
        session_received(actor->session, NULL, 0);
        return;
    }
    size_t room = session_recv_room(actor->session);
    CHECK(room > 0);
    size_t len = piece(sim, left < room ? left : room);
    /* A copy of exactly this size: a read behind its end, or after the call, is found by the
     * sanitizer. */
    char *borrowed = malloc(len);
    CHECK(borrowed != NULL);
    memcpy(borrowed, actor->input + actor->input_at, len);
    actor->input_at += len;
    session_received(actor->session, borrowed, (ssize_t)len);
    memset(borrowed, 'X', len);
    free(borrowed);
}

static void begin_send(struct actor *actor)
{
    struct send_plan *plan = &actor->plan;
    /* A socket with little room, with much, or one that nobody asks. */
    if (session_minds_room(actor->session) && pick(actor->sim, 3) != 0)
        session_set_room(actor->session, pick(actor->sim, 2) * piece(actor->sim, 100000));
    session_send_plan(actor->session, plan);
    CHECK((plan->file_fd < 0) == (plan->file_len == 0));
    CHECK(plan->file_fd < 0 || actor->sim->options->file_segments);
    actor->plan_memory = send_plan_memory(plan);
    CHECK(plan->record_type == 0 || (actor->offloaded && plan->file_len == 0));
    if (actor->plan_memory + plan->file_len == 0)
        return; /* lost over encrypting, or it reads first */
    char *at = actor->plan_copy = malloc(actor->plan_memory + 1);
    CHECK(at != NULL);
    for (int i = 0; i < plan->iovcnt; i++) {
        memcpy(at, plan->iov[i].iov_base, plan->iov[i].iov_len);
        at += plan->iov[i].iov_len;
    }
    actor->inflight |= SESSION_WANT_SEND;
}

/* What was lent must be there still, unchanged: the kernel may read it up to the last moment. */
static void check_pinned(const struct actor *actor)
{
    const char *at = actor->plan_copy;
    for (int i = 0; i < actor->plan.iovcnt; i++) {
        CHECK(memcmp(at, actor->plan.iov[i].iov_base, actor->plan.iov[i].iov_len) == 0);
        at += actor->plan.iov[i].iov_len;
    }
}

static void end_send(struct actor *actor)
{
    struct sim *sim = actor->sim;
    const struct sim_hooks *hooks = sim->options->hooks;
    check_pinned(actor);
    ssize_t res = -ECONNRESET;
    if (sim->options->chop && pick(sim, 6) == 0) {
        res = -EAGAIN; /* a full socket */
    } else if (!fault(sim, 60)) {
        size_t len = actor->plan_memory + actor->plan.file_len;
        if (actor->plan.record_type == 0) /* else all or nothing */
            len = piece(sim, len);
        size_t memory = len < actor->plan_memory ? len : actor->plan_memory;
        transmit(actor, actor->plan_copy, memory);
        if (len > memory) {
            char *octets = malloc(len - memory);
            CHECK(octets != NULL);
            CHECK(pread(actor->plan.file_fd, octets, len - memory, actor->plan.file_off) ==
                  (ssize_t)(len - memory));
            transmit(actor, octets, len - memory);
            free(octets);
        }
        res = (ssize_t)len;
    }
    free(actor->plan_copy);
    actor->plan_copy = NULL;
    actor->inflight &= ~(unsigned)SESSION_WANT_SEND;
    session_sent(actor->session, res);
    if (res > 0 && hooks != NULL && hooks->sent != NULL)
        hooks->sent(hooks->context, actor->index);
}

static void execute_job(struct actor *actor)
{
    static const int errors[] = { -EIO, -EMFILE, -ENOMEM, -EACCES, -ENOENT };
    struct sim *sim = actor->sim;
    struct file_job *job = actor->job;
    if (fault(sim, 10))
        job->res = errors[pick(sim, ARRAY_LEN(errors))];
    else
        file_job_run(job);
    if (job->kind == FILE_JOB_READ && job->res > 1 && fault(sim, 3))
        job->res = (int)(1 + pick(sim, (size_t)job->res)); /* a short read */
    actor->job_done = true;
}

/* A job looks at the disk at once and is reported late, or is late itself, now and then by much:
 * what it tells may be old when it is told. */
static void begin_job(struct actor *actor)
{
    enum { LATE_ONE_IN = 8, LATE_TURNS = 100 };
    struct sim *sim = actor->sim;
    if (fault(sim, 60)) {
        session_peer_left(actor->session);
        actor->ended = true;
        return;
    }
    actor->job_turns = pick(sim, LATE_ONE_IN) == 0 ? pick(sim, LATE_TURNS) : 0;
    actor->job = session_file_job(actor->session);
    actor->job_done = false;
    actor->inflight |= SESSION_WANT_FILE;
    if (pick(sim, 2) == 0)
        execute_job(actor);
}

static void end_job(struct actor *actor)
{
    if (actor->job_turns > 0) {
        actor->job_turns--;
        return;
    }
    if (!actor->job_done)
        execute_job(actor);
    CHECK(session_file_job(actor->session) == actor->job);
    actor->inflight &= ~(unsigned)SESSION_WANT_FILE;
    session_file_done(actor->session);
}

/* The part of setsockopt(2). */
static void step_offload(struct actor *actor)
{
    char info[SESSION_OFFLOAD_MAX];
    CHECK(session_wants(actor->session) == SESSION_WANT_OFFLOAD && actor->inflight == 0);
    CHECK(session_offload(actor->session, info, sizeof(info)) > 0);
    actor->offloaded = pick(actor->sim, 4) != 0;
    session_offloaded(actor->session, actor->offloaded ? 0 : -EBUSY);
}

/* What is due happens. */
static void expire(struct actor *actor)
{
    const struct clock *clock = &actor->sim->clock;
    if (actor->closed || session_deadline_ms(actor->session) > clock->now_ms)
        return;
    struct progress progress = { .taken = (int64_t)session_sent_total(actor->session) };
    session_expired(actor->session, &progress);
    CHECK(session_deadline_ms(actor->session) > clock->now_ms);
}

static void pass_time(struct sim *sim, uint64_t ms)
{
    sim->clock.now_ms += ms;
    sim->clock.now_ns = sim->clock.now_ms * 1000000;
}

/* Nothing else is wanted, so there is something to come; now and then it is looked at too early. */
static void step_wait(struct actor *actor)
{
    struct sim *sim = actor->sim;
    uint64_t deadline_ms = session_deadline_ms(actor->session);
    CHECK(session_wants(actor->session) == SESSION_WANT_WAIT && actor->inflight == 0);
    CHECK(deadline_ms != UINT64_MAX);
    if (deadline_ms > sim->clock.now_ms)
        pass_time(sim, pick(sim, 4) == 0 ? 1 : deadline_ms - sim->clock.now_ms);
    expire(actor);
}

/* Time passes. */
static void step_time(struct sim *sim, struct actor *actor)
{
    if (sim->options->pause_max_ms > 0)
        pass_time(sim, pick(sim, sim->options->pause_max_ms + 1));
    if (!sim->options->faults || actor->closed ||
        session_wants(actor->session) == SESSION_WANT_CLOSE)
        return;
    pass_time(sim, pick(sim, 8) == 0 ? pick(sim, 70000) : pick(sim, 3));
}

static void close_actor(struct actor *actor)
{
    struct sim_result *result = &actor->client->result;
    result->closed_by_session = !actor->ended;
    result->unread = actor->input_len - actor->input_at;
    session_close(actor->session);
    actor->closed = true;
}

/* One thing that the session wants, begun, or one that is in flight, ended; chosen at random. It is
 * closed when it wants that and nothing is in flight. */
static void step(struct actor *actor)
{
    enum { BITS = 7 }; /* RECV to WAIT */
    unsigned wants = session_wants(actor->session);
    CHECK(wants != 0);
    if ((wants & SESSION_WANT_CLOSE) != 0) {
        CHECK(wants == SESSION_WANT_CLOSE);
        wants = 0;
    } else if (nothing_came(actor)) {
        wants &= ~(unsigned)SESSION_WANT_RECV;
        if ((wants | actor->inflight) == 0)
            return;
    }
    unsigned choices = wants | actor->inflight;
    if (choices == 0) {
        close_actor(actor);
        return;
    }
    unsigned bit;
    do {
        bit = 1u << pick(actor->sim, BITS);
    } while ((choices & bit) == 0);
    bool ends = (actor->inflight & bit) != 0;
    switch (bit) {
    case SESSION_WANT_RECV:
        step_receive(actor);
        break;
    case SESSION_WANT_SEND:
        ends ? end_send(actor) : begin_send(actor);
        break;
    case SESSION_WANT_FILE:
        ends ? end_job(actor) : begin_job(actor);
        break;
    case SESSION_WANT_OFFLOAD:
        step_offload(actor);
        break;
    case SESSION_WANT_WAIT:
        step_wait(actor);
        break;
    case SESSION_WANT_SHUTDOWN:
        session_shut_down(actor->session, fault(actor->sim, 5) ? -ENOTCONN : 0);
        break;
    default:
        UNREACHABLE();
    }
}

/* What a client sends that speaks TLS: a handshake, the input in records of random sizes with other
 * ones among them, and close_notify. malloc(3)ed. */
static char *encrypt_input(struct sim *sim, const char *input, size_t input_len, size_t *ret_len)
{
    char *octets = malloc(64 + input_len * (FAKE_HEADER * 2 + 1));
    CHECK(octets != NULL);
    size_t len = fake_record(octets, FAKE_HANDSHAKE, "a", 1);
    len += fake_record(octets + len, FAKE_HANDSHAKE, "finished", 8);
    for (size_t at = 0; at < input_len;) {
        size_t n = piece(sim, input_len - at);
        if (n > TLS_PLAIN_MAX)
            n = TLS_PLAIN_MAX;
        if (sim->options->tls_chatter && pick(sim, 4) == 0)
            len += fake_record(octets + len, FAKE_KEY_UPDATE, "", 0);
        len += fake_record(octets + len, FAKE_DATA, input + at, n);
        at += n;
    }
    if (!sim->options->faults || pick(sim, 2) == 0)
        len += fake_record(octets + len, FAKE_ALERT, "\1", 2);
    if (fault(sim, 8)) /* what is no record, somewhere */
        octets[pick(sim, len)] ^= 0x40;
    *ret_len = len;
    return octets;
}

/* The plaintext of what the peer has received. */
static void decrypt_output(const struct actor *actor)
{
    struct sim_result *result = &actor->client->result;
    struct fake_view view;
    fake_view(result->sent, result->sent_len, &view);
    /* Undisturbed, an answer ends with close_notify, and with no half record. */
    CHECK(actor->sim->options->faults ||
          (view.handshakes == 2 && view.alert == FAKE_CLOSE_NOTIFY && view.left == 0));
    free(result->sent);
    result->sent = view.plain;
    result->sent_len = view.plain_len;
}

/* A proxy's header, one of several, in front of all that a client sends; now and then broken.
 * malloc(3)ed. */
static char *introduce_input(struct sim *sim, const char *input, size_t input_len, size_t *ret_len)
{
    static const struct span headers[] = {
        SPAN_LIT("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
        SPAN_LIT("PROXY UNKNOWN\r\n"),
        SPAN_LIT("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"),
        SPAN_LIT("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x12"
                 "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb\x04\x00\x03tlv"),
    };
    struct span header = headers[pick(sim, ARRAY_LEN(headers))];
    char *octets = malloc(header.len + input_len);
    CHECK(octets != NULL);
    memcpy(octets, header.ptr, header.len);
    if (input_len > 0)
        memcpy(octets + header.len, input, input_len);
    if (fault(sim, 8))
        octets[pick(sim, header.len)] ^= 0x40;
    *ret_len = header.len + input_len;
    return octets;
}

static void open_actor(struct sim *sim, const struct config *config, struct sim_client *client,
                       size_t index, struct actor *ret_actor)
{
    const struct listen_config *listen = &config->listens[client->listen];
    const struct peer peer = { .family = PEER_IPV4, .addr = { 127, 0, 0, 1 }, .port = 1 };
    *ret_actor = (struct actor){ .sim = sim,
                                 .client = client,
                                 .index = index,
                                 .input = client->input,
                                 .input_len = client->input_len };
    client->result = (struct sim_result){ .sent = NULL };
    if (listen->tls) {
        CHECK(sim->options->hooks == NULL || sim->options->hooks->input_there == NULL);
        ret_actor->encrypted =
            encrypt_input(sim, client->input, client->input_len, &ret_actor->input_len);
        ret_actor->input = ret_actor->encrypted;
    }
    if (listen->proxy_protocol) {
        CHECK(sim->options->hooks == NULL || sim->options->hooks->input_there == NULL);
        ret_actor->introduced =
            introduce_input(sim, ret_actor->input, ret_actor->input_len, &ret_actor->input_len);
        ret_actor->input = ret_actor->introduced;
    }
    void *mem = malloc(session_size());
    CHECK(mem != NULL);
    ret_actor->session = session_open(mem, sim->env, listen, &peer);
}

static void end_actor(struct actor *actor)
{
    CHECK(actor->closed);
    free(actor->session);
    if (actor->encrypted != NULL)
        decrypt_output(actor);
    free(actor->encrypted);
    free(actor->introduced);
}

/* A turn of one session that is open, chosen at random; how many there are afterwards. */
static size_t turn(struct sim *sim, struct actor *actors, size_t count, size_t open)
{
    const struct sim_hooks *hooks = sim->options->hooks;
    struct actor *actor;
    do {
        actor = &actors[pick(sim, count)];
    } while (actor->closed);
    step(actor);
    CHECK(++actor->steps < STEPS_MAX);
    if (!actor->closed && actor->steps == sim->options->drain_in)
        session_drain(actor->session);
    step_time(sim, actor);
    for (size_t i = 0; i < count; i++)
        expire(&actors[i]);
    if (pick(sim, SWEEP_ONE_IN) == 0)
        (void)session_env_sweep(sim->env);
    if (hooks != NULL && hooks->step != NULL)
        hooks->step(hooks->context, &sim->random);
    return open - actor->closed;
}

void sim_run_all(const struct config *config, const struct sim_options *options,
                 struct sim_client *clients, size_t count)
{
    struct sim sim = { .options = options, .random = options->seed };
    pass_time(&sim, START_MS);
    sim.clock.wall_s = 1790000000;
    memcpy(sim.clock.http_date, "Mon, 21 Sep 2026 14:13:20 GMT", 30);
    memcpy(sim.clock.log_date, "21/Sep/2026:14:13:20 +0000", 27);

    /* Of each run its own: the clock begins anew, too. */
    struct rate_table *rates = NULL;
    CHECK(!config->limits_any || rate_table_create(64, &rates) == 0);
    ((struct config *)(uintptr_t)config)->rates = rates;
    char why[512];
    unsigned caps = options->file_segments ? ENGINE_CAP_FILE_SEGMENT : 0;
    const struct tls_server server = { .ops = &fake_tls_ops, .ktls = options->ktls };
    const struct session_limits limits = session_limits_of(config);
    CHECK(session_env_create(config, &limits, &server, &sim.clock, caps, why, sizeof(why),
                             &sim.env) == 0);
    struct actor *actors = calloc(count, sizeof(*actors));
    CHECK(actors != NULL && count > 0);
    for (size_t i = 0; i < count; i++)
        open_actor(&sim, config, &clients[i], i, &actors[i]);
    for (size_t open = count; open > 0;)
        open = turn(&sim, actors, count, open);
    for (size_t i = 0; i < count; i++)
        end_actor(&actors[i]);
    free(actors);
    session_env_destroy(sim.env);
    rate_table_destroy(rates);
}

void sim_run(const struct config *config, const struct sim_options *options, const char *input,
             size_t input_len, struct sim_result *ret_result)
{
    struct sim_client client = { .input = input, .input_len = input_len };
    sim_run_all(config, options, &client, 1);
    *ret_result = client.result;
}

/* sim_engine.c: drives one session without a socket. See sim_engine.h. */
#include "sim_engine.h"

#include "core/check.h"
#include "core/clock.h"
#include "engines/session.h"
#include "tests/unit/fake_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS_MAX = 2000000, START_MS = 1000000 };

struct sim {
    const struct sim_options *options;
    struct clock clock;
    uint64_t random;
    struct session *session;
    const char *input;
    size_t input_len, input_at;
    bool ended;            /* end of stream was reported */
    unsigned inflight;     /* of SESSION_WANT_SEND and SESSION_WANT_FILE: begun, not reported yet */
    struct send_plan plan; /* in flight */
    char *plan_copy;       /* its memory as it was when it was lent */
    size_t plan_memory;
    struct file_job *job; /* in flight */
    struct sim_result *result;
    size_t sent_cap;
    bool offloaded; /* "the kernel" encrypts what is sent from here on */
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

static void take(struct sim *sim, const void *octets, size_t len)
{
    struct sim_result *result = sim->result;
    if (result->sent_len + len > sim->sent_cap) {
        sim->sent_cap = (result->sent_len + len) * 2;
        result->sent = realloc(result->sent, sim->sent_cap);
        CHECK(result->sent != NULL);
    }
    memcpy(result->sent + result->sent_len, octets, len);
    result->sent_len += len;
}

/* What the peer receives when these octets are sent. */
static void transmit(struct sim *sim, const char *octets, size_t len)
{
    int type = sim->plan.record_type != 0 ? sim->plan.record_type : FAKE_DATA;
    for (size_t n; sim->offloaded && len > 0; octets += n, len -= n) {
        char record[FAKE_HEADER + TLS_PLAIN_MAX];
        n = len < TLS_PLAIN_MAX ? len : TLS_PLAIN_MAX;
        take(sim, record, fake_record(record, type, octets, n));
    }
    take(sim, octets, len);
}

static void step_receive(struct sim *sim)
{
    static const int errors[] = { -ECONNRESET, -ETIMEDOUT, -EPIPE };
    size_t left = sim->input_len - sim->input_at;
    if (fault(sim, 40)) {
        session_received(sim->session, NULL, errors[pick(sim, ARRAY_LEN(errors))]);
        sim->ended = true;
        return;
    }
    if (left == 0) {
        CHECK(!sim->ended);
        sim->ended = true;
        session_received(sim->session, NULL, 0);
        return;
    }
    size_t room = session_recv_room(sim->session);
    CHECK(room > 0);
    size_t len = piece(sim, left < room ? left : room);
    /* A copy of exactly this size: a read behind its end, or after the call, is found by the
     * sanitizer. */
    char *borrowed = malloc(len);
    CHECK(borrowed != NULL);
    memcpy(borrowed, sim->input + sim->input_at, len);
    sim->input_at += len;
    session_received(sim->session, borrowed, (ssize_t)len);
    memset(borrowed, 'X', len);
    free(borrowed);
}

static void begin_send(struct sim *sim)
{
    struct send_plan *plan = &sim->plan;
    session_send_plan(sim->session, plan);
    CHECK((plan->file_fd < 0) == (plan->file_len == 0));
    CHECK(plan->file_fd < 0 || sim->options->file_segments);
    sim->plan_memory = 0;
    for (int i = 0; i < plan->iovcnt; i++)
        sim->plan_memory += plan->iov[i].iov_len;
    CHECK(plan->record_type == 0 || (sim->offloaded && plan->file_len == 0));
    if (sim->plan_memory + plan->file_len == 0)
        return; /* lost over encrypting */
    char *at = sim->plan_copy = malloc(sim->plan_memory + 1);
    CHECK(at != NULL);
    for (int i = 0; i < plan->iovcnt; i++) {
        memcpy(at, plan->iov[i].iov_base, plan->iov[i].iov_len);
        at += plan->iov[i].iov_len;
    }
    sim->inflight |= SESSION_WANT_SEND;
}

/* What was lent must be there still, unchanged: the kernel may read it up to the last moment. */
static void check_pinned(const struct sim *sim)
{
    const char *at = sim->plan_copy;
    for (int i = 0; i < sim->plan.iovcnt; i++) {
        CHECK(memcmp(at, sim->plan.iov[i].iov_base, sim->plan.iov[i].iov_len) == 0);
        at += sim->plan.iov[i].iov_len;
    }
}

static void end_send(struct sim *sim)
{
    check_pinned(sim);
    ssize_t res = -ECONNRESET;
    if (!fault(sim, 60)) {
        size_t len = sim->plan_memory + sim->plan.file_len;
        if (sim->plan.record_type == 0) /* else all or nothing */
            len = piece(sim, len);
        size_t memory = len < sim->plan_memory ? len : sim->plan_memory;
        transmit(sim, sim->plan_copy, memory);
        if (len > memory) {
            char *octets = malloc(len - memory);
            CHECK(octets != NULL);
            CHECK(pread(sim->plan.file_fd, octets, len - memory, sim->plan.file_off) ==
                  (ssize_t)(len - memory));
            transmit(sim, octets, len - memory);
            free(octets);
        }
        res = (ssize_t)len;
    }
    free(sim->plan_copy);
    sim->plan_copy = NULL;
    sim->inflight &= ~(unsigned)SESSION_WANT_SEND;
    session_sent(sim->session, res);
}

static void begin_job(struct sim *sim)
{
    sim->job = session_file_job(sim->session);
    sim->inflight |= SESSION_WANT_FILE;
}

static void end_job(struct sim *sim)
{
    static const int errors[] = { -EIO, -EMFILE, -ENOMEM, -EACCES, -ENOENT };
    struct file_job *job = sim->job;
    if (fault(sim, 10))
        job->res = errors[pick(sim, ARRAY_LEN(errors))];
    else
        file_job_run(job);
    if (job->kind == FILE_JOB_READ && job->res > 1 && fault(sim, 3))
        job->res = (int)(1 + pick(sim, (size_t)job->res)); /* a short read */
    sim->inflight &= ~(unsigned)SESSION_WANT_FILE;
    session_file_done(sim->session);
}

/* The part of setsockopt(2). */
static void step_offload(struct sim *sim)
{
    char info[SESSION_OFFLOAD_MAX];
    CHECK(session_wants(sim->session) == SESSION_WANT_OFFLOAD && sim->inflight == 0);
    CHECK(session_offload(sim->session, info, sizeof(info)) > 0);
    sim->offloaded = pick(sim, 4) != 0;
    session_offloaded(sim->session, sim->offloaded ? 0 : -EBUSY);
}

/* Time passes; what is due happens. */
static void step_time(struct sim *sim)
{
    sim->clock.now_ms += pick(sim, 8) == 0 ? pick(sim, 70000) : pick(sim, 3);
    if (session_deadline_ms(sim->session) <= sim->clock.now_ms) {
        session_expired(sim->session);
        CHECK(session_deadline_ms(sim->session) > sim->clock.now_ms);
    }
}

/* One thing that the session wants, begun, or one that is in flight, ended; chosen at random.
 * False: it is to be closed. */
static bool step(struct sim *sim)
{
    enum { BITS = 6 }; /* RECV to OFFLOAD */
    unsigned wants = session_wants(sim->session);
    CHECK(wants != 0);
    if ((wants & SESSION_WANT_CLOSE) != 0) {
        CHECK(wants == SESSION_WANT_CLOSE);
        wants = 0;
    }
    unsigned choices = wants | sim->inflight;
    if (choices == 0)
        return false;
    unsigned bit;
    do {
        bit = 1u << pick(sim, BITS);
    } while ((choices & bit) == 0);
    bool ends = (sim->inflight & bit) != 0;
    switch (bit) {
    case SESSION_WANT_RECV:
        step_receive(sim);
        break;
    case SESSION_WANT_SEND:
        ends ? end_send(sim) : begin_send(sim);
        break;
    case SESSION_WANT_FILE:
        ends ? end_job(sim) : begin_job(sim);
        break;
    case SESSION_WANT_OFFLOAD:
        step_offload(sim);
        break;
    case SESSION_WANT_SHUTDOWN:
        session_shut_down(sim->session, fault(sim, 5) ? -ENOTCONN : 0);
        break;
    default:
        UNREACHABLE();
    }
    return true;
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
static void decrypt_output(const struct sim *sim)
{
    struct sim_result *result = sim->result;
    struct fake_view view;
    fake_view(result->sent, result->sent_len, &view);
    /* Undisturbed, an answer ends with close_notify, and with no half record. */
    CHECK(sim->options->faults ||
          (view.handshakes == 2 && view.alert == FAKE_CLOSE_NOTIFY && view.left == 0));
    free(result->sent);
    result->sent = view.plain;
    result->sent_len = view.plain_len;
}

void sim_run(const struct config *config, const struct sim_options *options, const char *input,
             size_t input_len, struct sim_result *ret_result)
{
    struct sim sim = { .options = options,
                       .random = options->seed,
                       .input = input,
                       .input_len = input_len,
                       .result = ret_result };
    sim.clock.now_ms = START_MS;
    sim.clock.wall_s = 1790000000;
    memcpy(sim.clock.http_date, "Mon, 21 Sep 2026 14:13:20 GMT", 30);
    memcpy(sim.clock.log_date, "21/Sep/2026:14:13:20 +0000", 27);
    *ret_result = (struct sim_result){ .sent = NULL };

    char why[512];
    struct session_env *env;
    unsigned caps = options->file_segments ? ENGINE_CAP_FILE_SEGMENT : 0;
    const struct tls_server server = { &fake_tls_ops, NULL, options->ktls };
    bool tls = config->listens[0].tls;
    char *encrypted = tls ? encrypt_input(&sim, input, input_len, &sim.input_len) : NULL;
    if (tls)
        sim.input = encrypted;
    CHECK(session_env_create(config, tls ? &server : NULL, &sim.clock, caps, why, sizeof(why),
                             &env) == 0);
    const struct peer peer = { .family = PEER_IPV4, .addr = { 127, 0, 0, 1 }, .port = 1 };
    void *mem = malloc(session_size());
    CHECK(mem != NULL);
    sim.session = session_open(mem, env, &config->listens[0], &peer);
    unsigned steps = 0;
    while (step(&sim)) {
        CHECK(++steps < STEPS_MAX);
        if (steps == options->drain_in)
            session_drain(sim.session);
        if (options->faults && session_wants(sim.session) != SESSION_WANT_CLOSE)
            step_time(&sim);
    }
    ret_result->closed_by_session = !sim.ended;
    ret_result->unread = sim.input_len - sim.input_at;
    session_close(sim.session);
    free(mem);
    session_env_destroy(env);
    free(encrypted);
    if (tls)
        decrypt_output(&sim);
}

/* fake_session.h: session.h's functions, implemented by a session that speaks a small line protocol
 * and counts what happens to it. It keeps the seam's rules, and checks that the engine does.
 *
 * One line is one request:
 *   m N   N octets of memory in one piece      v N   N octets of memory in several pieces
 *   f N   a head and N octets of the file      j N   N octets of the file, read by a job
 *   c     end of answers, lingering close      x     close at once */
#ifndef TESTS_UNIT_FAKE_SESSION_H
#define TESTS_UNIT_FAKE_SESSION_H

#include "core/check.h"
#include "core/file_job.h"
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATTERN_SIZE = 4 << 20, /* octets of the file, and of memory to answer with */
    HEAD_SIZE = 16,
    JOB_SIZE = 4096,
    SENDS_MAX = 4096,
};

static struct {
    char *pattern;
    int file;
    uint64_t deadline_ms; /* from the last receive; UINT64_MAX: none */
    unsigned opened, closed, expired, ticks, reopens;
    unsigned last_ones; /* requests that were answered while draining, or retiring */
    unsigned caps;
    bool makes_way;     /* sessions without work say that they are idle */
    size_t reclaimable; /* descriptors that session_env_reclaim() finds, one a call */
    struct peer peer;   /* of the last one opened */
    struct {            /* who sent how much, in order */
        unsigned id;
        ssize_t res;
    } sends[SENDS_MAX];
    unsigned sends_count;
} fake;

struct session_env {
    const struct clock *clock;
};

struct session {
    struct session_env *env;
    unsigned id; /* from 1, in the order of accepting */
    char in[64]; /* small, so that pipelined requests stay in the socket */
    size_t in_len;
    const char *out; /* memory still to send */
    size_t out_len;
    int pieces; /* in which it is sent */
    off_t file_off;
    size_t file_len;
    struct file_job job;
    bool job_wanted, planned, ended, shutdown_wanted, lingering, closing, draining, retiring;
    bool last_one; /* the answer to a request that came while draining */
    char job_mem[JOB_SIZE];
    uint64_t deadline_ms;
};

int session_env_create(const struct config *config, const struct session_limits *limits,
                       const struct tls_server *tls, const struct clock *clock, unsigned caps,
                       char *why, size_t why_size, struct session_env **ret_env)
{
    (void)config, (void)limits, (void)tls, (void)why, (void)why_size;
    fake.caps = caps;
    *ret_env = malloc(sizeof(**ret_env));
    CHECK(*ret_env != NULL);
    (*ret_env)->clock = clock;
    return 0;
}

void session_env_share(struct session_env *env, const struct session_lock *lock)
{
    CHECK(env != NULL && lock->leave != NULL && lock->enter != NULL);
}

void session_env_note_client(struct session_env *env, _Atomic uint64_t *cell)
{
    (void)env, (void)cell;
}

void session_env_drop_client(struct session_env *env, _Atomic uint64_t *cell)
{
    (void)env, (void)cell;
}

int session_share_files(const struct config *config, unsigned count, struct session_limits *limits,
                        char *why, size_t why_size)
{
    (void)config, (void)count, (void)limits, (void)why, (void)why_size;
    return 0;
}

void session_unshare_files(struct session_limits *limits)
{
    (void)limits;
}

void session_env_destroy(struct session_env *env)
{
    free(env);
}

void session_env_end_logs(struct session_env *env)
{
    (void)env;
}

uint64_t session_env_sweep(struct session_env *env)
{
    (void)env;
    return UINT64_MAX;
}

bool session_env_tick(struct session_env *env, bool reopen)
{
    (void)env;
    fake.ticks++;
    fake.reopens += reopen;
    return false;
}

size_t session_env_reclaim(struct session_env *env)
{
    (void)env;
    size_t found = fake.reclaimable > 0;
    fake.reclaimable -= found;
    return found;
}

size_t session_size(void)
{
    return (sizeof(struct session) + 15) / 16 * 16;
}

static void session_set_deadline(struct session *s)
{
    s->deadline_ms =
        fake.deadline_ms == UINT64_MAX ? UINT64_MAX : s->env->clock->now_ms + fake.deadline_ms;
}

struct session *session_open(void *mem, struct session_env *env, const struct listen_config *listen,
                             const struct peer *peer)
{
    CHECK(listen != NULL && (uintptr_t)mem % 16 == 0);
    struct session *s = mem;
    *s = (struct session){ .env = env, .id = ++fake.opened };
    fake.peer = *peer;
    session_set_deadline(s);
    return s;
}

struct session *session_open_moved(void *mem, struct session_env *env,
                                   const struct session_moved *moved)
{
    return session_open(mem, env, moved->listen, &moved->peer);
}

bool session_can_move(const struct session *s)
{
    (void)s;
    return false;
}

bool session_is_tls(const struct session *s)
{
    (void)s;
    return false;
}

void session_move(const struct session *s, struct session_moved *ret_moved)
{
    (void)s, (void)ret_moved;
    UNREACHABLE();
}

void session_left(struct session *s)
{
    (void)s;
}

void session_retire(struct session *s)
{
    s->retiring = true;
}

void session_close(struct session *s)
{
    CHECK(!s->planned);
    fake.closed++;
}

static bool session_busy(const struct session *s)
{
    return s->out_len > 0 || s->file_len > 0 || s->job_wanted;
}

unsigned session_wants(const struct session *s)
{
    if (s->closing)
        return SESSION_WANT_CLOSE;
    unsigned wants = 0;
    if (s->job_wanted)
        wants |= SESSION_WANT_FILE;
    if (s->out_len > 0 || s->file_len > 0)
        wants |= SESSION_WANT_SEND;
    else if (s->shutdown_wanted)
        wants |= SESSION_WANT_SHUTDOWN;
    if (!s->ended && (s->lingering || s->in_len < sizeof(s->in)))
        wants |= SESSION_WANT_RECV;
    return wants;
}

bool session_is_idle(const struct session *s)
{
    return fake.makes_way && !session_busy(s) && s->in_len == 0 && !s->shutdown_wanted &&
           !s->lingering && !s->closing;
}

bool session_is_busy(const struct session *s)
{
    return session_busy(s) || s->in_len > 0;
}

size_t session_recv_room(const struct session *s)
{
    return s->lingering ? SIZE_MAX : sizeof(s->in) - s->in_len;
}

static void session_request(struct session *s, char kind, size_t len)
{
    CHECK(len <= PATTERN_SIZE);
    fake.last_ones += s->draining || s->retiring;
    s->last_one = s->draining;
    switch (kind) {
    case 'm':
    case 'v':
        s->out = fake.pattern;
        s->out_len = len;
        s->pieces = kind == 'm' ? 1 : 7;
        break;
    case 'f':
        s->out = "HHHHHHHHHHHHHHHH";
        s->out_len = HEAD_SIZE;
        s->pieces = 1;
        s->file_off = 0;
        s->file_len = len;
        break;
    case 'j':
        CHECK(len <= JOB_SIZE);
        file_job_init_read(&s->job, fake.file, 0, s->job_mem, len);
        s->job_wanted = true;
        break;
    case 'c':
        s->shutdown_wanted = true;
        break;
    case 'x':
        s->closing = true;
        break;
    default:
        UNREACHABLE();
    }
}

static void session_process(struct session *s)
{
    char *end;
    while (!session_busy(s) && (end = memchr(s->in, '\n', s->in_len)) != NULL) {
        char kind = s->in[0];
        *end = '\0';
        size_t len = kind == 'c' || kind == 'x' ? 0 : strtoul(s->in + 1, NULL, 10);
        size_t used = (size_t)(end - s->in) + 1;
        memmove(s->in, s->in + used, s->in_len - used);
        s->in_len -= used;
        session_request(s, kind, len);
    }
    if (!session_busy(s) && (s->ended || (s->draining && (s->in_len == 0 || s->last_one))) &&
        !s->shutdown_wanted)
        s->closing = true;
}

void session_received(struct session *s, const void *data, ssize_t res)
{
    CHECK(session_wants(s) & SESSION_WANT_RECV);
    CHECK(res <= 0 || (size_t)res <= session_recv_room(s));
    if (res < 0) {
        s->closing = true;
        return;
    }
    if (res == 0)
        s->ended = true;
    if (s->lingering) {
        s->closing = s->ended;
        return;
    }
    if (res > 0)
        memcpy(s->in + s->in_len, data, (size_t)res);
    s->in_len += (size_t)res;
    session_set_deadline(s);
    session_process(s);
}

void session_prepare(struct session *s)
{
    CHECK(!s->planned);
}

size_t session_offload(struct session *s, void *info, size_t size)
{
    (void)s, (void)info, (void)size;
    UNREACHABLE(); /* never wanted */
}

void session_offloaded(struct session *s, int res)
{
    (void)s, (void)res;
    UNREACHABLE();
}

bool session_minds_room(const struct session *s)
{
    CHECK(!s->planned);
    return false;
}

void session_set_room(struct session *s, size_t room)
{
    (void)s, (void)room;
    UNREACHABLE(); /* it does not mind */
}

void session_send_plan(struct session *s, struct send_plan *ret_plan)
{
    CHECK(!s->planned && (session_wants(s) & SESSION_WANT_SEND));
    s->planned = true;
    *ret_plan = (struct send_plan){ .file_fd = -1 };
    size_t at = 0, piece = s->pieces > 0 ? s->out_len / (size_t)s->pieces : 0;
    for (int i = 0; at < s->out_len; i++) {
        size_t len = i < s->pieces - 1 ? piece : s->out_len - at;
        ret_plan->iov[ret_plan->iovcnt++] =
            (struct iovec){ .iov_base = (char *)(uintptr_t)s->out + at, .iov_len = len };
        at += len;
    }
    if (s->file_len > 0) {
        ret_plan->file_fd = fake.file;
        ret_plan->file_off = s->file_off;
        ret_plan->file_len = s->file_len;
    }
}

void session_sent(struct session *s, ssize_t res)
{
    CHECK(s->planned);
    s->planned = false;
    CHECK(fake.sends_count < SENDS_MAX);
    fake.sends[fake.sends_count].id = s->id;
    fake.sends[fake.sends_count++].res = res;
    if (res == -EAGAIN)
        return;
    if (res <= 0) {
        s->closing = true;
        return;
    }
    size_t memory = (size_t)res < s->out_len ? (size_t)res : s->out_len;
    s->out += memory;
    s->out_len -= memory;
    CHECK((size_t)res - memory <= s->file_len);
    s->file_off += res - (ssize_t)memory;
    s->file_len -= (size_t)res - memory;
    session_process(s);
}

struct file_job *session_file_job(struct session *s)
{
    CHECK(s->job_wanted);
    return &s->job;
}

void session_file_done(struct session *s)
{
    CHECK(s->job_wanted && s->job.res >= 0);
    s->job_wanted = false;
    s->out = s->job_mem;
    s->out_len = (size_t)s->job.res;
    s->pieces = 1;
    session_process(s);
}

void session_peer_left(struct session *s)
{
    CHECK(s->job_wanted);
    s->closing = true;
}

void session_shut_down(struct session *s, int res)
{
    CHECK(s->shutdown_wanted && !session_busy(s));
    s->shutdown_wanted = false;
    s->lingering = true;
    s->closing = res < 0 || s->ended;
}

uint64_t session_deadline_ms(const struct session *s)
{
    return s->deadline_ms;
}

uint64_t session_sent_total(const struct session *s)
{
    (void)s;
    return 0;
}

void session_expired(struct session *s, const struct progress *progress)
{
    (void)progress;
    CHECK(s->deadline_ms <= s->env->clock->now_ms);
    fake.expired++;
    s->closing = true;
}

void session_drain(struct session *s)
{
    s->draining = true;
    session_process(s);
}

void session_make_way(struct session *s)
{
    session_drain(s);
}

#endif

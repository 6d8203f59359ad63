/* proactor.c: the engine `proactor`: io_uring. Accepting, receiving, opening, reading and sending
 * are operations that the kernel completes; threads = N runs N proactors, one ring each, that share
 * nothing but the configuration.
 *
 *   reuseport  every ring has a listening socket; the kernel distributes by a hash of the addresses
 *   shared     one socket, an accept armed on it in every ring; the kernel wakes one of them
 *
 * The calling thread runs a proactor itself. Signals reach that thread only; wake() is for all. */
#include "engines/cpus.h"
#include "engines/engine.h"
#include "engines/listen.h"
#include "engines/proactor_internal.h"

#include "core/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENGINE_MAGIC 0x9b0ae491u

struct member {
    struct engine *engine;
    unsigned index;
    struct proactor *proactor;
    pthread_t thread;
    int res; /* of proactor_run() */
};

struct engine {
    unsigned magic; /* ENGINE_MAGIC */
    struct engine_config cfg;
    struct config share; /* the configuration, with a ring's share of the limits */
    struct proactor_shared shared;
    struct cpus cpus;
    struct member *members;
    unsigned count;
    struct listener *listeners; /* of the rings from the second on: cfg.listeners_count each */
    atomic_uint *holders;       /* of the sockets that all rings hold, by index of the first's */
};

static int proactor_engine_probe(char *why, size_t why_size)
{
    struct uring_options options;
    return uring_probe(why, why_size, &options);
}

/* A part of a limit, rounded up: each ring has to be able to do something. */
static uint64_t part_of(uint64_t limit, unsigned count)
{
    return limit / count + (limit % count != 0);
}

static void make_share(struct engine *e)
{
    e->share = *e->cfg.config;
    e->share.connections_max = (uint32_t)part_of(e->share.connections_max, e->count);
    e->share.cache_files_max = (uint32_t)part_of(e->share.cache_files_max, e->count);
    e->share.cache_bytes_max = part_of(e->share.cache_bytes_max, e->count);
}

/* What one ring asks of all. */
static void wake_all(void *context)
{
    struct engine *e = context;
    CHECK_OBJ(e, ENGINE_MAGIC);
    for (unsigned i = 0; i < e->count; i++) {
        if (e->members[i].proactor != NULL)
            proactor_wake(e->members[i].proactor);
    }
}

/* The rings from the second on get listeners beside the first one's, or hold the same. */
static int share_listener(struct engine *e, size_t index, char *why, size_t why_size)
{
    size_t count = e->cfg.listeners_count;
    struct listener *first = &e->cfg.listeners[index];
    bool beside =
        e->cfg.config->accept_mode == ACCEPT_REUSEPORT && first->config->kind != LISTEN_UNIX;
    if (!beside) {
        atomic_init(&e->holders[index], 1);
        first->holders = &e->holders[index];
    }
    for (unsigned i = 1; i < e->count; i++) {
        struct listener *listener = &e->listeners[(i - 1) * count + index];
        if (!beside) {
            atomic_fetch_add(first->holders, 1);
            *listener = *first;
            continue;
        }
        int res = listener_open_beside(first, why, why_size, listener);
        if (res < 0)
            return res;
    }
    return 0;
}

static int make_listeners(struct engine *e, char *why, size_t why_size)
{
    size_t count = e->cfg.listeners_count;
    e->listeners = calloc(count * (e->count - 1) + 1, sizeof(e->listeners[0]));
    e->holders = calloc(count + 1, sizeof(e->holders[0]));
    for (size_t i = 0; e->listeners != NULL && i < count * (e->count - 1); i++)
        e->listeners[i].fd = -1;
    if (e->listeners == NULL || e->holders == NULL) {
        snprintf(why, why_size, "listening sockets: out of memory");
        return -ENOMEM;
    }
    for (size_t i = 0; i < count && e->count > 1; i++) {
        int res = share_listener(e, i, why, why_size);
        if (res < 0)
            return res;
    }
    return 0;
}

/* Together they keep the limit, unless it is less than one for each. */
static uint32_t connections_max_of(const struct engine *e, unsigned index)
{
    uint32_t limit = e->cfg.config->connections_max;
    uint32_t part = limit / e->count + (index < limit % e->count);
    return part > 0 ? part : 1;
}

static int make_members(struct engine *e, char *why, size_t why_size)
{
    size_t count = e->cfg.listeners_count;
    for (unsigned i = 0; i < e->count; i++) {
        e->members[i] = (struct member){ .engine = e, .index = i };
        struct listener *listeners =
            i == 0 ? e->cfg.listeners : &e->listeners[(size_t)(i - 1) * count];
        int res = proactor_create(&e->shared, connections_max_of(e, i), listeners, count, why,
                                  why_size, &e->members[i].proactor);
        if (res < 0)
            return res;
    }
    return 0;
}

static void proactor_engine_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, ENGINE_MAGIC);
    for (unsigned i = 0; e->members != NULL && i < e->count; i++)
        proactor_destroy(e->members[i].proactor);
    for (size_t i = 0; e->listeners != NULL && i < e->cfg.listeners_count * (e->count - 1); i++)
        listener_close(&e->listeners[i]);
    /* The first ring's are the caller's, who is their only holder again. */
    for (size_t i = 0; i < e->cfg.listeners_count; i++)
        e->cfg.listeners[i].holders = NULL;
    free(e->holders);
    free(e->listeners);
    free(e->members);
    cpus_free(&e->cpus);
    e->magic = 0;
    free(e);
}

static int prepare(struct engine *e, char *why, size_t why_size)
{
    const struct config *config = e->cfg.config;
    int res = cpus_find(&e->cpus);
    if (res == 0) {
        e->count = config->threads > 0 ? config->threads : e->cpus.threads;
        e->members = calloc(e->count, sizeof(e->members[0]));
        res = e->members == NULL ? -ENOMEM : 0;
    }
    if (res < 0) {
        snprintf(why, why_size, "the threads cannot be prepared: %s", strerror(-res));
        return res;
    }
    if (config->accept_mode == ACCEPT_HANDOFF && e->count > 1) {
        snprintf(why, why_size,
                 "accept = handoff is multi-reactor's; set accept = reuseport or shared for engine "
                 "proactor with %u threads",
                 e->count);
        return -EINVAL;
    }
    res = uring_probe(why, why_size, &e->shared.uring);
    if (res < 0)
        return res;
    make_share(e);
    e->shared.config = &e->share;
    e->shared.tls = e->cfg.tls;
    e->shared.requests = e->cfg.requests;
    e->shared.wake_all = wake_all;
    e->shared.wake_context = e;
    res = make_listeners(e, why, why_size);
    return res < 0 ? res : make_members(e, why, why_size);
}

static int proactor_engine_create(const struct engine_config *cfg, char *why, size_t why_size,
                                  struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = ENGINE_MAGIC;
    e->cfg = *cfg;
    int res = prepare(e, why, why_size);
    if (res < 0) {
        proactor_engine_destroy(e);
        return res;
    }
    *ret_engine = e;
    return 0;
}

/* If one fails, the others are not left to themselves. */
static void fail_all(struct engine *e)
{
    atomic_store(&e->shared.failed, true);
    wake_all(e);
}

static void member_serve(struct member *member)
{
    struct engine *e = member->engine;
    if (e->cfg.config->pin) {
        int res = cpus_pin(&e->cpus, member->index);
        if (res < 0)
            log_warn("thread %u is not pinned: %s", member->index, strerror(-res));
    }
    member->res = proactor_run(member->proactor);
    if (member->res < 0)
        fail_all(e);
}

static void *member_thread(void *context)
{
    member_serve(context);
    return NULL;
}

/* Signals are for the calling thread: handlers there, and no other system call interrupted. */
static int start_thread(struct member *member)
{
    sigset_t all, old;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, &old) == 0);
    int res = -pthread_create(&member->thread, NULL, member_thread, member);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    if (res < 0)
        log_error("thread %u of %u cannot be started: %s", member->index, member->engine->count,
                  strerror(-res));
    return res;
}

static int proactor_engine_run(struct engine *e)
{
    CHECK_OBJ(e, ENGINE_MAGIC);
    unsigned started = 1;
    int res = 0;

    log_info("proactor: %u threads; io_uring with %s, receives %s", e->count,
             e->shared.uring.single_issuer ? "SINGLE_ISSUER and DEFER_TASKRUN" : "COOP_TASKRUN",
             e->shared.uring.recv_multishot ? "multishot" : "one by one");
    while (res == 0 && started < e->count) {
        res = start_thread(&e->members[started]);
        started += res == 0;
    }
    if (res < 0)
        fail_all(e);
    else
        member_serve(&e->members[0]);
    for (unsigned i = 1; i < started; i++)
        CHECK(pthread_join(e->members[i].thread, NULL) == 0);
    for (unsigned i = 0; i < e->count && res == 0; i++)
        res = e->members[i].res;
    return res;
}

static void proactor_engine_wake(struct engine *e)
{
    wake_all(e);
}

const struct engine_ops engine_proactor = {
    .name = "proactor",
    .summary =
        "io_uring: accepts, receives, opens, reads and sends by completions; a ring a thread",
    .probe = proactor_engine_probe,
    .create = proactor_engine_create,
    .run = proactor_engine_run,
    .wake = proactor_engine_wake,
    .destroy = proactor_engine_destroy,
};
